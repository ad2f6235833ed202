//! Cutting connections, and who may speak at all.

use crate::support::{Device, get_http2, host, host_with, request};
use landfall_crypto::key::KeyPair;
use landfall_identity::Seconds;
use landfall_protocol::me::{Frozen, Me};
use landfall_protocol::{ErrorCode, paths};
use landfall_server::strangers::GUESSES_MAX;
use rcgen::CertificateParams;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_claimed_server_says_who_one_is() {
    let host = host().await;
    let device = host.claim().await;
    let me: Me = host.sign_in(&device).await.get(paths::ME).await.json();
    assert_eq!(
        me.spiffe_id.to_string(),
        "spiffe://landfall.local/tenant/home/user/ada/device/laptop"
    );
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn freezing_cuts_every_connection_at_once_and_its_own_after_the_answer() {
    let host = host().await;
    let device = host.claim().await;
    let mut own = host.sign_in(&device).await;
    let mut second = host.sign_in(&device).await;
    let bearer = second.bearer.clone().unwrap();
    let http2 = host.connect_http2(&device).await;
    assert_eq!(get_http2(&http2, paths::ME, &bearer).await.unwrap(), 200);

    let frozen: Frozen = own.post(paths::FREEZE, &json!({})).await.json();
    assert!(frozen.frozen, "whoever froze hears so");
    assert!(second.is_closed().await, "HTTP/1.1 is cut");
    assert!(get_http2(&http2, paths::ME, &bearer).await.is_err(), "no stream opens after the cut");
    assert!(own.is_closed().await, "the own connection ends too");
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_does_not_outlive_the_cut() {
    let host = host().await;
    let device = host.claim().await;
    let mut own = host.sign_in(&device).await;
    let http2 = host.connect_http2(&device).await;
    let bearer = own.bearer.clone().unwrap();
    let request = http::Request::builder()
        .method("POST")
        .uri(format!("https://127.0.0.1{}", paths::SESSION))
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {bearer}"))
        .body(())
        .unwrap();
    // The head is sent, the body stays away.
    let (answer, _body) = http2.ready().await.unwrap().send_request(request, false).unwrap();
    let _: Frozen = own.post(paths::FREEZE, &json!({})).await.json();
    assert!(answer.await.is_err());
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_cuts_is_cut_here() {
    let host = host().await;
    let device = host.claim().await;
    let mut connection = host.sign_in(&device).await;
    let me: Me = connection.get(paths::ME).await.json();
    let database = host.directory.path().join("data/landfall.db");
    let other = rusqlite::Connection::open(database).unwrap();
    other
        .execute(
            "INSERT INTO changes (thumbprint, node, at) VALUES (?1, 'another', 0)",
            [&me.device.thumbprint],
        )
        .unwrap();
    let closed = tokio::time::timeout(Duration::from_secs(10), connection.is_closed());
    assert!(closed.await.unwrap());
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_ticket_is_given_to_come_back_with() {
    let host = host().await;
    let device = host.claim().await;
    let mut connection = host.connect(Some(&device)).await;
    assert_eq!(connection.get(paths::HEALTHZ).await.status, 200);
    assert_eq!(connection.stream.get_ref().1.tls13_tickets_received(), 0);
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_waits_and_nobody_else_does() {
    let host = host().await;
    let mut guesser = host.connect(None).await;
    let csr = request(&KeyPair::generate().unwrap());
    let body = json!({ "token_id": "0".repeat(26), "auth": "A".repeat(43), "csr": csr });
    for _ in 0..GUESSES_MAX {
        let problem = guesser.post(paths::CERT_ISSUE, &body).await.problem();
        assert_eq!(problem.code, ErrorCode::TokenInvalid);
    }
    let problem = guesser.post(paths::CERT_ISSUE, &body).await.problem();
    assert_eq!(problem.code, ErrorCode::RateLimited);
    assert!(problem.retry_after_seconds.is_some());
    // From the same place: who holds the right secret, or a key, is not kept waiting.
    let device = host.claim().await;
    let mut me = host.sign_in(&device).await;
    assert_eq!(me.get(paths::ME).await.status, 200);
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_is_told_so_and_not_dropped() {
    let host = host().await;
    let device = host.claim().await;
    host.clock.advance(Seconds::hours(25));
    let problem =
        host.connect(Some(&device)).await.post(paths::SESSION, &json!({})).await.problem();
    assert_eq!(problem.code, ErrorCode::CertificateExpired);
    host.running.shutdown().await;
}

fn foreign(key: &rcgen::KeyPair) -> Device {
    let certificate = CertificateParams::new(Vec::new()).unwrap().self_signed(key).unwrap();
    let private = PrivatePkcs8KeyDer::from(key.serialize_der());
    Device { chain: vec![certificate.der().clone()], key: private.into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_certificate_is_answered_and_gets_nothing() {
    let host = host().await;
    let stranger = foreign(&rcgen::KeyPair::generate().unwrap());
    let mut connection = host.connect(Some(&stranger)).await;
    assert_eq!(connection.get(paths::HEALTHZ).await.status, 200);
    let problem = connection.post(paths::SESSION, &json!({})).await.problem();
    assert_eq!(problem.code, ErrorCode::NotEnrolled);
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_without_its_key_opens_no_connection() {
    let host = host().await;
    let device = host.claim().await;
    let other = KeyPair::generate().unwrap().to_pkcs8().unwrap();
    let thief = Device {
        chain: device.chain.clone(),
        key: PrivatePkcs8KeyDer::from(other.expose().to_vec()).into(),
    };
    // In TLS 1.3 the client learns of it at its first read.
    let refused = match host.tls(Some(&thief), b"http/1.1").await {
        Err(_) => true,
        Ok(stream) => {
            let mut connection = crate::support::Http1 { stream, bearer: None };
            connection.try_send("GET", paths::HEALTHZ, &[], b"").await.is_err()
        }
    };
    assert!(refused);
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_kind_opens_no_connection() {
    let host = host().await;
    let p384 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let device = foreign(&p384);
    let refused = match host.tls(Some(&device), b"http/1.1").await {
        Err(_) => true,
        Ok(stream) => {
            let mut connection = crate::support::Http1 { stream, bearer: None };
            // A client whose key nobody takes may also show none at all.
            match connection.try_send("POST", paths::SESSION, &[], b"").await {
                Err(_) => true,
                Ok(answer) => answer.problem().code == ErrorCode::CertificateRequired,
            }
        }
    };
    assert!(refused);
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_finishes_and_leaves_its_directory() {
    let host = host().await;
    let device = host.claim().await;
    let mut connection = host.sign_in(&device).await;
    let data = host.directory.path().join("data");
    host.running.shutdown().await;
    assert!(connection.is_closed().await);
    assert!(landfall_server::directory::DataDirectory::open(&data).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_place_gets_its_share_of_connections_and_no_more() {
    let host = host_with(|config| config.max_connections_per_source = 2).await;
    let mut first = host.connect(None).await;
    let _second = host.connect(None).await;
    assert!(host.tls(None, b"http/1.1").await.is_err(), "a third is not even greeted");
    assert_eq!(first.get(paths::HEALTHZ).await.status, 200, "those that are in stay in");
    drop(first);
    // The server hears of the end a moment later.
    let next = async {
        while host.tls(None, b"http/1.1").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), next).await.unwrap();
    host.running.shutdown().await;
}
