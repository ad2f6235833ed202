//! What is asked of the server.

use crate::http::Connection;
use crate::load::{self, Figures};
use crate::seed::{self, Newcomer};
use crate::server::{Identity, Server, Site};
use anyhow::{Context, Result};
use bytes::Bytes;
use data_encoding::BASE64;
use http::Method;
use landfall_crypto::key::KeyPair;
use landfall_protocol::enroll::CertIssued;
use landfall_protocol::paths;
use landfall_protocol::session::SessionOpened;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The secret that is read.
const SECRET: &str = "bench";
/// How large its value is, in bytes.
const SECRET_SIZE: usize = 256;

/// A body without fields.
const NOTHING: Bytes = Bytes::from_static(b"{}");

/// The server, and the machines that are not enrolled yet.
pub struct Bench {
    site: Site,
    newcomers: Vec<Newcomer>,
    next: AtomicUsize,
}

/// One client on one connection.
struct Client {
    bench: Arc<Bench>,
    connection: Connection,
}

impl Bench {
    /// Nothing used yet.
    pub fn new(server: &Server, newcomers: Vec<Newcomer>) -> Self {
        Self { site: server.site.clone(), newcomers, next: AtomicUsize::new(0) }
    }

    fn newcomer(&self) -> Option<&Newcomer> {
        self.newcomers.get(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// Makes the server's first user, `bench`.
pub async fn claim(server: &Server) -> Result<()> {
    let token = &server.claim;
    let (id, auth) = (token.payload.id.as_str(), token.secret.auth().to_text());
    let mut body = seed::asking(&KeyPair::generate()?, id, &auth)?;
    body["user"] = json!("bench");
    body["device"] = json!("bench");
    let mut stranger = server.site.connect(None).await?;
    let body = Bytes::from(serde_json::to_vec(&body)?);
    stranger.send(Method::POST, paths::CERT_ISSUE, Some(body)).await.map(drop)
}

/// First certificates.
pub async fn enrolments(bench: &Arc<Bench>, clients: usize, span: Duration) -> Result<Figures> {
    let mut ready = Vec::new();
    for _ in 0..clients {
        ready.push(Client { bench: bench.clone(), connection: bench.site.connect(None).await? });
    }
    load::run(ready, span, |mut client| async move {
        let bench = Arc::clone(&client.bench);
        let Some(newcomer) = bench.newcomer() else { return Ok((client, false)) };
        enroll(&mut client.connection, newcomer).await?;
        Ok((client, true))
    })
    .await
}

/// Enrolled devices.
pub async fn devices(bench: &Arc<Bench>, count: usize) -> Result<Vec<Identity>> {
    let mut connection = bench.site.connect(None).await?;
    let mut devices = Vec::new();
    for _ in 0..count {
        let newcomer = bench.newcomer().context("no tokens are left")?;
        let answer = enroll(&mut connection, newcomer).await?;
        let issued: CertIssued = serde_json::from_slice(&answer)?;
        let chain = pem::parse_many(&issued.certificate_chain)?
            .into_iter()
            .map(|block| CertificateDer::from(block.into_contents()))
            .collect();
        let key = newcomer.key.to_pkcs8()?.expose().to_vec();
        devices.push((chain, PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key))));
    }
    Ok(devices)
}

/// Sessions, one after the other on each device.
pub async fn sessions(bench: &Arc<Bench>, devices: &[Identity], span: Duration) -> Result<Figures> {
    let ready = connections(bench, devices).await?;
    load::run(ready, span, |mut connection| async move {
        connection.send(Method::POST, paths::SESSION, Some(NOTHING)).await?;
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
        let answer = connection.send(Method::POST, paths::SESSION, Some(NOTHING)).await?;
        connection.session = Some(serde_json::from_slice::<SessionOpened>(&answer)?.token);
    }
    let first = ready.first_mut().context("no device")?;
    let value = BASE64.encode(&[0x5A; SECRET_SIZE]);
    let body = json!({ "name": SECRET, "value_base64": value }).to_string();
    first.send(Method::POST, paths::SECRETS, Some(body.into())).await?;
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

async fn enroll(connection: &mut Connection, newcomer: &Newcomer) -> Result<Bytes> {
    connection.send(Method::POST, paths::CERT_ISSUE, Some(newcomer.request.clone())).await
}
