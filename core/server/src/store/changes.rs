//! What every node must cut. Written in the transaction of the revocation, polled by all nodes.

use super::{StoreError, Tx, params};
use landfall_identity::Timestamp;
use landfall_identity::id::NodeId;

/// The most that one poll takes.
const POLL_MAX: u32 = 1000;

/// Says to all other nodes that connections of a key must end; `node` ends its own itself.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn append(
    tx: &mut Tx<'_>,
    thumbprint: &str,
    node: &NodeId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO changes (thumbprint, node, at) VALUES ($1, $2, $3)",
        params![thumbprint, node.as_str(), now],
    )
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

/// What other nodes wrote after number `seq`, oldest first. A node's own rows would only cut the
/// connections that were made since, and were told the reason already.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn after(
    tx: &mut Tx<'_>,
    seq: i64,
    node: &NodeId,
) -> Result<Vec<(i64, String)>, StoreError> {
    let rows = tx
        .all(
            "SELECT seq, thumbprint FROM changes WHERE seq > $1 AND node <> $2
             ORDER BY seq LIMIT $3",
            params![seq, node.as_str(), POLL_MAX],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
