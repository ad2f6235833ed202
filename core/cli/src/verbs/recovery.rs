//! `recovery`, and the administrators' side of it.

use super::guardians;
use super::readiness;
use crate::app::App;
use crate::args::{AdminRecoveryVerb, CodesVerb, RecoveryVerb};
use crate::clock::clock_time;
use crate::output::{Answer, table};
use crate::texts;
use landfall_client::words::{Ambient, RecoveryId, SecretText};
use landfall_client::{Failure, NewCodes, Sheet, SheetFormat, fill_private_file, new_private_file};
use landfall_protocol::recovery::{RecoveryCodeInfo, RecoveryInfo, RecoveryStateName};
use landfall_protocol::{At, ErrorCode};
use serde_json::json;
use std::path::{Path, PathBuf};

pub async fn run(app: &App, verb: RecoveryVerb) -> Result<Answer, Failure> {
    match verb {
        RecoveryVerb::Codes(CodesVerb::Make { sheet }) => make(app, sheet).await,
        RecoveryVerb::Codes(CodesVerb::List) => {
            let codes = app.client.recovery_codes().await?;
            Answer::new(&json!({ "items": codes }), codes_list(&codes))
        }
        RecoveryVerb::Plan(verb) => readiness::plan(app, verb).await,
        RecoveryVerb::Drill(verb) => readiness::drill(app, verb).await,
        RecoveryVerb::List => {
            let recoveries = app.client.recoveries().await?;
            Answer::new(&json!({ "items": recoveries }), list(&recoveries))
        }
        RecoveryVerb::Stop { id } => {
            let stopped = app.with_person(async || app.client.stop_recovery(&id).await).await?;
            let text = match stopped.state {
                RecoveryStateName::Contested => texts::RECOVERY_REFERRED.to_owned(),
                _ => stopped_text(&stopped),
            };
            Answer::new(&stopped, text)
        }
        RecoveryVerb::Waiting(verb) => guardians::waiting(app, verb).await,
        RecoveryVerb::Guardians(verb) => guardians::own(app, verb).await,
        RecoveryVerb::Wards(verb) => guardians::wards(app, verb).await,
    }
}

pub async fn admin(app: &App, verb: AdminRecoveryVerb) -> Result<Answer, Failure> {
    match verb {
        AdminRecoveryVerb::List => {
            let recoveries = app.client.admin_recoveries().await?;
            Answer::new(&json!({ "items": recoveries }), list(&recoveries))
        }
        AdminRecoveryVerb::Approve { id, check, reason } => {
            app.need_person()?;
            let check = check_code(app, check)?;
            let id = match id {
                Some(id) => id,
                None => said(app, app.client.admin_recovery_that_shows(&check).await?),
            };
            in_spite_of_freeze(app, &id).await?;
            let approve = app.client.admin_approve_recovery(&id, &check, reason, &app.terminal);
            let info = approve.await?;
            let held = info.held_until.map(clock_time);
            let more = info.state == RecoveryStateName::Unproved;
            let user = info.user.as_str();
            let text = match info.account_frozen {
                true => texts::recovery_approved_frozen(user),
                false => texts::recovery_approved(user, held.as_deref(), more),
            };
            Answer::new(&info, text)
        }
        AdminRecoveryVerb::Refuse { id } => {
            let refuse = async || app.client.admin_refuse_recovery(&id).await;
            let stopped = app.with_person(refuse).await?;
            Answer::new(&stopped, stopped_text(&stopped))
        }
    }
}

/// Asks before a word that lets a machine in against what its owner did last.
async fn in_spite_of_freeze(app: &App, id: &RecoveryId) -> Result<(), Failure> {
    let queue = app.client.admin_recoveries().await?;
    match queue.iter().find(|info| info.id == *id && info.account_frozen) {
        Some(info) => app.confirm(&texts::ask_in_spite_of_freeze(info.user.as_str())),
        None => Ok(()),
    }
}

/// What the new machine shows. Typed, not shown: who only reads along would say yes to anybody.
pub(super) fn check_code(app: &App, given: Option<String>) -> Result<String, Failure> {
    match given {
        Some(check) => Ok(check),
        None => app.terminal.ask_line(texts::ASK_CHECK_CODE),
    }
}

/// Says whom the characters belong to, before anybody touches for them: whoever read them out may have given
/// another name.
pub(super) fn said(app: &App, found: RecoveryInfo) -> RecoveryId {
    let begun = clock_time(found.begun_at);
    let (user, device) = (found.user.as_str(), found.device.as_str());
    app.terminal.say(&texts::recovery_shown_by(user, device, &found.source, &begun));
    found.id
}

/// The sheet is on disk before the server hears of its codes: one that cannot be kept costs nothing.
async fn make(app: &App, sheet: Option<PathBuf>) -> Result<Answer, Failure> {
    let with_format = |path: PathBuf| format_of(&path).map(|format| (format, path));
    let sheet = sheet.map(with_format).transpose()?;
    app.need_person()?;
    let works = |code: &RecoveryCodeInfo| code.ended_at.is_none();
    if app.client.recovery_codes().await?.iter().any(works) {
        app.confirm(texts::ASK_NEW_CODES)?;
    }
    let Some((format, path)) = sheet else {
        let made = app.client.make_recovery_codes(&app.terminal).await?;
        return shown(app, &made);
    };
    drop(new_private_file(&path)?);
    let mut is_kept = false;
    let keep = |new: &NewCodes| -> Result<(), Failure> {
        write(app, new, (format, &path))?;
        is_kept = true;
        Ok(())
    };
    let made = app.client.make_recovery_codes_kept(&app.terminal, keep).await;
    match (made, is_kept) {
        (Ok(made), _) => {
            let path = path.display().to_string();
            let json = json!({ "sheet": path, "server": made.server.to_string() });
            Answer::new(&json, texts::sheet_written(&path))
        }
        (Err(failure), false) => {
            // Ours, and empty.
            let _ = std::fs::remove_file(&path);
            Err(failure)
        }
        (Err(failure), true) => {
            app.terminal.say(&texts::sheet_in_doubt(&path));
            Err(failure)
        }
    }
}

fn write(app: &App, new: &NewCodes, (format, path): (SheetFormat, &Path)) -> Result<(), Failure> {
    let profile = app.client.profile()?;
    let no_names = || Failure::new(ErrorCode::Forbidden, "Only a person's device can do this.");
    let (_, user, _) = profile.names().ok_or_else(no_names)?;
    let made_at = At(Ambient::system().now());
    let sheet = Sheet { server: &new.server, user, made_at, codes: &new.codes };
    fill_private_file(path, &sheet.bytes(format)?)
}

/// The codes alone on stdout, everything around them for the person.
fn shown(app: &App, made: &NewCodes) -> Result<Answer, Failure> {
    let codes: Vec<SecretText> = made.codes.iter().map(|code| code.to_text()).collect();
    let codes: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let server = made.server.to_string();
    app.terminal.say(&texts::codes_made(&server));
    let (json, text) = (json!({ "codes": codes, "server": server }), codes.join("\n"));
    Ok(Answer::Once { json, text, lost: texts::CODES_LOST })
}

/// What the name of its file asks for.
fn format_of(path: &Path) -> Result<SheetFormat, Failure> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "pdf" => Ok(SheetFormat::Pdf),
        "html" | "htm" => Ok(SheetFormat::Html),
        _ => Err(Failure::new(ErrorCode::InvalidField, texts::SHEET_ENDING).about("sheet")),
    }
}

fn stopped_text(info: &RecoveryInfo) -> String {
    texts::recovery_stopped(info.user.as_str(), info.device.as_str())
}

fn codes_list(codes: &[RecoveryCodeInfo]) -> String {
    if codes.is_empty() {
        return texts::NO_CODES.to_owned();
    }
    let row = |code: &RecoveryCodeInfo| {
        let ended = code.ended_at.map(clock_time).unwrap_or_default();
        let state = match &code.used_by {
            Some(device) => format!("let in {device} {ended}"),
            None if code.ended_at.is_some() => format!("replaced {ended}"),
            None => "works".to_owned(),
        };
        vec![code.name.to_string(), clock_time(code.made_at), state]
    };
    let rows: Vec<_> = codes.iter().map(row).collect();
    table(&["NAME", "MADE", "STATE"], &rows)
}

fn list(recoveries: &[RecoveryInfo]) -> String {
    if recoveries.is_empty() {
        return texts::NO_RECOVERIES.to_owned();
    }
    let row = |info: &RecoveryInfo| {
        let proofs: Vec<String> = info
            .proofs
            .iter()
            .map(|proof| {
                let counts = if proof.counts { "" } else { " (counts no more)" };
                format!("{} {}{counts}", proof.door.as_str(), proof.by)
            })
            .collect();
        let proofs = if proofs.is_empty() { "nothing yet".to_owned() } else { proofs.join(", ") };
        vec![
            info.id.to_string(),
            info.user.to_string(),
            info.role.as_str().to_owned(),
            info.device.to_string(),
            info.source.clone(),
            clock_time(info.begun_at),
            proofs,
            state(info),
        ]
    };
    let rows: Vec<_> = recoveries.iter().map(row).collect();
    table(&["ID", "USER", "ROLE", "DEVICE", "FROM", "SINCE", "SHOWN", "STATE"], &rows)
}

fn state(info: &RecoveryInfo) -> String {
    match info.account_frozen {
        true => {
            format!("{}, and kept out by a freeze, with which it ends", stands(info))
        }
        false => stands(info),
    }
}

fn stands(info: &RecoveryInfo) -> String {
    match (info.state, info.held_until) {
        (RecoveryStateName::Held, Some(until)) => format!("held until {}", clock_time(until)),
        (RecoveryStateName::Held, None) => "held".to_owned(),
        (RecoveryStateName::Unheard, _) => "waits to be heard of".to_owned(),
        (RecoveryStateName::Contested, _) => "contested: an administrator decides".to_owned(),
        (RecoveryStateName::Unproved, _) => "needs a proof".to_owned(),
        (RecoveryStateName::Ready, _) => "ready".to_owned(),
        (RecoveryStateName::Completed, _) => "is in".to_owned(),
        (RecoveryStateName::Stopped, _) => "stopped".to_owned(),
        (RecoveryStateName::Over, _) => "over".to_owned(),
    }
}
