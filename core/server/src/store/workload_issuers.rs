//! Platforms whose word is taken, besides those of the configuration.

use super::{Row, StoreError, Tx, params};
use landfall_identity::workload::{IssuerName, WorkloadIssuer};
use landfall_identity::{SpiffeId, TenantName, Timestamp};

/// An issuer that somebody added.
#[derive(Debug, Clone)]
pub struct AddedIssuer {
    /// What was written down.
    pub issuer: WorkloadIssuer,
    /// By whom.
    pub added_by: SpiffeId,
    /// When.
    pub added_at: Timestamp,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT definition, added_by, added_at FROM workload_issuers WHERE tenant = $1 ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<AddedIssuer, StoreError> {
    let text: String = row.get(0)?;
    let issuer = serde_json::from_str(&text).map_err(|_| StoreError::Shape { column: 0 })?;
    Ok(AddedIssuer { issuer, added_by: row.parse(1)?, added_at: row.get(2)? })
}

/// Keeps an issuer. Name and URL are given once.
///
/// # Errors
/// [`StoreError`] from the database, also when either is taken.
pub async fn insert(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    added: &AddedIssuer,
) -> Result<(), StoreError> {
    let issuer = &added.issuer;
    let text = serde_json::to_string(issuer).map_err(|_| StoreError::Shape { column: 0 })?;
    tx.run(
        "INSERT INTO workload_issuers (tenant, name, issuer, definition, added_by, added_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![
            tenant.as_str(),
            issuer.name.as_str(),
            issuer.issuer.as_str(),
            text,
            added.added_by.to_string(),
            added.added_at,
        ],
    )
    .await?;
    Ok(())
}

/// The issuer whose tokens say `url`.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn by_url(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    url: &str,
) -> Result<Option<AddedIssuer>, StoreError> {
    let row = tx.one(select!("AND issuer = $2"), params![tenant.as_str(), url]).await?;
    row.as_ref().map(read).transpose()
}

/// The issuer of that name.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    name: &IssuerName,
) -> Result<Option<AddedIssuer>, StoreError> {
    let row = tx.one(select!("AND name = $2"), params![tenant.as_str(), name.as_str()]).await?;
    row.as_ref().map(read).transpose()
}

/// How many there are.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count(tx: &mut Tx<'_>, tenant: &TenantName) -> Result<u32, StoreError> {
    let sql = "SELECT COUNT(*) FROM workload_issuers WHERE tenant = $1";
    tx.one(sql, params![tenant.as_str()]).await?.map_or(Ok(0), |row| row.get(0))
}

/// Those after `after`, by name.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    after: &str,
    limit: u32,
) -> Result<Vec<AddedIssuer>, StoreError> {
    let sql = select!("AND name > $2 ORDER BY name LIMIT $3");
    let rows = tx.all(sql, params![tenant.as_str(), after, limit]).await?;
    rows.iter().map(read).collect()
}

/// Takes one away. Tells whether there was one.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn remove(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    name: &IssuerName,
) -> Result<bool, StoreError> {
    let sql = "DELETE FROM workload_issuers WHERE tenant = $1 AND name = $2";
    Ok(tx.run(sql, params![tenant.as_str(), name.as_str()]).await? == 1)
}
