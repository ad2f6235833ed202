//! Certificates that renew themselves, and do not for who was cut off.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a story stops where it goes wrong"
)]

use landfall_crypto::ambient::{Ambient, ManualClock};
use landfall_identity::{DeviceName, Seconds};
use landfall_protocol::ErrorCode;
use landfall_test_support::world::BEGINNING;
use landfall_test_support::{Machine, Raw, World};
use std::process::Command;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn slept_for_a_month_heals() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let before = ana.client().profile().unwrap();
    world.pass(Seconds::days(30)).await.unwrap();
    // No command names renewal: the next thing that is asked heals the certificate by itself.
    assert_eq!(ana.client().whoami().await.unwrap().user, ana.name);
    let after = ana.client().profile().unwrap();
    assert_ne!(before.certificate_chain, after.certificate_chain);
    assert_eq!(before.spiffe_id, after.spiffe_id);
    assert!(after.not_after > before.not_after);
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_for_over_ninety_days_needs_an_approval() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    world.pass(Seconds::days(91)).await.unwrap();
    let refused = ana.client().whoami().await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::RenewalTooLate);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_that_was_suspended_in_its_sleep_gets_nothing() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    ana.step_up().await.unwrap();
    let laptop = DeviceName::parse("bert-laptop").unwrap();
    ana.client().admin_suspend_device(&bert.name, &laptop).await.unwrap();
    world.pass(Seconds::days(30)).await.unwrap();
    assert_eq!(bert.client().renew_now().await.unwrap_err().code(), ErrorCode::DeviceSuspended);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_renews_at_two_thirds_and_not_before() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let first = ana.client().profile().unwrap().certificate_chain;
    world.pass(Seconds::hours(15)).await.unwrap();
    ana.client().whoami().await.unwrap();
    assert_eq!(ana.client().profile().unwrap().certificate_chain, first);
    world.pass(Seconds::hours(1)).await.unwrap();
    ana.client().whoami().await.unwrap();
    assert_ne!(ana.client().profile().unwrap().certificate_chain, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_renews_all_the_same_and_is_never_set() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    // The same machine with a clock that is two hours slow, a day later.
    world.clock.advance(Seconds::hours(20));
    let slow = Arc::new(ManualClock::new(BEGINNING + Seconds::hours(18)));
    let ambient = Ambient { clock: slow.clone(), random: Ambient::system().random };
    let machine = Machine::at(&ana.machine.folder, &ambient).unwrap();
    let before = machine.client.profile().unwrap().not_after;
    machine.client.renew_now().await.unwrap();
    assert!(machine.client.profile().unwrap().not_after > before);
    assert_eq!(ambient.now(), BEGINNING + Seconds::hours(18));
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_accepts_the_certificate_and_sees_one_name() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let profile = ana.client().profile().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (root, chain) = (folder.path().join("root.pem"), folder.path().join("chain.pem"));
    std::fs::write(&root, &profile.trust_bundle).unwrap();
    std::fs::write(&chain, &profile.certificate_chain).unwrap();
    let at = BEGINNING.seconds().to_string();
    let verify = Command::new("openssl")
        .args(["verify", "-purpose", "sslclient", "-attime", &at, "-CAfile"])
        .arg(&root)
        .arg("-untrusted")
        .arg(&chain)
        .arg(&chain)
        .output()
        .unwrap();
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stderr));
    let text = Command::new("openssl")
        .args(["x509", "-noout", "-subject", "-ext", "subjectAltName", "-in"])
        .arg(&chain)
        .output()
        .unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    let names = text.lines().find(|line| line.contains("spiffe://")).unwrap().trim();
    assert_eq!(names, format!("URI:{}", profile.spiffe_id));
    assert!(!text.contains("CN"), "the SPIFFE ID is the only name: {text}");
    // And the server takes it.
    Raw::of(&ana.machine).unwrap().session().await.unwrap();
}
