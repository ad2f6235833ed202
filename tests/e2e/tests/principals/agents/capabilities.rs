//! Capabilities: within the ceiling, never wider by being handed on, and more only by a yes of the owner.

use super::*;
use landfall_crypto::aauth::{AgentKeyPair, KeySource};
use landfall_identity::Seconds;
use landfall_protocol::ErrorCode;
use landfall_protocol::capability::ApprovalStateName;
use landfall_server::config::ScopeRule;
use landfall_test_support::agent::claims;

const CALENDAR: &str = "https://calendar.example.org";
const MAIL: &str = "https://mail.example.org";

/// Everybody may read everywhere, and write at the calendar.
async fn scene() -> (World, Person, SoftAgent) {
    let world = World::configured(|config, path| {
        provider(Profile::Compatible)(config, path)?;
        let rule = |word: &str, at: Option<&str>| ScopeRule {
            scope: vec![word.to_owned()],
            audience: at.map(|at| vec![at.to_owned()]),
        };
        let agents = config.agents.as_mut().unwrap();
        agents.scopes = vec![rule("read", None), rule("write", Some(CALENDAR))];
        Ok(())
    })
    .await
    .unwrap();
    let ana = world.admin("ana").await.unwrap();
    let agent = enrolled(&world, &ana, Algorithm::Ed25519, "one").await;
    (world, ana, agent)
}

async fn ask(agent: &SoftAgent, scope: &[&str], audience: &[&str]) -> Answer {
    let body = json!({ "scope": scope, "audience": audience });
    agent.post(paths::CAPABILITIES, &body).await.unwrap()
}

async fn exchange(agent: &SoftAgent, token: &str, mut wanted: Value) -> Answer {
    wanted["capability"] = token.into();
    agent.post(paths::CAPABILITY_EXCHANGE, &wanted).await.unwrap()
}

/// A part of an agent, with a key of its own, as an agent that speaks for itself.
pub(super) async fn part(world: &World, agent: &SoftAgent, discriminator: &str) -> SoftAgent {
    let part = super::agent(world, Algorithm::Ed25519);
    let token = refresh(agent).await;
    let body = json!({ "discriminator": discriminator, "cnf_jwk": part.jwk().unwrap() });
    let message = agent.by_token(paths::SUB_AGENT_TOKEN, &body, text(&token, "agent_token"));
    let answer = agent.send(&message, &agent.key).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    part
}

/// Who reads a service's own log finds there who was given the capability, and by which one it was handed on.
#[tokio::test(flavor = "multi_thread")]
async fn the_audit_names_the_capability_that_was_given_and_the_one_that_was_handed_on() {
    let (world, ana, agent) = scene().await;
    let jti = |answer: &Answer| {
        let said = claims(text(answer, "capability")).unwrap();
        said["jti"].as_str().unwrap().to_owned()
    };
    let given = ask(&agent, &["write", "read"], &[CALENDAR]).await;
    let less = exchange(&agent, text(&given, "capability"), json!({ "scope": ["read"] })).await;
    let rows = ana.client().admin_audit(&Default::default()).await.unwrap().items;
    let of = |action: &str| rows.iter().find(|row| row.action == action).unwrap();
    let (issued, handed) = (of("issue-capability"), of("exchange-capability"));
    assert_eq!(issued.capability.as_deref(), Some(&*jti(&given)));
    assert_eq!(handed.capability.as_deref(), Some(&*jti(&given)));
    assert!(handed.target.ends_with(&format!(", as {}", jti(&less))), "{}", handed.target);
    assert_eq!(handed.actor_role.as_deref(), Some("agent"));
    let sound = world.operator(&["audit", "verify"]).unwrap();
    assert!(sound.contains("whole"), "{sound}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capability_is_within_the_ceiling_and_bound_to_the_key() {
    let (_world, _, agent) = scene().await;
    let answer = ask(&agent, &["write", "read"], &[CALENDAR]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let said = claims(text(&answer, "capability")).unwrap();
    assert_eq!((&said["scope"], &said["aud"]), (&json!("read write"), &json!([CALENDAR])));
    assert_eq!(said["cnf"]["jkt"], agent.thumbprint());
    assert_eq!(said["actor_role"], "agent");
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 3600);
    assert!(said.get("act").is_none());

    for (scope, audience) in [
        (["write"].as_slice(), [MAIL].as_slice()),
        (&["write"], &[CALENDAR, MAIL]),
        (&["read", "erase"], &[CALENDAR]),
    ] {
        let answer = ask(&agent, scope, audience).await;
        refused(&answer, 403, "insufficient_scope");
        let lacks = if scope.contains(&"erase") { "erase" } else { "write" };
        assert!(text(&answer, "detail").ends_with(&format!("{lacks}.")), "{}", answer.body);
    }
    for bad in [json!([]), json!(["a b"]), json!(["*"])] {
        let body = json!({ "scope": bad, "audience": [CALENDAR] });
        refused(&agent.post(paths::CAPABILITIES, &body).await.unwrap(), 400, "invalid_request");
    }
    for ttl in [0, 3601] {
        let body = json!({ "scope": ["read"], "audience": [MAIL], "ttl_seconds": ttl });
        let answer = agent.post(paths::CAPABILITIES, &body).await.unwrap();
        assert_eq!(answer.code(), ErrorCode::TtlNotAllowed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn handing_on_only_makes_smaller_and_remembers_whose_hands() {
    let (mut world, _, agent) = scene().await;
    let first = ask(&agent, &["read", "write"], &[CALENDAR]).await;
    let first = text(&first, "capability").to_owned();
    let scan = part(&world, &agent, "scan").await;
    let to = name("one+scan").to_string();
    let wanted = json!({ "scope": ["read"], "ttl_seconds": 600, "agent": to });
    let handed = exchange(&agent, &first, wanted).await;
    assert_eq!(handed.status, 200, "{}", handed.body);
    let said = claims(text(&handed, "capability")).unwrap();
    assert_eq!((&said["scope"], &said["agent"]), (&json!("read"), &json!(to)));
    assert_eq!(said["cnf"]["jkt"], scan.thumbprint());
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 600);
    let hands = claims(&first).unwrap()["sub"].clone();
    assert_eq!(said["act"], json!({ "sub": hands }));

    // The part can make it smaller still, and not what it was.
    let handed = text(&handed, "capability").to_owned();
    for wider in [
        json!({ "scope": ["write"] }),
        json!({ "scope": ["read", "write"] }),
        json!({ "audience": [MAIL] }),
        json!({ "audience": [CALENDAR, MAIL] }),
    ] {
        refused(&exchange(&scan, &handed, wider).await, 403, "insufficient_scope");
    }
    let again = exchange(&scan, &handed, json!({ "ttl_seconds": 86_400 })).await;
    let again_said = claims(text(&again, "capability")).unwrap();
    assert!(again_said["exp"].as_i64() <= said["exp"].as_i64());
    assert_eq!(again_said["act"]["act"]["sub"], hands, "{again_said}");

    // Not to a sibling, not upwards, and not by whoever took it along.
    let sibling = part(&world, &agent, "other").await;
    let up = json!({ "agent": name("one").as_str() });
    refused(&exchange(&scan, &handed, up).await, 403, "not_enrolled");
    let across = json!({ "agent": name("one+other").as_str() });
    refused(&exchange(&scan, &handed, across).await, 403, "not_enrolled");
    for thief in [&sibling, &agent] {
        refused(&exchange(thief, &handed, json!({})).await, 403, "invalid_capability");
    }
    for bad in ["", "a.b.c", &first[..first.len() - 4]] {
        refused(&exchange(&agent, bad, json!({})).await, 403, "invalid_capability");
    }
    let token = refresh(&agent).await;
    let token = exchange(&agent, text(&token, "agent_token"), json!({})).await;
    refused(&token, 403, "invalid_capability");
    world.pass(Seconds::minutes(10)).await.unwrap();
    refused(&exchange(&scan, &handed, json!({})).await, 403, "invalid_capability");
}

/// Never wider than its agent, and never longer.
#[tokio::test(flavor = "multi_thread")]
async fn a_part_asks_no_owner_and_holds_nothing_beyond_its_token() {
    let (mut world, _ana, agent) = scene().await;
    let part = part(&world, &agent, "scan").await;
    let wish = json!({ "scope": ["erase"], "audience": [CALENDAR] });
    refused(&part.post(paths::APPROVALS, &wish).await.unwrap(), 403, "nested_subagent");
    world.pass(Seconds::minutes(50)).await.unwrap();
    let short = ask(&part, &["read"], &[CALENDAR]).await;
    assert_eq!(short.status, 200, "{}", short.body);
    let said = claims(text(&short, "capability")).unwrap();
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 600);
    let held = ask(&agent, &["read"], &[CALENDAR]).await;
    let to = json!({ "agent": name("one+scan") });
    let handed = exchange(&agent, text(&held, "capability"), to.clone()).await;
    assert_eq!(handed.status, 200, "{}", handed.body);
    let said = claims(text(&handed, "capability")).unwrap();
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 600);
    world.pass(Seconds::minutes(10)).await.unwrap();
    refused(&ask(&part, &["read"], &[CALENDAR]).await, 403, "nested_subagent");
    refused(&exchange(&agent, text(&held, "capability"), to).await, 403, "nested_subagent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capability_dies_with_whoever_could_hand_it_on() {
    let (world, ana, agent) = scene().await;
    let first = text(&ask(&agent, &["read"], &[MAIL]).await, "capability").to_owned();
    let scan = part(&world, &agent, "scan").await;
    let wanted = json!({ "agent": name("one+scan").as_str() });
    let handed = exchange(&agent, &first, wanted).await;
    let handed = text(&handed, "capability").to_owned();
    ana.step_up().await.unwrap();
    ana.client().revoke_agent(&name("one")).await.unwrap();
    refused(&exchange(&scan, &handed, json!({})).await, 403, "enrollment_revoked");
    refused(&exchange(&agent, &first, json!({})).await, 403, "enrollment_revoked");
    refused(&ask(&agent, &["read"], &[MAIL]).await, 403, "enrollment_revoked");
    // Who never proved a key has none at all.
    let quiet = super::agent(&world, Algorithm::Ed25519);
    let body = enrol_body(&quiet, "quiet", Some(&code(&ana, None).await));
    assert_eq!(quiet.unsigned(paths::AGENT_ENROL, &body).await.unwrap().status, 200);
    refused(&ask(&quiet, &["read"], &[MAIL]).await, 403, "not_enrolled");
    // And nobody asks for it by a key that was only named.
    let key = AgentKeyPair::generate(Algorithm::Ed25519).unwrap();
    let jwt = agent.naming(&key.public_key(), "a").unwrap();
    let body = json!({ "scope": ["read"], "audience": [MAIL] });
    let source = KeySource::JktJwt { jwt, jkt: None };
    let message = agent.message(paths::CAPABILITIES, &body, &source);
    unsigned(&agent.send(&message, &key).await.unwrap(), "unsupported_scheme");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_allows_exactly_what_they_were_shown_for_an_hour() {
    let (mut world, ana, agent) = scene().await;
    let bert = world.invited(&ana, "bert").await.unwrap();
    let wish = json!({ "scope": ["read", "write"], "audience": [MAIL], "reason": "to answer Kim" });
    let raised = agent.post(paths::APPROVALS, &wish).await.unwrap();
    assert_eq!(raised.status, 200, "{}", raised.body);
    assert_eq!(raised.body["missing"], json!(["write"]), "the difference");
    let again = agent.post(paths::APPROVALS, &wish).await.unwrap();
    assert_eq!(again.body["id"], raised.body["id"]);
    let nothing = json!({ "scope": ["read"], "audience": [MAIL] });
    assert_eq!(
        agent.post(paths::APPROVALS, &nothing).await.unwrap().code(),
        ErrorCode::CapabilityAllowed
    );

    // Nobody else's: neither seen, nor answered.
    assert!(bert.client().approvals().await.unwrap().is_empty());
    let open = ana.client().approvals().await.unwrap().remove(0);
    assert_eq!(open.reason.as_deref(), Some("to answer Kim"));
    let foreign = bert.client().grant_approval(&open, &bert.shell).await.unwrap_err();
    assert_eq!(foreign.code(), ErrorCode::NotFound);
    let foreign = bert.client().refuse_approval(&open.id).await.unwrap_err();
    assert_eq!(foreign.code(), ErrorCode::NotFound);
    // A touch for something else is none for this.
    let mut other = open.clone();
    other.scope = vec!["read".to_owned()];
    let wrong = ana.client().grant_approval(&other, &ana.shell).await.unwrap_err();
    assert_eq!(wrong.code(), ErrorCode::NotFound);
    refused(&ask(&agent, &["write"], &[MAIL]).await, 403, "insufficient_scope");

    let granted = ana.client().grant_approval(&open, &ana.shell).await.unwrap();
    assert_eq!(granted.state, ApprovalStateName::Granted);
    let look = json!({ "approval_id": open.id });
    let seen = agent.post(paths::APPROVAL_SHOW, &look).await.unwrap();
    assert_eq!(seen.body["state"], "granted");
    assert_eq!(ask(&agent, &["write", "read"], &[MAIL]).await.status, 200);
    refused(&ask(&agent, &["erase"], &[MAIL]).await, 403, "insufficient_scope");
    // For this agent alone, and for an hour.
    let other = enrolled(&world, &ana, Algorithm::Ed25519, "two").await;
    refused(&ask(&other, &["write"], &[MAIL]).await, 403, "insufficient_scope");
    let foreign = other.post(paths::APPROVAL_SHOW, &look).await.unwrap();
    refused(&foreign, 404, "approval_over");
    world.pass(Seconds::hours(1)).await.unwrap();
    refused(&ask(&agent, &["write"], &[MAIL]).await, 403, "insufficient_scope");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_to_touch_for_an_agent_that_is_gone() {
    let (world, ana, agent) = scene().await;
    let wish = json!({ "scope": ["erase"], "audience": [MAIL] });
    assert_eq!(agent.post(paths::APPROVALS, &wish).await.unwrap().status, 200);
    let open = ana.client().approvals().await.unwrap().remove(0);
    ana.step_up().await.unwrap();
    ana.client().revoke_agent(&name("one")).await.unwrap();
    let touches = "SELECT COUNT(*) FROM audit_events WHERE action = 'finish-ceremony'";
    let before = world.number(touches).unwrap();
    let late = ana.client().grant_approval(&open, &ana.shell).await.unwrap_err();
    assert_eq!(late.code(), ErrorCode::AgentRevoked);
    assert_eq!(world.number(touches).unwrap(), before, "no touch was asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_stays_and_whoever_asks_too_often_waits() {
    let (mut world, ana, agent) = scene().await;
    let raise = async |word: String| {
        let body = json!({ "scope": [word], "audience": [MAIL] });
        agent.post(paths::APPROVALS, &body).await.unwrap()
    };
    let first = raise("erase".to_owned()).await;
    let id = text(&first, "id").parse().unwrap();
    let no = ana.client().refuse_approval(&id).await.unwrap();
    assert_eq!(no.state, ApprovalStateName::Refused);
    assert_eq!(
        ana.client().refuse_approval(&id).await.unwrap_err().code(),
        ErrorCode::ApprovalOver
    );
    let late = ana.client().grant_approval(&no, &ana.shell).await.unwrap_err();
    assert_eq!(late.code(), ErrorCode::ApprovalOver);
    for place in 0..landfall_identity::capability::APPROVALS_OPEN_MAX {
        assert_eq!(raise(format!("word-{place}")).await.status, 200);
    }
    refused(&raise("one-more".to_owned()).await, 429, "rate_limited");
    let open = ana.client().approvals().await.unwrap().remove(0);
    world.pass(Seconds::minutes(10)).await.unwrap();
    let late = ana.client().grant_approval(&open, &ana.shell).await.unwrap_err();
    assert_eq!(late.code(), ErrorCode::ApprovalOver);
}
