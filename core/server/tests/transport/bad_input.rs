//! Bad input gets a problem with a stable code and a sentence that says what to do, and changes
//! nothing.

use crate::support::{Http1, get_http2, host};
use landfall_protocol::device::DeviceInfo;
use landfall_protocol::{ErrorCode, Page, paths};
use serde_json::json;

const JSON: (&str, &str) = ("Content-Type", "application/json");

async fn devices(connection: &mut Http1) -> Vec<DeviceInfo> {
    connection.get(paths::DEVICES).await.json::<Page<DeviceInfo>>().items
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_bad_request_has_its_code_and_changes_nothing() {
    let host = host().await;
    let device = host.claim().await;
    let mut me = host.sign_in(&device).await;
    let before = devices(&mut me).await;
    let rename = paths::fill(paths::DEVICE, &["laptop"]);
    let big = vec![b' '; 70 * 1024];
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let (path, patch) = (rename.as_str(), "PATCH");
    let long = format!("/devices?after={}", "a".repeat(5000));
    type Case<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>, &'a [u8], ErrorCode);
    let cases: Vec<Case<'_>> = vec![
        ("PUT", path, vec![JSON], b"{}", ErrorCode::MethodNotAllowed),
        ("GET", "/no/such", vec![], b"", ErrorCode::NotFound),
        (patch, path, vec![JSON], b"{\"label\":", ErrorCode::MalformedRequest),
        (patch, path, vec![JSON], b"", ErrorCode::MalformedRequest),
        (patch, path, vec![JSON], b"\xff\xfe", ErrorCode::MalformedRequest),
        (patch, path, vec![JSON], b"{\"label\":\"a\",\"x\":1}", ErrorCode::UnknownField),
        (patch, path, vec![JSON], b"{\"label\":\"\"}", ErrorCode::InvalidField),
        (patch, path, vec![JSON], b"[]", ErrorCode::InvalidField),
        (patch, path, vec![], b"{\"label\":\"a\"}", ErrorCode::UnsupportedMediaType),
        (patch, path, vec![form], b"label=a", ErrorCode::UnsupportedMediaType),
        (patch, path, vec![JSON], &big, ErrorCode::BodyTooLarge),
        (patch, "/devices/UP%20PER", vec![JSON], b"{\"label\":\"a\"}", ErrorCode::InvalidField),
        (patch, "/devices/%ff", vec![JSON], b"{\"label\":\"a\"}", ErrorCode::MalformedRequest),
        ("GET", "/devices?limit=many", vec![], b"", ErrorCode::InvalidField),
        ("GET", "/devices?limit=0", vec![], b"", ErrorCode::InvalidField),
        ("GET", "/devices?limits=1", vec![], b"", ErrorCode::UnknownField),
        ("GET", &long, vec![], b"", ErrorCode::MalformedRequest),
    ];
    for (method, path, headers, body, code) in cases {
        // Each on a connection of its own: what cannot be read may end one.
        let mut connection = host.connect(Some(&device)).await;
        connection.bearer = me.bearer.clone();
        let problem = connection.send(method, path, &headers, body).await.problem();
        let body = String::from_utf8_lossy(&body[..body.len().min(40)]);
        assert_eq!(problem.code, code, "{method} {path} {body}: {problem:?}");
    }
    assert_eq!(devices(&mut me).await.len(), before.len());
    assert_eq!(devices(&mut me).await[0].label, before[0].label);
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_is_not_taken_names_those_that_are() {
    let host = host().await;
    let answer = host.connect(None).await.send("PUT", paths::SESSION, &[], b"").await;
    let allow = answer.headers["allow"].to_str().unwrap();
    assert!(allow.contains("POST") && allow.contains("DELETE"), "{allow}");
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_its_headers_and_a_request_id_of_ours() {
    let host = host().await;
    for path in [paths::HEALTHZ, "/no/such", paths::ME, paths::CEREMONY_PAGE] {
        let answer =
            host.connect(None).await.send("GET", path, &[("X-Request-Id", "mine")], b"").await;
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_ne!(answer.headers["x-request-id"], "mine");
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_header_stands_in_for_a_client_certificate() {
    let host = host().await;
    let device = host.claim().await;
    let me = host.sign_in(&device).await;
    let pem = "-----BEGIN%20CERTIFICATE-----";
    let spoofed = [
        (
            "X-Forwarded-Client-Cert",
            "Hash=00;URI=spiffe://landfall.local/tenant/home/user/ada/device/laptop",
        ),
        ("X-Client-Cert", pem),
        ("X-SSL-Client-Cert", pem),
        ("Client-Cert", ":AAAA:"),
        ("X-ARR-ClientCert", "AAAA"),
        ("X-Forwarded-For", "192.0.2.7"),
    ];
    let mut stranger = host.connect(None).await;
    stranger.bearer.clone_from(&me.bearer);
    let problem = stranger.send("GET", paths::ME, &spoofed, b"").await.problem();
    assert_eq!(problem.code, ErrorCode::CertificateRequired);
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn enrolling_takes_no_certificate_and_everything_else_does() {
    let host = host().await;
    let mut stranger = host.connect(None).await;
    let body = json!({ "token_id": "0".repeat(26), "auth": "A".repeat(43), "csr": "x" });
    let problem = stranger.post(paths::CERT_ISSUE, &body).await.problem();
    assert_ne!(problem.code, ErrorCode::CertificateRequired);
    for route in landfall_server::http::routes() {
        use landfall_identity::action::Entry;
        if !matches!(route.action.demand().entry, Entry::Connection | Entry::Session(_)) {
            continue;
        }
        let path = paths::fill(route.path, &["x", "y"]);
        let problem = host.connect(None).await.send(route.method, &path, &[], b"").await.problem();
        assert_eq!(problem.code, ErrorCode::CertificateRequired, "{route:?}");
    }
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_far_too_much_still_hears_why() {
    let host = host().await;
    for size in [100_000, 1_000_000, 5_000_000] {
        let body = json!({ "csr": "x".repeat(size) });
        let answer = host.connect(None).await.post(paths::CERT_ISSUE, &body).await;
        assert_eq!(answer.problem().code, ErrorCode::BodyTooLarge, "{size}");
    }
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_too_many_headers_hears_why() {
    let host = host().await;
    for size in [17_000, 66_000, 110_000] {
        let big = "x".repeat(size);
        let mut connection = host.connect(None).await;
        let answer = connection.send("GET", paths::HEALTHZ, &[("X-Big", &big)], b"").await;
        assert_eq!(answer.problem().code, ErrorCode::HeadersTooLarge, "{size}");
    }
    let many: Vec<String> = (0..90).map(|number| format!("X-{number}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "1")).collect();
    let answer = host.connect(None).await.send("GET", paths::HEALTHZ, &many, b"").await;
    assert_eq!(answer.problem().code, ErrorCode::HeadersTooLarge);
    // By HTTP/2, too; and what fits is served on the same connection.
    let ada = host.claim().await;
    let sender = host.connect_http2(&ada).await;
    for (size, status) in [(66_000, 431), (110_000, 431), (1000, 401)] {
        let answer = get_http2(&sender, paths::ME, &"x".repeat(size)).await.unwrap();
        assert_eq!(answer.as_u16(), status, "{size}");
    }
    // What is beyond even that costs its own connection and nobody else's.
    let endless = "x".repeat(1_000_000);
    let mut connection = host.connect(None).await;
    let _ = connection.try_send("GET", paths::HEALTHZ, &[("X-Big", &endless)], b"").await;
    assert_eq!(host.connect(None).await.get(paths::HEALTHZ).await.status.as_u16(), 200);
    host.running.shutdown().await;
}
