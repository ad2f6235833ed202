//! `webauthn`.

use crate::app::App;
use crate::args::WebauthnVerb;
use crate::clock::clock_time;
use crate::output::{Answer, table};
use crate::texts;
use landfall_client::Failure;
use landfall_client::words::{Attachment, Label, PasskeyId};
use landfall_protocol::ErrorCode;
use landfall_protocol::passkey::PasskeyInfo;
use serde_json::json;

pub async fn run(app: &App, verb: WebauthnVerb) -> Result<Answer, Failure> {
    match verb {
        WebauthnVerb::Register { attachment, label } => register(app, attachment, label).await,
        WebauthnVerb::List => {
            let passkeys = app.client.passkeys().await?;
            Answer::new(&json!({ "items": passkeys }), list(&passkeys))
        }
        WebauthnVerb::Rename { id, label } => {
            let passkey = app.client.rename_passkey(&id, label).await?;
            let text = format!("It is called \"{}\" now.", passkey.label);
            Answer::new(&passkey, text)
        }
        WebauthnVerb::Remove { id } => remove(app, id).await,
    }
}

async fn register(
    app: &App,
    attachment: Attachment,
    label: Option<Label>,
) -> Result<Answer, Failure> {
    app.need_person()?;
    let profile = app.client.profile()?;
    let device = profile.names().map_or("", |(_, _, device)| device.as_str());
    let label = match label {
        Some(label) => label,
        None => {
            let text = texts::default_passkey_label(attachment == Attachment::Roaming, device);
            Label::parse(text)
                .map_err(|why| Failure::new(ErrorCode::InvalidField, why.to_string()))?
        }
    };
    let passkey = app.client.register_passkey(attachment, label, &app.terminal).await?;
    let text = texts::passkey_registered(&passkey.label);
    Answer::new(&passkey, text)
}

/// Removing the last one takes a warning that is confirmed, before the passkey itself is asked for.
async fn remove(app: &App, id: PasskeyId) -> Result<Answer, Failure> {
    app.need_person()?;
    let passkeys = app.client.passkeys().await?;
    let missing = || Failure::new(ErrorCode::NotFound, "`landfall webauthn list` shows yours.");
    let passkey = passkeys.iter().find(|passkey| passkey.id == id).ok_or_else(missing)?;
    let is_last = passkeys.len() == 1;
    if is_last {
        // Said even to those who answered yes beforehand.
        app.terminal.say(texts::LAST_PASSKEY);
    }
    app.confirm(&texts::ask_remove_passkey(&passkey.label))?;
    app.client.remove_passkey(&id, is_last, &app.terminal).await?;
    Answer::new(&json!({ "removed": id }), format!("\"{}\" is removed.", passkey.label))
}

fn list(passkeys: &[PasskeyInfo]) -> String {
    if passkeys.is_empty() {
        return texts::NO_PASSKEYS.to_owned();
    }
    let row = |passkey: &PasskeyInfo| {
        let place = match (passkey.attachment, passkey.device_bound) {
            (Attachment::Platform, true) => format!("in {}", passkey.registered_on),
            (Attachment::Platform, false) => "synced".to_owned(),
            (Attachment::Roaming, _) => "a key you carry".to_owned(),
        };
        let used = passkey.last_used_at.map_or("-".to_owned(), clock_time);
        let state = if passkey.usable { "works" } else { "disabled" };
        let since = clock_time(passkey.registered_at);
        vec![passkey.id.to_string(), passkey.label.clone(), place, state.to_owned(), since, used]
    };
    let rows: Vec<_> = passkeys.iter().map(row).collect();
    table(&["ID", "LABEL", "WHERE", "STATE", "SINCE", "LAST USED"], &rows)
}
