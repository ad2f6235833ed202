//! The examples, as they stand in the repository, played.

#[path = "../../../../../core/client/examples/agent/play.rs"]
mod agent;
#[path = "../../../../../core/client/examples/hosted/play.rs"]
mod hosted;

use super::*;
use landfall_verifier::Roots;
use tokio::net::TcpListener;

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_enrols_and_calls() {
    let world = World::configured(plain).await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let provider = provider_of(&world);
    let service = Service::new(provider.clone(), Roots::Platform, world.clock.clone()).await;
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let keys = keys.to_str().unwrap();
    let code = code(&ana).await;
    let words = ["enrol", keys, provider.as_str(), "builder", &code];
    let said = agent::run(&world.ambient, &words).await.unwrap();
    assert!(said.starts_with("enrolled as aauth:agent-"), "{said}");
    let url = service.at("/hello").to_string();
    let words = ["call", keys, provider.as_str(), "builder", &url];
    let said = agent::run(&world.ambient, &words).await.unwrap();
    assert!(said.starts_with("200 aauth:agent-") && said.ends_with("says "), "{said}");
    assert!(agent::run(&world.ambient, &["call"]).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_calls_in_its_own_name() {
    let world = World::configured(plain).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let issuer = ServerId::parse_with_loopback(&issuer).unwrap();
    let service = Service::new(issuer, Roots::Platform, world.clock.clone()).await;
    let url = service.at("/hello").to_string();
    let said = hosted::run(&world.ambient, keys.to_str().unwrap(), listener, &url).await.unwrap();
    assert_eq!(said, "200 aauth:reports@127.0.0.1 says ");
}
