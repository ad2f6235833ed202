//! Exchanges of pods' tokens for X.509-SVIDs: one RS256 signature and one CSR to check, one certificate to
//! sign, and one durable write each. Tokens, keys and requests are made before any clock runs; each pod
//! brings as many keys as it may within an hour.

use crate::http::Connection;
use crate::load::{self, Figures};
use crate::server::Server;
use anyhow::{Context, Result};
use bytes::Bytes;
use http::Method;
use landfall_crypto::ambient::Ambient;
use landfall_crypto::csr::build_csr;
use landfall_crypto::key::KeyPair;
use landfall_identity::workload::{KEYS_PER_POD_AND_HOUR, TOKEN_LIFETIME_MAX};
use landfall_protocol::paths;
use landfall_test_support::{PlatformServer, TokenKey};
use rusqlite::{Connection as Database, params};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The server's database, in its data directory.
const DATABASE: &str = "landfall.db";
/// What the cluster's tokens are made for.
const AUDIENCE: &str = "bench";

/// A cluster whose word the server takes, and what its pods will ask.
pub struct Cluster {
    requests: Vec<Bytes>,
    next: AtomicUsize,
    /// It answers as long as it is held.
    _platform: PlatformServer,
}

/// Adds a cluster to the server's database, as an administrator would, and makes `count` requests.
pub async fn cluster(data: &Path, server: &Server, count: usize) -> Result<Arc<Cluster>> {
    let platform = PlatformServer::start().await?;
    let key = TokenKey::rs256("bench")?;
    platform.publish(&[&key]);
    let now = Ambient::system().now();
    let issuer = platform.issuer();
    let definition = json!({ "name": "bench", "platform": "kubernetes", "issuer": issuer,
        "audience": AUDIENCE, "authority_pem": platform.certificate_pem });
    let database = Database::open(data.join(DATABASE))?;
    database.busy_timeout(Duration::from_secs(10))?;
    database.execute(
        "INSERT INTO workload_issuers (tenant, name, issuer, definition, added_by, added_at) \
         VALUES (?1, 'bench', ?2, ?3, ?4, ?5)",
        params![
            server.claim.payload.tenant.as_str(),
            issuer,
            definition.to_string(),
            "spiffe://landfall.local/tenant/home/user/bench/device/bench",
            now.millis(),
        ],
    )?;
    let pods = count.div_ceil(KEYS_PER_POD_AND_HOUR as usize);
    let requests = make(&key, &issuer, now.seconds(), pods)?;
    Ok(Arc::new(Cluster { requests, next: AtomicUsize::new(0), _platform: platform }))
}

/// On all processors, a share of the pods each.
fn make(key: &TokenKey, issuer: &str, now: i64, pods: usize) -> Result<Vec<Bytes>> {
    let threads = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| {
        let share = |thread: usize| {
            let mine = (0..pods).filter(move |pod| pod % threads == thread);
            let each = mine.map(|pod| requests_of(key, issuer, now, pod));
            Ok(each.collect::<Result<Vec<_>>>()?.concat())
        };
        let workers: Vec<_> =
            (0..threads).map(|thread| scope.spawn(move || share(thread))).collect();
        let mut all: Vec<Bytes> = Vec::new();
        for worker in workers {
            let made: Result<Vec<Bytes>> =
                worker.join().ok().context("a thread that made requests ended early")?;
            all.extend(made?);
        }
        Ok(all)
    })
}

/// What one pod asks: the same token, another key each time.
fn requests_of(key: &TokenKey, issuer: &str, now: i64, pod: usize) -> Result<Vec<Bytes>> {
    let lifetime = i64::try_from(TOKEN_LIFETIME_MAX.0)?;
    let token = key.sign(&json!({
        "iss": issuer, "aud": [AUDIENCE], "iat": now, "nbf": now, "exp": now + lifetime,
        "sub": "system:serviceaccount:bench:bench",
        "kubernetes.io": { "namespace": "bench", "pod": { "name": "bench", "uid": format!("pod-{pod}") },
            "serviceaccount": { "name": "bench", "uid": "account" } },
    }))?;
    let one = |_| {
        let csr = build_csr(&KeyPair::generate()?)?;
        let csr = pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", csr));
        Ok(Bytes::from(serde_json::to_vec(&json!({ "token": token, "csr": csr }))?))
    };
    (0..KEYS_PER_POD_AND_HOUR).map(one).collect()
}

/// Exchanges, until the span is over or no request is left.
pub async fn exchanges(
    server: &Server,
    cluster: &Arc<Cluster>,
    clients: usize,
    span: Duration,
) -> Result<Figures> {
    let mut ready: Vec<(Arc<Cluster>, Connection)> = Vec::new();
    for _ in 0..clients {
        ready.push((Arc::clone(cluster), server.site.connect(None).await?));
    }
    load::run(ready, span, |(cluster, mut connection)| async move {
        let next = cluster.next.fetch_add(1, Ordering::Relaxed);
        let Some(request) = cluster.requests.get(next).cloned() else {
            return Ok(((cluster, connection), false));
        };
        connection.send(Method::POST, paths::WORKLOAD_EXCHANGE, Some(request)).await?;
        Ok(((cluster, connection), true))
    })
    .await
}
