//! Whatever happens to a parent happens to its children.

use super::*;
use landfall_identity::{DeviceName, Seconds};
use landfall_protocol::ErrorCode;
use landfall_protocol::agent::{AgentCodeInfo, AgentStateName};
use landfall_protocol::enroll::TokenStateName;
use landfall_test_support::Machine;

/// Another machine of `person`'s, enrolled by a code of the first.
async fn second_machine(world: &World, person: &Person, device: &str) -> Machine {
    let token = person.device_token(device).await.unwrap();
    let machine = world.machine(device).unwrap();
    machine.enroll(&token, None, None).await.unwrap();
    machine
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_account_holds_its_agents_and_no_others() {
    let (world, ana) = world(Profile::Compatible).await;
    let bert = world.invited(&ana, "bert").await.unwrap();
    let hers = enrolled(&world, &ana, Algorithm::Ed25519, "hers").await;
    let his = enrolled(&world, &bert, Algorithm::Ed25519, "his").await;
    bert.client().freeze().await.unwrap();
    refused(&refresh(&his).await, 403, "enrollment_suspended");
    let keys = paths::fill(paths::AGENT_KEYS, &[name("his").as_str()]);
    assert_eq!(his.get(&keys).await.unwrap().status, 404);
    assert_eq!(refresh(&hers).await.status, 200);
    ana.step_up().await.unwrap();
    ana.client().admin_unfreeze(&bert.name, &ana.shell).await.unwrap();
    assert_eq!(refresh(&his).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_cut_off_takes_along_the_agents_that_it_let_in() {
    let (mut world, ana) = world(Profile::Compatible).await;
    let bert = world.invited(&ana, "bert").await.unwrap();
    let desktop = second_machine(&world, &bert, "bert-desktop").await;
    let agent_one = enrolled(&world, &bert, Algorithm::Ed25519, "one").await;
    ana.step_up().await.unwrap();
    let laptop = DeviceName::parse("bert-laptop").unwrap();
    let cut = ana.client().admin_suspend_device(&bert.name, &laptop).await.unwrap();
    assert_eq!(cut.agents, 1);
    refused(&refresh(&agent_one).await, 403, "enrollment_suspended");
    ana.client().admin_resume_device(&bert.name, &laptop).await.unwrap();
    assert_eq!(refresh(&agent_one).await.status, 200);

    // A day later nothing of Ana's is too young to revoke it.
    world.pass(Seconds::hours(25)).await.unwrap();
    code(&bert, None).await;
    let open = |codes: &[AgentCodeInfo]| {
        codes.iter().filter(|code| code.state == TokenStateName::Issued).count()
    };
    assert_eq!(open(&desktop.client.agent_codes().await.unwrap()), 1);
    ana.client().admin_revoke_device(&bert.name, &laptop, &ana.shell).await.unwrap();
    refused(&refresh(&agent_one).await, 403, "enrollment_revoked");
    assert_eq!(
        open(&desktop.client.agent_codes().await.unwrap()),
        0,
        "what was made on it is worth nothing"
    );
    ana.step_up().await.unwrap();
    let listed = ana.client().admin_agents(Some(&bert.name)).await.unwrap();
    assert_eq!(listed[0].state, AgentStateName::Unvouched);

    // Somebody else's code brings it not back, and is not used up.
    let foreign = code(&ana, None).await;
    let body = enrol_body(&agent_one, "one", Some(&foreign));
    let answer = agent_one.post(paths::AGENT_ENROL, &body).await.unwrap();
    refused(&answer, 403, "invalid_enrollment_token");
    assert_eq!(unused(&ana).await, 1);
    refused(&refresh(&agent_one).await, 403, "enrollment_revoked");
    // One of its owner's does, made on another device of theirs.
    let made = desktop.client.make_agent_code(Some("one".into()), None, &bert.shell).await;
    let made = made.map_err(|failure| failure.code()).unwrap();
    let body = enrol_body(&agent_one, "one", Some(&made.text));
    let answer = agent_one.post(paths::AGENT_ENROL, &body).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(refresh(&agent_one).await.status, 200);
    let listed = desktop.client.agents().await.unwrap();
    assert_eq!(listed[0].introduced_by.as_ref().unwrap().as_str(), "bert-desktop");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_dies_with_the_device_and_the_account_that_made_it() {
    let (world, ana) = world(Profile::Compatible).await;
    let bert = world.invited(&ana, "bert").await.unwrap();
    let made = code(&bert, None).await;
    bert.client().freeze().await.unwrap();
    let agent = agent(&world, Algorithm::Ed25519);
    let body = enrol_body(&agent, "one", Some(&made));
    let answer = agent.post(paths::AGENT_ENROL, &body).await.unwrap();
    refused(&answer, 403, "enrollment_suspended");
    assert_eq!(world.number("SELECT COUNT(*) FROM agents").unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_and_an_administrator_cut_an_agent_off_and_nobody_else() {
    let (world, ana) = world(Profile::Compatible).await;
    let bert = world.invited(&ana, "bert").await.unwrap();
    let hers = enrolled(&world, &ana, Algorithm::Ed25519, "hers").await;
    let his = enrolled(&world, &bert, Algorithm::Ed25519, "his").await;
    // A device alone does not, nor a stranger to it.
    let weak = bert.client().revoke_agent(&name("his")).await.unwrap_err();
    assert_eq!(weak.code(), ErrorCode::StepUpRequired);
    bert.step_up().await.unwrap();
    for other in ["hers", "nobody"] {
        let foreign = bert.client().revoke_agent(&name(other)).await.unwrap_err();
        assert_eq!(foreign.code(), ErrorCode::NotFound, "{other}");
        let admin = bert.client().admin_revoke_agent(&name(other)).await.unwrap_err();
        assert_eq!(admin.code(), ErrorCode::Forbidden, "{other}");
    }
    assert_eq!(refresh(&hers).await.status, 200);
    bert.client().revoke_agent(&name("his")).await.unwrap();
    refused(&refresh(&his).await, 403, "enrollment_revoked");
    // For ever: neither a new code nor asking again brings it back, and the name stays its own.
    let body = enrol_body(&his, "his", Some(&code(&bert, None).await));
    let answer = his.post(paths::AGENT_ENROL, &body).await.unwrap();
    refused(&answer, 403, "enrollment_revoked");
    let heir = agent(&world, Algorithm::Ed25519);
    let body = enrol_body(&heir, "his", Some(&code(&bert, None).await));
    let answer = heir.post(paths::AGENT_ENROL, &body).await.unwrap();
    refused(&answer, 409, "agent_id_taken");
    ana.step_up().await.unwrap();
    let again = ana.client().admin_revoke_agent(&name("his")).await.unwrap();
    assert_eq!(again.agent.state, AgentStateName::Revoked);
    let told = bert.client().notices(10, None).await.unwrap();
    let told = told.items.iter().filter(|notice| notice.kind == "agent-revoked").count();
    assert_eq!(told, 1, "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_person_server_is_said_once() {
    let (world, ana) = world(Profile::Compatible).await;
    let agent = enrolled(&world, &ana, Algorithm::Ed25519, "one").await;
    let ask = async |ps: &str| agent.post(paths::AGENT_TOKEN, &json!({ "ps": ps })).await.unwrap();
    for bad in ["http://person.example.org", "person.example.org"] {
        refused(&ask(bad).await, 400, "invalid_request");
    }
    assert_eq!(ask("https://person.example.org").await.status, 200);
    refused(&ask("https://evil.example.org").await, 403, "ps_mismatch");
    let said = refresh(&agent).await;
    let said = landfall_test_support::agent::claims(text(&said, "agent_token")).unwrap();
    assert_eq!(said["ps"], "https://person.example.org");
}
