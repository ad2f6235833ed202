//! What the service does; a test plays it too.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use landfall_client::agent::{
    AgentId, AgentRequest, Algorithm, Hosted, HostedSetup, Scheme, ServerId,
};
use landfall_client::words::Ambient;
use landfall_keystore::{FileKeyStore, KeyHandle};
use std::error::Error;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Publishes, and calls.
///
/// # Errors
/// Says what did not work.
pub async fn run(
    ambient: &Ambient,
    keys: &str,
    listener: TcpListener,
    url: &str,
) -> Result<String, Box<dyn Error>> {
    // Behind its own name this would be `https://svc.example.org`, and the agent `aauth:reports@svc.example.org`.
    let issuer = ServerId::parse_with_loopback(&format!("http://{}", listener.local_addr()?))?;
    let hosted = Hosted::open(HostedSetup {
        agent: AgentId::new("reports", issuer.host())?,
        issuer,
        keys: Arc::new(FileKeyStore::open(keys)?),
        key: KeyHandle::parse("service")?,
        algorithm: Algorithm::Es256,
        ephemeral: None,
        person_server: None,
        ambient: ambient.clone(),
    })?;
    let mut published = Router::new();
    for document in hosted.documents()? {
        let body = ([(CONTENT_TYPE, "application/json")], document.json);
        published = published.route(document.path, get(async || body));
    }
    let server = tokio::spawn(async move { axum::serve(listener, published).await });
    let answer = hosted.send(&AgentRequest::get(url.parse()?), Scheme::Jwt).await?;
    server.abort();
    Ok(format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)))
}
