//! Single facts of a server, and its sealed keys.

use super::migrations::MIGRATIONS;
use super::{StoreError, Tx, params};
use landfall_identity::Timestamp;
use std::cmp::Ordering;

/// The trust domain, fixed at first start.
pub const TRUST_DOMAIN: &str = "trust_domain";
/// The relying party of passkeys, fixed at the first one.
pub const RP_ID: &str = "rp_id";
/// The address that the server took when it last started.
pub const PUBLIC_URL: &str = "public_url";
/// The latest time that this server has seen, in milliseconds.
pub const HIGH_WATER: &str = "high_water";

/// The time that the clock should have shown when it jumped, in milliseconds; empty, or absent, while
/// the clock is believed.
const CLOCK_JUMPED: &str = "clock_jumped";

/// Whether the tables are those of this build.
///
/// # Errors
/// [`StoreError::Older`], [`StoreError::Newer`]; [`StoreError`] from the database.
pub async fn is_of_this_build(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let newest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    let found =
        tx.one("SELECT MAX(version) FROM _sqlx_migrations WHERE success", params![]).await?;
    let found: i64 = found.map(|row| row.get(0)).transpose()?.unwrap_or(0);
    match found.cmp(&newest) {
        Ordering::Less => Err(StoreError::Older(found)),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(StoreError::Newer(found)),
    }
}

/// Where waits stand still, when the clock jumped and no operator has confirmed it since.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn waits_stand_at(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, StoreError> {
    let text = get(tx, CLOCK_JUMPED).await?.unwrap_or_default();
    match text.as_str() {
        "" => Ok(None),
        text => {
            let millis = text.parse().map_err(|_| StoreError::Shape { column: 0 })?;
            Ok(Some(Timestamp::from_millis(millis)))
        }
    }
}

/// Lets waits stand still at `at`, or go on.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn set_waits(tx: &mut Tx<'_>, at: Option<Timestamp>) -> Result<(), StoreError> {
    let text = at.map(|at| at.millis().to_string()).unwrap_or_default();
    set(tx, CLOCK_JUMPED, &text).await
}

/// One fact.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn get(tx: &mut Tx<'_>, key: &'static str) -> Result<Option<String>, StoreError> {
    let row = tx.one("SELECT value FROM meta WHERE key = $1", params![key]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// Sets a fact.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn set(tx: &mut Tx<'_>, key: &'static str, value: &str) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO meta (key, value) VALUES ($1, $2)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        params![key, value],
    )
    .await?;
    Ok(())
}

/// A key sealed under the master key, and its certificate if it has one.
#[derive(Clone)]
pub struct SealedKey {
    /// What it is for.
    pub name: String,
    /// The sealed PKCS#8.
    pub sealed: Vec<u8>,
    /// Its certificate, DER.
    pub certificate: Option<Vec<u8>>,
}

/// Every sealed key.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn sealed_keys(tx: &mut Tx<'_>) -> Result<Vec<SealedKey>, StoreError> {
    let rows = tx
        .all("SELECT name, sealed, certificate FROM sealed_keys ORDER BY name", params![])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(SealedKey { name: row.get(0)?, sealed: row.get(1)?, certificate: row.get(2)? })
        })
        .collect()
}

/// Keeps a sealed key. A name is given once.
///
/// # Errors
/// [`StoreError`] from the database, also when the name is taken.
pub async fn insert_sealed_key(
    tx: &mut Tx<'_>,
    key: &SealedKey,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO sealed_keys (name, sealed, certificate, created_at) VALUES ($1, $2, $3, $4)",
        params![key.name.as_str(), key.sealed.as_slice(), key.certificate.as_deref(), now],
    )
    .await?;
    Ok(())
}

/// Puts another sealed key and certificate in the place of one that is kept.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn replace_sealed_key(tx: &mut Tx<'_>, key: &SealedKey) -> Result<(), StoreError> {
    tx.run(
        "UPDATE sealed_keys SET sealed = $2, certificate = $3 WHERE name = $1",
        params![key.name.as_str(), key.sealed.as_slice(), key.certificate.as_deref()],
    )
    .await?;
    Ok(())
}
