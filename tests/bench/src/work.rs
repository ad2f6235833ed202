//! What is asked of the server.

use crate::http::Connection;
use crate::load::{self, Figures};
use crate::seed::Door;
use crate::server::{Identity, Server, Site};
use anyhow::{Context, Result};
use data_encoding::BASE64;
use http::Method;
use landfall_crypto::csr::build_csr;
use landfall_crypto::key::KeyPair;
use landfall_protocol::enroll::CertIssued;
use landfall_protocol::paths;
use landfall_protocol::session::SessionOpened;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The secret that is read.
const SECRET: &str = "bench";
/// How large its value is, in bytes.
const SECRET_SIZE: usize = 256;

/// The server, and the tokens that are left.
pub struct Bench {
    site: Site,
    doors: Vec<Door>,
    next: AtomicUsize,
}

/// One client on one connection.
struct Client {
    bench: Arc<Bench>,
    connection: Connection,
}

impl Bench {
    /// Nothing used yet.
    pub fn new(server: &Server, doors: Vec<Door>) -> Self {
        Self { site: server.site.clone(), doors, next: AtomicUsize::new(0) }
    }

    fn door(&self) -> Option<&Door> {
        self.doors.get(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// Makes the server's first user, `bench`.
pub async fn claim(server: &Server) -> Result<()> {
    let token = &server.claim;
    let (_, mut body) = asking(token.payload.id.as_str(), &token.secret.auth().to_text())?;
    body["user"] = json!("bench");
    body["device"] = json!("bench");
    let mut stranger = server.site.connect(None).await?;
    stranger.send(Method::POST, paths::CERT_ISSUE, Some(&body)).await.map(drop)
}

/// First certificates, key and request made anew for each.
pub async fn enrolments(bench: &Arc<Bench>, clients: usize, span: Duration) -> Result<Figures> {
    let mut ready = Vec::new();
    for _ in 0..clients {
        ready.push(Client { bench: bench.clone(), connection: bench.site.connect(None).await? });
    }
    load::run(ready, span, |mut client| async move {
        let more = enroll(&mut client).await?.is_some();
        Ok((client, more))
    })
    .await
}

/// Enrolled devices with a session each, on connections of their own.
pub async fn devices(bench: &Arc<Bench>, count: usize) -> Result<Vec<Identity>> {
    let connection = bench.site.connect(None).await?;
    let mut client = Client { bench: bench.clone(), connection };
    let mut devices = Vec::new();
    for _ in 0..count {
        devices.push(enroll(&mut client).await?.context("no tokens are left")?);
    }
    Ok(devices)
}

/// Sessions, one after the other on each device.
pub async fn sessions(bench: &Arc<Bench>, devices: &[Identity], span: Duration) -> Result<Figures> {
    let ready = connections(bench, devices).await?;
    load::run(ready, span, |mut connection| async move {
        connection.send(Method::POST, paths::SESSION, Some(&json!({}))).await?;
        Ok((connection, true))
    })
    .await
}

/// Reads of one secret, each audited before its answer leaves.
pub async fn secret_reads(
    bench: &Arc<Bench>,
    devices: &[Identity],
    span: Duration,
) -> Result<Figures> {
    let mut ready = connections(bench, devices).await?;
    for connection in &mut ready {
        let body = json!({});
        let opened: SessionOpened = serde_json::from_slice(
            &connection.send(Method::POST, paths::SESSION, Some(&body)).await?,
        )?;
        connection.session = Some(opened.token);
    }
    let first = ready.first_mut().context("no device")?;
    let value = BASE64.encode(&[0x5A; SECRET_SIZE]);
    let body = json!({ "name": SECRET, "value_base64": value });
    first.send(Method::POST, paths::SECRETS, Some(&body)).await?;
    let path = paths::fill(paths::SECRET, &[SECRET]);
    load::run(ready, span, move |mut connection| {
        let path = path.clone();
        async move {
            connection.send(Method::GET, &path, None).await?;
            Ok((connection, true))
        }
    })
    .await
}

async fn connections(bench: &Arc<Bench>, devices: &[Identity]) -> Result<Vec<Connection>> {
    let mut ready = Vec::new();
    for (chain, key) in devices {
        let device = (chain.clone(), key.clone_key());
        ready.push(bench.site.connect(Some(device)).await?);
    }
    Ok(ready)
}

/// Enrols one device; `None` when there are no tokens left.
async fn enroll(client: &mut Client) -> Result<Option<Identity>> {
    let Some(door) = client.bench.door() else { return Ok(None) };
    let (key, body) = asking(door.id.as_str(), &door.auth)?;
    let answer = client.connection.send(Method::POST, paths::CERT_ISSUE, Some(&body)).await?;
    let issued: CertIssued = serde_json::from_slice(&answer)?;
    let chain = pem::parse_many(&issued.certificate_chain)?
        .into_iter()
        .map(|block| CertificateDer::from(block.into_contents()))
        .collect();
    let key = key.to_pkcs8()?.expose().to_vec();
    Ok(Some((chain, PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key)))))
}

/// A new key, and the request for its first certificate.
fn asking(token: &str, auth: &str) -> Result<(KeyPair, Value)> {
    let key = KeyPair::generate()?;
    let csr = pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", build_csr(&key)?));
    let body = json!({ "token_id": token, "auth": auth, "csr": csr });
    Ok((key, body))
}
