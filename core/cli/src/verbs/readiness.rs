//! `readiness`, `admin readiness`, `recovery plan` and `recovery drill`.

use super::recover::take_code;
use crate::app::App;
use crate::args::{DrillVerb, PlanVerb};
use crate::clock::clock_time;
use crate::output::{Answer, table, wrap};
use crate::texts::readiness as texts;
use landfall_client::Failure;
use landfall_client::words::{Plan, Standing};
use landfall_protocol::ErrorCode;
use landfall_protocol::readiness::{
    DrillInfo, ReadinessDetails, ReadinessInfo, RecoveryPlanInfo, UserReadiness, WayInInfo,
};
use serde_json::json;
use std::path::Path;

/// The width of what is read.
const WIDTH: usize = 80;

pub async fn readiness(app: &App, full: bool) -> Result<Answer, Failure> {
    if full && app.client.human().is_none() {
        app.need_person()?;
        app.client.step_up(None, None, &app.terminal).await?;
    }
    let ready = app.client.readiness().await?;
    Answer::new(&ready, report(&ready))
}

/// One line of it, for where a person looks anyway.
pub fn in_brief(ready: &ReadinessInfo) -> String {
    match ready.standing {
        Standing::Ready => format!("ready, {} of 100", ready.score),
        Standing::OneLossAway | Standing::LockedOut => {
            format!("{}; more: landfall readiness", texts::standing(ready.standing))
        }
    }
}

fn report(ready: &ReadinessInfo) -> String {
    let mut parts = vec![format!(
        "{} ({} of 100)",
        texts::headline(ready.standing, ready.losses_to_lock_out),
        ready.score
    )];
    match (ready.frozen, ready.stopped_by_admin) {
        (_, true) => parts.push(texts::STOPPED.to_owned()),
        (true, false) => parts.push(texts::FROZEN.to_owned()),
        (false, false) => {}
    }
    match &ready.details {
        Some(details) => parts.extend(detailed(details)),
        None => parts.push(texts::NAMES_WITH_PASSKEY.to_owned()),
    }
    if let Some(next) = ready.next {
        parts.push(format!("What would help most:\n  {}", texts::remedy(next)));
    }
    parts.push(drills(&ready.drills));
    parts.join("\n\n")
}

fn detailed(details: &ReadinessDetails) -> Vec<String> {
    let mut parts = Vec::new();
    parts.push(match details.ways_in.is_empty() {
        true => texts::NO_WAY_IN.to_owned(),
        false => {
            let ways: Vec<String> = details.ways_in.iter().map(way).collect();
            format!("Any one of these gets you in:\n{}", list(&ways))
        }
    });
    if !details.single_losses.is_empty() {
        let losses: Vec<String> = details
            .single_losses
            .iter()
            .map(|thing| format!("Lose {}, and you are locked out.", texts::thing(thing)))
            .collect();
        parts.push(losses.join("\n"));
    }
    if !details.idle.is_empty() {
        let idle: Vec<String> = details.idle.iter().map(texts::thing).collect();
        parts.push(format!("{}\n{}", texts::IDLE, list(&idle)));
    }
    parts
}

/// "the device laptop", or "two of ana, eve and your recovery codes; then 72 h".
fn way(way: &WayInInfo) -> String {
    let needs: Vec<String> = way
        .needs
        .iter()
        .map(|need| {
            let of: Vec<String> = need.of.iter().map(texts::thing).collect();
            match (usize::from(need.count), of.len()) {
                (count, there) if count == there => and(&of),
                (count, _) => format!("{count} of: {}", of.join(", ")),
            }
        })
        .collect();
    let mut text = needs.join(", together with ");
    if way.wait_seconds > 0 {
        text.push_str(&format!(", and then a wait of {} h", way.wait_seconds.div_ceil(3600)));
    }
    text
}

fn and(texts: &[String]) -> String {
    match texts {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

fn list(items: &[String]) -> String {
    let item = |text: &String| {
        let text = wrap(text, WIDTH - 4).replace('\n', "\n    ");
        format!("  - {text}")
    };
    items.iter().map(item).collect::<Vec<_>>().join("\n")
}

fn drills(done: &[DrillInfo]) -> String {
    if done.is_empty() {
        return texts::NO_DRILLS.to_owned();
    }
    let line = |drill: &DrillInfo| format!("{}, {}", texts::drilled(drill), clock_time(drill.at));
    format!("You have tried:\n{}", list(&done.iter().map(line).collect::<Vec<_>>()))
}

pub async fn admin(app: &App, full: bool, standing: Option<Standing>) -> Result<Answer, Failure> {
    if full && app.client.human().is_none() {
        app.need_person()?;
        app.client.step_up(None, None, &app.terminal).await?;
    }
    let admins = app.client.admins_readiness().await?;
    let mut users = app.client.admin_readiness(standing).await?;
    // Who is worst off stands first.
    users.sort_by(|one, other| {
        (one.losses_to_lock_out, &one.user).cmp(&(other.losses_to_lock_out, &other.user))
    });
    let text = format!("{}\n\n{}", texts::admins(&admins), people(&users));
    Answer::new(&json!({ "admins": admins, "items": users }), text)
}

fn people(users: &[UserReadiness]) -> String {
    if users.is_empty() {
        return "Nobody.".to_owned();
    }
    let row = |user: &UserReadiness| {
        let losses = match &user.single_losses {
            Some(things) => things.iter().map(texts::thing).collect::<Vec<_>>().join("; or "),
            None => "(--full shows it)".to_owned(),
        };
        vec![
            user.user.to_string(),
            user.role.as_str().to_owned(),
            texts::standing(user.standing).to_owned(),
            user.score.to_string(),
            losses,
            user.next.map(texts::in_a_word).unwrap_or_default().to_owned(),
            user.last_drill_at.map(clock_time).unwrap_or_else(|| "never".to_owned()),
        ]
    };
    let rows: Vec<_> = users.iter().map(row).collect();
    table(&["USER", "ROLE", "STANDS", "OF 100", "LOCKED OUT BY", "HELPS MOST", "DRILL"], &rows)
}

pub async fn plan(app: &App, verb: PlanVerb) -> Result<Answer, Failure> {
    let info = match verb {
        PlanVerb::Show => app.with_person(async || app.client.recovery_plan().await).await?,
        PlanVerb::Set { preset, file } => {
            app.need_person()?;
            let plan = match (preset, file) {
                (Some(preset), _) => preset.plan(),
                (None, Some(file)) => read_plan(&file)?,
                (None, None) => {
                    return Err(Failure::new(ErrorCode::InputNeeded, texts::WHICH_PLAN));
                }
            };
            app.client.set_recovery_plan(&plan, &app.terminal).await?
        }
        PlanVerb::Clear => {
            app.need_person()?;
            app.confirm(texts::ASK_CLEAR_PLAN)?;
            let clear = async || app.client.clear_recovery_plan(&app.terminal).await;
            app.with_person(clear).await?
        }
    };
    let text = plan_text(&info);
    Answer::new(&info, text)
}

fn plan_text(info: &RecoveryPlanInfo) -> String {
    let since = info.own_since_at.map(clock_time);
    let mut lines = vec![format!(
        "What lets you back in:\n  {}",
        wrap(&info.holds, WIDTH - 2).replace('\n', "\n  ")
    )];
    lines.push(match since {
        Some(since) => format!(
            "You made it stricter {since}. Your organisation asks for:\n  {}",
            wrap(&info.tenant, WIDTH - 2).replace('\n', "\n  ")
        ),
        None => texts::TENANT_PLAN.to_owned(),
    });
    lines.join("\n\n")
}

fn read_plan(path: &Path) -> Result<Plan, Failure> {
    let wrong = |why: String| {
        let detail = format!(
            "{} is no plan: {why}. `landfall recovery plan set --help` shows one.",
            path.display()
        );
        Failure::new(ErrorCode::InvalidField, detail)
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
}

pub async fn drill(app: &App, verb: DrillVerb) -> Result<Answer, Failure> {
    let done = match verb {
        DrillVerb::Codes => {
            let none = || Failure::new(ErrorCode::InputNeeded, texts::NO_CODE_GIVEN);
            let code = take_code(app, texts::ASK_DRILL_CODE)?.ok_or_else(none)?;
            app.client.drill_code(&code).await?
        }
        DrillVerb::Passkey => {
            app.need_person()?;
            app.client.drill_passkey(&app.terminal).await?
        }
    };
    Answer::new(&done, texts::drill_done(&done))
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_client::words::{ReadinessRemedy, ThingKind};
    use landfall_protocol::readiness::{NeedInfo, ThingInfo};

    fn thing(kind: ThingKind, name: &str) -> ThingInfo {
        ThingInfo { kind, name: name.to_owned() }
    }

    fn info(details: Option<ReadinessDetails>) -> ReadinessInfo {
        ReadinessInfo {
            standing: Standing::OneLossAway,
            score: 33,
            losses_to_lock_out: 1,
            next: Some(ReadinessRemedy::AddDevice),
            frozen: false,
            stopped_by_admin: false,
            drills: Vec::new(),
            details,
        }
    }

    #[test]
    fn a_single_loss_is_said_as_it_is() {
        let laptop = thing(ThingKind::Device, "bert-laptop");
        let sheet = thing(ThingKind::CodeSheet, "10 recovery codes on paper");
        let need = NeedInfo { count: 1, of: vec![laptop.clone()] };
        let text = report(&info(Some(ReadinessDetails {
            ways_in: vec![WayInInfo { needs: vec![need], wait_seconds: 0 }],
            single_losses: vec![laptop],
            idle: vec![sheet],
        })));
        assert!(text.contains("Lose your device bert-laptop, and you are locked out."), "{text}");
        assert!(text.contains("10 recovery codes on paper"), "{text}");
        assert!(text.contains("landfall device add"), "{text}");
    }

    #[test]
    fn names_are_not_shown_without_a_person() {
        let text = report(&info(None));
        assert!(text.contains("landfall readiness --full"), "{text}");
        assert!(text.starts_with("One loss"), "{text}");
    }

    #[test]
    fn ways_read_as_sentences() {
        let admins = NeedInfo {
            count: 2,
            of: vec![
                thing(ThingKind::Admin, "ana"),
                thing(ThingKind::Admin, "eve"),
                thing(ThingKind::Admin, "kim"),
            ],
        };
        let sheet = NeedInfo {
            count: 1,
            of: vec![thing(ThingKind::CodeSheet, "9 recovery codes on paper")],
        };
        let both = WayInInfo { needs: vec![sheet, admins], wait_seconds: 3600 };
        assert_eq!(
            way(&both),
            "your 9 recovery codes on paper, together with 2 of: the administrator ana, the administrator \
             eve, the administrator kim, and then a wait of 1 h"
        );
    }
}
