//! Glances: a row or two by key, read on the thread that asks.
//!
//! A request looks at its token or its enrolment before its write is queued. The readers' library
//! would hand the statement to another thread and the row back: two hand-overs that cost several
//! times the look itself. SQLite answers it from the page cache in microseconds, and in WAL mode
//! neither waits for the writer nor makes it wait.

use super::{StoreError, Tx};
use futures::FutureExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Connections at rest. There are no more than threads that ask at once.
pub(super) struct Glances {
    path: PathBuf,
    busy: Duration,
    idle: Mutex<Vec<rusqlite::Connection>>,
}

impl Glances {
    /// None open yet.
    pub(super) fn new(path: &Path, busy: Duration) -> Self {
        Self { path: path.to_owned(), busy, idle: Mutex::default() }
    }

    pub(super) fn glance<T>(
        &self,
        work: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = self.idle().pop();
        let mut connection = idle.map_or_else(|| self.open(), Ok)?;
        let seen = work(&mut Tx::Glance(&mut connection)).now_or_never();
        self.idle().push(connection);
        seen.unwrap_or(Err(StoreError::Waited))
    }

    /// Closes what is open.
    pub(super) fn close(&self) {
        self.idle().clear();
    }

    fn open(&self) -> Result<rusqlite::Connection, StoreError> {
        let connection = rusqlite::Connection::open(&self.path)?;
        connection.busy_timeout(self.busy)?;
        connection.pragma_update(None, "query_only", "ON")?;
        super::keep_plans(&connection)?;
        Ok(connection)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<rusqlite::Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Lane, Store, params};

    #[tokio::test]
    async fn a_glance_sees_what_was_just_made_durable_and_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("landfall.db")).await.unwrap();
        for value in ["one", "two"] {
            let work = async move |tx: &mut Tx<'_>| {
                let sql = "INSERT INTO meta (key, value) VALUES ('k', $1)
                           ON CONFLICT (key) DO UPDATE SET value = excluded.value";
                Ok(tx.run(sql, params![value]).await?)
            };
            store.write(Lane::Known, work, async |_: &mut Tx<'_>, _: &_| Ok(())).await.unwrap();
            let look = async |tx: &mut Tx<'_>| {
                tx.one("SELECT value FROM meta WHERE key = $1", params!["k"]).await
            };
            let seen: String = store.glance(look).unwrap().unwrap().get(0).unwrap();
            assert_eq!(seen, value);
        }
        let erase = async |tx: &mut Tx<'_>| tx.run("DELETE FROM meta", &[]).await;
        assert!(matches!(store.glance(erase), Err(StoreError::ReadOnly)));
        let erase = async |tx: &mut Tx<'_>| tx.all("DELETE FROM meta RETURNING key", &[]).await;
        assert!(store.glance(erase).is_err());
    }
}
