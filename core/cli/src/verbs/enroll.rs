//! `claim` and `enroll`.

use super::provisioned;
use crate::app::App;
use crate::args::EnrollArgs;
use crate::clock::clock_time;
use crate::output::Answer;
use crate::terminal::read_stdin;
use crate::texts;
use landfall_client::words::{DeviceName, TokenKind, TokenText, UserName};
use landfall_client::{Client, Enrolled, Enrolling, Failure, FlowNext, GivenNames, Shell};
use landfall_protocol::ErrorCode;
use landfall_protocol::passkey::PasskeyInfo;
use serde_json::json;
use zeroize::Zeroizing;

/// The longest paste, in bytes; the reader itself is stricter.
const PASTE_MAX: usize = 16 * 1024;

/// Lines that are taken for parts of one code.
const PASTES_MAX: usize = 40;

/// The first administrator of a new server.
pub async fn claim(app: &App, mut args: EnrollArgs) -> Result<Answer, Failure> {
    if args.provisioned.is_some() {
        let why = texts::provisioned::CLAIM_TAKES_NO_FILE;
        return Err(Failure::new(ErrorCode::InvalidField, why));
    }
    can_register(app, &args)?;
    let token = take_token(app, args.token.take())?.unwrap_or_default();
    let kind = TokenText::parse(&token).ok().map(|token| token.payload.kind);
    if kind.is_some_and(|kind| kind != TokenKind::Claim) {
        return Err(Failure::new(ErrorCode::InvalidField, texts::NOT_A_CLAIM).about("token"));
    }
    let with_key = args.roaming_authenticator;
    let enrolling = begin(app, &token, args)?;
    go(app, enrolling, with_key).await
}

/// A machine with a code; without one, the enrolment that was interrupted.
pub async fn enroll(app: &App, mut args: EnrollArgs) -> Result<Answer, Failure> {
    if let Some(file) = args.provisioned.take() {
        return provisioned::claim(app, &args, &file).await;
    }
    can_register(app, &args)?;
    let with_key = args.roaming_authenticator;
    let interrupted = if args.token.is_none() { app.client.resume_enroll()? } else { None };
    if let Some(enrolling) = interrupted.filter(|_| app.terminal.can_ask()) {
        return go(app, enrolling, with_key).await;
    }
    let enrolling = match take_token(app, args.token.take())? {
        Some(token) => begin(app, &token, args)?,
        None => {
            let missing = || Failure::new(ErrorCode::InputNeeded, texts::INPUT_ENDED);
            app.client.resume_enroll()?.ok_or_else(missing)?
        }
    };
    go(app, enrolling, with_key).await
}

/// Nobody's code is spent when there is no one to touch the key.
fn can_register(app: &App, args: &EnrollArgs) -> Result<(), Failure> {
    if args.roaming_authenticator { app.need_touch() } else { Ok(()) }
}

/// The code: from the arguments, from a pipe, or asked for without being shown. `None` when the pipe
/// is empty.
fn take_token(app: &App, typed: Option<String>) -> Result<Option<Zeroizing<String>>, Failure> {
    if let Some(typed) = typed {
        return Ok(Some(Zeroizing::new(typed)));
    }
    if app.terminal.can_ask() {
        return paste_token(app).map(Some);
    }
    let bytes = read_stdin(PASTE_MAX)?;
    let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}

/// Asks until a whole code is there. Mail programs break long lines, and each line of a paste arrives as
/// an answer of its own: what is left unread would stand at the shell's prompt, and in its history.
fn paste_token(app: &App) -> Result<Zeroizing<String>, Failure> {
    let mut pasted = app.terminal.ask_hidden(texts::PASTE_CODE)?;
    for _ in 0..PASTES_MAX {
        match Client::check_token(&pasted) {
            Ok(()) => return Ok(pasted),
            Err(failure) if failure.code() == ErrorCode::TokenMistyped => {
                let rest = app.terminal.ask_hidden(texts::PASTE_REST)?;
                if rest.trim().is_empty() {
                    pasted = app.terminal.ask_hidden(texts::PASTE_CODE)?;
                } else {
                    pasted.push_str(&rest);
                }
            }
            Err(failure) => {
                app.output.failure(&failure);
                pasted = app.terminal.ask_hidden(texts::PASTE_CODE)?;
            }
        }
    }
    Ok(pasted)
}

/// Prepares the enrolment; asks for names that the code leaves open.
fn begin(app: &App, token: &str, args: EnrollArgs) -> Result<Enrolling, Failure> {
    let mut names = GivenNames { user: args.user, device: args.device, label: args.label };
    loop {
        let failure = match app.client.enroll(token, names.clone(), args.replace) {
            Ok(enrolling) => return Ok(enrolling),
            Err(failure) => failure,
        };
        let field = failure.problem().field.as_deref();
        if failure.code() != ErrorCode::NameMissing || !app.terminal.can_ask() {
            return Err(failure);
        }
        match field {
            Some("user") if names.user.is_none() => names.user = Some(ask_user(app)?),
            Some("device") if names.device.is_none() => names.device = Some(ask_device(app)?),
            _ => return Err(failure),
        }
    }
}

pub(super) fn ask_user(app: &App) -> Result<UserName, Failure> {
    loop {
        match UserName::parse(app.terminal.ask_line(texts::ASK_USER)?) {
            Ok(user) => return Ok(user),
            Err(why) => app.terminal.say(&format!("Not that one: {why}.")),
        }
    }
}

pub(super) fn ask_device(app: &App) -> Result<DeviceName, Failure> {
    let default = host_name().unwrap_or_default();
    loop {
        let typed = app.terminal.ask_line(&texts::asks_device(&default))?;
        let name = if typed.is_empty() { default.clone() } else { typed };
        match DeviceName::parse(name) {
            Ok(device) => return Ok(device),
            Err(why) => app.terminal.say(&format!("Not that one: {why}.")),
        }
    }
}

/// What this machine is called, if that can be a device's name.
fn host_name() -> Option<String> {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = kernel.or_else(|| std::env::var("COMPUTERNAME").ok())?;
    let first = name.trim().split('.').next()?.to_ascii_lowercase();
    DeviceName::parse(first).ok().map(|name| name.to_string())
}

async fn go(app: &App, mut enrolling: Enrolling, with_key: bool) -> Result<Answer, Failure> {
    if enrolling.is_resumed() {
        app.terminal.say(&texts::resuming(&enrolling.view()));
    } else {
        if enrolling.displaces_another() {
            app.terminal.say(texts::ANOTHER_CODE);
        }
        app.terminal.say(&texts::enroll_about(&enrolling.view()));
        app.go_on(texts::ASK_ENROLL)?;
    }
    let shell: &dyn Shell = &app.terminal;
    let enrolled = match enrolling.run(shell).await {
        // Nothing is lost, so a person at hand may simply try again. A program is not asked.
        Err(failure) if app.terminal.can_ask() && !app.output.is_json() => {
            again(app, enrolling, failure).await?
        }
        other => other?,
    };
    if !with_key {
        return enrolled_answer(&enrolled, None);
    }
    // The machine is enrolled whatever becomes of the key, and says so first.
    app.terminal.say(&names(&enrolled).0);
    let registered = super::webauthn::root_key(app, None).await;
    let key = registered.inspect_err(|_| app.terminal.say(texts::ROOT_KEY_LATER))?;
    enrolled_answer(&enrolled, Some(key))
}

async fn again(
    app: &App,
    mut enrolling: Enrolling,
    mut failure: Failure,
) -> Result<Enrolled, Failure> {
    while matches!(enrolling.view().next, FlowNext::TryAgain) {
        app.output.failure(&failure);
        if !app.terminal.ask_yes("Try again?")? {
            break;
        }
        match enrolling.run(&app.terminal).await {
            Ok(enrolled) => return Ok(enrolled),
            Err(next) => failure = next,
        }
    }
    Err(failure)
}

/// Whose machine this is now, and the words for it; with the grant that waits to be used.
fn names(enrolled: &Enrolled) -> (String, String) {
    let profile = &enrolled.profile;
    let server = profile.server.origin().ascii_serialization();
    let Some((_, user, device)) = profile.names() else {
        let device = profile.machine().map_or("-", |(_, device)| device.as_str());
        let text = texts::provisioned::claimed(device, &server);
        return (text.clone(), text);
    };
    let (user, device) = (user.as_str(), device.as_str());
    let grant = profile.grant.as_ref().map(|grant| clock_time(grant.expires_at));
    let plain = texts::enrolled(user, device, &server, None);
    (plain, texts::enrolled(user, device, &server, grant.as_deref()))
}

pub(super) fn enrolled_answer(
    enrolled: &Enrolled,
    key: Option<(PasskeyInfo, String)>,
) -> Result<Answer, Failure> {
    let profile = &enrolled.profile;
    let (user, device) = match (profile.names(), profile.machine()) {
        (Some((_, user, device)), _) => (Some(user), device.as_str()),
        (None, Some((_, device))) => (None, device.as_str()),
        (None, None) => (None, "-"),
    };
    let server = profile.server.origin().ascii_serialization();
    let (passkey, text) = match key {
        Some((passkey, text)) => (Some(passkey), text),
        None => (None, names(enrolled).1),
    };
    let json = json!({
        "profile": enrolled.name.as_str(),
        "server": server,
        "spiffe_id": profile.spiffe_id,
        "user": user,
        "device": device,
        "not_after": profile.not_after,
        "renew_at": profile.renew_at,
        "thumbprint": profile.key.thumbprint,
        "grant": profile.grant,
        "passkey": passkey,
    });
    Answer::new(&json, text)
}
