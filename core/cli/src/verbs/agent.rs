//! `agent`: programs that act for somebody.

use super::link::ask_digits;
use crate::app::App;
use crate::args::AgentVerb;
use crate::clock::clock_time;
use crate::output::{Answer, say, table};
use crate::terminal::read_line;
use crate::texts;
use landfall_client::words::{ApprovalId, Reason, Seconds, SecretText, ServerLine, UserName};
use landfall_client::{AgentMeeting, AgentPairing, Failure, KeptAgent, PairingStep};
use landfall_protocol::ErrorCode;
use landfall_protocol::agent::{AgentCodeInfo, AgentInfo, AgentStateName};
use landfall_protocol::capability::{
    ApprovalInfo, ApprovalRaiseRequest, ApprovalStateName, CapabilityRequest,
};
use landfall_protocol::enroll::TokenStateName;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// How often the six digits may be typed.
const TRIES: u32 = 3;
/// How often an agent asks how its pairing stands.
const LOOK_EVERY: Duration = Duration::from_millis(700);
/// The longest body that is signed, in bytes.
const BODY_MAX: u64 = 16 * 1024 * 1024;

pub async fn run(app: &App, verb: AgentVerb) -> Result<Answer, Failure> {
    match verb {
        AgentVerb::List { admin } => {
            let agents = match admin {
                true => app.client.admin_agents(None).await?,
                false => app.client.agents().await?,
            };
            Answer::new(&json!({ "items": agents }), list(&agents))
        }
        AgentVerb::Codes => {
            let codes = app.client.agent_codes().await?;
            Answer::new(&json!({ "items": codes }), listed_codes(&codes))
        }
        AgentVerb::Cancel { id } => {
            let code = app.client.cancel_agent_code(&id).await?;
            Answer::new(&code, format!("The code {id} lets nobody in any more."))
        }
        AgentVerb::Link { name, ttl } => link(app, name, ttl).await,
        AgentVerb::Pair { shown } => pair(app, shown).await,
        AgentVerb::Revoke { agent, admin } => {
            app.confirm(&texts::ask_revoke_agent(agent.as_str()))?;
            let cut = app
                .with_person(async || match admin {
                    true => app.client.admin_revoke_agent(&agent).await,
                    false => app.client.revoke_agent(&agent).await,
                })
                .await?;
            Answer::new(&cut, texts::agent_revoked(agent.as_str(), cut.sub_agents_revoked))
        }
        AgentVerb::Enroll { name, server, user, label } => {
            enroll(app, Here { name, server, user, label }).await
        }
        AgentVerb::Here => here(app),
        AgentVerb::Forget { name } => forget(app, &name),
        AgentVerb::Token { name } => {
            let agent = app.client.local_agent(name.as_deref())?;
            let granted = app.client.agent_token(&agent).await?;
            let text = granted.agent_token.clone().unwrap_or_default();
            Answer::new(&granted, text)
        }
        AgentVerb::Approvals => {
            let approvals = app.client.approvals().await?;
            Answer::new(&json!({ "items": approvals }), asked_for(&approvals))
        }
        AgentVerb::Allow { id } => allow(app, &id).await,
        AgentVerb::Deny { id } => {
            let refused = app.client.refuse_approval(&id).await?;
            Answer::new(&refused, texts::APPROVAL_REFUSED)
        }
        AgentVerb::Capability { scope, at, ttl, ask, reason, name } => {
            let agent = app.client.local_agent(name.as_deref())?;
            let wish = CapabilityRequest { scope, audience: at, ttl_seconds: ttl.map(|ttl| ttl.0) };
            capability(app, &agent, &wish, ask.then_some(reason)).await
        }
        AgentVerb::Sign { method, url, body, name } => sign(app, method, &url, body, name).await,
    }
}

fn listed_codes(codes: &[AgentCodeInfo]) -> String {
    if codes.is_empty() {
        return "You have made no codes for agents.".to_owned();
    }
    let row = |code: &AgentCodeInfo| {
        let state = match code.state {
            TokenStateName::Issued => format!("until {}", clock_time(code.expires_at)),
            TokenStateName::Consumed => "used".to_owned(),
            TokenStateName::Cancelled => "withdrawn".to_owned(),
            TokenStateName::Expired => "over".to_owned(),
        };
        let agent = code.agent.clone().or_else(|| code.name.clone());
        vec![code.id.to_string(), agent.unwrap_or_default(), state]
    };
    let rows: Vec<_> = codes.iter().map(row).collect();
    table(&["CODE", "FOR", "STATE"], &rows)
}

/// The agents of this machine.
fn here(app: &App) -> Result<Answer, Failure> {
    let agents = app.client.local_agents()?;
    let row = |agent: &KeptAgent| {
        vec![agent.handle.clone(), agent.agent.to_string(), agent.server.to_string()]
    };
    let rows: Vec<_> = agents.iter().map(row).collect();
    let text = match agents.is_empty() {
        true => texts::NO_AGENTS_HERE.to_owned(),
        false => table(&["NAME", "AGENT", "SERVER"], &rows),
    };
    Answer::new(&json!({ "items": agents }), text)
}

/// Takes one off this machine.
fn forget(app: &App, name: &str) -> Result<Answer, Failure> {
    let agent = match app.client.local_agent(Some(name)) {
        Err(failure) if failure.code() == ErrorCode::NotFound => {
            return forget_begun(app, name, failure);
        }
        other => other?,
    };
    app.sure(&texts::ask_forget_agent(agent.agent.as_str()))?;
    let agent = app.client.forget_agent(name)?;
    Answer::new(&agent, texts::agent_forgotten(agent.agent.as_str()))
}

/// One that was being let in, if there is one of this name; otherwise `missing` stands.
fn forget_begun(app: &App, name: &str, missing: Failure) -> Result<Answer, Failure> {
    if !app.client.has_new_agent(name)? {
        return Err(missing);
    }
    app.sure(&texts::ask_forget_begun(name))?;
    app.client.forget_new_agent(name)?;
    let json = json!({ "handle": name, "agent": null });
    Answer::new(&json, texts::agent_begun_forgotten(name))
}

/// The code alone on stdout, everything around it for the person.
async fn link(app: &App, name: Option<String>, ttl: Option<Seconds>) -> Result<Answer, Failure> {
    app.need_person()?;
    let made = app.client.make_agent_code(name, ttl, &app.terminal).await?;
    let (code, endpoint) = (&made.issued.code, &made.issued.enrol_endpoint);
    let profile = app.client.profile()?;
    let server = ServerLine { url: profile.server, trust: profile.trust }.to_string();
    app.terminal.say(&texts::agent_code_made(endpoint, &server, &clock_time(code.expires_at)));
    let json = json!({
        "code": made.text.as_str(),
        "info": code,
        "issuer": made.issued.issuer,
        "enrol_endpoint": endpoint,
    });
    Answer::new(&json, made.text.as_str())
}

/// On the owner's device: finds the agent, touches, compares, lets it in.
async fn pair(app: &App, shown: Option<String>) -> Result<Answer, Failure> {
    app.need_person()?;
    let typed = match shown {
        Some(shown) => shown,
        None => app.terminal.ask_line(texts::ASK_AGENT_CODE)?,
    };
    let offer = app.client.find_agent(&typed).await?;
    let info = offer.info();
    let (agent, source) = (info.agent.clone(), info.source.clone());
    app.terminal.say(&texts::agent_found(&agent, &source, &clock_time(info.begun_at)));
    let meeting = offer.meet(&app.terminal).await?;
    for _ in 0..TRIES {
        let digits = match ask_digits(app, &agent) {
            Ok(digits) => digits,
            Err(failure) => return give_up(meeting, failure).await,
        };
        match meeting.approve(&digits, &app.terminal).await {
            Ok(approved) => return Answer::new(&approved, texts::agent_approved(&agent)),
            Err(failure)
                if failure.code() == ErrorCode::CheckCodeWrong && app.terminal.can_ask() =>
            {
                app.output.failure(&failure);
            }
            Err(failure) => return give_up(meeting, failure).await,
        }
    }
    let failure = Failure::new(ErrorCode::LinkTampered, texts::LINK_NEVER_EQUAL);
    give_up(meeting, failure).await
}

/// It ends there as well: no agent waits for what was given up.
async fn give_up(meeting: AgentMeeting, failure: Failure) -> Result<Answer, Failure> {
    // If that fails, it ends by itself within ten minutes, and nothing was approved.
    let _ = meeting.stop().await;
    Err(failure)
}

/// What was typed about an agent of this machine.
struct Here {
    name: String,
    server: ServerLine,
    user: Option<UserName>,
    label: Option<String>,
}

/// On the agent's machine: a key, and whatever lets it in.
async fn enroll(app: &App, here: Here) -> Result<Answer, Failure> {
    let new = app.client.new_agent(&here.name, here.server)?;
    let label = here.label.as_deref();
    let kept = match here.user {
        Some(_) if new.is_approved() => new.go_on(label).await?,
        Some(user) => {
            let pairing = new.pair(user.clone(), here.name.clone()).await?;
            app.terminal.say(&texts::agent_code_shown(&pairing.code(), user.as_str()));
            wait(app, pairing, label).await?
        }
        None => new.enroll(&ask_code(app)?, label).await?,
    };
    let json = json!({ "agent": kept.agent, "name": kept.handle, "server": kept.server });
    Answer::new(&json, texts::agent_enrolled(kept.agent.as_str(), &kept.handle))
}

/// The code: piped in, or typed. Whoever gives none is told which one is meant.
fn ask_code(app: &App) -> Result<SecretText, Failure> {
    let given = match app.terminal.can_ask() {
        true => app.terminal.ask_line(texts::ASK_AGENT_LINK_CODE).map(SecretText::new),
        false => read_line(),
    };
    let given = given.ok().filter(|code| !code.trim().is_empty());
    given.ok_or_else(|| Failure::new(ErrorCode::InputNeeded, texts::AGENT_CODE_NEEDED))
}

/// Shows the digits as soon as there are any, and enrols when the owner has compared them.
async fn wait(
    app: &App,
    mut pairing: AgentPairing,
    label: Option<&str>,
) -> Result<KeptAgent, Failure> {
    let mut shown = None;
    if app.output.is_json() {
        say(&json!({ "state": "waiting", "code": pairing.code() }).to_string());
    }
    loop {
        match pairing.step().await? {
            PairingStep::Approved => return pairing.enroll(label).await,
            PairingStep::Digits(digits) if shown.as_ref() != Some(&digits) => {
                app.terminal.say(&texts::agent_digits(&digits));
                if app.output.is_json() {
                    say(&json!({ "state": "waiting", "digits": digits }).to_string());
                }
                shown = Some(digits);
            }
            PairingStep::Digits(_) | PairingStep::Waiting => {}
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn sign(
    app: &App,
    method: String,
    url: &str,
    body: Option<PathBuf>,
    name: Option<String>,
) -> Result<Answer, Failure> {
    let agent = app.client.local_agent(name.as_deref())?;
    let wrong = || Failure::new(ErrorCode::InvalidField, texts::AGENT_URL);
    let url = Url::parse(url).ok();
    let url = url.filter(|url| url.has_host() && matches!(url.scheme(), "https" | "http"));
    let url = url.ok_or_else(wrong)?;
    let body = body.as_deref().map(read_body).transpose()?.unwrap_or_default();
    let signed = app.client.sign_as_agent(&agent, &method, &url, &body).await?;
    let mut lines = vec![
        format!("Signature-Key: {}", signed.signature_key),
        format!("Signature-Input: {}", signed.signature_input),
        format!("Signature: {}", signed.signature),
    ];
    if let Some(digest) = &signed.content_digest {
        lines.push("Content-Type: application/json".to_owned());
        lines.push(format!("Content-Digest: {digest}"));
    }
    Answer::new(&signed, lines.join("\n"))
}

fn read_body(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |why: String| {
        Failure::new(ErrorCode::InvalidField, format!("{} cannot be read: {why}", path.display()))
    };
    let about = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if about.len() > BODY_MAX {
        return Err(unreadable("it is too large".to_owned()));
    }
    std::fs::read(path).map_err(|error| unreadable(error.to_string()))
}

/// Whether an agent may act, in words.
pub fn state_word(state: AgentStateName) -> &'static str {
    match state {
        AgentStateName::Unproven => "not proved yet",
        AgentStateName::Active => "active",
        AgentStateName::Held => "held",
        AgentStateName::Unvouched => "its device is gone",
        AgentStateName::Revoked => "revoked",
    }
}

fn list(agents: &[AgentInfo]) -> String {
    if agents.is_empty() {
        return texts::NO_AGENTS.to_owned();
    }
    let row = |info: &AgentInfo| {
        let by = info.introduced_by.as_ref().map_or("-".to_owned(), ToString::to_string);
        let (seen, label) = (clock_time(info.last_seen_at), info.label.clone());
        let state = state_word(info.state).to_owned();
        vec![info.agent.to_string(), state, by, seen, label.unwrap_or_default()]
    };
    let rows: Vec<_> = agents.iter().map(row).collect();
    table(&["AGENT", "STATE", "LET IN BY", "SEEN", "LABEL"], &rows)
}

/// Shows what the agent wants and what of it is beyond the policy; then takes a touch for exactly that.
async fn allow(app: &App, id: &ApprovalId) -> Result<Answer, Failure> {
    app.need_person()?;
    let missing = || Failure::new(ErrorCode::ApprovalOver, texts::NO_SUCH_APPROVAL);
    let approvals = app.client.approvals().await?;
    let found = approvals.iter().find(|one| one.id == *id).ok_or_else(missing)?;
    app.terminal.say(&texts::approval_difference(found));
    let granted = app.client.grant_approval(found, &app.terminal).await?;
    let text = texts::approval_granted(granted.agent.as_str(), &clock_time(granted.expires_at));
    Answer::new(&granted, text)
}

/// The capability alone on stdout; with `ask`, its owner is asked for what is missing.
async fn capability(
    app: &App,
    agent: &KeptAgent,
    wish: &CapabilityRequest,
    ask: Option<Option<Reason>>,
) -> Result<Answer, Failure> {
    match (app.client.agent_capability(agent, wish).await, ask) {
        (Ok(issued), _) => Answer::new(&issued, issued.capability.clone()),
        (Err(failure), Some(reason)) if failure.code() == ErrorCode::CapabilityTooWide => {
            let CapabilityRequest { scope, audience, .. } = wish.clone();
            let raise = ApprovalRaiseRequest { scope, audience, reason };
            let raised = app.client.ask_owner(agent, &raise).await?;
            app.terminal.say(&texts::approval_raised(raised.id.as_str()));
            Err(failure)
        }
        (Err(failure), _) => Err(failure),
    }
}

fn asked_for(approvals: &[ApprovalInfo]) -> String {
    if approvals.is_empty() {
        return texts::NO_APPROVALS.to_owned();
    }
    let row = |one: &ApprovalInfo| {
        let state = match one.state {
            ApprovalStateName::Open => format!("until {}", clock_time(one.expires_at)),
            ApprovalStateName::Granted => format!("allowed until {}", clock_time(one.expires_at)),
            ApprovalStateName::Refused => "refused".to_owned(),
            ApprovalStateName::Over => "over".to_owned(),
        };
        let at = one.audience.join(" ");
        vec![one.id.to_string(), one.agent.to_string(), one.missing.join(" "), at, state]
    };
    let rows: Vec<_> = approvals.iter().map(row).collect();
    table(&["ID", "AGENT", "WANTS MORE", "AT", "STATE"], &rows)
}
