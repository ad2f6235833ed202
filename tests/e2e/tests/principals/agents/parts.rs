//! Sub-agents: one level, never wider and never longer than their parent.

use super::*;
use landfall_crypto::aauth::AgentKeyPair;
use landfall_identity::Seconds;
use landfall_test_support::agent::claims;

fn key() -> AgentKeyPair {
    AgentKeyPair::generate(Algorithm::Es256).unwrap()
}

fn wish(discriminator: &str, key: &AgentKeyPair) -> Value {
    json!({ "discriminator": discriminator, "cnf_jwk": key.public_key().jwk() })
}

async fn part(agent: &SoftAgent, token: &str, body: &Value) -> Answer {
    let message = agent.by_token(paths::SUB_AGENT_TOKEN, body, token);
    agent.send(&message, &agent.key).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_named_behind_its_agent_and_ends_with_its_token() {
    for profile in PROFILES {
        let (mut world, ana) = world(profile).await;
        let agent = enrolled(&world, &ana, Algorithm::Ed25519, "one").await;
        let body = json!({ "ps": "https://person.example.org" });
        let answer = agent.post(paths::AGENT_TOKEN, &body).await.unwrap();
        let token = text(&answer, "agent_token").to_owned();
        world.pass(Seconds::minutes(20)).await.unwrap();
        let key = key();
        let answer = part(&agent, &token, &wish("scan", &key)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(text(&answer, "parent_agent"), name("one").as_str());
        assert_eq!(answer.body["expires_in"], 2400);
        let (parent, said) =
            (claims(&token).unwrap(), claims(text(&answer, "agent_token")).unwrap());
        assert_eq!(said["sub"], name("one+scan").as_str());
        assert_eq!(said["parent_agent"], name("one").as_str());
        assert_eq!(
            (&said["exp"], &said["ps"], &said["iss"]),
            (&parent["exp"], &parent["ps"], &parent["iss"])
        );
        assert_eq!(said["cnf"]["jwk"], serde_json::to_value(key.public_key().jwk()).unwrap());
        assert!(said["spiffe_id"].as_str().unwrap().ends_with("/agent/one/instance/MAIN.scan"));
        // The same again is the same part; its owner sees both.
        assert_eq!(part(&agent, &token, &wish("scan", &key)).await.status, 200);
        let listed = ana.client().agents().await.unwrap();
        let names: Vec<_> = listed.iter().map(|info| info.agent.local()).collect();
        assert_eq!(names, ["one+scan", "one"]);
        // Once its agent's token is over there is no part of it.
        world.pass(Seconds::minutes(41)).await.unwrap();
        unsigned(&part(&agent, &token, &wish("late", &key)).await, "expired_jwt");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_has_a_key_of_its_own_and_no_parts() {
    let (world, ana) = world(Profile::Compatible).await;
    let mut agent = enrolled(&world, &ana, Algorithm::Es256, "one").await;
    let sibling = enrolled(&world, &ana, Algorithm::Ed25519, "two").await;
    let token = text(&refresh(&agent).await, "agent_token").to_owned();
    let first = key();
    let granted = part(&agent, &token, &wish("scan", &first)).await;
    assert_eq!(granted.status, 200, "{}", granted.body);
    let own = json!({ "discriminator": "own", "cnf_jwk": agent.jwk().unwrap() });
    refused(&part(&agent, &token, &own).await, 400, "invalid_key");
    let device = AgentKeyPair::from_pkcs8(&ana.machine.key_file().unwrap()).unwrap();
    refused(&part(&agent, &token, &wish("device", &device)).await, 400, "invalid_key");
    refused(&part(&agent, &token, &wish("scan", &key())).await, 409, "agent_id_taken");
    refused(&part(&agent, &token, &wish("other", &first)).await, 409, "agent_key_known");
    let theirs = json!({ "discriminator": "a", "cnf_jwk": sibling.jwk().unwrap() });
    refused(&part(&agent, &token, &theirs).await, 409, "agent_key_known");
    for bad in ["", "a+b", "A", "a/b", &"x".repeat(255)] {
        refused(&part(&agent, &token, &wish(bad, &key())).await, 400, "invalid_request");
    }
    let private = json!({ "discriminator": "p", "cnf_jwk": { "kty": "oct", "k": "AAAA" } });
    refused(&part(&agent, &token, &private).await, 400, "invalid_key");
    // A sibling's token, or the part's own, makes none.
    let message = sibling.by_token(paths::SUB_AGENT_TOKEN, &wish("b", &key()), &token);
    unsigned(&sibling.send(&message, &sibling.key).await.unwrap(), "invalid_signature");
    agent.key = first;
    let nested = part(&agent, text(&granted, "agent_token"), &wish("deep", &key())).await;
    refused(&nested, 403, "nested_subagent");
    refused(&refresh(&agent).await, 403, "nested_subagent");
    let body = enrol_body(&agent, "scan", None);
    refused(&agent.post(paths::AGENT_ENROL, &body).await.unwrap(), 409, "agent_key_known");
    assert_eq!(ana.client().agents().await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_agent_takes_its_parts_along() {
    let (world, ana) = world(Profile::Compatible).await;
    let agent = enrolled(&world, &ana, Algorithm::Ed25519, "one").await;
    let token = text(&refresh(&agent).await, "agent_token").to_owned();
    for discriminator in ["a", "b"] {
        let answer = part(&agent, &token, &wish(discriminator, &key())).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let keys = paths::fill(paths::AGENT_KEYS, &[name("one+a").as_str()]);
    assert_eq!(agent.get(&keys).await.unwrap().status, 200);
    // A part alone first: its parent lives on.
    ana.step_up().await.unwrap();
    ana.client().revoke_agent(&name("one+a")).await.unwrap();
    assert_eq!(agent.get(&keys).await.unwrap().status, 404);
    assert_eq!(refresh(&agent).await.status, 200);
    let cut = ana.client().revoke_agent(&name("one")).await.unwrap();
    assert_eq!(cut.sub_agents_revoked, 1);
    refused(&part(&agent, &token, &wish("c", &key())).await, 403, "enrollment_revoked");
    let keys = paths::fill(paths::AGENT_KEYS, &[name("one+b").as_str()]);
    assert_eq!(agent.get(&keys).await.unwrap().status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_has_only_so_many_parts_at_once() {
    let (world, ana) = world(Profile::Compatible).await;
    let agent = enrolled(&world, &ana, Algorithm::Ed25519, "one").await;
    let token = text(&refresh(&agent).await, "agent_token").to_owned();
    for place in 0..landfall_identity::agent_life::SUB_AGENTS_MAX {
        let answer = part(&agent, &token, &wish(&place.to_string(), &key())).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    refused(&part(&agent, &token, &wish("more", &key())).await, 409, "too_many_agents");
}
