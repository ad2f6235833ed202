//! Tokens by the ten thousand, written straight into the database, and what redeems them.
//!
//! Minting one takes a person's touch, which is not what is measured here; redeeming one is. So the
//! rows are made as the server would make them, and everything from there on goes through the door.
//! Keys and requests of the new machines are made here as well, before any clock runs: the clients
//! share the processors with the server.

use crate::server::Server;
use crate::work;
use anyhow::{Context, Result};
use bytes::Bytes;
use landfall_crypto::ambient::Ambient;
use landfall_crypto::csr::build_csr;
use landfall_crypto::door::DoorSecret;
use landfall_crypto::key::KeyPair;
use landfall_identity::Timestamp;
use landfall_identity::id::TokenId;
use landfall_identity::token::DEVICE_TTL_MAX;
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// The server's database, in its data directory.
const DATABASE: &str = "landfall.db";

/// One machine that has a token and is not enrolled yet.
pub struct Newcomer {
    /// Its key.
    pub key: KeyPair,
    /// Its request for a first certificate.
    pub request: Bytes,
    token: TokenId,
    auth_hash: [u8; 32],
}

/// Claims the server for the user `bench`, and makes `count` device tokens of that user.
pub async fn newcomers(data: &Path, server: &Server, count: usize) -> Result<Vec<Newcomer>> {
    work::claim(server).await?;
    let newcomers = make(count)?;
    let tenant = server.claim.payload.tenant.as_str();
    keep(&data.join(DATABASE), tenant, &newcomers)?;
    Ok(newcomers)
}

/// A new key's request for its first certificate.
pub fn asking(key: &KeyPair, token: &str, auth: &str) -> Result<Value> {
    let csr = pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", build_csr(key)?));
    Ok(json!({ "token_id": token, "auth": auth, "csr": csr }))
}

/// On all processors: a hundred thousand keys take a while on one.
fn make(count: usize) -> Result<Vec<Newcomer>> {
    let threads = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| {
        let each = count.div_ceil(threads);
        let work = move || (0..each).map(|_| newcomer()).collect::<Result<Vec<_>>>();
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::with_capacity(each * threads);
        for worker in workers {
            all.extend(worker.join().ok().context("a thread that made keys ended early")??);
        }
        Ok(all)
    })
}

fn newcomer() -> Result<Newcomer> {
    let ambient = Ambient::system();
    let secret = DoorSecret::generate(ambient.random.as_ref());
    let token = TokenId::from_bits(ambient.random());
    let key = KeyPair::generate()?;
    let body = asking(&key, token.as_str(), &secret.auth().to_text())?;
    let request = Bytes::from(serde_json::to_vec(&body)?);
    Ok(Newcomer { key, request, token, auth_hash: *secret.auth().hash().as_bytes() })
}

fn keep(database: &Path, tenant: &str, newcomers: &[Newcomer]) -> Result<()> {
    let now: Timestamp = Ambient::system().now();
    let mut database = Connection::open(database)?;
    database.busy_timeout(Duration::from_secs(10))?;
    let all = database.transaction()?;
    for (number, newcomer) in newcomers.iter().enumerate() {
        all.prepare_cached(
            "INSERT INTO tokens (id, tenant, kind, user_name, device, role, auth_hash, state, \
             issued_at, expires_at) \
             VALUES (?1, ?2, 'device', 'bench', ?3, 'member', ?4, 'issued', ?5, ?6)",
        )?
        .execute(params![
            newcomer.token.as_str(),
            tenant,
            format!("bench-{number}"),
            newcomer.auth_hash.as_slice(),
            now.millis(),
            (now + DEVICE_TTL_MAX).millis(),
        ])?;
    }
    Ok(all.commit()?)
}
