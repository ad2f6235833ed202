//! `recover`: back in with no device at all.

use super::aftermath;
use super::enroll::{ask_device, ask_user};
use super::under_way::{give_piped, go_on_or_begin, takes_code};
use crate::app::App;
use crate::args::RecoverArgs;
use crate::clock::clock_time;
use crate::output::Answer;
use crate::terminal::read_stdin;
use crate::texts::{self, Shown};
use landfall_client::screen::device_name;
use landfall_client::words::{Door, RecoveryCode, ServerLine};
use landfall_client::{
    Failure, FlowNext, RecoverRequest, Recovering, RecoveryEnd, RecoveryProgress,
    read_recovery_code,
};
use landfall_protocol::ErrorCode;
use landfall_protocol::recovery::{RecoveryStateName, RecoveryStatus};
use serde_json::json;

/// The longest line that is read for a code, in bytes.
pub(super) const CODE_LINE_MAX: usize = 1024;

/// The field in which the server is told of the lost device.
const LOST_FIELD: &str = "suspend";

/// With what was printed, or goes on with what was begun.
pub async fn recover(app: &App, args: RecoverArgs) -> Result<Answer, Failure> {
    let no_wait = args.no_wait || !app.terminal.can_ask();
    let wait = args.wait;
    let (mail, mailed) = (args.mail, args.mailed);
    let pipes = !app.terminal.can_ask() && !mailed && !args.without_code;
    if args.with_passkey {
        app.need_touch()?;
    }
    let mut recovering = go_on_or_begin(app, args).await?;
    if wait {
        recovering.ask_to_wait();
    }
    if mailed {
        recovering.give_mailed_code(String::from_utf8_lossy(&read_stdin(CODE_LINE_MAX)?).trim())?;
    }
    // A person is asked once whether a code shall be mailed; who said so on the command line is not.
    let mut offer = match (mail, mailed) {
        (true, _) => Offer::Wanted,
        (false, true) => Offer::Done,
        (false, false) if recovering.is_resumed() => Offer::Again,
        (false, false) => Offer::Open,
    };
    // What was typed before the program was closed may have been refused, and a sheet has ten.
    let mut code_again = recovering.is_resumed() && !mailed && app.terminal.can_ask();
    let mut piped = recovering.is_resumed() && pipes;
    let mut waited = false;
    let mut asked_code = false;
    loop {
        let progress = match waited {
            true => recovering.wait(&app.terminal).await,
            false => recovering.run(&app.terminal).await,
        };
        match progress {
            Ok(RecoveryProgress::Done(end)) => return done(app, recovering, *end).await,
            Ok(RecoveryProgress::Waiting(status)) if code_again && lacks_code(&status) => {
                (waited, code_again) = (false, false);
                if let Some(code) = take_code(app, texts::ASK_CODE_AGAIN)? {
                    recovering.give_code(&code)?;
                }
            }
            Ok(RecoveryProgress::Waiting(status)) if piped && takes_code(&recovering, &status) => {
                piped = false;
                give_piped(&mut recovering)?;
            }
            Ok(RecoveryProgress::Waiting(_)) if by_mail(app, &mut recovering, &mut offer)? => {
                waited = false;
            }
            Ok(RecoveryProgress::Waiting(status)) if no_wait => {
                return waiting(app, &recovering, &status, (wait, mail));
            }
            Ok(RecoveryProgress::Waiting(status)) if wants_code(&status) && !asked_code => {
                asked_code = true;
                app.terminal.say(texts::PASSKEY_NOT_ENOUGH);
                if let Some(code) = take_code(app, texts::ASK_RECOVERY_CODE)? {
                    recovering.give_code(&code)?;
                }
            }
            Ok(RecoveryProgress::Waiting(status)) => {
                waited = true;
                app.terminal.say(&words(&recovering, &status, wait));
            }
            Err(failure) => {
                waited = false;
                help(app, &mut recovering, failure).await?;
            }
        }
    }
}

/// Where the offer of a code by mail stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Offer {
    /// Nobody was asked yet.
    Open,
    /// Perhaps it was asked for before the program was closed, and the mail has come.
    Again,
    /// It was asked for on the command line.
    Wanted,
    /// A mail is on its way, and its code may be typed.
    Asked,
    /// There is nothing more to ask.
    Done,
}

/// Offers a code by mail, and takes it. Whether the recovery has something new to do.
fn by_mail(app: &App, recovering: &mut Recovering, offer: &mut Offer) -> Result<bool, Failure> {
    if !recovering.can_ask_by_mail() {
        return match *offer {
            Offer::Wanted => Err(Failure::new(ErrorCode::MailUnavailable, texts::NO_CODE_BY_MAIL)),
            _ => Ok(false),
        };
    }
    match *offer {
        Offer::Open if app.terminal.can_ask() => {
            *offer = Offer::Done;
            if !app.terminal.ask_yes(texts::ASK_CODE_BY_MAIL)? {
                return Ok(false);
            }
            recovering.ask_by_mail();
            *offer = Offer::Asked;
            Ok(true)
        }
        Offer::Again if app.terminal.can_ask() => {
            let typed = app.terminal.ask_line(texts::ASK_MAILED_OR_NEW)?;
            *offer = match typed.as_str() {
                "" => {
                    recovering.ask_by_mail();
                    Offer::Asked
                }
                "n" | "N" | "no" => {
                    *offer = Offer::Done;
                    return Ok(false);
                }
                // Nothing was mailed yet.
                typed if give(app, recovering, typed) => Offer::Again,
                _ => Offer::Asked,
            };
            Ok(true)
        }
        Offer::Wanted => {
            recovering.ask_by_mail();
            *offer = Offer::Asked;
            Ok(true)
        }
        Offer::Asked if app.terminal.can_ask() => {
            app.terminal.say(texts::CODE_ON_ITS_WAY);
            let typed = app.terminal.ask_line(texts::ASK_MAILED_CODE)?;
            if typed.is_empty() {
                *offer = Offer::Done;
                return Ok(false);
            }
            give(app, recovering, &typed);
            Ok(true)
        }
        Offer::Asked => {
            app.terminal.say(texts::CODE_ON_ITS_WAY);
            *offer = Offer::Done;
            Ok(false)
        }
        Offer::Open | Offer::Again | Offer::Done => Ok(false),
    }
}

/// Takes what was typed, a code from the sheet too; what cannot be a code is told, and asked for again.
/// Whether it came from the sheet.
fn give(app: &App, recovering: &mut Recovering, typed: &str) -> bool {
    let (given, of_sheet) = match read_recovery_code(typed) {
        Ok(code) => (recovering.give_code(&code), true),
        Err(_) => (recovering.give_mailed_code(typed), false),
    };
    if let Err(failure) = given {
        app.output.failure(&failure);
    }
    of_sheet
}

/// Asks for what was not given.
pub(super) async fn begin(app: &App, args: RecoverArgs) -> Result<Recovering, Failure> {
    let server = match args.server {
        Some(server) => server,
        None => ask_server(app, texts::ASK_SERVER)?,
    };
    let user = match args.user {
        Some(user) => user,
        None => ask_user(app)?,
    };
    let device = match args.device {
        Some(device) => device,
        None => ask_device(app)?,
    };
    // A passkey may do by itself; a code is asked for when it does not.
    let passkey = args.with_passkey || asks_passkey(app, args.without_code)?;
    let code = match args.without_code || passkey {
        true => None,
        false => take_code(app, texts::ASK_RECOVERY_CODE)?,
    };
    let lost = args.lost.as_ref().map(ToString::to_string);
    let mut recovering = app.client.recover(RecoverRequest {
        server,
        user,
        device,
        label: args.label,
        lost: args.lost,
        code,
        replace: args.replace,
    })?;
    app.terminal.say(&texts::recover_about(&recovering.view(), lost.as_deref()));
    app.go_on(texts::ASK_RECOVER)?;
    if passkey {
        recovering.use_passkey(&app.terminal).await;
    }
    Ok(recovering)
}

/// Who has a passkey at hand needs no paper.
fn asks_passkey(app: &App, without_code: bool) -> Result<bool, Failure> {
    match app.terminal.can_ask() && !without_code {
        true => app.terminal.ask_no(texts::ASK_PASSKEY),
        false => Ok(false),
    }
}

/// Whether a code would help somebody whose passkey was accepted and did not do by itself.
fn wants_code(status: &RecoveryStatus) -> bool {
    lacks_code(status) && status.proofs.contains(&Door::Passkey)
}

/// Whether something is still wanted, and no code was accepted that counts.
pub(super) fn lacks_code(status: &RecoveryStatus) -> bool {
    status.state == RecoveryStateName::Unproved && !status.proofs.contains(&Door::RecoveryCode)
}

pub(super) fn ask_server(app: &App, question: &str) -> Result<ServerLine, Failure> {
    loop {
        match ServerLine::parse(&app.terminal.ask_line(question)?) {
            Ok(server) => return Ok(server),
            Err(why) => app.terminal.say(&format!("Not that one: {why}.")),
        }
    }
}

/// A code, typed or piped in; none when the line is empty.
pub(super) fn take_code(app: &App, question: &str) -> Result<Option<RecoveryCode>, Failure> {
    if !app.terminal.can_ask() {
        let bytes = read_stdin(CODE_LINE_MAX)?;
        let text = String::from_utf8_lossy(&bytes);
        return match text.trim() {
            "" => Ok(None),
            typed => read_recovery_code(typed).map(Some),
        };
    }
    loop {
        let typed = app.terminal.ask_line(question)?;
        if typed.is_empty() {
            return Ok(None);
        }
        match read_recovery_code(&typed) {
            Ok(code) => return Ok(Some(code)),
            Err(failure) => app.output.failure(&failure),
        }
    }
}

/// A person at hand may try another code, another name, or the same again; nothing is lost.
async fn help(app: &App, recovering: &mut Recovering, failure: Failure) -> Result<(), Failure> {
    let goes_on = matches!(recovering.view().next, FlowNext::TryAgain);
    if !goes_on || !app.terminal.can_ask() {
        return Err(match is_about_the_lost(&failure) {
            true => Failure::new(failure.code(), texts::no_such_lost(&failure.problem().detail))
                .about(LOST_FIELD),
            false => failure,
        });
    }
    match failure.code() {
        ErrorCode::RecoveryCodeWrong
        | ErrorCode::RecoveryCodeUsed
        | ErrorCode::RecoveryCodeReplaced => {
            app.output.failure(&failure);
            if let Some(code) = take_code(app, texts::ASK_OTHER_CODE)? {
                recovering.give_code(&code)?;
            }
            Ok(())
        }
        ErrorCode::PasskeyRefused
        | ErrorCode::PasskeySuspicious
        | ErrorCode::PasskeysUnavailable
        | ErrorCode::CeremonyOver
        | ErrorCode::CompletionWrong
        | ErrorCode::BrowserUnavailable => {
            app.output.failure(&failure);
            let again = failure.code() != ErrorCode::PasskeysUnavailable
                && app.terminal.ask_yes(texts::ASK_PASSKEY_AGAIN)?;
            if again {
                recovering.use_passkey(&app.terminal).await;
            } else if let Some(code) = take_code(app, texts::ASK_RECOVERY_CODE)? {
                recovering.give_code(&code)?;
            }
            Ok(())
        }
        // A mail was too much, and what is under way goes on without it. Where nothing is, a person decides when
        // to ask again.
        ErrorCode::MailedCodeWrong | ErrorCode::RateLimited | ErrorCode::MailUnavailable
            if recovering.check_code().is_some() =>
        {
            app.output.failure(&failure);
            Ok(())
        }
        ErrorCode::DeviceNameTaken => {
            app.output.failure(&failure);
            recovering.rename(ask_device(app)?);
            Ok(())
        }
        ErrorCode::InvalidField if is_about_the_lost(&failure) => {
            app.output.failure(&failure);
            let typed = app.terminal.ask_line(texts::ASK_OTHER_LOST)?;
            let lost = Some(typed.trim()).filter(|name| !name.is_empty());
            recovering.lose(lost.map(device_name).transpose()?);
            Ok(())
        }
        // Trying again changes nothing about the account.
        ErrorCode::Cancelled
        | ErrorCode::AccountFrozen
        | ErrorCode::FrozenByAdmin
        | ErrorCode::ServerNotTrusted => Err(failure),
        _ => {
            app.output.failure(&failure);
            if app.terminal.ask_yes("Try again?")? { Ok(()) } else { Err(failure) }
        }
    }
}

/// Whether the server knows no device of the name that was given for the lost one.
fn is_about_the_lost(failure: &Failure) -> bool {
    failure.problem().field.as_deref() == Some(LOST_FIELD)
}

/// What a person who waits must know. `wait`: they would rather wait than bring another proof.
fn words(recovering: &Recovering, status: &RecoveryStatus, wait: bool) -> String {
    let check = recovering.check_code().unwrap_or_default();
    let passed = texts::wait_passed(status.wait_passed_seconds, status.wait_left_seconds);
    let mut text = match (status.held_until, status.state) {
        (Some(until), _) => texts::recovery_held(&clock_time(until), &passed),
        (None, RecoveryStateName::Unheard) => texts::recovery_unheard(&check, &passed),
        (None, RecoveryStateName::Contested) => texts::recovery_contested(&check),
        (None, _) => {
            let until = clock_time(status.expires_at);
            let shown = match status.proofs.as_slice() {
                [] => Shown::Nothing,
                proofs if proofs.contains(&Door::RecoveryCode) => Shown::Code,
                proofs if proofs.contains(&Door::Passkey) => Shown::Passkey,
                _ => Shown::Nothing,
            };
            let mut text = texts::recovery_waits(&check, &until, shown);
            if let Some(days) = status.may_wait_days {
                text.push_str(&texts::may_wait(days));
            }
            text
        }
    };
    if let Some(why) = cannot_wait(status).filter(|_| wait) {
        text = format!("{why}\n\n{text}");
    }
    let frozen = match (status.account_frozen, status.account_stopped) {
        (_, true) => Some(texts::RECOVERY_STOPPED_ACCOUNT),
        (true, false) => Some(texts::RECOVERY_FROZEN),
        (false, false) => None,
    };
    if let Some(frozen) = frozen {
        text = format!("{frozen}\n\n{text}");
    }
    text
}

/// Why no wait can be asked for as it stands, if none can.
fn cannot_wait(status: &RecoveryStatus) -> Option<&'static str> {
    match (status.state, status.may_wait_days, status.proofs.as_slice()) {
        (RecoveryStateName::Unproved, None, []) => Some(texts::CANNOT_WAIT_YET),
        (RecoveryStateName::Unproved, None, _) => Some(texts::CANNOT_WAIT),
        _ => None,
    }
}

fn waiting(
    app: &App,
    recovering: &Recovering,
    status: &RecoveryStatus,
    (wait, mail): (bool, bool),
) -> Result<Answer, Failure> {
    let mut said = words(recovering, status, wait);
    if recovering.can_ask_by_mail() {
        let how = if mail { texts::GO_ON_BY_MAIL } else { texts::HAVE_ONE_MAILED };
        said = format!("{how}\n\n{said}");
    }
    app.terminal.say(&said);
    let cannot_wait = cannot_wait(status).filter(|_| wait);
    let json = json!({
        "state": "waiting",
        "check_code": recovering.check_code(),
        "status": status,
        "cannot_wait": cannot_wait,
    });
    let code = match (status.held_until, status.state) {
        (Some(_), _) => ErrorCode::RecoveryHeld,
        (None, RecoveryStateName::Unheard) => ErrorCode::RecoveryUnheard,
        (None, RecoveryStateName::Contested) => ErrorCode::RecoveryContested,
        (None, _) => ErrorCode::RecoveryUnproved,
    };
    Ok(Answer::Unwell { json, text: texts::RECOVERY_PAUSED.to_owned(), code })
}

async fn done(app: &App, recovering: Recovering, end: RecoveryEnd) -> Result<Answer, Failure> {
    let profile = &end.profile;
    let (user, device) = match profile.names() {
        Some((_, user, device)) => (user.as_str(), device.as_str()),
        None => ("-", "-"),
    };
    let server = profile.server.origin().ascii_serialization();
    let grant = profile.grant.as_ref().map(|grant| clock_time(grant.expires_at));
    let successor = end.successor.as_ref().map(|code| code.as_str());
    if let Some(code) = successor {
        app.terminal.say(&texts::recovery_successor(code));
    }
    let lost = match recovering.lost() {
        Some(lost) => Some(lost),
        None => aftermath::offer(app, &recovering).await?,
    };
    let left = match &lost {
        Some(lost) => aftermath::passkeys_left(app, lost).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let json = json!({
        "state": "done",
        "profile": end.name.as_str(),
        "server": server,
        "spiffe_id": profile.spiffe_id,
        "user": user,
        "device": device,
        "not_after": profile.not_after,
        "thumbprint": profile.key.thumbprint,
        "grant": profile.grant,
        "new_code": successor,
        "cut_off": lost,
        "passkeys_synced": left,
    });
    let mut text = texts::enrolled(user, device, &server, grant.as_deref());
    text.push_str(&texts::look_back(lost.as_ref().map(|lost| lost.as_str())));
    for passkey in &left {
        text.push('\n');
        text.push_str(&texts::passkey_elsewhere(passkey));
    }
    // In words the new code was said above; in JSON it is part of the answer.
    let answer = match successor.filter(|_| app.output.is_json()) {
        Some(_) => Answer::Once { json, text, lost: texts::SUCCESSOR_LOST },
        None => Answer::Text { json, text },
    };
    recovering.finish()?;
    Ok(answer)
}
