//! Addresses: whose they are, and who may take them away.

use super::post::{ANA, ana_with_mail, ask_code, code_in, confirm, until_subject, with_subject};
use landfall_client::Client;
use landfall_identity::address::{CODE_TRIES, CODE_TTL, CODES_MAX, CODES_WITHIN, CONFIRM_WITHIN};
use landfall_identity::passkey::Attachment;
use landfall_identity::prompt::{PROMPTS_MAX, PROMPTS_WITHIN};
use landfall_identity::{MailAddress, Seconds};
use landfall_protocol::ErrorCode;
use landfall_test_support::{Person, PocketKey, World};

const OTHER: &str = "other@example.com";

async fn addresses(client: &Client) -> Vec<String> {
    client.addresses().await.unwrap().into_iter().map(|one| one.address).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_a_code_goes_to_an_address_before_it_is_proved() {
    let (smtp, world, ana) = ana_with_mail().await;
    let (added, mail) = ask_code(&world, &smtp, &ana, OTHER).await;
    assert_eq!(added.confirmed_at, None);
    ana.client().freeze().await.unwrap();
    until_subject(&world, &smtp, ANA, "Your account is frozen", 1).await;
    assert_eq!(smtp.mails_to(OTHER), std::slice::from_ref(&mail));
    let kept = world.database().unwrap();
    let hash: Vec<u8> = kept
        .query_row("SELECT code_hash FROM addresses WHERE confirmed_at IS NULL", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(hash.len(), 32, "of the code only a hash rests");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_survives_few_wrong_tries_and_no_hour() {
    let (smtp, mut world, ana) = ana_with_mail().await;
    let (added, mail) = ask_code(&world, &smtp, &ana, OTHER).await;
    let client = ana.client();
    for left in (0..CODE_TRIES).rev() {
        let refused = client.confirm_address(&added.id, "0000-0000").await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::AddressCodeWrong);
        assert!(refused.problem().detail.ends_with(&format!("left: {left}.")), "{refused:?}");
    }
    let right = client.confirm_address(&added.id, &code_in(&mail)).await.unwrap_err();
    assert_eq!(right.code(), ErrorCode::AddressCodeOver, "the right one comes too late");
    // Another code makes the older one worthless.
    let (_, second) = ask_code(&world, &smtp, &ana, OTHER).await;
    let refused = client.confirm_address(&added.id, &code_in(&mail)).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::AddressCodeWrong);
    world.pass(CODE_TTL).await.unwrap();
    let late = client.confirm_address(&added.id, &code_in(&second)).await.unwrap_err();
    assert_eq!(late.code(), ErrorCode::AddressCodeOver);
    let all = client.addresses().await.unwrap();
    let waits = all.iter().filter(|one| one.confirmed_at.is_none()).map(|one| one.address.as_str());
    assert_eq!(waits.collect::<Vec<_>>(), [OTHER]);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_limited_and_so_are_addresses() {
    let (smtp, mut world, ana) = ana_with_mail().await;
    let other: MailAddress = OTHER.parse().unwrap();
    for _ in 1..PROMPTS_MAX {
        ask_code(&world, &smtp, &ana, OTHER).await;
    }
    let soon = ana.client().add_address(&other).await.unwrap_err();
    assert_eq!(soon.code(), ErrorCode::RateLimited);
    assert_eq!(soon.problem().retry_after_seconds, Some(PROMPTS_WITHIN.0));
    world.pass(PROMPTS_WITHIN).await.unwrap();
    for _ in PROMPTS_MAX..CODES_MAX {
        ask_code(&world, &smtp, &ana, OTHER).await;
    }
    let refused = ana.client().add_address(&other).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::RateLimited);
    let third: MailAddress = "third@example.com".parse().unwrap();
    let refused = ana.client().add_address(&third).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::TooManyAddresses);
    // One that was never proved makes room again.
    world.pass(Seconds(CODES_WITHIN.0.max(CONFIRM_WITHIN.0))).await.unwrap();
    ask_code(&world, &smtp, &ana, third.as_str()).await;
    assert_eq!(addresses(ana.client()).await, [ANA, third.as_str()]);
}

/// Somebody with a new machine of Ana's and a passkey of their own making.
async fn thief(world: &World, ana: &Person) -> Person {
    let machine = world.machine("thief").unwrap();
    let token = ana.device_token("ana-second").await.unwrap();
    machine.enroll(&token, None, None).await.unwrap();
    let thief = Person { name: ana.name.clone(), machine, shell: PocketKey::new().unwrap() };
    thief.register(Attachment::Roaming).await.unwrap();
    thief
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thief_cannot_silence_the_owner() {
    let (smtp, mut world, ana) = ana_with_mail().await;
    world.clock.advance(Seconds(1));
    let thief = thief(&world, &ana).await;
    let id = ana.client().addresses().await.unwrap()[0].id.clone();
    let refused = thief.client().remove_address(&id).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::StepUpRequired, "a device alone is not enough");
    thief.step_up().await.unwrap();
    let refused = thief.client().remove_address(&id).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Probation, "a young passkey against an older address");
    assert_eq!(addresses(thief.client()).await, [ANA]);

    // Adding another one tells the owner; and what is added falls to the older passkey.
    confirm(&world, &smtp, &thief, OTHER).await;
    until_subject(&world, &smtp, ANA, "New address for notices", 2).await;

    // A day later the passkey has come of age. Who is silenced hears of that, too.
    world.pass(Seconds::hours(24)).await.unwrap();
    thief.step_up().await.unwrap();
    thief.client().remove_address(&id).await.unwrap();
    let mails = until_subject(&world, &smtp, ANA, "Address for notices removed", 1).await;
    let text = mails[0].text().unwrap();
    assert!(
        text.contains("no longer mailed to ana@example.org, by your device ana-second"),
        "{text}"
    );
    assert!(text.contains("landfall freeze"), "{text}");
    thief.client().freeze().await.unwrap();
    until_subject(&world, &smtp, OTHER, "Your account is frozen", 1).await;
    assert!(with_subject(&smtp, ANA, "Your account is frozen").is_empty(), "it is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_mail_says_so() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    ana.step_up().await.unwrap();
    let refused = ana.client().add_address(&ANA.parse().unwrap()).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::MailUnavailable);
    assert!(refused.problem().detail.contains("smtp_url"), "{refused:?}");
}
