//! Answers that are not what they should be (traps 15 and 19). Each differs from an honest one in a
//! single point, and the honest one is taken.

use super::world::{Machine, ORIGIN, RP_ID, World, completion, loopback, refusal};
use landfall_identity::Refusal;
use landfall_identity::passkey::Attachment;
use landfall_protocol::ceremony::CeremonyFinished;
use landfall_server::failure::Failure;
use landfall_test_support::SoftKeys;
use landfall_test_support::forge::{BE, BS, Forge, UP, UV};
use serde_json::json;

fn honest() -> Forge {
    Forge { counter: 7, attachment: Some("cross-platform"), ..Forge::honest(ORIGIN, RP_ID, 1) }
}

/// One thing changed.
fn lie(change: impl FnOnce(&mut Forge)) -> Forge {
    let mut forge = Forge { counter: 8, ..honest() };
    change(&mut forge);
    forge
}

async fn answer_register(
    world: &World,
    machine: &Machine,
    forge: &Forge,
) -> Result<CeremonyFinished, Failure> {
    let token = world.sign_in(machine).await;
    let begun = world.begin_register(machine, &token, Attachment::Roaming, "key").await.unwrap();
    let options = world.options(&begun).await.unwrap();
    world.finish(&begun, forge.create(&options.public_key)).await
}

async fn answer_step_up(
    world: &World,
    machine: &Machine,
    forge: &Forge,
) -> Result<CeremonyFinished, Failure> {
    let token = world.sign_in(machine).await;
    let begun = world.begin_step_up(machine, &token, None, loopback()).await.unwrap();
    let options = world.options(&begun).await.unwrap();
    world.finish(&begun, forge.get(&options.public_key)).await
}

/// Bert's laptop, with an honest passkey registered.
async fn berts() -> (World, Machine) {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let token = world.sign_in(&laptop).await;
    let begun = world.begin_register(&laptop, &token, Attachment::Roaming, "key").await.unwrap();
    let options = world.options(&begun).await.unwrap();
    let finished = world.finish(&begun, honest().create(&options.public_key)).await.unwrap();
    world.redeem_passkey(&laptop, &token, &begun, &completion(finished)).await.unwrap();
    (world, laptop)
}

fn other_pages() -> Vec<&'static str> {
    vec![
        "http://127.0.0.1:8421",
        "http://[::1]:8421",
        "http://localhost:8422",
        "http://localhost",
        "https://localhost:8421",
        "http://localhost.example.org:8421",
        "http://evil.localhost:8421",
        "http://localhost.:8421",
        "https://example.org",
    ]
}

#[tokio::test]
async fn a_registration_is_taken_only_as_it_was_asked() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let mut lies = vec![
        lie(|f| f.rp_id = "example.org".into()),
        lie(|f| f.rp_id = "127.0.0.1".into()),
        lie(|f| f.client_data_type = Some("webauthn.get")),
        lie(|f| f.challenge = Some("A".repeat(43))),
        lie(|f| f.flags = UV),
        lie(|f| f.flags = UP),
        lie(|f| f.client_data_more = json!({ "crossOrigin": true })),
        lie(|f| f.client_data_more = json!({ "topOrigin": "https://example.org" })),
    ];
    lies.extend(other_pages().into_iter().map(|page| lie(|f| f.origin = page.into())));
    for forge in &lies {
        let refused = refusal(answer_register(&world, &laptop, forge).await);
        assert_eq!(refused, Refusal::PasskeyRefused, "{} {}", forge.origin, forge.flags);
    }
    let backed_up = lie(|f| f.flags = UP | UV | BS);
    let refused = refusal(answer_register(&world, &laptop, &backed_up).await);
    assert_eq!(refused, Refusal::PasskeySuspicious);
    let platform = lie(|f| f.attachment = Some("platform"));
    let refused = refusal(answer_register(&world, &laptop, &platform).await);
    assert_eq!(refused, Refusal::WrongAttachment);
    answer_register(&world, &laptop, &honest()).await.unwrap();
}

#[tokio::test]
async fn a_proof_is_taken_only_as_it_was_asked() {
    let (world, laptop) = berts().await;
    let mut lies = vec![
        lie(|f| f.rp_id = "example.org".into()),
        lie(|f| f.client_data_type = Some("webauthn.create")),
        lie(|f| f.challenge = Some("A".repeat(43))),
        lie(|f| f.flags = UV),
        lie(|f| f.flags = UP),
        lie(|f| f.client_data_more = json!({ "crossOrigin": true })),
        lie(|f| f.spoil_signature = true),
        lie(|f| f.credential_id = vec![99; 32]),
    ];
    lies.extend(other_pages().into_iter().map(|page| lie(|f| f.origin = page.into())));
    for forge in &lies {
        let refused = refusal(answer_step_up(&world, &laptop, forge).await);
        assert_eq!(refused, Refusal::PasskeyRefused, "{} {}", forge.origin, forge.flags);
    }
    answer_step_up(&world, &laptop, &lie(|_| ())).await.unwrap();
}

#[tokio::test]
async fn a_report_that_contradicts_the_last_one_refuses_and_alarms() {
    let (world, laptop) = berts().await;
    for (forge, why) in [
        (lie(|f| f.counter = 7), "the signature counter did not rise"),
        (lie(|f| f.counter = 0), "the signature counter did not rise"),
        (lie(|f| f.flags = UP | UV | BE), "backup eligibility changed"),
        (lie(|f| f.flags = UP | UV | BE | BS), "backup eligibility changed"),
        (lie(|f| f.flags = UP | UV | BS), "backed up, and not eligible for backup"),
    ] {
        let refused = refusal(answer_step_up(&world, &laptop, &forge).await);
        assert_eq!(refused, Refusal::PasskeySuspicious, "{why}");
        let row = world.audit().await.pop().unwrap();
        assert!(row.contains(why) && row.contains("| deny | passkey-suspicious |"), "{row}");
        assert!(row.contains("user/bert/device/laptop"), "{row}");
    }
    answer_step_up(&world, &laptop, &lie(|f| f.counter = 8)).await.unwrap();
}

/// Two ceremonies are open; the second one's touch raises the counter before the first is finished
/// with an older number. The row's number counts, not the one from when the ceremony began.
#[tokio::test]
async fn the_newest_counter_counts() {
    let (world, laptop) = berts().await;
    let token = world.sign_in(&laptop).await;
    let one = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    let two = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    let first = world.options(&one).await.unwrap();
    let second = world.options(&two).await.unwrap();
    let newer = lie(|f| f.counter = 20);
    world.finish(&two, newer.get(&second.public_key)).await.unwrap();
    let older = lie(|f| f.counter = 15);
    let refused = world.finish(&one, older.get(&first.public_key)).await;
    assert_eq!(refusal(refused), Refusal::PasskeySuspicious);
}

#[tokio::test]
async fn a_copied_key_is_noticed() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    world.register(&laptop, &mut keys, Attachment::Roaming).await;
    let mut copy = keys.cloned().unwrap();
    world.step_up(&laptop, &mut keys, None).await;
    let token = world.sign_in(&laptop).await;
    let begun = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    let options = world.options(&begun).await.unwrap();
    let origin = url::Url::parse(ORIGIN).unwrap();
    let answer = copy.get(&origin, &options.public_key).await.unwrap();
    assert_eq!(refusal(world.finish(&begun, answer).await), Refusal::PasskeySuspicious);
}

/// The challenge commits to act and purpose: an answer to one question is none to another.
#[tokio::test]
async fn a_proof_for_one_act_is_none_for_another() {
    let (world, laptop) = berts().await;
    let token = world.sign_in(&laptop).await;
    let revoke = landfall_protocol::ceremony::BoundActBody::RevokeDevice {
        user: laptop.user.clone(),
        device: laptop.device.clone(),
    };
    let harmless = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    let grave = world.begin_step_up(&laptop, &token, Some(revoke), loopback()).await.unwrap();
    let asked = world.options(&harmless).await.unwrap();
    let answer = lie(|_| ()).get(&asked.public_key);
    let crossed = world.finish(&grave, answer.clone()).await;
    assert_eq!(refusal(crossed), Refusal::PasskeyRefused);
    world.finish(&harmless, answer).await.unwrap();
}
