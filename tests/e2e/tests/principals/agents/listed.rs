//! A key that the operator has listed is the operator's, whoever else knows its public half or its name.

use super::*;
use landfall_crypto::aauth::AgentKeyPair;
use landfall_protocol::ErrorCode;
use landfall_server::config::AllowedAgent;
use landfall_test_support::agent::claims;

/// A server whose operator has listed this key as `guard`.
async fn listing(key: &AgentKeyPair) -> (World, Person, Person) {
    let listed = AllowedAgent { key: key.public_key().thumbprint(), name: "guard".to_owned() };
    let world = World::configured(move |config: &mut Config, folder: &Path| {
        provider(Profile::Compatible)(config, folder)?;
        let agents = config.agents.as_mut().unwrap();
        agents.enrolment = vec![AgentDoor::LinkCode, AgentDoor::Pairing, AgentDoor::AllowList];
        agents.allow = vec![listed];
        Ok(())
    });
    let world = world.await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    (world, ana, bert)
}

fn holding(world: &World, key: AgentKeyPair) -> SoftAgent {
    let mut agent = agent(world, Algorithm::Ed25519);
    agent.key = key;
    agent
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_says_nothing_for_a_listed_key_and_a_member_takes_neither_it_nor_its_name() {
    let key = AgentKeyPair::generate(Algorithm::Ed25519).unwrap();
    let (world, ana, bert) = listing(&key).await;
    let guard = holding(&world, key);
    // Bert knows the public half: his code does not make it his.
    let mine = enrol_body(&guard, "mine", Some(&code(&bert, None).await));
    let refusal = guard.unsigned(paths::AGENT_ENROL, &mine).await.unwrap();
    refused(&refusal, 409, "agent_key_known");
    // Nor does he get the name, by a code, by a pairing, or by asking for it.
    let taken = bert.client().make_agent_code(Some("guard".into()), None, &bert.shell).await;
    assert_eq!(taken.err().unwrap().code(), ErrorCode::AgentIdTaken);
    let other = agent(&world, Algorithm::Ed25519);
    let body = enrol_body(&other, "guard", Some(&code(&bert, None).await));
    refused(&other.post(paths::AGENT_ENROL, &body).await.unwrap(), 409, "agent_id_taken");
    let pairing = json!({ "user": "bert", "agent": "guard" });
    refused(&other.post(paths::PAIRING_BEGIN, &pairing).await.unwrap(), 409, "agent_id_taken");
    // A stranger names the key without signing, and a person server with it.
    let mut planted = enrol_body(&guard, "guard", None);
    planted["ps"] = "https://evil.example.org".into();
    assert_eq!(guard.unsigned(paths::AGENT_ENROL, &planted).await.unwrap().status, 200);
    let token = refresh(&guard).await;
    assert_eq!(token.status, 200, "{}", token.body);
    let said = claims(text(&token, "agent_token")).unwrap();
    assert!(said.get("ps").is_none(), "no word of its own: {said}");
    let own = json!({ "ps": "https://person.example.org" });
    let token = guard.post(paths::AGENT_TOKEN, &own).await.unwrap();
    assert_eq!(token.status, 200, "{}", token.body);
    assert_eq!(ana.client().admin_agents(None).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn naming_a_key_first_neither_keeps_it_from_pairing_nor_kills_it() {
    let key = AgentKeyPair::generate(Algorithm::Ed25519).unwrap();
    let (world, ana, bert) = listing(&key).await;
    let helper = agent(&world, Algorithm::Ed25519);
    let named = enrol_body(&helper, "berts", Some(&code(&bert, None).await));
    assert_eq!(helper.unsigned(paths::AGENT_ENROL, &named).await.unwrap().status, 200);
    let pairing = json!({ "user": "ana", "agent": "helper" });
    let begun = helper.post(paths::PAIRING_BEGIN, &pairing).await.unwrap();
    assert_eq!(begun.status, 200, "{}", begun.body);
    // What he has only named is not his to end.
    bert.step_up().await.unwrap();
    bert.client().revoke_agent(&name("berts")).await.unwrap();
    let body = enrol_body(&helper, "helper", Some(&code(&ana, Some("helper")).await));
    let answer = helper.post(paths::AGENT_ENROL, &body).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(ana.client().agents().await.unwrap()[0].agent, name("helper"));
    // Whoever knows the public half does not make a silent agent look alive.
    let seen = ana.client().agents().await.unwrap()[0].last_seen_at;
    world.clock.advance(landfall_identity::Seconds::minutes(5));
    let known = helper.unsigned(paths::AGENT_ENROL, &enrol_body(&helper, "helper", None)).await;
    assert_eq!(known.unwrap().status, 200);
    assert_eq!(ana.client().agents().await.unwrap()[0].last_seen_at, seen);
}
