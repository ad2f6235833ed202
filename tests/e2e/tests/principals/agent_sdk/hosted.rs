//! A service that is its own provider, calling another that lists it.

use super::*;
use axum::Router;
use axum::routing::get;
use landfall_client::agent::{Hosted, HostedSetup, JWKS_PATH};
use landfall_crypto::ambient::Ambient;
use landfall_identity::Seconds;
use landfall_test_support::still_ambient;
use landfall_test_support::world::BEGINNING;
use landfall_verifier::Roots;
use serde_json::Value;
use tokio::net::TcpListener;

/// The service's own documents, served at its origin.
async fn published(ambient: &Ambient, den: &Den, ephemeral: Option<Algorithm>) -> Hosted {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let hosted = Hosted::open(HostedSetup {
        issuer: ServerId::parse_with_loopback(&origin).unwrap(),
        agent: called("reports"),
        keys: den.keys(),
        key: handle("service"),
        algorithm: Algorithm::Ed25519,
        ephemeral,
        person_server: None,
        ambient: ambient.clone(),
    })
    .unwrap();
    let mut app = Router::new();
    for document in hosted.documents().unwrap() {
        app = app.route(document.path, get(async || document.json));
    }
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    hosted
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_publishes_is_enough_to_be_believed() {
    let (clock, ambient) = still_ambient(BEGINNING, 1);
    for ephemeral in [None, Some(Algorithm::Es256)] {
        let den = Den::new();
        let hosted = published(&ambient, &den, ephemeral).await;
        let [metadata, jwks] = hosted.documents().unwrap();
        let metadata: Value = serde_json::from_str(&metadata.json).unwrap();
        let issuer = metadata["issuer"].as_str().unwrap();
        assert_eq!(metadata["jwks_uri"], format!("{issuer}{JWKS_PATH}"));
        assert!(!jwks.json.contains("\"d\""));
        let issuer = ServerId::parse_with_loopback(issuer).unwrap();
        let service = Service::new(issuer, Roots::Platform, clock.clone()).await;
        let request = AgentRequest::post_json(service.at("/hello"), b"hi".to_vec());
        let answer = hosted.send(&request, Scheme::Hwk).await.unwrap();
        assert_eq!(&*answer.body, b"aauth:reports@localhost says hi");
        let first = hosted.token().await.unwrap();
        clock.advance(Seconds::minutes(39));
        assert_eq!(hosted.token().await.unwrap().text, first.text);
        clock.advance(Seconds::minutes(1));
        assert_ne!(hosted.token().await.unwrap().text, first.text);
        // A fresh process finds the same key.
        let again = published(&ambient, &den, ephemeral).await.documents().unwrap();
        assert_eq!(again[1].json, jwks.json);
    }
}

#[test]
fn a_service_speaks_for_its_own_domain_alone() {
    let (_, ambient) = still_ambient(BEGINNING, 1);
    let opened = Hosted::open(HostedSetup {
        issuer: ServerId::parse("https://svc.example.org").unwrap(),
        agent: AgentId::new("reports", "victim.example.org").unwrap(),
        keys: Den::new().keys(),
        key: handle("service"),
        algorithm: Algorithm::Ed25519,
        ephemeral: None,
        person_server: None,
        ambient,
    });
    assert!(matches!(opened.err().unwrap(), AgentError::Request(_)));
}
