//! The page's routes: what a stranger learns, and how often an answer counts.

use super::world::{ORIGIN, World, loopback, refusal};
use landfall_identity::id::CeremonyId;
use landfall_identity::passkey::Attachment;
use landfall_identity::{Action, Refusal};
use landfall_protocol::ceremony::{CeremonyOptionsRequest, CeremonyPurpose};
use landfall_server::failure::Failure;
use landfall_test_support::SoftKeys;
use landfall_test_support::browser::Page;
use serde_json::json;
use url::Url;

#[tokio::test]
async fn to_strangers_every_ceremony_is_over() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let token = world.sign_in(&laptop).await;
    let begun = world.begin_register(&laptop, &token, Attachment::Roaming, "key").await.unwrap();
    let page = Page::parse(&begun.page_url).unwrap();
    let rows_before = world.audit().await.len();
    let wrong = |ceremony_id: CeremonyId, secret: &str| CeremonyOptionsRequest {
        ceremony_id,
        secret: secret.to_owned(),
    };
    let secret = page.request.secret.as_str();
    for (purpose, request) in [
        (CeremonyPurpose::Register, wrong(page.request.ceremony_id.clone(), &"A".repeat(43))),
        (CeremonyPurpose::Register, wrong(page.request.ceremony_id.clone(), "")),
        (CeremonyPurpose::Register, wrong(page.request.ceremony_id.clone(), &secret[..42])),
        (CeremonyPurpose::Register, wrong(page.request.ceremony_id.clone(), "not base64url!")),
        (CeremonyPurpose::Register, wrong(CeremonyId::from_bits([1; 16]), secret)),
        (CeremonyPurpose::StepUp, page.request.clone()),
    ] {
        let request_context = world.request_of_a_browser(Action::ReadCeremony);
        let read = world.service.ceremony_options(request_context, purpose, request).await;
        assert_eq!(refusal(read), Refusal::CeremonyOver);
    }
    assert_eq!(world.audit().await.len(), rows_before, "strangers write nothing here");
    // And none of that disturbed it.
    world.options(&begun).await.unwrap();
}

#[tokio::test]
async fn an_answer_counts_once() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    world.register(&laptop, &mut keys, Attachment::Roaming).await;
    let token = world.sign_in(&laptop).await;
    let begun = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    let options = world.options(&begun).await.unwrap();
    let origin = Url::parse(ORIGIN).unwrap();
    let answer = keys.get(&origin, &options.public_key).await.unwrap();
    let first = world.finish(&begun, answer.clone()).await.unwrap();
    assert_eq!(refusal(world.finish(&begun, answer).await), Refusal::CeremonyOver);
    assert_eq!(refusal(world.options(&begun).await), Refusal::CeremonyOver);
    let completion = super::world::completion(first);
    world.redeem_step_up(&laptop, &token, &begun, &completion).await.unwrap();
}

#[tokio::test]
async fn of_many_answers_at_once_one_counts() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    world.register(&laptop, &mut keys, Attachment::Platform).await;
    let token = world.sign_in(&laptop).await;
    let begun = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    let options = world.options(&begun).await.unwrap();
    let origin = Url::parse(ORIGIN).unwrap();
    let answer = keys.get(&origin, &options.public_key).await.unwrap();
    let (a, b, c) = tokio::join!(
        world.finish(&begun, answer.clone()),
        world.finish(&begun, answer.clone()),
        world.finish(&begun, answer.clone()),
    );
    assert_eq!([a.is_ok(), b.is_ok(), c.is_ok()].iter().filter(|ok| **ok).count(), 1);
}

/// Trap 16: the wrapper, and what else is not an answer. Each ends its ceremony.
#[tokio::test]
async fn a_refused_answer_ends_the_ceremony() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    let token = world.sign_in(&laptop).await;
    let origin = Url::parse(ORIGIN).unwrap();
    for spoil in [
        |_: serde_json::Value| json!(null),
        |_: serde_json::Value| json!({}),
        |answer: serde_json::Value| json!({ "publicKey": answer }),
        |answer: serde_json::Value| answer["response"].clone(),
        |mut answer: serde_json::Value| {
            answer["rawId"] = "AAAA".into();
            answer
        },
        |mut answer: serde_json::Value| {
            answer["type"] = "password".into();
            answer
        },
    ] {
        let begun =
            world.begin_register(&laptop, &token, Attachment::Roaming, "key").await.unwrap();
        let options = world.options(&begun).await.unwrap();
        let answer = keys.create(&origin, &options.public_key).await.unwrap();
        let refused = refusal(world.finish(&begun, spoil(answer.clone())).await);
        assert_eq!(refused, Refusal::PasskeyRefused);
        assert_eq!(refusal(world.finish(&begun, answer).await), Refusal::CeremonyOver);
        let redeemed = world.redeem_passkey(&laptop, &token, &begun, &"A".repeat(43)).await;
        assert_eq!(refusal(redeemed), Refusal::CeremonyOver);
    }
}

#[tokio::test]
async fn a_passkey_that_is_registered_is_not_registered_again() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let phone = world.machine("bert", "phone").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    world.register(&laptop, &mut keys, Attachment::Platform).await;
    let token = world.sign_in(&phone).await;
    let begun = world.begin_register(&phone, &token, Attachment::Platform, "again").await.unwrap();
    let options = world.options(&begun).await.unwrap();
    assert_eq!(options.public_key["excludeCredentials"].as_array().unwrap().len(), 1);
    let made = keys.create(&Url::parse(ORIGIN).unwrap(), &options.public_key).await;
    assert!(made.is_err(), "the authenticator sees that it is excluded");
}

#[tokio::test]
async fn without_a_page_there_are_no_passkeys() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let world = world.restart_without_page().await;
    let token = world.sign_in(&laptop).await;
    let begun = world.begin_register(&laptop, &token, Attachment::Roaming, "key").await;
    assert!(matches!(begun, Err(Failure::Refused(Refusal::PasskeysUnavailable))));
}
