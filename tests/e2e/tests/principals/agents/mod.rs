//! Agents: whoever enrols one stands behind it, its key alone speaks for it, and nothing that a client bends
//! gets it further than that.

mod abuse;
mod capabilities;
mod enrol;
mod key_holders;
mod listed;
mod naming;
mod pairing;
mod parents;
mod parts;
mod person_server;
mod rules;
mod unproven;

use landfall_crypto::aauth::{Algorithm, Profile, ServerId};
use landfall_identity::AgentId;
use landfall_identity::agent_life::AgentDoor;
use landfall_protocol::enroll::TokenStateName;
use landfall_protocol::paths;
use landfall_server::Config;
use landfall_server::config::AgentsConfig;
use landfall_test_support::{Answer, Person, SoftAgent, Through, World};
use serde_json::{Value, json};
use std::path::Path;

/// Who issues, in most stories.
const ISSUER: &str = "https://agents.example.org";
/// What stands behind `@`.
const DOMAIN: &str = "agents.example.org";
/// Both profiles.
const PROFILES: [Profile; 2] = [Profile::Compatible, Profile::Strict];

/// A provider that others reach.
fn provider(profile: Profile) -> impl FnOnce(&mut Config, &Path) -> anyhow::Result<()> {
    move |config, _| {
        let issuer = Some(ServerId::parse(ISSUER)?);
        config.agents = Some(AgentsConfig { issuer, profile, ..AgentsConfig::default() });
        Ok(())
    }
}

/// A provider for this machine alone, which lets in whoever asks.
fn open(config: &mut Config, _: &Path) -> anyhow::Result<()> {
    config.agents = Some(AgentsConfig {
        loopback: true,
        loopback_listen: Some("127.0.0.1:0".parse()?),
        domain: Some("localhost".to_owned()),
        enrolment: vec![AgentDoor::Open, AgentDoor::LinkCode],
        ..AgentsConfig::default()
    });
    Ok(())
}

async fn world(profile: Profile) -> (World, Person) {
    let world = World::configured(provider(profile)).await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    (world, ana)
}

fn agent(world: &World, algorithm: Algorithm) -> SoftAgent {
    SoftAgent::new(world, algorithm, Through::Tls).unwrap()
}

fn name(local: &str) -> AgentId {
    AgentId::new(local, DOMAIN).unwrap()
}

/// A code of `person`'s for an agent of that name, or of any.
async fn code(person: &Person, agent: Option<&str>) -> String {
    let made = person.client().make_agent_code(agent.map(str::to_owned), None, &person.shell).await;
    made.map_err(|failure| failure.code()).unwrap().text.to_string()
}

/// How many of `person`'s codes can still be used.
async fn unused(person: &Person) -> usize {
    let codes = person.client().agent_codes().await.unwrap();
    codes.iter().filter(|code| code.state == TokenStateName::Issued).count()
}

/// What enrols in the first dialect, with the key in the body.
fn enrol_body(agent: &SoftAgent, local: &str, code: Option<&str>) -> Value {
    let id = name(local).to_string();
    match code {
        Some(code) => json!({ "agent_id": id, "jwk": agent.jwk().unwrap(), "attestation": code }),
        None => json!({ "agent_id": id, "jwk": agent.jwk().unwrap() }),
    }
}

/// Enrols by a code of `person`'s, signed, and must be let in.
async fn enrolled(world: &World, person: &Person, algorithm: Algorithm, local: &str) -> SoftAgent {
    let agent = agent(world, algorithm);
    let code = code(person, Some(local)).await;
    let answer = agent.post(paths::AGENT_ENROL, &enrol_body(&agent, local, Some(&code))).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    agent
}

fn text<'a>(answer: &'a Answer, field: &str) -> &'a str {
    answer.body[field].as_str().unwrap_or_else(|| panic!("no {field}: {}", answer.body))
}

/// A "no" whose signature was not taken: 401, with the header that says why.
fn unsigned(answer: &Answer, error: &str) {
    assert_eq!((answer.status, text(answer, "error")), (401, error), "{}", answer.body);
    let field = answer.field("signature-error").unwrap_or_default();
    assert!(field.starts_with(&format!("error={error}")), "{field}");
    assert_eq!(answer.body["type"], format!("urn:ietf:params:sig-error:{error}"));
    assert_eq!(text(answer, "detail"), text(answer, "error_description"));
}

/// A "no" to somebody whose signature is right, or to a request that makes no sense: without any header
/// that asks for another signature.
fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, text(answer, "error")), (status, error), "{}", answer.body);
    for field in ["signature-error", "accept-signature-scheme", "accept-signature-alg"] {
        assert_eq!(answer.field(field), None, "{field} with {error}");
    }
    assert_eq!(answer.field("content-type"), Some("application/problem+json"));
    assert_eq!(text(answer, "detail"), text(answer, "error_description"));
}

async fn refresh(agent: &SoftAgent) -> Answer {
    agent.post(paths::AGENT_REFRESH, &json!({})).await.unwrap()
}
