//! What the owners of accounts must hear of.

use super::{Row, StoreError, Tx, params};
use landfall_identity::id::NoticeId;
use landfall_identity::notice::{By, Happening, Notice};
use landfall_identity::{TenantName, Timestamp, UserName};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Adds a notice.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert(tx: &mut Tx<'_>, notice: &Notice) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO notices (id, tenant, user_name, at, kind, what, by_whom, source)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            notice.id.as_str(),
            notice.tenant.as_str(),
            notice.user.as_str(),
            notice.at,
            notice.what.kind(),
            written(&notice.what)?,
            written(&notice.by)?,
            notice.source.as_deref(),
        ],
    )
    .await?;
    Ok(())
}

/// A page of a user's notices, newest first, before `before`.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    before: (Timestamp, &str),
    limit: u32,
) -> Result<Vec<Notice>, StoreError> {
    let rows = tx
        .all(
            "SELECT id, tenant, user_name, at, what, by_whom, source FROM notices
             WHERE tenant = $1 AND user_name = $2 AND (at < $3 OR (at = $3 AND id < $4))
             ORDER BY at DESC, id DESC LIMIT $5",
            params![tenant.as_str(), user.as_str(), before.0, before.1, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// The notice of this identifier.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(tx: &mut Tx<'_>, id: &NoticeId) -> Result<Option<Notice>, StoreError> {
    let row = tx
        .one(
            "SELECT id, tenant, user_name, at, what, by_whom, source FROM notices WHERE id = $1",
            params![id.as_str()],
        )
        .await?;
    row.as_ref().map(read).transpose()
}

/// Forgets where a user's notices came from.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn erase_sources(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE notices SET source = NULL
         WHERE tenant = $1 AND user_name = $2 AND source IS NOT NULL",
        params![tenant.as_str(), user.as_str()],
    )
    .await?;
    Ok(())
}

pub(super) fn read(row: &Row) -> Result<Notice, StoreError> {
    Ok(Notice {
        id: row.parse(0)?,
        tenant: row.parse(1)?,
        user: row.parse(2)?,
        at: row.get(3)?,
        what: facts::<Happening>(row, 4)?,
        by: facts::<By>(row, 5)?,
        source: row.get(6)?,
    })
}

fn facts<T: DeserializeOwned>(row: &Row, column: usize) -> Result<T, StoreError> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|_| StoreError::Shape { column })
}

fn written<T: Serialize>(facts: &T) -> Result<String, StoreError> {
    serde_json::to_string(facts).map_err(|_| StoreError::Shape { column: 0 })
}
