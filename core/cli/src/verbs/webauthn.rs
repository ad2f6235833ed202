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
        WebauthnVerb::Register { roaming_authenticator: true, label, .. } => {
            root_key(app, label).await.and_then(|(passkey, text)| Answer::new(&passkey, text))
        }
        WebauthnVerb::Register { attachment, label, .. } => register(app, attachment, label).await,
        WebauthnVerb::List => {
            let passkeys = app.client.passkeys().await?;
            Answer::new(&json!({ "items": passkeys }), list(&passkeys))
        }
        WebauthnVerb::Rename { id, label } => {
            let passkey = app.client.rename_passkey(&id, label).await?;
            let text = format!("It is called \"{}\" now.", passkey.label);
            Answer::new(&passkey, text)
        }
        WebauthnVerb::Bind { id } => {
            app.need_person()?;
            let passkey = app.client.bind_passkey(&id, &app.terminal).await?;
            let text = texts::passkey_bound(&passkey.label, passkey.registered_on.as_str());
            Answer::new(&passkey, text)
        }
        WebauthnVerb::Remove { id } => remove(app, id).await,
    }
}

/// A key that is carried, and gets its owner back in by itself. Answers with what to say of it, too.
pub async fn root_key(app: &App, label: Option<Label>) -> Result<(PasskeyInfo, String), Failure> {
    app.need_person()?;
    let label = label.map_or_else(|| default_label(app, Attachment::Roaming), Ok)?;
    let passkey = app.client.register_root_key(label, &app.terminal).await?;
    let text = texts::root_key_registered(&passkey);
    Ok((passkey, text))
}

fn default_label(app: &App, attachment: Attachment) -> Result<Label, Failure> {
    let profile = app.client.profile()?;
    let device = profile.names().map_or("", |(_, _, device)| device.as_str());
    let text = texts::default_passkey_label(attachment == Attachment::Roaming, device);
    Label::parse(text).map_err(|why| Failure::new(ErrorCode::InvalidField, why.to_string()))
}

async fn register(
    app: &App,
    attachment: Attachment,
    label: Option<Label>,
) -> Result<Answer, Failure> {
    app.need_person()?;
    let label = label.map_or_else(|| default_label(app, attachment), Ok)?;
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
    Answer::new(&json!({ "removed": id }), texts::passkey_removed(&passkey.label))
}

/// Where it is, as readiness calls it: what may be copied is synced, however it was registered.
fn place(passkey: &PasskeyInfo) -> String {
    match (passkey.device_bound, passkey.backup_eligible) {
        (true, _) => format!("in {}", passkey.registered_on),
        (false, true) => "synced".to_owned(),
        (false, false) => "a key you carry".to_owned(),
    }
}

fn list(passkeys: &[PasskeyInfo]) -> String {
    if passkeys.is_empty() {
        return texts::NO_PASSKEYS.to_owned();
    }
    let row = |passkey: &PasskeyInfo| {
        let place = place(passkey);
        let place = match passkey.transports.as_slice() {
            [] => place,
            ways => format!("{place} ({})", ways.join(", ")),
        };
        let alone = match passkey.resident {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not known",
        };
        let model = passkey.aaguid.clone().unwrap_or_else(|| "-".to_owned());
        let used = passkey.last_used_at.map_or("-".to_owned(), clock_time);
        let state = if passkey.usable { "works" } else { "disabled" };
        let since = clock_time(passkey.registered_at);
        vec![
            passkey.id.to_string(),
            passkey.label.clone(),
            place,
            state.to_owned(),
            alone.to_owned(),
            model,
            since,
            used,
        ]
    };
    let rows: Vec<_> = passkeys.iter().map(row).collect();
    table(
        &["ID", "LABEL", "WHERE", "STATE", "WORKS WITHOUT A NAME", "MODEL", "SINCE", "LAST USED"],
        &rows,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_client::words::Ambient;
    use landfall_protocol::At;

    #[test]
    fn a_passkey_that_may_be_copied_is_synced_however_it_was_registered() {
        let mut passkey = PasskeyInfo {
            id: PasskeyId::from_bits([1; 16]),
            label: "k1".to_owned(),
            attachment: Attachment::Roaming,
            registered_on: "laptop".parse().unwrap(),
            device_bound: false,
            backup_eligible: true,
            backed_up: true,
            resident: Some(true),
            aaguid: None,
            transports: Vec::new(),
            usable: true,
            registered_at: At(Ambient::system().now()),
            last_used_at: None,
        };
        assert_eq!(place(&passkey), "synced");
        assert!(texts::passkey_elsewhere(&passkey).contains("is synced elsewhere"));
        passkey.backup_eligible = false;
        assert_eq!(place(&passkey), "a key you carry");
        passkey.device_bound = true;
        assert_eq!(place(&passkey), "in laptop");
    }
}
