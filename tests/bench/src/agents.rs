//! Agents' refreshes with two keys: a naming token and a request to verify, the token remembered for ever
//! after, one agent's token to sign, and one durable write each. Everything is signed before any clock
//! runs; a signature is good for a minute, so a load takes what was made for it alone.

use crate::http::Connection;
use crate::load::{self, Figures};
use crate::server::Server;
use anyhow::{Context, Result};
use bytes::Bytes;
use http::Method;
use landfall_crypto::aauth::naming::{self, NamingForm};
use landfall_crypto::aauth::{
    self, AgentKeyPair, AgentSigner, Algorithm, KeySource, Request, SignedFields, Signing,
};
use landfall_crypto::ambient::Ambient;
use landfall_identity::Timestamp;
use landfall_protocol::paths;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Agents that are enrolled; each refreshes again and again.
const AGENTS: usize = 64;
/// What stands behind `@` in their names.
pub const DOMAIN: &str = "localhost";
const JSON: (&str, &str) = ("content-type", "application/json");

/// Signed requests, each good once.
pub struct Refreshes {
    requests: Vec<SignedFields>,
    body: Bytes,
    next: AtomicUsize,
}

/// Enrols agents of one algorithm and signs `count` refreshes.
pub async fn refreshes(
    server: &Server,
    algorithm: Algorithm,
    count: usize,
) -> Result<Arc<Refreshes>> {
    let mut connection = server.site.connect(None).await?;
    let authority = connection.authority().to_owned();
    let mut agents = Vec::new();
    for number in 0..AGENTS {
        let key = AgentKeyPair::generate(algorithm)?;
        let name = format!("bench-{}-{number}", algorithm.name().to_ascii_lowercase());
        let body =
            json!({ "agent_id": format!("aauth:{name}@{DOMAIN}"), "jwk": key.public_key().jwk() });
        let body = Bytes::from(serde_json::to_vec(&body)?);
        let source = KeySource::Hwk { key: key.public_key() };
        let now = Ambient::system().now();
        let fields = sign(&authority, paths::AGENT_ENROL, &body, &source, &key, now)?;
        let fields = pairs(&fields);
        connection.send_with(Method::POST, paths::AGENT_ENROL, &fields, Some(body)).await?;
        agents.push(key);
    }
    let body = Bytes::from_static(b"{}");
    let requests = make(&agents, &authority, &body, count)?;
    Ok(Arc::new(Refreshes { requests, body, next: AtomicUsize::new(0) }))
}

/// On all processors, a share each.
fn make(
    agents: &[AgentKeyPair],
    authority: &str,
    body: &Bytes,
    count: usize,
) -> Result<Vec<SignedFields>> {
    let now = Ambient::system().now();
    let threads = std::thread::available_parallelism()?.get();
    let one = |number: usize| {
        let agent = &agents[number % agents.len()];
        let ephemeral = AgentKeyPair::generate(agent.algorithm())?;
        let form = NamingForm::SelfAnchored;
        let jwt = naming::make(agent, &ephemeral.public_key(), form, &number.to_string(), now)?;
        let source = KeySource::JktJwt { jwt, jkt: None };
        sign(authority, paths::AGENT_REFRESH, body, &source, &ephemeral, now)
    };
    std::thread::scope(|scope| {
        let share = |thread: usize| (thread..count).step_by(threads).map(one).collect();
        let workers: Vec<_> =
            (0..threads).map(|thread| scope.spawn(move || share(thread))).collect();
        let mut all = Vec::with_capacity(count);
        for worker in workers {
            let made: Result<Vec<_>> =
                worker.join().ok().context("a thread that signed ended early")?;
            all.extend(made?);
        }
        Ok(all)
    })
}

fn sign(
    authority: &str,
    path: &str,
    body: &[u8],
    source: &KeySource,
    key: &dyn AgentSigner,
    created: Timestamp,
) -> Result<SignedFields> {
    let request = Request {
        method: "POST",
        authority,
        path,
        query: None,
        https: true,
        fields: &[JSON],
        body,
    };
    let signing = Signing { source, created, components: &[], digest: true };
    Ok(aauth::sign(&request, &signing, key)?)
}

fn pairs(fields: &SignedFields) -> Vec<(&'static str, &str)> {
    let mut pairs = vec![
        ("signature-key", fields.signature_key.as_str()),
        ("signature-input", fields.signature_input.as_str()),
        ("signature", fields.signature.as_str()),
    ];
    pairs.extend(fields.content_digest.as_deref().map(|digest| ("content-digest", digest)));
    pairs
}

/// Refreshes, until the span is over or no request is left.
pub async fn run(
    server: &Server,
    refreshes: &Arc<Refreshes>,
    clients: usize,
    span: Duration,
) -> Result<Figures> {
    let mut ready: Vec<(Arc<Refreshes>, Connection)> = Vec::new();
    for _ in 0..clients {
        ready.push((Arc::clone(refreshes), server.site.connect(None).await?));
    }
    load::run(ready, span, |(refreshes, mut connection)| async move {
        let next = refreshes.next.fetch_add(1, Ordering::Relaxed);
        let Some(fields) = refreshes.requests.get(next) else {
            return Ok(((refreshes, connection), false));
        };
        let (fields, body) = (pairs(fields), refreshes.body.clone());
        connection.send_with(Method::POST, paths::AGENT_REFRESH, &fields, Some(body)).await?;
        Ok(((refreshes, connection), true))
    })
    .await
}
