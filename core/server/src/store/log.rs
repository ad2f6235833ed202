//! The write-ahead log: emptied beside the writer, never by a commit that somebody waits for.
//!
//! By itself SQLite copies the log into the database file within the commit that filled it, with two
//! more syncs of the disk. Here a thread with a connection of its own does the copying while the
//! writer goes on. The log begins anew only when all of it has been copied, so the writer copies the
//! little that came meanwhile, between two batches.

use super::StoreError;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Jobs after which the log is copied: a few MiB of pages, most of them several times over.
const COPY_EVERY: u64 = 512;
/// Jobs that may be written before a copy begins, and again while it is under way. Then the writer
/// waits: a disk that cannot follow must not fill up with the log.
const AHEAD_MAX: u64 = 4 * COPY_EVERY;

#[derive(Default)]
struct State {
    /// Jobs written since the last copy began.
    jobs: u64,
    copying: bool,
    /// The writer may bring the log to its end.
    nearly_empty: bool,
    stopping: bool,
}

/// What the writer and the copying thread know of the log.
#[derive(Default)]
pub(super) struct Log {
    state: Mutex<State>,
    changed: Condvar,
}

impl Log {
    /// The writer has committed so many jobs.
    pub(super) fn wrote(&self, jobs: u64) {
        let mut state = self.lock();
        state.jobs += jobs;
        if state.jobs >= COPY_EVERY && !state.copying {
            self.changed.notify_all();
        }
    }

    /// Called by the writer between two batches: begins the log anew when it is nearly empty, and
    /// waits when it is far too full.
    pub(super) fn keep_short(&self, connection: &rusqlite::Connection) {
        let mut state = self.lock();
        while state.jobs >= AHEAD_MAX {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let nearly_empty = std::mem::take(&mut state.nearly_empty);
        drop(state);
        if nearly_empty && let Err(error) = copy(connection) {
            tracing::warn!(%error, "the database's log was not emptied");
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is something to copy; false when it is time to stop.
    fn begin(&self) -> bool {
        let mut state = self.lock();
        while state.jobs < COPY_EVERY && !state.stopping {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.jobs = 0;
        state.copying = !state.stopping;
        state.copying
    }

    fn end(&self, copied: bool) {
        let mut state = self.lock();
        state.copying = false;
        state.nearly_empty |= copied;
        self.changed.notify_all();
    }
}

/// The copying thread.
pub(super) struct Copier {
    log: Arc<Log>,
    thread: JoinHandle<()>,
}

impl Copier {
    /// Opens a connection of its own and starts.
    pub(super) fn start(path: &Path, log: Arc<Log>, busy: Duration) -> Result<Self, StoreError> {
        let connection = rusqlite::Connection::open(path)?;
        connection.busy_timeout(busy)?;
        // What leaves the log must be as durable in the file as it was in the log.
        connection.pragma_update(None, "synchronous", "FULL")?;
        let shared = Arc::clone(&log);
        let thread = std::thread::Builder::new()
            .name("store-log".into())
            .spawn(move || {
                while shared.begin() {
                    let copied = copy(&connection);
                    if let Err(error) = &copied {
                        tracing::warn!(%error, "the database's log was not copied");
                    }
                    shared.end(copied.is_ok());
                }
            })
            .map_err(|_| StoreError::Stopped)?;
        Ok(Self { log, thread })
    }

    /// Ends the thread and closes its connection. Called when the writer has gone.
    pub(super) fn stop(self) {
        self.log.lock().stopping = true;
        self.log.changed.notify_all();
        // A panic in there has been reported by the thread itself.
        let _ = self.thread.join();
    }
}

/// Copies what no reader still needs where it is, without making anybody wait.
fn copy(connection: &rusqlite::Connection) -> Result<(), StoreError> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Lane, Store, Tx, params};

    /// A page of its own for every job: nothing in the log is written twice.
    const VALUE: [u8; 4000] = [0x5A; 4000];

    #[tokio::test]
    async fn the_log_stays_short_under_load_and_loses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("landfall.db");
        let store = Store::open(&path).await.unwrap();
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE pages (value BLOB)").unwrap();
        drop(connection);
        let jobs = 5 * AHEAD_MAX;
        let mut log_max = 0;
        for round in 0..jobs / 64 {
            let insert = async |tx: &mut Tx<'_>| {
                Ok(tx.run("INSERT INTO pages VALUES ($1)", params![VALUE.as_slice()]).await?)
            };
            let nothing = async |_: &mut Tx<'_>, _: &_| Ok(());
            let batch = (0..64).map(|_| store.write(Lane::Known, insert, nothing));
            for done in futures::future::join_all(batch).await {
                done.unwrap();
            }
            if round % 8 == 0 {
                log_max = log_max
                    .max(std::fs::metadata(dir.path().join("landfall.db-wal")).unwrap().len());
            }
        }
        // A job here is one page; a batch adds a few.
        let allowed = 3 * AHEAD_MAX * 4096;
        assert!(log_max < allowed, "the log grew to {log_max} bytes");
        store.close().await;
        let connection = rusqlite::Connection::open(&path).unwrap();
        let count: i64 =
            connection.query_row("SELECT COUNT(*) FROM pages", [], |row| row.get(0)).unwrap();
        assert_eq!(count.unsigned_abs(), jobs);
    }
}
