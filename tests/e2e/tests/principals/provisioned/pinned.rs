//! A machine is known by its key alone: no certificate of ours, and nothing that one says of itself counts.

use super::{device, opened, people, pinned, provision, refused, server_key};
use landfall_crypto::certificate::CertificateFacts;
use landfall_crypto::key::Signer;
use landfall_crypto::self_signed::self_signed;
use landfall_crypto::{KeyPair, httpsig};
use landfall_identity::Seconds;
use landfall_protocol::device::DeviceStateName;
use landfall_protocol::enroll::CertIssued;
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::{Answer, Raw, Silent, World};
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;

const BUILD_7: &str = "spiffe://landfall.local/tenant/home/device/build-7";

async fn me(raw: &Raw, token: &str) -> anyhow::Result<Answer> {
    raw.send(Method::GET, paths::ME, Some(token), None).await
}

/// A certificate on request, signed by the key.
async fn renew(world: &World, key: &KeyPair) -> Answer {
    let authority = world.server().https_addr.to_string();
    let (method, path, body) = ("POST", paths::CERT_RENEW, &b"{}"[..]);
    let request = httpsig::Request { method, authority: &authority, path, body };
    let signed = httpsig::sign_renewal(&request, world.ambient.now(), key).unwrap();
    let fields = [
        ("content-type", "application/json"),
        ("content-digest", signed.content_digest.as_str()),
        ("signature-input", signed.signature_input.as_str()),
        ("signature", signed.signature.as_str()),
    ];
    let raw = Raw::stranger(world).unwrap();
    raw.send_text(Method::POST, path, &fields, "{}").await.unwrap()
}

fn issued(answer: &Answer) -> CertificateFacts {
    let issued: CertIssued = serde_json::from_value(answer.body.clone()).unwrap();
    assert!(issued.grant.is_none());
    CertificateFacts::read(&der_of(answer)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_known_needs_no_certificate_of_ours() {
    let world = World::new().await.unwrap();
    let (_, olga) = people(&world).await;
    let made = provision(&olga, server_key("build-7")).await.unwrap();
    let (_, key) = opened(&made);
    // The certificate was over years ago, and names nobody.
    let raw = pinned(&world, &key);
    let session = raw.session().await.unwrap();
    let answer = me(&raw, &session.token).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["spiffe_id"], BUILD_7);
    assert_eq!(answer.body["key"]["role"], "server");
    assert_eq!(answer.body["auth_strength"], "cert-only");
    // Nothing of people's is within its reach.
    for path in
        [paths::DEVICES, paths::SECRETS, paths::AUDIT, paths::ADMIN_USERS, paths::PROVISIONED]
    {
        let answer = raw.send(Method::GET, path, Some(&session.token), None).await.unwrap();
        assert_eq!(answer.code(), ErrorCode::Forbidden, "{path}");
    }
    let mine =
        format!("SELECT COUNT(*) FROM audit_events WHERE actor = '{BUILD_7}' AND outcome = ");
    assert_eq!(world.number(&format!("{mine}'allow'")).unwrap(), 2, "a session, and who it is");
    assert_eq!(world.number(&format!("{mine}'deny'")).unwrap(), 5);
    // A session works with its own key alone, and the key of nobody opens none.
    let other = provision(&olga, server_key("build-8")).await.unwrap();
    let beside = pinned(&world, &opened(&other).1);
    let stolen = me(&beside, &session.token).await.unwrap();
    assert_eq!(stolen.code(), ErrorCode::SessionOfAnotherKey);
    let nobody = pinned(&world, &KeyPair::generate().unwrap());
    assert_eq!(refused(&nobody).await, ErrorCode::NotEnrolled);
    // A person's key with a certificate of its own making has none, whatever time that names: or a key that was
    // copied would never have to come for one, and no silence would be too long.
    let person = KeyPair::from_pkcs8(&olga.machine.key_file().unwrap()).unwrap();
    assert_eq!(refused(&pinned(&world, &person)).await, ErrorCode::CertificateExpired);
    let now = world.ambient.now();
    let own = self_signed(&person, now - Seconds::days(1), now + Seconds::days(3650)).unwrap();
    let own = Raw::showing(&world, &person, own).unwrap();
    assert_eq!(refused(&own).await, ErrorCode::CertificateExpired);
    let closed =
        raw.send(Method::DELETE, paths::SESSION, Some(&session.token), None).await.unwrap();
    assert!(closed.status < 300, "{closed:?}");
    assert_eq!(me(&raw, &session.token).await.unwrap().code(), ErrorCode::SessionOver);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_had_on_request_and_does_not_outlive_its_key() {
    let mut world = World::new().await.unwrap();
    let (_, olga) = people(&world).await;
    let mut wanted = server_key("build-7");
    wanted.ttl = Some(Seconds::hours(30));
    let made = provision(&olga, wanted).await.unwrap();
    let (facts, key) = opened(&made);
    let first = renew(&world, &key).await;
    assert_eq!(first.status, 200, "{first:?}");
    let leaf = issued(&first);
    assert_eq!(leaf.spiffe_id.as_ref().map(ToString::to_string).as_deref(), Some(BUILD_7));
    assert_eq!(leaf.public_key, key.public_key());
    assert_eq!(leaf.not_after, world.ambient.now() + Seconds::hours(24));
    world.pass(Seconds::hours(20)).await.unwrap();
    let second = issued(&renew(&world, &key).await);
    assert_eq!(second.not_after, facts.expires_at, "six hours early");
    world.pass(Seconds::hours(10)).await.unwrap();
    assert_eq!(renew(&world, &key).await.code(), ErrorCode::CredentialExpired);
    // One that we signed, and that is over, is said to be.
    let late = Raw::showing(&world, &key, der_of(&first)).unwrap();
    assert_eq!(refused(&late).await, ErrorCode::CredentialExpired, "the key's end comes first");
}

fn der_of(answer: &Answer) -> Vec<u8> {
    let chain = answer.body["certificate_chain"].as_str().unwrap();
    let pem = chain.split("-----").nth(2).unwrap().replace(['\n', '\r'], "");
    data_encoding::BASE64.decode(pem.as_bytes()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_key_is_cut_at_once_and_works_again_when_enabled() {
    let mut world = World::new().await.unwrap();
    let (ana, olga) = people(&world).await;
    let made = provision(&olga, server_key("build-7")).await.unwrap();
    let (_, key) = opened(&made);
    let raw = pinned(&world, &key);
    let session = raw.session().await.unwrap();
    let now = world.ambient.now();
    let certificate = self_signed(&key, now, now + Seconds::hours(1)).unwrap();
    let open = Silent::open(&world, &key, certificate).unwrap();
    olga.step_up().await.unwrap();
    let info = olga.client().disable_key(&made.key.id).await.unwrap();
    assert_eq!(serde_json::to_value(info.state).unwrap(), Value::from("disabled"));
    let cut = open.is_closed_within(Duration::from_secs(10)).unwrap();
    assert!(cut, "the connection that was open");
    for _ in 0..2 {
        let answer = match me(&raw, &session.token).await {
            Ok(answer) => answer,
            Err(_cut) => me(&raw, &session.token).await.unwrap(),
        };
        assert_eq!(answer.code(), ErrorCode::DeviceSuspended);
        assert_eq!(refused(&raw).await, ErrorCode::DeviceSuspended);
        assert_eq!(renew(&world, &key).await.code(), ErrorCode::DeviceSuspended);
        world.restart().await.unwrap();
    }
    // The key is let back while its machine is still cut off: it says so, and works with the machine.
    ana.step_up().await.unwrap();
    ana.client().suspend_machine(&device("build-7")).await.unwrap();
    olga.step_up().await.unwrap();
    let info = olga.client().enable_key(&made.key.id).await.unwrap();
    assert_eq!(info.device_state, DeviceStateName::Suspended);
    let answer = renew(&world, &key).await;
    assert_eq!(answer.code(), ErrorCode::DeviceSuspended);
    let told = answer.body["detail"].as_str().unwrap();
    assert!(told.contains("operator") && !told.contains("recover"), "{told}");
    ana.client().resume_machine(&device("build-7")).await.unwrap();
    assert_eq!(me(&raw, &session.token).await.unwrap().code(), ErrorCode::SessionOver);
    raw.session().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_is_suspended_and_revoked_like_any_device() {
    let mut world = World::new().await.unwrap();
    let (ana, olga) = people(&world).await;
    let made = provision(&olga, server_key("build-7")).await.unwrap();
    let (_, key) = opened(&made);
    let raw = pinned(&world, &key);
    raw.session().await.unwrap();
    let certified = renew(&world, &key).await;
    ana.step_up().await.unwrap();
    let cut = ana.client().suspend_machine(&device("build-7")).await.unwrap();
    assert_eq!((cut.device_state, cut.sessions_ended), (DeviceStateName::Suspended, 1));
    assert_eq!(refused(&raw).await, ErrorCode::DeviceSuspended);
    ana.client().resume_machine(&device("build-7")).await.unwrap();
    raw.session().await.unwrap();
    // A young passkey revokes nothing that is older.
    world.pass(Seconds::hours(25)).await.unwrap();
    let cut = ana.client().revoke_machine(&device("build-7"), &ana.shell).await.unwrap();
    assert_eq!(cut.device_state, DeviceStateName::Revoked);
    assert_eq!(refused(&raw).await, ErrorCode::DeviceRevoked);
    assert_eq!(renew(&world, &key).await.code(), ErrorCode::DeviceRevoked);
    // One that we signed is judged by its time first, as anybody's is.
    let shown = Raw::showing(&world, &key, der_of(&certified)).unwrap();
    assert_eq!(refused(&shown).await, ErrorCode::CertificateExpired);
    // For ever: no key more, and no way back.
    olga.step_up().await.unwrap();
    let dead = olga.client().enable_key(&made.key.id).await.unwrap_err();
    assert_eq!(dead.code(), ErrorCode::InvalidField);
    let mut one_more = server_key("build-7");
    one_more.role = None;
    assert_eq!(provision(&olga, one_more).await.err(), Some(ErrorCode::InvalidField));
    ana.step_up().await.unwrap();
    let back = ana.client().resume_machine(&device("build-7")).await.unwrap_err();
    assert_eq!(back.code(), ErrorCode::InvalidField);
    let missing = ana.client().suspend_machine(&device("build-9")).await.unwrap_err();
    assert_eq!(missing.code(), ErrorCode::NotFound);
}
