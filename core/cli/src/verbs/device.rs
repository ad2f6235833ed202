//! `device`.

use super::aftermath;
use super::token::made;
use super::{link, provisioned};
use crate::app::App;
use crate::args::DeviceVerb;
use crate::clock::{clock_time, with_clock_times};
use crate::exit;
use crate::output::{Answer, table, wrap};
use crate::texts;
use landfall_client::words::{DeviceName, Role, Seconds, TokenKind, UserName};
use landfall_client::{Failure, MintRequest, Remedy};
use landfall_protocol::ErrorCode;
use landfall_protocol::device::{DeviceCut, DeviceInfo, DeviceStateName};
use serde_json::json;

pub async fn run(app: &App, verb: DeviceVerb) -> Result<Answer, Failure> {
    match verb {
        DeviceVerb::Add { name, ttl } => add(app, name, ttl).await,
        DeviceVerb::Link { shown } => link::approve(app, shown).await,
        DeviceVerb::Provision(args) => provisioned::provision(app, args).await,
        DeviceVerb::List => {
            let devices = app.client.devices().await?;
            Answer::new(&json!({ "items": devices }), list(&devices, false))
        }
        DeviceVerb::Rename { name, label } => {
            let device = app.client.rename_device(&name, label).await?;
            let text =
                format!("{name} is called \"{}\" now.", device.label.as_deref().unwrap_or(""));
            Answer::new(&device, text)
        }
        DeviceVerb::Suspend { name } => suspend(app, &name).await,
        DeviceVerb::Resume { name } => {
            let device = app.with_person(async || app.client.resume_device(&name).await).await?;
            Answer::new(&device, format!("{name} works again."))
        }
        DeviceVerb::Revoke { name } => {
            if let Some(done) = gone(known(app, &name).await?)? {
                return Ok(done);
            }
            app.need_person()?;
            app.confirm(&texts::ask_revoke(name.as_str()))?;
            let cut = app.client.revoke_device(&name, &app.terminal).await?;
            Answer::new(
                &cut,
                format!("{}\n{}", cut_text(&cut), texts::lost_for_ever(name.as_str())),
            )
        }
        DeviceVerb::Review { name, since, limit, after } => {
            aftermath::review(app, &name, since, limit, after.as_deref()).await
        }
        DeviceVerb::Lost { name } => lost(app, name).await,
    }
}

/// Nobody cuts off by a slip what they sit at.
async fn suspend(app: &App, name: &DeviceName) -> Result<Answer, Failure> {
    let here = app.client.profile()?.names().is_some_and(|(_, _, own)| own == name);
    if here {
        app.confirm(&texts::ask_cut_this_off(name.as_str()))?;
    }
    let cut = app.with_person(async || app.client.suspend_device(name).await).await?;
    let mut text = cut_text(&cut);
    if here {
        text = format!("{text}\n{}", texts::after_cutting_this_off(name.as_str()));
    }
    Answer::new(&cut, text)
}

async fn add(app: &App, name: DeviceName, ttl: Option<Seconds>) -> Result<Answer, Failure> {
    app.need_person()?;
    let profile = app.client.profile()?;
    let no_names = || Failure::new(ErrorCode::Forbidden, "Only a person's device can do this.");
    let (_, user, _) = profile.names().ok_or_else(no_names)?;
    let request = MintRequest {
        kind: TokenKind::Device,
        user: user.clone(),
        device: Some(name),
        role: Role::Member,
        ttl,
    };
    let minted = app.client.mint(request, &app.terminal).await?;
    made(app, &minted)
}

/// A name that was mistyped is told before anything is asked.
async fn known(app: &App, name: &DeviceName) -> Result<DeviceInfo, Failure> {
    let devices = app.client.devices().await?;
    let found = devices.into_iter().find(|device| device.name == *name);
    found.ok_or_else(|| Failure::new(ErrorCode::NotFound, texts::no_device(name.as_str())))
}

/// The answer for a device that is revoked already: nobody is asked, and nobody touches anything.
pub fn gone(device: DeviceInfo) -> Result<Option<Answer>, Failure> {
    if device.state != DeviceStateName::Revoked {
        return Ok(None);
    }
    let at = device.state_changed_at.map(clock_time).unwrap_or_default();
    let text = texts::revoked_already(device.name.as_str(), &at);
    let cut = DeviceCut {
        device,
        sessions_ended: 0,
        passkeys_disabled: 0,
        passkeys_synced: Vec::new(),
        account_stopped: false,
        agents: 0,
    };
    Answer::new(&cut, text).map(Some)
}

/// Cut off first, by whatever proof there is; for ever only if that is allowed already.
async fn lost(app: &App, name: DeviceName) -> Result<Answer, Failure> {
    let device = known(app, &name).await?;
    let here = device.this_device;
    if let Some(done) = gone(device)? {
        return Ok(done);
    }
    app.confirm(&match here {
        true => texts::ask_cut_this_off(name.as_str()),
        false => texts::ask_lost(name.as_str()),
    })?;
    let cut = app.with_person(async || app.client.suspend_device(&name).await).await;
    let cut = cut.inspect_err(|failure| {
        // Frightened people must not be left with an error about a browser.
        if exit::is_for_want_of_a_passkey(failure.code()) {
            app.terminal.say(texts::LOST_ANYWAY);
        }
    })?;
    app.terminal.say(&cut_text(&cut));
    if cut.device.this_device {
        let json = json!({ "suspended": cut, "revoked": null });
        return Answer::new(&json, texts::lost_this_one(name.as_str()));
    }
    let revoked = match app.need_person() {
        Ok(()) => app.client.revoke_device(&name, &app.terminal).await,
        Err(failure) => Err(failure),
    };
    match revoked {
        Ok(revoked) => {
            let json = json!({ "suspended": cut, "revoked": revoked });
            Answer::new(&json, texts::lost_for_ever(name.as_str()))
        }
        Err(failure) if failure.remedy() == Remedy::EnrollAgain => Err(failure),
        Err(failure) => {
            let why = failure.problem();
            let json = json!({ "suspended": cut, "revoked": null, "not_revoked": why });
            let why = wrap(&with_clock_times(&format!("{}. {}", why.title, why.detail)), 80);
            Answer::new(&json, texts::lost_for_now(name.as_str(), &why))
        }
    }
}

/// What an administrator is told who cut off a device of `user`, which may be their own.
pub fn cut_text_of(app: &App, user: &UserName, cut: &DeviceCut) -> Result<String, Failure> {
    if app.client.profile()?.names().is_some_and(|(_, own, _)| own == user) {
        return Ok(cut_text(cut));
    }
    let name = cut.device.name.as_str();
    let mut lines = vec![texts::cut_off(name, cut.sessions_ended, cut.passkeys_disabled)];
    let theirs = |passkey| texts::passkey_elsewhere_of(user.as_str(), passkey);
    lines.extend(texts::agents_stop(cut.agents));
    lines.extend(cut.passkeys_synced.iter().map(theirs));
    if !cut.account_stopped {
        lines.push(texts::others_come_back(user.as_str()));
    }
    Ok(lines.join("\n"))
}

fn cut_text(cut: &DeviceCut) -> String {
    let name = cut.device.name.as_str();
    let mut lines = vec![texts::cut_off(name, cut.sessions_ended, cut.passkeys_disabled)];
    lines.extend(texts::agents_stop(cut.agents));
    lines.extend(cut.passkeys_synced.iter().map(texts::passkey_elsewhere));
    lines.join("\n")
}

pub fn list(devices: &[DeviceInfo], users: bool) -> String {
    if devices.is_empty() {
        return texts::NO_DEVICES.to_owned();
    }
    let row = |device: &DeviceInfo| {
        let name = match device.this_device {
            true => format!("{} (this one)", device.name),
            false => device.name.to_string(),
        };
        let seen = device.last_seen_at.map_or("-".to_owned(), clock_time);
        let label = device.label.clone().unwrap_or_default();
        let mut row = vec![name, state(device), clock_time(device.enrolled_at), seen, label];
        if users {
            row.insert(0, device.user.to_string());
        }
        row
    };
    let rows: Vec<_> = devices.iter().map(row).collect();
    let headings = ["NAME", "STATE", "SINCE", "LAST SEEN", "LABEL"];
    if users {
        return table(&[&["USER"][..], &headings].concat(), &rows);
    }
    table(&headings, &rows)
}

fn state(device: &DeviceInfo) -> String {
    let since = device.state_changed_at.map(|at| format!(" since {}", clock_time(at)));
    match device.state {
        DeviceStateName::Active => "works".to_owned(),
        DeviceStateName::Suspended => format!("suspended{}", since.unwrap_or_default()),
        DeviceStateName::Revoked => format!("revoked{}", since.unwrap_or_default()),
    }
}
