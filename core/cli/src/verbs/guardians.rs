//! Guardians, from both sides, and the waiting period.

use super::recovery::{check_code, said};
use crate::app::App;
use crate::args::{GuardiansVerb, WaitingVerb, WardsVerb};
use crate::clock::clock_time;
use crate::output::{Answer, table};
use crate::texts;
use landfall_client::Failure;
use landfall_protocol::guardian::{GuardianInfo, WaitingInfo};
use landfall_protocol::recovery::{RecoveryInfo, RecoveryStateName};
use serde_json::json;

pub async fn waiting(app: &App, verb: WaitingVerb) -> Result<Answer, Failure> {
    let info = match verb {
        WaitingVerb::Show => app.client.waiting().await?,
        WaitingVerb::On => {
            app.need_person()?;
            app.confirm(texts::ASK_WAITING)?;
            app.client.set_waiting(true, &app.terminal).await?
        }
        WaitingVerb::Off => {
            app.need_person()?;
            app.client.set_waiting(false, &app.terminal).await?
        }
    };
    Answer::new(&info, waiting_text(&info))
}

fn waiting_text(info: &WaitingInfo) -> String {
    match (info.days, info.allowed_at) {
        (Some(days), Some(since)) => texts::waiting_on(days, &clock_time(since)),
        (Some(days), None) => texts::waiting_off(days),
        (None, Some(_)) => texts::WAITING_NOT_HERE_YET.to_owned(),
        (None, None) => texts::WAITING_NOT_HERE.to_owned(),
    }
}

pub async fn own(app: &App, verb: GuardiansVerb) -> Result<Answer, Failure> {
    match verb {
        GuardiansVerb::Add { user } => {
            app.need_person()?;
            let info = app.client.name_guardian(&user, &app.terminal).await?;
            Answer::new(&info, texts::guardian_named(user.as_str()))
        }
        GuardiansVerb::List => {
            let guardians = app.client.guardians().await?;
            Answer::new(&json!({ "items": guardians }), list(&guardians, false))
        }
        GuardiansVerb::Remove { user } => {
            app.need_person()?;
            app.client.remove_guardian(&user, &app.terminal).await?;
            let text = format!("{user} is no longer one of your guardians.");
            Answer::new(&json!({ "removed": user }), text)
        }
    }
}

pub async fn wards(app: &App, verb: WardsVerb) -> Result<Answer, Failure> {
    match verb {
        WardsVerb::List => {
            let wards = app.client.wards().await?;
            let recoveries = app.client.ward_recoveries().await?;
            let mut text = list(&wards, true);
            if !recoveries.is_empty() {
                text.push_str("\n\n");
                text.push_str(texts::WARDS_ON_THEIR_WAY);
                text.push('\n');
                text.push_str(&on_their_way(&recoveries));
            }
            Answer::new(&json!({ "items": wards, "recoveries": recoveries }), text)
        }
        WardsVerb::Accept { user } => {
            let accept = async || app.client.accept_ward(&user).await;
            let info = app.with_person(accept).await?;
            let from = info.counts_from.map(clock_time).unwrap_or_default();
            Answer::new(&info, texts::ward_accepted(user.as_str(), &from))
        }
        WardsVerb::Leave { user } => {
            app.with_person(async || app.client.leave_ward(&user).await).await?;
            let text = format!("You are not a guardian of {user}. They have been told.");
            Answer::new(&json!({ "left": user }), text)
        }
        WardsVerb::Vouch { id, check } => {
            app.need_person()?;
            let check = check_code(app, check)?;
            let id = match id {
                Some(id) => id,
                None => said(app, app.client.ward_recovery_that_shows(&check).await?),
            };
            let info = app.client.vouch(&id, &check, &app.terminal).await?;
            let more = info.state == RecoveryStateName::Unproved;
            Answer::new(&info, texts::vouched(info.user.as_str(), more, info.account_frozen))
        }
    }
}

/// What was shown so far is not a guardian's to see.
fn on_their_way(recoveries: &[RecoveryInfo]) -> String {
    let row = |info: &RecoveryInfo| {
        vec![
            info.id.to_string(),
            info.user.to_string(),
            info.device.to_string(),
            info.source.clone(),
            clock_time(info.begun_at),
        ]
    };
    let rows: Vec<_> = recoveries.iter().map(row).collect();
    table(&["ID", "USER", "DEVICE", "FROM", "SINCE"], &rows)
}

/// `wards`: those whose guardian one is, instead of one's own.
fn list(guardians: &[GuardianInfo], wards: bool) -> String {
    if guardians.is_empty() {
        return if wards { texts::NO_WARDS } else { texts::NO_GUARDIANS }.to_owned();
    }
    let row = |info: &GuardianInfo| {
        let who = if wards { info.user.to_string() } else { info.guardian.to_string() };
        let state = match info.counts_from {
            Some(from) => format!("accepted, counts from {}", clock_time(from)),
            None => "asked, has not accepted".to_owned(),
        };
        vec![who, clock_time(info.named_at), state]
    };
    let rows: Vec<_> = guardians.iter().map(row).collect();
    table(&["USER", "CHOSEN", "STATE"], &rows)
}
