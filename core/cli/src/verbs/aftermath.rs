//! After a loss: what the lost device did, what to change, and cutting it off in the same breath.

use crate::app::App;
use crate::clock::clock_time;
use crate::output::{Answer, table};
use crate::texts;
use landfall_client::words::DeviceName;
use landfall_client::{Failure, Recovering};
use landfall_protocol::device::{DeviceAct, DeviceInfo, DeviceStateName, ExposedSecret};
use landfall_protocol::passkey::PasskeyInfo;
use landfall_protocol::{At, ErrorCode};
use serde_json::json;

/// What to change first, then what was done.
pub async fn review(
    app: &App,
    name: &DeviceName,
    since: Option<At>,
    limit: u32,
    after: Option<&str>,
) -> Result<Answer, Failure> {
    let page = app.client.review_device(name, since, limit, after).await?;
    // On further pages it was shown already.
    let exposed = match after {
        None => app.client.exposure(name).await?,
        Some(_) => Vec::new(),
    };
    let left = match after {
        None => passkeys_left(app, name).await?,
        Some(_) => Vec::new(),
    };
    let mut text = String::new();
    if after.is_none() {
        text.push_str(&to_rotate(name, &exposed));
        text.push_str("\n\n");
    }
    for passkey in &left {
        text.push_str(&texts::passkey_elsewhere(passkey));
        text.push_str("\n\n");
    }
    text.push_str(&acts(&page.items));
    if let Some(next) = &page.next {
        text.push_str(&format!("\nThere is more: --after {next}"));
    }
    let json = json!({
        "to_rotate": exposed,
        "passkeys_synced": left,
        "items": page.items,
        "next": page.next,
    });
    Answer::new(&json, text)
}

/// Passkeys that were registered on a device, can leave it, and still work: cutting the device off has not
/// disabled them, and one alone may open the account.
pub async fn passkeys_left(app: &App, lost: &DeviceName) -> Result<Vec<PasskeyInfo>, Failure> {
    let left = |passkey: &PasskeyInfo| {
        passkey.registered_on == *lost && !passkey.device_bound && passkey.usable
    };
    Ok(app.client.passkeys().await?.into_iter().filter(left).collect())
}

fn to_rotate(name: &DeviceName, exposed: &[ExposedSecret]) -> String {
    if exposed.is_empty() {
        return texts::nothing_to_rotate(name.as_str());
    }
    let row = |secret: &ExposedSecret| {
        let read = secret.read_at.map_or("could have".to_owned(), clock_time);
        vec![secret.name.to_string(), clock_time(secret.written_at), read]
    };
    let rows: Vec<_> = exposed.iter().map(row).collect();
    let list = table(&["SECRET", "ITS VALUE SINCE", "READ THERE"], &rows);
    format!("{}\n{list}", texts::to_rotate(name.as_str()))
}

fn acts(acts: &[DeviceAct]) -> String {
    if acts.is_empty() {
        return texts::NO_ROWS.to_owned();
    }
    let row = |act: &DeviceAct| {
        vec![
            clock_time(act.at),
            act.action.clone(),
            act.target.clone(),
            act.outcome.clone(),
            act.source.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = acts.iter().map(row).collect();
    table(&["WHEN", "WHAT", "ON", "OUTCOME", "FROM"], &rows)
}

/// Somebody is back in: asks which device is lost, if that was not said before. What goes wrong here is
/// told and harms nothing.
pub async fn offer(app: &App, recovering: &Recovering) -> Result<Option<DeviceName>, Failure> {
    let devices = app.client.devices().await.unwrap_or_default();
    let others: Vec<&DeviceInfo> = devices
        .iter()
        .filter(|device| device.state == DeviceStateName::Active && !device.this_device)
        .collect();
    if others.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> = others.iter().map(|device| device.name.as_str()).collect();
    app.terminal.say(&texts::other_devices(&names));
    if !app.terminal.can_ask() {
        return Ok(None);
    }
    loop {
        let typed = app.terminal.ask_line(texts::ASK_WHICH_LOST)?;
        if typed.is_empty() {
            return Ok(None);
        }
        let named = others.iter().find(|device| device.name.as_str() == typed);
        let Some(device) = named else {
            app.terminal.say(&texts::no_device(&typed));
            continue;
        };
        match recovering.cut_off(device.name.clone()).await {
            Ok(_) => {
                app.terminal.say(&texts::cut_off_in_recovery(device.name.as_str()));
                return Ok(Some(device.name.clone()));
            }
            Err(failure) if failure.code() == ErrorCode::RecoveryOver => {
                app.terminal.say(&texts::cut_off_later(device.name.as_str()));
                return Ok(None);
            }
            Err(failure) => app.output.failure(&failure),
        }
    }
}
