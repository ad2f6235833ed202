//! Pairing: an agent shows a code, its owner comes and gets it, and both show the same six digits.

use super::*;
use landfall_client::AgentMeeting;
use landfall_crypto::Thumbprint;
use landfall_crypto::ambient::SystemRandom;
use landfall_crypto::link::{LinkNonce, parse_word, word_text};
use landfall_crypto::pairing::{PairingTranscript, pairing_code};
use landfall_identity::Seconds;
use landfall_identity::id::PairingId;
use landfall_protocol::ErrorCode;
use landfall_protocol::agent::AgentPairingStatus;
use landfall_protocol::link::LinkStage;

async fn begin(agent: &SoftAgent, user: &str, local: &str) -> AgentPairingStatus {
    let body = json!({ "user": user, "agent": local });
    let answer = agent.post(paths::PAIRING_BEGIN, &body).await.unwrap();
    serde_json::from_value(answer.body.clone()).unwrap_or_else(|_| panic!("{}", answer.body))
}

async fn show(agent: &SoftAgent, id: &PairingId) -> AgentPairingStatus {
    let answer = agent.post(paths::PAIRING_SHOW, &json!({ "pairing_id": id })).await.unwrap();
    serde_json::from_value(answer.body.clone()).unwrap_or_else(|_| panic!("{}", answer.body))
}

fn shown(agent: &SoftAgent, begun: &AgentPairingStatus) -> String {
    pairing_code(&begun.pairing_id, &agent.thumbprint())
}

/// Answers as soon as somebody has taken the pairing on.
async fn answer(agent: &SoftAgent, id: &PairingId) -> LinkNonce {
    let nonce = LinkNonce::generate(&SystemRandom);
    loop {
        if let Some(approver) = show(agent, id).await.approver {
            let body = json!({
                "pairing_id": id, "commitment": approver.commitment,
                "nonce": nonce.to_text().as_str(),
            });
            let answer = agent.post(paths::PAIRING_ANSWER, &body).await.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.body);
            return nonce;
        }
        tokio::task::yield_now().await;
    }
}

/// The owner types what the agent shows, touches, and the two meet. What the agent shows then.
async fn meet(
    agent: &SoftAgent,
    owner: &Person,
    begun: &AgentPairingStatus,
) -> (AgentMeeting, String) {
    let offer = owner.client().find_agent(&shown(agent, begun)).await;
    let offer = offer.map_err(|failure| failure.code()).unwrap();
    let (meeting, nonce) = tokio::join!(offer.meet(&owner.shell), answer(agent, &begun.pairing_id));
    let meeting = meeting.map_err(|failure| failure.code()).unwrap();
    let seen = show(agent, &begun.pairing_id).await;
    let approver = seen.approver.unwrap();
    let word = |text: &str| parse_word(text).unwrap();
    let transcript = PairingTranscript {
        server: format!("https://{}", agent.authority),
        tenant: seen.tenant,
        user: seen.user,
        pairing: seen.pairing_id,
        agent: seen.agent,
        key: agent.key.public_key().thumbprint(),
        approver: approver.device,
        approver_key: Thumbprint::parse(approver.thumbprint).unwrap(),
        commitment: word(&approver.commitment),
        answer: word(&word_text(nonce.word())),
        reveal: word(approver.nonce.as_deref().unwrap()),
    };
    assert!(transcript.opens());
    (meeting, transcript.check_code())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_owner_compared_lets_that_key_in_and_no_other() {
    for profile in PROFILES {
        let (world, ana) = world(profile).await;
        let bert = world.invited(&ana, "bert").await.unwrap();
        let agent_one = agent(&world, Algorithm::Ed25519);
        let begun = begin(&agent_one, "bert", "helper").await;
        assert_eq!(begun.stage, LinkStage::Waiting);
        assert_eq!(begin(&agent_one, "bert", "helper").await.pairing_id, begun.pairing_id);
        let early = agent_one.post(paths::AGENT_ENROLL, &json!({})).await.unwrap();
        refused(&early, 403, "enrollment_required");

        let (meeting, digits) = meet(&agent_one, &bert, &begun).await;
        assert_eq!(meeting.check_code(), digits);
        let early = agent_one.post(paths::AGENT_ENROLL, &json!({})).await.unwrap();
        refused(&early, 403, "enrollment_required");
        let wrong = meeting.approve("000 000", &bert.shell).await.unwrap_err();
        assert_eq!(wrong.code(), ErrorCode::CheckCodeWrong);
        meeting.approve(&digits, &bert.shell).await.unwrap();

        let thief = agent(&world, Algorithm::Ed25519);
        let other = thief.post(paths::AGENT_ENROLL, &json!({})).await.unwrap();
        refused(&other, 403, "enrollment_required");
        if profile.is_compatible() {
            let body = enrol_body(&agent_one, "helper", None);
            let named = thief.unsigned(paths::AGENT_ENROL, &body).await.unwrap();
            refused(&named, 403, "enrollment_required");
        }
        let body = enrol_body(&agent_one, "other-name", None);
        let other = agent_one.post(paths::AGENT_ENROL, &body).await.unwrap();
        refused(&other, 403, "invalid_enrollment_token");
        let answer = agent_one.post(paths::AGENT_ENROLL, &json!({})).await.unwrap();
        assert_eq!((answer.status, text(&answer, "agent")), (201, name("helper").as_str()));
        assert_eq!(refresh(&agent_one).await.status, 200);
        let listed = bert.client().agents().await.unwrap();
        assert_eq!(listed[0].introduced_by.as_ref().unwrap().as_str(), "bert-laptop");
        assert!(ana.client().agents().await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pairing_is_its_owners_its_devices_and_its_keys() {
    let (world, ana) = world(Profile::Compatible).await;
    let bert = world.invited(&ana, "bert").await.unwrap();
    let agent_one = agent(&world, Algorithm::Ed25519);
    let begun = begin(&agent_one, "bert", "helper").await;
    let foreign = ana.client().find_agent(&shown(&agent_one, &begun)).await.err().unwrap();
    assert_eq!(foreign.code(), ErrorCode::PairingUnknown);
    // Another key neither looks nor answers.
    let thief = agent(&world, Algorithm::Ed25519);
    let look = json!({ "pairing_id": begun.pairing_id });
    let answer = thief.post(paths::PAIRING_SHOW, &look).await.unwrap();
    refused(&answer, 404, "pairing_over");
    let word = "A".repeat(43);
    let body = json!({ "pairing_id": begun.pairing_id, "commitment": word, "nonce": word });
    refused(&thief.post(paths::PAIRING_ANSWER, &body).await.unwrap(), 404, "pairing_over");
    // Nor does anybody without a body that is covered.
    let mut bare = agent_one.by_key(paths::PAIRING_SHOW, &look);
    bare = bare.without("content-digest").without("content-type");
    bare.digest = false;
    unsigned(&agent_one.send(&bare, &agent_one.key).await.unwrap(), "invalid_input");
    // What was said no to stays so.
    let (meeting, _) = meet(&agent_one, &bert, &begun).await;
    let late = agent_one.post(paths::PAIRING_ANSWER, &body).await.unwrap();
    assert_eq!(late.code(), ErrorCode::LinkOutOfTurn, "a second word");
    meeting.stop().await.unwrap();
    assert_eq!(show(&agent_one, &begun.pairing_id).await.stage, LinkStage::Over);
    let answer = agent_one.post(paths::AGENT_ENROLL, &json!({})).await.unwrap();
    refused(&answer, 403, "enrollment_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_over_in_ten_minutes_and_dies_with_its_device() {
    let (mut world, ana) = world(Profile::Compatible).await;
    let bert = world.invited(&ana, "bert").await.unwrap();
    let (late, held) = (agent(&world, Algorithm::Ed25519), agent(&world, Algorithm::Ed25519));
    let begun = begin(&late, "bert", "late").await;
    let (meeting, digits) = meet(&late, &bert, &begun).await;
    meeting.approve(&digits, &bert.shell).await.unwrap();
    world.pass(Seconds::minutes(10)).await.unwrap();
    let answer = late.post(paths::AGENT_ENROLL, &json!({})).await.unwrap();
    refused(&answer, 403, "enrollment_required");

    let begun = begin(&held, "bert", "held").await;
    let (meeting, digits) = meet(&held, &bert, &begun).await;
    meeting.approve(&digits, &bert.shell).await.unwrap();
    bert.client().freeze().await.unwrap();
    let answer = held.post(paths::AGENT_ENROLL, &json!({})).await.unwrap();
    refused(&answer, 403, "enrollment_suspended");
    assert_eq!(world.number("SELECT COUNT(*) FROM agents").unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_begins_too_many_waits() {
    let (world, _) = world(Profile::Compatible).await;
    let mut answer = None;
    for place in 0..=landfall_identity::recovery::BEGUN_PER_PLACE {
        let agent = agent(&world, Algorithm::Ed25519);
        let body = json!({ "user": "nobody", "agent": format!("flood-{place}") });
        answer = Some(agent.post(paths::PAIRING_BEGIN, &body).await.unwrap());
    }
    refused(&answer.unwrap(), 429, "rate_limited");
}
