//! What every node must cut. Written in the transaction of the revocation, polled by all nodes.

use super::{StoreError, Tx, params};
use landfall_identity::Timestamp;

/// The most that one poll takes.
const POLL_MAX: u32 = 1000;

/// Says that connections of a key must end.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn append(tx: &mut Tx<'_>, thumbprint: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.run("INSERT INTO changes (thumbprint, at) VALUES ($1, $2)", params![thumbprint, now])
        .await?;
    Ok(())
}

/// The newest change's number; zero when there is none.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn latest(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let row = tx.one("SELECT COALESCE(MAX(seq), 0) FROM changes", params![]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Changes after number `seq`, oldest first.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn after(tx: &mut Tx<'_>, seq: i64) -> Result<Vec<(i64, String)>, StoreError> {
    let rows = tx
        .all(
            "SELECT seq, thumbprint FROM changes WHERE seq > $1 ORDER BY seq LIMIT $2",
            params![seq, POLL_MAX],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Removes changes that every connection has outlived.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn prune(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, StoreError> {
    tx.run("DELETE FROM changes WHERE at < $1", params![before]).await
}
