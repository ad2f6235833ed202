//! `login`, `logout`, `whoami`, `server`, `freeze`, `unfreeze`.

use super::readiness;
use crate::app::App;
use crate::clock::clock_time;
use crate::output::Answer;
use crate::texts;
use landfall_client::Failure;
use landfall_client::words::{Attachment, ServerLine};
use landfall_protocol::ErrorCode;
use landfall_protocol::me::Me;
use landfall_protocol::provisioned::{MachineSelf, WhoAmI};
use landfall_protocol::session::SessionOpened;
use serde_json::json;

pub async fn login(
    app: &App,
    step_up: bool,
    attachment: Option<Attachment>,
) -> Result<Answer, Failure> {
    if step_up {
        app.need_person()?;
        let session = app.client.step_up(None, attachment, &app.terminal).await?;
        let text = texts::stepped_up(&clock_time(session.expires_at));
        return Answer::new(&without_token(&session), text);
    }
    let session = app.client.login().await?;
    let text = texts::signed_in(&clock_time(session.expires_at));
    Answer::new(&without_token(&session), text)
}

/// The token stays in the private folder: nothing else can use it.
fn without_token(session: &SessionOpened) -> serde_json::Value {
    json!({
        "id": session.id,
        "auth_strength": session.auth_strength,
        "auth_time_at": session.auth_time_at,
        "expires_at": session.expires_at,
    })
}

pub async fn logout(app: &App) -> Result<Answer, Failure> {
    let closed = app.client.logout().await?;
    Answer::new(&json!({ "sessions_closed": closed }), texts::SIGNED_OUT)
}

/// The line alone, so that it can be copied or piped.
pub fn server(app: &App) -> Result<Answer, Failure> {
    let profile = app.client.profile()?;
    let line = ServerLine { url: profile.server, trust: profile.trust };
    let json =
        json!({ "server": line.url.origin().ascii_serialization(), "line": line.to_string() });
    Answer::new(&json, line.to_string())
}

pub async fn whoami(app: &App) -> Result<Answer, Failure> {
    let asked = app.client.who_am_i().await;
    let me = match asked.map_err(|failure| app.client.or_agents_alone(failure))? {
        WhoAmI::Person(me) => *me,
        WhoAmI::Machine(machine) => return self_of(app, &machine),
    };
    let server = app.client.profile()?.server.origin().ascii_serialization();
    let mut text = who(app, &me, &server);
    // What an owner must hear of, they hear of where they look.
    if let Some(newest) = app.client.notices(1, None).await?.items.first() {
        let at = clock_time(newest.at);
        text.push_str(&format!("\n  last notice  {}, {at}; all: landfall notices", newest.title));
    }
    // Before the day, not on it.
    if let Ok(ready) = app.client.readiness().await {
        text.push_str(&format!("\n  way back     {}", readiness::in_brief(&ready)));
    }
    Answer::new(&me, text)
}

fn self_of(app: &App, machine: &MachineSelf) -> Result<Answer, Failure> {
    let profile = app.client.profile()?;
    let session = clock_time(machine.session_expires_at);
    let lines = [
        format!("{}, a machine that stands for itself", machine.key.device),
        format!("  server       {}", profile.server.origin().ascii_serialization()),
        format!("  tenant       {}, {}", machine.tenant, machine.key.role),
        format!("  identity     {}", machine.spiffe_id),
        format!("  certificate  until {}", clock_time(profile.not_after)),
        format!("  session      {}, until {session}", machine.auth_strength.as_str()),
    ];
    Answer::new(machine, lines.join("\n"))
}

fn who(app: &App, me: &Me, server: &str) -> String {
    let mut lines = vec![
        format!("{} on {}", me.user, me.device.name),
        format!("  server       {server}"),
        format!("  tenant       {}, {}", me.tenant, me.role.as_str()),
        format!("  identity     {}", me.spiffe_id),
    ];
    if let Some(until) = me.device.certificate_not_after {
        lines.push(format!("  certificate  until {}", clock_time(until)));
    }
    let session =
        format!("{}, until {}", me.auth_strength.as_str(), clock_time(me.session_expires_at));
    lines.push(format!("  session      {session}"));
    if let Some(human) = app.client.human() {
        lines.push(format!("  stepped up   until {}", clock_time(human.until)));
    }
    let passkeys = match (me.passkeys, &me.grant) {
        (0, Some(grant)) => {
            let until = clock_time(grant.expires_at);
            format!("none; register one until {until}: landfall webauthn register")
        }
        (0, None) => "none".to_owned(),
        (n, _) => n.to_string(),
    };
    lines.push(format!("  passkeys     {passkeys}"));
    if me.frozen {
        lines.push("  FROZEN       landfall unfreeze ends it, with your passkey; an administrator's, an administrator".to_owned());
    }
    lines.join("\n")
}

pub async fn freeze(app: &App) -> Result<Answer, Failure> {
    app.confirm(texts::ASK_FREEZE)?;
    let frozen = app.client.freeze().await?;
    Answer::new(&frozen, texts::FROZEN)
}

pub async fn unfreeze(app: &App) -> Result<Answer, Failure> {
    match app.client.whoami().await {
        Ok(me) if !me.frozen => return Answer::new(&texts::NOTHING_FROZEN, texts::NOT_FROZEN),
        // Rules may keep an administrator from looking, and not from this.
        Err(no) if no.code() != ErrorCode::Forbidden => return Err(no),
        _ => {}
    }
    let frozen = app.with_person(async || app.client.unfreeze().await).await?;
    let stopped = texts::recoveries_stopped(frozen.recoveries_stopped);
    Answer::new(&frozen, format!("{}{stopped}", texts::UNFROZEN))
}
