//! Refreshing: by the durable key, or by a key that it names; each naming token once.

use super::*;
use landfall_crypto::aauth::AgentKeyPair;
use landfall_crypto::aauth::naming::NamingForm;
use landfall_identity::Seconds;
use landfall_test_support::agent::claims;

fn agent_before(world: &World) -> SoftAgent {
    agent(world, Algorithm::Ed25519)
}

fn ephemeral(algorithm: Algorithm) -> AgentKeyPair {
    AgentKeyPair::generate(algorithm).unwrap()
}

async fn named(agent: &SoftAgent, key: &AgentKeyPair, jwt: &str) -> Answer {
    agent.send(&agent.by_naming(paths::AGENT_REFRESH, &json!({}), jwt), key).await.unwrap()
}

fn remembered(world: &World) -> i64 {
    world.number("SELECT COUNT(*) FROM agent_replays").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_modes_and_both_algorithms_refresh_in_both_profiles() {
    for profile in PROFILES {
        let (world, ana) = world(profile).await;
        for (algorithm, local) in [(Algorithm::Ed25519, "one"), (Algorithm::Es256, "two")] {
            let agent = enrolled(&world, &ana, algorithm, local).await;
            for path in [paths::AGENT_REFRESH, paths::AGENT_TOKEN] {
                let answer = agent.post(path, &json!({})).await.unwrap();
                let said = claims(text(&answer, "agent_token")).unwrap();
                assert_eq!(said["cnf"]["jwk"], agent.jwk().unwrap());
                assert_eq!(said["sub"], name(local).as_str());
                for other in Algorithm::ALL {
                    let key = ephemeral(other);
                    let jti = format!("{path}-{}", other.name());
                    let jwt = agent.naming(&key.public_key(), &jti).unwrap();
                    let message = agent.by_naming(path, &json!({}), &jwt);
                    let answer = agent.send(&message, &key).await.unwrap();
                    assert_eq!(answer.status, 200, "{}", answer.body);
                    let said = claims(text(&answer, "agent_token")).unwrap();
                    let jwk = serde_json::to_value(key.public_key().jwk()).unwrap();
                    assert_eq!(said["cnf"]["jwk"], jwk);
                    assert_eq!(said["sub"], name(local).as_str(), "the same agent");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_naming_token_is_taken_once_also_after_a_restart() {
    let (mut world, ana) = world(Profile::Compatible).await;
    let agent = enrolled(&world, &ana, Algorithm::Ed25519, "one").await;
    let key = ephemeral(Algorithm::Ed25519);
    let jwt = agent.naming(&key.public_key(), "once").unwrap();
    assert_eq!(named(&agent, &key, &jwt).await.status, 200);
    unsigned(&named(&agent, &key, &jwt).await, "invalid_jwt");
    world.restart().await.unwrap();
    unsigned(&named(&agent, &key, &jwt).await, "invalid_jwt");
    // A refusal of a known agent is on record, with its owner behind it.
    let refusals = "SELECT COUNT(*) FROM audit_events WHERE action = 'issue-agent-token'
                    AND outcome = 'deny' AND reason = 'agent-signature'
                    AND actor LIKE '%/agent/one/instance/MAIN' AND parents LIKE '%/user/ana/%'";
    assert_eq!(world.number(refusals).unwrap(), 2);
    // Another agent's token of the same name is another one.
    let other = enrolled(&world, &ana, Algorithm::Ed25519, "two").await;
    let jwt = other.naming(&key.public_key(), "once").unwrap();
    assert_eq!(named(&other, &key, &jwt).await.status, 200);
    // A request that the durable key signs may come twice: two honest ones in a second are alike.
    let message = agent.by_key(paths::AGENT_REFRESH, &json!({}));
    for _ in 0..2 {
        assert_eq!(agent.send(&message, &agent.key).await.unwrap().status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_with_one_naming_token_one_gets_a_token() {
    let (world, ana) = world(Profile::Compatible).await;
    let agent = enrolled(&world, &ana, Algorithm::Ed25519, "one").await;
    let key = ephemeral(Algorithm::Ed25519);
    let jwt = agent.naming(&key.public_key(), "race").unwrap();
    let tries = (0..32).map(|_| named(&agent, &key, &jwt));
    let answers = futures::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(remembered(&world), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_leaves_nothing_of_the_naming_token() {
    let (world, ana) = world(Profile::Compatible).await;
    let stranger = agent(&world, Algorithm::Ed25519);
    let key = ephemeral(Algorithm::Ed25519);
    let jwt = stranger.naming(&key.public_key(), "a").unwrap();
    refused(&named(&stranger, &key, &jwt).await, 403, "not_enrolled");
    let rows = "SELECT COUNT(*) FROM audit_events WHERE action = 'issue-agent-token'";
    assert_eq!((remembered(&world), world.number(rows).unwrap()), (0, 0));

    let agent = enrolled(&world, &ana, Algorithm::Ed25519, "one").await;
    ana.step_up().await.unwrap();
    ana.client().revoke_agent(&name("one")).await.unwrap();
    let jwt = agent.naming(&key.public_key(), "b").unwrap();
    refused(&named(&agent, &key, &jwt).await, 403, "enrollment_revoked");
    refused(&refresh(&agent).await, 403, "enrollment_revoked");
    assert_eq!(remembered(&world), 0);
    // Signed by another key than the one that is named.
    let agent = enrolled(&world, &ana, Algorithm::Ed25519, "two").await;
    let jwt = agent.naming(&key.public_key(), "c").unwrap();
    let thief = ephemeral(Algorithm::Ed25519);
    unsigned(&named(&agent, &thief, &jwt).await, "invalid_signature");
    assert_eq!(remembered(&world), 0);
    assert_eq!(named(&agent, &key, &jwt).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_is_forgotten_when_it_has_ended() {
    let (mut world, ana) = world(Profile::Compatible).await;
    let agent = enrolled(&world, &ana, Algorithm::Ed25519, "one").await;
    let key = ephemeral(Algorithm::Ed25519);
    let jwt = agent.naming(&key.public_key(), "a").unwrap();
    assert_eq!(named(&agent, &key, &jwt).await.status, 200);
    world.pass(Seconds::minutes(6)).await.unwrap();
    unsigned(&named(&agent, &key, &jwt).await, "expired_jwt");
    world.pass(Seconds::minutes(10)).await.unwrap();
    world.until("old naming tokens are dropped", |world| remembered(world) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn naming_tokens_of_the_first_form_are_taken_where_they_are_on() {
    for (profile, switch, taken) in [
        (Profile::Compatible, None, true),
        (Profile::Compatible, Some(false), false),
        (Profile::Strict, None, false),
    ] {
        let world = World::configured(|config, path| {
            provider(profile)(config, path)?;
            config.agents.as_mut().unwrap().guide_naming_tokens = switch;
            Ok(())
        })
        .await
        .unwrap();
        let ana = world.admin("ana").await.unwrap();
        let agent = enrolled(&world, &ana, Algorithm::Ed25519, "one").await;
        let key = ephemeral(Algorithm::Ed25519);
        let form = NamingForm::GuideEra { issuer: ISSUER };
        let jwt = agent.naming_as(&key.public_key(), "a", form).unwrap();
        let answer = named(&agent, &key, &jwt).await;
        if taken {
            assert_eq!(answer.status, 200, "{}", answer.body);
            unsigned(&named(&agent, &key, &jwt).await, "invalid_jwt");
            let form = NamingForm::GuideEra { issuer: "https://other.example.org" };
            let jwt = agent.naming_as(&key.public_key(), "b", form).unwrap();
            unsigned(&named(&agent, &key, &jwt).await, "invalid_jwt");
            // Nobody else's key signs for it: the key comes from the table.
            let thief = agent_before(&world);
            let form = NamingForm::GuideEra { issuer: ISSUER };
            let forged = thief.naming_as(&key.public_key(), "c", form).unwrap();
            refused(&named(&thief, &key, &forged).await, 403, "not_enrolled");
        } else {
            unsigned(&answer, "invalid_jwt");
        }
    }
}
