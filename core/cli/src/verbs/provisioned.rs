//! `device provision`, `reveal`, `enroll --provisioned` and `admin provisioned`.

use super::enroll::enrolled_answer;
use crate::app::App;
use crate::args::{EnrollArgs, ProvisionArgs, ProvisionedVerb};
use crate::clock::clock_time;
use crate::output::{Answer, table};
use crate::terminal::read_stdin;
use crate::texts::provisioned as texts;
use landfall_client::words::SecretText;
use landfall_client::{Failure, HandedOut, WantedKey, new_private_file, reveal};
use landfall_protocol::device::DeviceStateName;
use landfall_protocol::provisioned::{MachineCut, MachineKeyInfo, MachineKeyState};
use landfall_protocol::{At, ErrorCode};
use serde_json::json;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The largest file that is looked at; the opener itself is stricter.
const FILE_MAX: u64 = 256 * 1024;
/// The longest phrase that is read.
const PHRASE_MAX: usize = 1024;

/// Has a key made: the file is written, the words alone go to stdout.
pub async fn provision(app: &App, args: ProvisionArgs) -> Result<Answer, Failure> {
    app.need_person()?;
    let ProvisionArgs { name, role, words, expires, file } = args;
    let path = file.unwrap_or_else(|| PathBuf::from(format!("{name}.age")));
    // There is no second copy, so that the file must be there before the key is.
    let mut out = new_private_file(&path).map_err(|failure| match path.exists() {
        true => Failure::new(failure.code(), texts::file_is_there(&path.display().to_string()))
            .titled(&failure.problem().title),
        false => failure,
    })?;
    let (asked, is_new) = (name.clone(), role.is_some());
    let wanted = WantedKey { device: name, role, ttl: Some(expires), words: Some(words) };
    let made = match app.client.provision(wanted, &app.terminal).await {
        Ok(made) => made,
        Err(failure) => {
            let _ = std::fs::remove_file(&path);
            let name = asked.as_str();
            return Err(match failure.code() {
                code @ ErrorCode::NotFound if !is_new => {
                    Failure::new(code, texts::no_such_machine(name))
                }
                code @ ErrorCode::DeviceNameTaken => {
                    Failure::new(code, texts::machine_is_there(name))
                }
                _ => failure,
            });
        }
    };
    out.write_all(&made.file).and_then(|()| out.sync_all()).map_err(|error| {
        Failure::new(ErrorCode::StateUnwritable, format!("{} ({error})", texts::KEY_LOST))
    })?;
    handed_out(app, &made, &path)
}

fn handed_out(app: &App, made: &HandedOut, path: &Path) -> Result<Answer, Failure> {
    let MachineKeyInfo { device, role, expires_at, .. } = &made.key;
    let until = expires_at.map(clock_time).unwrap_or_default();
    let file = path.display().to_string();
    app.terminal.say(&texts::handed_out(&file, device.as_str(), role.as_str(), &until));
    let json = json!({
        "key": made.key,
        "file": file,
        "file_sha256": made.file_sha256,
        "passphrase": made.passphrase.as_str(),
    });
    Answer::new(&json, made.passphrase.as_str())
}

/// Prints what a file holds, for its owner.
pub fn open(app: &App, path: &Path) -> Result<Answer, Failure> {
    let sealed = read_file(path)?;
    let bytes = reveal(&sealed, &phrase(app)?)?;
    let text = String::from_utf8_lossy(bytes.expose());
    let json = json!({ "text": text });
    Ok(Answer::Raw { json, bytes })
}

/// This machine becomes the one that a file is for.
pub async fn claim(app: &App, args: &EnrollArgs, path: &Path) -> Result<Answer, Failure> {
    let sealed = read_file(path)?;
    let claiming = app.client.claim(&sealed, &phrase(app)?, args.replace)?;
    let until = clock_time(At(claiming.facts().expires_at));
    app.terminal.say(&texts::claim_about(claiming.facts(), &until));
    app.go_on(texts::ASK_CLAIM)?;
    enrolled_answer(&claiming.run().await?, None)
}

fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(FILE_MAX).read_to_end(&mut bytes))
        .map_err(|error| format!("{}: {}: {error}", texts::FILE_UNREADABLE, path.display()));
    read.map(|_| bytes).map_err(|why| Failure::new(ErrorCode::CredentialUnreadable, why))
}

/// The words: asked for without being shown, or piped in.
fn phrase(app: &App) -> Result<SecretText, Failure> {
    let words = if app.terminal.can_ask() {
        app.terminal.ask_hidden(texts::ASK_WORDS)?
    } else {
        let bytes = read_stdin(PHRASE_MAX)?;
        let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())
    };
    match words.trim().is_empty() {
        true => Err(Failure::new(ErrorCode::InputNeeded, texts::WORDS_NEEDED)),
        false => Ok(words),
    }
}

pub async fn run(app: &App, verb: ProvisionedVerb) -> Result<Answer, Failure> {
    match verb {
        ProvisionedVerb::List => {
            let keys = app.client.machines().await?;
            Answer::new(&json!({ "items": keys }), list(&keys))
        }
        ProvisionedVerb::Approve { name, role, by } => {
            app.need_person()?;
            let agreed = app.client.approve_provision(name, role, by, &app.terminal).await?;
            let until = clock_time(agreed.expires_at);
            let text = texts::agreed(agreed.asker.as_str(), agreed.device.as_str(), &until);
            Answer::new(&agreed, text)
        }
        ProvisionedVerb::Disable { key } => {
            let info = app.with_person(async || app.client.disable_key(&key).await).await?;
            let text = format!("This key of {} opens nothing for now.", info.device);
            Answer::new(&info, text)
        }
        ProvisionedVerb::Enable { key } => {
            let info = app.with_person(async || app.client.enable_key(&key).await).await?;
            let text = match info.device_state {
                DeviceStateName::Active => format!("This key of {} works again.", info.device),
                _ => texts::key_of_suspended(info.device.as_str()),
            };
            Answer::new(&info, text)
        }
        ProvisionedVerb::Suspend { name } => {
            let cut = app.with_person(async || app.client.suspend_machine(&name).await).await?;
            Answer::new(&cut, cut_text(&cut))
        }
        ProvisionedVerb::Resume { name } => {
            let cut = app.with_person(async || app.client.resume_machine(&name).await).await?;
            Answer::new(&cut, format!("{name} works again."))
        }
        ProvisionedVerb::Revoke { name } => {
            app.need_person()?;
            app.confirm(&texts::ask_revoke_machine(name.as_str()))?;
            let cut = app.client.revoke_machine(&name, &app.terminal).await?;
            Answer::new(&cut, cut_text(&cut))
        }
    }
}

fn cut_text(cut: &MachineCut) -> String {
    crate::texts::cut_off(cut.device.as_str(), cut.sessions_ended, 0)
}

fn list(keys: &[MachineKeyInfo]) -> String {
    if keys.is_empty() {
        return texts::NO_MACHINES.to_owned();
    }
    let row = |key: &MachineKeyInfo| {
        vec![
            key.device.to_string(),
            key.role.to_string(),
            state(key),
            if key.made_on_device { "its own" } else { "handed out" }.to_owned(),
            key.last_seen_at.map_or("-".to_owned(), clock_time),
            key.id.to_string(),
        ]
    };
    let rows: Vec<_> = keys.iter().map(row).collect();
    table(&["MACHINE", "ROLE", "STATE", "MADE", "LAST SEEN", "KEY"], &rows)
}

fn state(key: &MachineKeyInfo) -> String {
    let until = key.expires_at.map(clock_time).unwrap_or_default();
    match (key.device_state, key.state) {
        (DeviceStateName::Revoked, _) | (_, MachineKeyState::Revoked) => "revoked".to_owned(),
        (_, MachineKeyState::Claimed) => {
            format!("claimed {}", key.claimed_at.map(clock_time).unwrap_or_default())
        }
        (_, MachineKeyState::Expired) => format!("expired {until}"),
        (_, MachineKeyState::Disabled) => "disabled".to_owned(),
        (DeviceStateName::Suspended, _) => "suspended".to_owned(),
        (_, MachineKeyState::Active) if key.made_on_device => "works".to_owned(),
        (_, MachineKeyState::Active) => format!("until {until}"),
    }
}
