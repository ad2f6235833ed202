//! Certificates that renew themselves, and do not for who was cut off.

use landfall_crypto::ambient::{Ambient, ManualClock};
use landfall_crypto::{KeyPair, httpsig};
use landfall_identity::{DeviceName, Seconds};
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::world::BEGINNING;
use landfall_test_support::{Machine, Raw, World};
use reqwest::Method;
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

/// The order of P-256 (SEC 2, section 2.4.2).
const ORDER: [u8; 32] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
];

/// `(r, n - s)`: another signature of the same message, which anybody can make of a first one.
fn mirrored(field: &str) -> String {
    let text = field.strip_prefix("sig=:").unwrap().strip_suffix(':').unwrap();
    let mut bytes = data_encoding::BASE64.decode(text.as_bytes()).unwrap();
    let mut borrow = 0;
    for (place, digit) in ORDER.iter().enumerate().rev() {
        let difference = i16::from(*digit) - i16::from(bytes[32 + place]) - borrow;
        borrow = i16::from(difference < 0);
        bytes[32 + place] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    format!("sig=:{}:", data_encoding::BASE64.encode(&bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_and_its_mirror_image_are_one_renewal() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let key = KeyPair::from_pkcs8(&ana.machine.key_file().unwrap()).unwrap();
    let (authority, body) = (world.server().https_addr.to_string(), "{}");
    let request = httpsig::Request {
        method: "POST",
        authority: &authority,
        path: paths::CERT_RENEW,
        body: body.as_bytes(),
    };
    let signed = httpsig::sign_renewal(&request, world.ambient.now(), &key).unwrap();
    let raw = Raw::stranger(&world).unwrap();
    let send = async |signature: &str| {
        let fields = [
            ("content-type", "application/json"),
            ("content-digest", signed.content_digest.as_str()),
            ("signature-input", signed.signature_input.as_str()),
            ("signature", signature),
        ];
        raw.send_text(Method::POST, paths::CERT_RENEW, &fields, body).await.unwrap()
    };
    let other = mirrored(&signed.signature);
    assert_ne!(other, signed.signature);
    let first = send(&other).await;
    assert_eq!(first.status, 200, "{first:?}");
    world.clock.advance(Seconds(1));
    for signature in [&signed.signature, &other] {
        let again = send(signature).await;
        assert_eq!(again.status, 200, "{again:?}");
        assert_eq!(again.body["certificate_chain"], first.body["certificate_chain"]);
    }
    let renewed = "SELECT COUNT(*) FROM certificates";
    assert_eq!(world.number(renewed).unwrap(), 2, "the first one, and one renewal");
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
