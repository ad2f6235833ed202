//! What is under way on this machine, and what was typed now: neither is dropped without a word.

use super::recover::{CODE_LINE_MAX, begin, lacks_code};
use crate::app::App;
use crate::args::RecoverArgs;
use crate::terminal::read_stdin;
use crate::texts;
use landfall_client::words::{DeviceName, ServerLine, Trust, UserName};
use landfall_client::{Failure, FlowAbout, Recovering, read_recovery_code};
use landfall_protocol::ErrorCode;
use landfall_protocol::recovery::{RecoveryStateName, RecoveryStatus};

/// The server, the user and the device that were typed.
type Named = (Option<ServerLine>, Option<UserName>, Option<DeviceName>);

/// Goes on with what was begun here, by what is said differently now, or begins.
pub(super) async fn go_on_or_begin(
    app: &App,
    mut args: RecoverArgs,
) -> Result<Recovering, Failure> {
    let Some(begun) = app.client.resume_recovery()? else {
        return match args.mailed {
            true => Err(Failure::new(ErrorCode::InputNeeded, texts::NO_RECOVERY_HERE)),
            false => begin(app, args).await,
        };
    };
    let (server, about) = (begun.server(), begun.view().about);
    if args.server.is_none() && begun.is_mistrusted() && app.terminal.can_ask() {
        args.server = ask_server_again(app)?;
    }
    let other = is_another(&server, &about, args.server.as_ref(), args.user.as_ref());
    // What a freeze has stopped goes on by nothing that is done here.
    let stopped = args.replace && begun.is_stopped_by_freeze();
    let leaves = args.anew || stopped || (other && begun.is_idle());
    if !leaves {
        return match other {
            true => Err(under_way("recover", &server, &about, (args.server, args.user))),
            false => go_on(app, begun, args).await,
        };
    }
    // Its hold of the folder ends with it.
    drop(begun);
    let typed = (args.server, args.user, args.device);
    (args.server, args.user, args.device) = as_before(typed, (server, about));
    begin(app, args).await
}

/// What was typed as the server's line led to another server than the one that was meant.
fn ask_server_again(app: &App) -> Result<Option<ServerLine>, Failure> {
    loop {
        let typed = app.terminal.ask_line(texts::ASK_SERVER_AGAIN)?;
        if typed.is_empty() {
            return Ok(None);
        }
        match ServerLine::parse(&typed) {
            Ok(server) => return Ok(Some(server)),
            Err(why) => app.terminal.say(&format!("Not that one: {why}.")),
        }
    }
}

async fn go_on(app: &App, mut begun: Recovering, args: RecoverArgs) -> Result<Recovering, Failure> {
    if let Some(device) = args.device {
        begun.rename(device);
    }
    if let Some(label) = args.label {
        begun.relabel(label);
    }
    if args.lost.is_some() || args.no_lost {
        begun.lose(args.lost);
    }
    app.terminal.say(&texts::recovery_resuming(&begun.view().about));
    if args.with_passkey {
        begun.use_passkey(&app.terminal).await;
    }
    Ok(begun)
}

/// What is begun anew is about the same as before, as far as nothing else was typed.
pub(super) fn as_before(
    (server, user, device): Named,
    (before, about): (ServerLine, FlowAbout),
) -> Named {
    let here = server.as_ref().is_none_or(|typed| typed.url.origin() == before.url.origin());
    let theirs = here && user.as_ref().is_none_or(|typed| *typed == about.user);
    let server = server.or(Some(before));
    let user = user.or(here.then_some(about.user));
    (server, user, device.or(theirs.then_some(about.device)))
}

/// Whether what was typed is about another server or another user than what is under way here. A line
/// without its second half says nothing against one that was typed in full.
pub(super) fn is_another(
    server: &ServerLine,
    about: &FlowAbout,
    typed: Option<&ServerLine>,
    user: Option<&UserName>,
) -> bool {
    let other = |typed: &ServerLine| {
        let pins_another = typed.trust != server.trust && matches!(typed.trust, Trust::Pin(_));
        typed.url.origin() != server.url.origin() || pins_another
    };
    typed.is_some_and(other) || user.is_some_and(|user| *user != about.user)
}

/// Names both, what is under way by `verb` and what was typed: neither is dropped without a word.
pub(super) fn under_way(
    verb: &str,
    server: &ServerLine,
    about: &FlowAbout,
    (typed, user): (Option<ServerLine>, Option<UserName>),
) -> Failure {
    let line = typed.unwrap_or_else(|| server.clone()).to_string();
    let user = user.unwrap_or_else(|| about.user.clone());
    let text = texts::under_way(verb, (about, &server.to_string()), (user.as_str(), &line));
    Failure::new(ErrorCode::InvalidField, text)
}

/// Whether a code is the next thing that helps: from the sheet, or from a mail.
pub(super) fn takes_code(recovering: &Recovering, status: &RecoveryStatus) -> bool {
    let unproved = status.state == RecoveryStateName::Unproved;
    lacks_code(status) || (unproved && recovering.can_ask_by_mail())
}

/// Takes a code that was piped in, from the sheet or from a mail; nothing was, and nothing changes.
pub(super) fn give_piped(recovering: &mut Recovering) -> Result<(), Failure> {
    let bytes = read_stdin(CODE_LINE_MAX)?;
    let text = String::from_utf8_lossy(&bytes);
    match (text.trim(), read_recovery_code(text.trim())) {
        ("", _) => Ok(()),
        (_, Ok(code)) => recovering.give_code(&code),
        (typed, Err(failure)) if recovering.can_ask_by_mail() => {
            recovering.give_mailed_code(typed).map_err(|_| failure)
        }
        (_, Err(failure)) => Err(failure),
    }
}
