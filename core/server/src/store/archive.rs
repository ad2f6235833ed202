//! The operator's commands on a database, beside a running server: looking at it without touching it,
//! and folding its log.

use super::{BUSY_TIMEOUT, StoreError, Tx, meta};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use std::path::Path;

/// Reads the database at `path` as it is at one instant: a server that goes on writing beside is not
/// seen. No table is made and none is changed.
///
/// # Errors
/// [`StoreError`] when there is no such database, or from `work`.
pub async fn snapshot<T>(
    path: &Path,
    work: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("query_only", "ON");
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let mut snapshot = connection.begin().await?;
    let result = work(&mut Tx::Reader(&mut snapshot)).await;
    snapshot.rollback().await?;
    connection.close().await?;
    result
}

/// As [`snapshot`], of a database whose tables are this build's.
///
/// # Errors
/// As [`snapshot`]; [`StoreError::Older`] and [`StoreError::Newer`] when another build has worked on it.
pub async fn snapshot_of_this_build<T>(
    path: &Path,
    work: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    snapshot(path, async |tx: &mut Tx<'_>| {
        meta::is_of_this_build(tx).await?;
        work(tx).await
    })
    .await
}

/// Folds the database's log into the database and empties it: what was erased leaves no copy there.
/// Tells whether it could; a reader of a running server may be in the way.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn fold_log(path: &Path) -> Result<bool, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(BUSY_TIMEOUT);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let busy: i64 =
        sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(busy == 0)
}
