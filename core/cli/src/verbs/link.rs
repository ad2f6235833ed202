//! `link`, and `device link`: two machines of one person, side by side.

use super::enroll::{ask_device, ask_user, enrolled_answer};
use super::recover::ask_server;
use super::under_way::{as_before, is_another, under_way};
use crate::app::App;
use crate::args::LinkArgs;
use crate::clock::clock_time;
use crate::output::{Answer, say};
use crate::terminal::read_line;
use crate::texts;
use landfall_client::words::ServerLine;
use landfall_client::{
    Failure, FlowNext, FlowView, LinkMeeting, LinkProgress, LinkRequest, Linking,
};
use landfall_protocol::ErrorCode;
use serde_json::json;

/// How often the six digits may be typed.
const TRIES: u32 = 3;
/// How many digits both devices show.
const DIGITS: usize = 6;

/// On the new machine: shows a code, then six digits, then is a device.
pub async fn link(app: &App, args: LinkArgs) -> Result<Answer, Failure> {
    let mut linking = go_on_or_begin(app, args.clone())?;
    let mut resumed = linking.is_resumed();
    if resumed {
        app.terminal.say(&texts::link_resuming(&linking.view().about));
    }
    let mut waited = false;
    loop {
        let progress = match waited {
            true => linking.wait(&app.terminal).await,
            false => linking.run(&app.terminal).await,
        };
        match progress {
            Ok(LinkProgress::Done(enrolled)) => return enrolled_answer(&enrolled, None),
            Ok(LinkProgress::Waiting(view)) => {
                (waited, resumed) = (true, false);
                show(app, &view);
            }
            Err(failure) if resumed && failure.code() == ErrorCode::RecoveryOver => {
                // What was begun here is long over: the person has come to begin, not to hear that.
                resumed = false;
                drop(linking);
                linking = begin(app, args.clone())?;
            }
            Err(failure) => {
                waited = false;
                again(app, &linking, failure)?;
            }
        }
    }
}

/// Goes on with what was begun here, unless something else was typed, or begins.
fn go_on_or_begin(app: &App, mut args: LinkArgs) -> Result<Linking, Failure> {
    let Some(mut begun) = app.client.resume_link()? else { return begin(app, args) };
    let (server, about) = (begun.server(), begun.view().about);
    let other = is_another(&server, &about, args.server.as_ref(), args.user.as_ref());
    let renamed = args.device.as_ref().filter(|device| **device != about.device);
    let leaves = args.anew || ((other || renamed.is_some()) && begun.is_idle());
    if !leaves {
        return match (other, renamed) {
            (true, _) => Err(under_way("link", &server, &about, (args.server, args.user))),
            (false, Some(device)) => {
                let why = texts::link_name_stays(about.device.as_str(), device.as_str());
                Err(Failure::new(ErrorCode::InvalidField, why).about("device"))
            }
            (false, None) => {
                if let Some(label) = args.label {
                    begun.relabel(label);
                }
                Ok(begun)
            }
        };
    }
    // Its hold of the folder ends with it.
    drop(begun);
    let typed = (args.server, args.user, args.device);
    (args.server, args.user, args.device) = as_before(typed, (server, about));
    begin(app, args)
}

/// Asks for what was not given.
fn begin(app: &App, args: LinkArgs) -> Result<Linking, Failure> {
    let server = match args.server {
        Some(server) => server,
        None => ask_server(app, texts::ASK_LINK_SERVER)?,
    };
    let user = match args.user {
        Some(user) => user,
        None => ask_user(app)?,
    };
    let device = match args.device {
        Some(device) => device,
        None => ask_device(app)?,
    };
    let (label, replace) = (args.label, args.replace);
    let linking = app.client.link(LinkRequest { server, user, device, label, replace })?;
    app.terminal.say(&texts::recover_about(&linking.view(), None));
    app.go_on(texts::ASK_RECOVER)?;
    Ok(linking)
}

/// What to do on the other device now. A program reads it from stderr, a line for each change.
fn show(app: &App, view: &FlowView) {
    let until = view.expires_at.map(clock_time).unwrap_or_default();
    match &view.next {
        FlowNext::ShowCode { code, scan, approver: None } => {
            app.terminal.show_qr(scan);
            app.terminal.say(&texts::link_code(code, &until));
        }
        FlowNext::ShowCode { approver: Some(approver), .. } => {
            app.terminal.say(&texts::link_taken_on(approver.as_str()));
        }
        FlowNext::CompareCode { digits, approver } => {
            app.terminal.say(&texts::link_digits(&spaced(digits), approver.as_str()));
        }
        _ => {}
    }
    if app.output.is_json() {
        say(&json!({ "state": "waiting", "next": view.next }).to_string());
    }
}

/// Nothing is lost, so a person at hand may simply try again.
fn again(app: &App, linking: &Linking, failure: Failure) -> Result<(), Failure> {
    let goes_on = matches!(linking.view().next, FlowNext::TryAgain);
    if !goes_on || !app.terminal.can_ask() || failure.code() == ErrorCode::Cancelled {
        return Err(failure);
    }
    app.output.failure(&failure);
    if app.terminal.ask_yes("Try again?")? { Ok(()) } else { Err(failure) }
}

/// On the device that is in already: finds the new one, touches, compares, lets it in.
pub async fn approve(app: &App, shown: Option<String>) -> Result<Answer, Failure> {
    app.need_person()?;
    let typed = match shown {
        Some(shown) => shown,
        None => ask_code(app)?,
    };
    let offer = app.client.find_link(&typed).await?;
    let info = offer.info();
    let (device, source) = (info.device.to_string(), info.source.clone());
    app.terminal.say(&texts::link_found(&device, &source, &clock_time(info.begun_at)));
    let meeting = offer.meet(&app.terminal).await?;
    match in_front(app) {
        Ok(true) => {}
        Ok(false) => return refuse(app, meeting).await,
        Err(failure) => return give_up(meeting, failure).await,
    }
    for _ in 0..TRIES {
        let digits = match ask_digits(app, &device) {
            Ok(digits) => digits,
            Err(failure) => return give_up(meeting, failure).await,
        };
        match meeting.approve(&digits, &app.terminal).await {
            Ok(approved) => return Answer::new(&approved, texts::link_approved(&device)),
            Err(failure)
                if failure.code() == ErrorCode::CheckCodeWrong && app.terminal.can_ask() =>
            {
                app.output.failure(&failure);
            }
            Err(failure) => return give_up(meeting, failure).await,
        }
    }
    let failure = Failure::new(ErrorCode::LinkTampered, texts::LINK_NEVER_EQUAL);
    give_up(meeting, failure).await
}

/// Shows what to type on the new machine, and asks for what it shows then.
fn ask_code(app: &App) -> Result<String, Failure> {
    let profile = app.client.profile()?;
    let user = profile.names().map(|(_, user, _)| user.to_string()).unwrap_or_default();
    let server = ServerLine { url: profile.server, trust: profile.trust };
    app.terminal.say(&texts::link_how(&server.to_string(), &user));
    app.terminal.ask_line(texts::ASK_LINK_CODE)
}

/// Whether the new machine is in front of the person. Only a no refuses it: whoever types the digits that
/// they read there, or nothing, is asked again.
fn in_front(app: &App) -> Result<bool, Failure> {
    if !app.asks() {
        return app.confirm(texts::ASK_IN_FRONT).map(|()| true);
    }
    loop {
        let typed = app.terminal.ask_line(texts::ASK_IN_FRONT_FIRST)?;
        match typed.to_lowercase().as_str() {
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => app.terminal.say(texts::DIGITS_COME_NEXT),
        }
    }
}

/// The six digits: asked for, or from a pipe.
/// What is no six digits ("y", Enter) is no try at them, and asked for again where somebody can be.
pub(super) fn ask_digits(app: &App, who: &str) -> Result<String, Failure> {
    if !app.terminal.can_ask() {
        return Ok(read_line()?.trim().to_owned());
    }
    loop {
        let typed = app.terminal.ask_line(&texts::asks_digits(who))?;
        if typed.chars().filter(char::is_ascii_digit).count() == DIGITS {
            return Ok(typed);
        }
        app.terminal.say(&texts::six_digits(who));
    }
}

/// It ends there as well: nobody waits for a device that was given up.
async fn give_up(meeting: LinkMeeting, failure: Failure) -> Result<Answer, Failure> {
    // If that fails, it ends by itself within ten minutes, and nothing was approved.
    let _ = meeting.stop().await;
    Err(failure)
}

/// "No, that device is not in front of me": somebody wanted in.
async fn refuse(app: &App, meeting: LinkMeeting) -> Result<Answer, Failure> {
    let device = meeting.info().device.to_string();
    meeting.stop().await?;
    app.terminal.say(&texts::link_refused(&device));
    let frozen = app.terminal.can_ask() && app.terminal.ask_no(texts::ASK_FREEZE)?;
    if frozen {
        app.client.freeze().await?;
    }
    let text = if frozen { texts::FROZEN } else { texts::NOTHING_CHANGED };
    let json = json!({ "state": "stopped", "device": device, "frozen": frozen });
    Ok(Answer::Unwell { json, text: text.to_owned(), code: ErrorCode::Cancelled })
}

/// `042137` as people read it out: `042 137`.
fn spaced(digits: &str) -> String {
    match digits.split_at_checked(3) {
        Some((first, second)) => format!("{first} {second}"),
        None => digits.to_owned(),
    }
}
