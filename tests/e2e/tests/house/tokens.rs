//! A token is a right to one certificate for one user on one device, and to nothing else.

use futures::future::join_all;
use landfall_crypto::csr;
use landfall_crypto::token::TokenText;
use landfall_crypto::{KeyPair, Signer};
use landfall_identity::{DeviceName, Seconds};
use landfall_protocol::enroll::{CertIssued, TokenStateName};
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::raw::Answer;
use landfall_test_support::{Raw, World};
use reqwest::Method;
use serde_json::{Value, json};

/// A certificate request of `key`, as the wire has it.
fn csr_of(key: &dyn Signer) -> String {
    let der = csr::build_csr(key).unwrap();
    let text = data_encoding::BASE64.encode(&der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!(
        "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
        lines.join("\n")
    )
}

fn redemption(token: &str, key: &dyn Signer) -> Value {
    let token = TokenText::parse(token).unwrap();
    json!({
        "token_id": token.payload.id,
        "auth": token.secret.auth().to_text().as_str(),
        "csr": csr_of(key),
    })
}

fn stranger(world: &World) -> Raw {
    Raw::stranger(world).unwrap()
}

async fn redeem(raw: &Raw, body: &Value) -> Answer {
    raw.send(Method::POST, paths::CERT_ISSUE, None, Some(body)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn stolen_token_cannot_name_another_device() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let token = ana.device_token("ana-phone").await.unwrap();
    let key = KeyPair::generate().unwrap();
    let raw = stranger(&world);
    for (field, value) in [("device", "thief"), ("user", "thief"), ("user", "root")] {
        let mut body = redemption(&token, &key);
        body[field] = json!(value);
        assert_eq!(redeem(&raw, &body).await.code(), ErrorCode::TokenNamesAnother, "{field}");
    }
    // Nothing was spent: the owner's new phone still gets its certificate, under its own name.
    let answer = redeem(&raw, &redemption(&token, &key)).await;
    let issued: CertIssued = serde_json::from_value(answer.body).unwrap();
    assert!(issued.spiffe_id.to_string().ends_with("/user/ana/device/ana-phone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_reply_resumes_with_same_certificate() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let token = ana.device_token("ana-phone").await.unwrap();
    let key = KeyPair::generate().unwrap();
    let body = redemption(&token, &key);
    let first: CertIssued =
        serde_json::from_value(redeem(&stranger(&world), &body).await.body).unwrap();
    // The reply never came; the server was even started anew. ECDSA is not repeatable: the same
    // bytes can only be the stored certificate.
    world.restart().await.unwrap();
    let again: CertIssued =
        serde_json::from_value(redeem(&stranger(&world), &body).await.body).unwrap();
    assert_eq!(first.certificate_chain, again.certificate_chain);
    assert_eq!(first.spiffe_id, again.spiffe_id);
    // Another key gets nothing, and learns why: it holds the right secret.
    let thief = KeyPair::generate().unwrap();
    let refused = redeem(&stranger(&world), &redemption(&token, &thief)).await;
    assert_eq!(refused.code(), ErrorCode::TokenUsed);
    assert!(refused.body["detail"].as_str().unwrap().contains("ana-phone"), "{refused:?}");
    // Past the token's time the same key is told to renew instead.
    world.clock.advance(Seconds::minutes(11));
    let late = redeem(&stranger(&world), &body).await;
    assert_eq!(late.code(), ErrorCode::TokenExpired);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_racers_get_one_certificate_of_each_of_200_tokens() {
    const TOKENS: usize = 200;
    const RACERS: usize = 64;
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let raw = stranger(&world);
    // Every racer races with a request of its own key; making them is not part of the race.
    let requests: Vec<String> =
        (0..RACERS).map(|_| csr_of(&KeyPair::generate().unwrap())).collect();
    for number in 0..TOKENS {
        // Keys are used once: a racer that wins enrols its key, so that it makes a new one.
        let token = ana.device_token(&format!("device-{number}")).await.unwrap();
        let token = TokenText::parse(&token).unwrap();
        let racers = requests.iter().enumerate().map(|(racer, csr)| {
            let csr = if racer % 8 == number % 8 {
                csr_of(&KeyPair::generate().unwrap())
            } else {
                csr.clone()
            };
            let body = json!({
                "token_id": token.payload.id,
                "auth": token.secret.auth().to_text().as_str(),
                "csr": csr,
            });
            let raw = raw.clone();
            async move { redeem(&raw, &body).await }
        });
        let answers = join_all(racers).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(won, 1, "token {number}");
        for lost in answers.iter().filter(|answer| answer.status != 200) {
            assert!(matches!(lost.code(), ErrorCode::TokenUsed | ErrorCode::KeyInUse), "{lost:?}");
        }
    }
    let devices = ana.client().devices().await.unwrap();
    assert_eq!(devices.len(), TOKENS + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_learn_nothing_and_the_owner_sees_the_tries() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let token = ana.device_token("ana-phone").await.unwrap();
    let key = KeyPair::generate().unwrap();
    let raw = stranger(&world);
    let mut wrong_secret = redemption(&token, &key);
    wrong_secret["auth"] = json!(data_encoding::BASE64URL_NOPAD.encode(&[7; 32]));
    let mut unknown = redemption(&token, &key);
    unknown["token_id"] = json!("0".repeat(26));
    let (wrong, unknown) = (redeem(&raw, &wrong_secret).await, redeem(&raw, &unknown).await);
    assert_eq!(wrong.code(), ErrorCode::TokenInvalid);
    assert_eq!(unknown.code(), ErrorCode::TokenInvalid);
    assert_eq!(wrong.status, unknown.status);
    assert_eq!(wrong.body["detail"], unknown.body["detail"], "one answer for both");
    // The token is not spent, and still works for who holds it.
    assert_eq!(redeem(&raw, &redemption(&token, &key)).await.status, 200);
    let tokens = ana.client().tokens().await.unwrap();
    let phone = tokens
        .iter()
        .find(|token| token.device == Some(DeviceName::parse("ana-phone").unwrap()))
        .unwrap();
    assert_eq!(phone.state, TokenStateName::Consumed);
    assert_eq!(phone.refused_tries, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_or_expired_token_says_so_to_its_holder_and_gives_nothing() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let key = KeyPair::generate().unwrap();
    let raw = stranger(&world);
    let cancelled = ana.device_token("ana-tablet").await.unwrap();
    let id = TokenText::parse(&cancelled).unwrap().payload.id;
    ana.client().cancel_token(&id).await.unwrap();
    assert_eq!(redeem(&raw, &redemption(&cancelled, &key)).await.code(), ErrorCode::TokenCancelled);
    // Whoever withdraws it twice wants what is so already.
    let again = ana.client().cancel_token(&id).await.unwrap();
    assert_eq!(again.state, TokenStateName::Cancelled);
    let expired = ana.device_token("ana-phone").await.unwrap();
    world.clock.advance(Seconds::minutes(10));
    assert_eq!(redeem(&raw, &redemption(&expired, &key)).await.code(), ErrorCode::TokenExpired);
    assert_eq!(ana.client().devices().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_device_withdraws_a_token_with_its_person_only_also_while_frozen() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let stolen = world.machine("ana-laptop").unwrap();
    let token = ana.device_token("ana-laptop").await.unwrap();
    stolen.enroll(&token, None, None).await.unwrap();
    let rescue = ana.device_token("ana-rescue").await.unwrap();
    let id = TokenText::parse(&rescue).unwrap().payload.id;
    let refused = stolen.client.cancel_token(&id).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::StepUpRequired, "a stolen laptop withdraws nothing");
    ana.client().freeze().await.unwrap();
    let seen = ana.client().tokens().await.unwrap();
    assert!(seen.iter().any(|token| token.id == id), "also while frozen: {seen:?}");
    // The device that made it needs no touch.
    ana.client().cancel_token(&id).await.unwrap();
    let key = KeyPair::generate().unwrap();
    let answer = redeem(&stranger(&world), &redemption(&rescue, &key)).await;
    assert_eq!(answer.code(), ErrorCode::TokenCancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_token_dies_with_the_first_administrator() {
    let world = World::new().await.unwrap();
    let claim = world.server().claim_token.as_ref().unwrap().to_string();
    world.admin("ana").await.unwrap();
    let second = world.machine("eve-desktop").unwrap();
    let refused = second.try_enroll(&claim, Some("eve"), Some("eve-desktop")).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::TokenUsed);
}
