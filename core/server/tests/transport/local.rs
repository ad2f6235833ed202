//! The local listener, and a server's own surroundings.

use crate::support::{Answer, Host, host, host_with, read_answer};
use landfall_crypto::ambient::Ambient;
use landfall_protocol::meta::{Health, WellKnown};
use landfall_protocol::{ErrorCode, paths};
use landfall_server::{Config, Server, StartError};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

async fn plain(host: &Host, head: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(host.running.localhost_addr.unwrap()).await.unwrap();
    let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    read_answer(&mut stream).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_listener_serves_the_page_to_its_own_name_only() {
    let host = host().await;
    let port = host.running.localhost_addr.unwrap().port();
    let page =
        plain(&host, &format!("GET /ceremony HTTP/1.1\r\nHost: localhost:{port}\r\n"), "").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    for host_header in ["127.0.0.1", "evil.example", "localhost", "localhost.evil.example"] {
        let head = format!("GET /ceremony HTTP/1.1\r\nHost: {host_header}:{}\r\n", port ^ 1);
        let refused = plain(&host, &head, "").await;
        let problem = refused.problem();
        assert_eq!(problem.code, ErrorCode::OriginRefused, "{host_header}");
        // What stands in the log can be found by what a person was shown.
        let id = problem.request_id.unwrap_or_default();
        assert_eq!(refused.headers["x-request-id"], id.as_str());
        assert!(!id.is_empty());
    }
    for path in [paths::ME, paths::HEALTHZ, paths::CERT_ISSUE, paths::STEP_UP_REDEEM] {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n");
        assert_eq!(plain(&host, &head, "").await.status, 404, "{path}");
    }
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_half_answers_its_own_page_only() {
    let host = host().await;
    let port = host.running.localhost_addr.unwrap().port();
    let own = format!("http://localhost:{port}");
    let body = format!(r#"{{"ceremony_id":"{}","secret":"x"}}"#, "0".repeat(26));
    for (origin, site, allowed) in [
        (own.as_str(), "same-origin", true),
        (own.as_str(), "cross-site", false),
        ("http://evil.example", "same-origin", false),
        ("null", "same-origin", false),
        ("http://127.0.0.1:1", "same-origin", false),
    ] {
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n\
             Origin: {origin}\r\nSec-Fetch-Site: {site}\r\n",
            paths::STEP_UP_OPTIONS
        );
        let code = plain(&host, &head, &body).await.problem().code;
        assert_eq!(code != ErrorCode::OriginRefused, allowed, "{origin} {site}: {code}");
    }
    let bare = format!(
        "POST {} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n",
        paths::STEP_UP_OPTIONS
    );
    assert_eq!(plain(&host, &bare, &body).await.problem().code, ErrorCode::OriginRefused);
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_the_same_directory_is_refused() {
    let host = host().await;
    let config = Config::local(host.directory.path().join("data"));
    let refused = Server::start(config, Ambient::system()).await.err().unwrap();
    assert!(matches!(refused, StartError::Directory(_)), "{refused}");
    assert!(refused.to_string().contains("stop it first"), "{refused}");
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_says_so() {
    let host = host().await;
    let mut config = Config::local(host.directory.path().join("other"));
    config.listen = host.running.https_addr;
    let refused = Server::start(config, Ambient::system()).await.err().unwrap();
    assert!(refused.to_string().contains("choose another address"), "{refused}");
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_anyone_may_read_is_there() {
    let host = host().await;
    let mut anyone = host.connect(None).await;
    assert_eq!(anyone.get(paths::READYZ).await.json::<Health>().status, "ok");
    let known: WellKnown = anyone.get(paths::WELL_KNOWN).await.json();
    assert_eq!(known.trust, format!("pin:{}", host.running.ca_fingerprint));
    assert_eq!(known.url, format!("https://{}", host.running.https_addr));
    let pem = anyone.get(paths::CA_PEM).await;
    assert_eq!(String::from_utf8(pem.body).unwrap(), host.running.trust_bundle_pem);
    let bundle: serde_json::Value = anyone.get(paths::SPIFFE_BUNDLE).await.json();
    assert_eq!(bundle["keys"][0]["use"], "x509-svid");
    let keys: serde_json::Value = anyone.get(paths::JWKS).await.json();
    assert_eq!(keys["keys"][0]["kty"], "EC");
    let list = anyone.get(paths::CRL).await;
    assert_eq!((list.status.as_u16(), list.body.first()), (200, Some(&0x30)));
    assert_eq!(anyone.get(paths::OPENAPI).await.status, 200);
    assert_eq!(anyone.get("/metrics").await.status, 404, "metrics stay off the public port");
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_have_their_own_listener() {
    let loopback = "127.0.0.1:0".parse().unwrap();
    let host = host_with(|config| config.metrics_listen = Some(loopback)).await;
    host.connect(None).await.get(paths::HEALTHZ).await;
    let mut stream = TcpStream::connect(host.running.metrics_addr.unwrap()).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let text = String::from_utf8(read_answer(&mut stream).await.unwrap().body).unwrap();
    for metric in ["landfall_requests_total", "landfall_connections_open", "landfall_writer_jobs"] {
        assert!(text.contains(metric), "{metric} is missing:\n{text}");
    }
    host.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_token_is_there_until_somebody_has_claimed() {
    let host = host().await;
    let data = host.directory.path().join("data");
    host.claim().await;
    host.running.shutdown().await;
    let again = Server::start(Config::local(data), Ambient::system()).await.unwrap();
    assert!(again.claim_token.is_none());
    again.shutdown().await;
}
