//! All SQL. Nothing outside names a table; nothing here names a wire type.

mod exchange;
mod glance;
mod log;
mod migrations;
mod tx;
mod value;
mod writer;

pub mod addresses;
pub mod agent_approvals;
pub mod agent_codes;
pub mod agent_pairings;
pub mod agent_tokens;
pub mod agents;
pub mod archive;
pub mod audit;
pub mod audit_list;
pub mod audit_log;
pub mod audit_scan;
pub mod ceremonies;
pub mod changes;
pub mod drills;
pub mod enrollments;
pub mod exposure;
pub mod freeze_links;
pub mod guardians;
pub mod holdings;
pub mod links;
pub mod meta;
pub mod notices;
pub mod outbox;
pub mod passkeys;
pub mod policies;
pub mod provisioned;
pub mod recoveries;
pub mod recovery_codes;
pub mod recovery_mails;
pub mod recovery_plans;
pub mod secrets;
pub mod sessions;
pub mod stale;
pub mod strangers;
pub mod suspensions;
pub mod tokens;
pub mod users;
pub mod waits;
pub mod workload_issuers;
pub mod workload_uses;

pub use tx::Tx;
pub(crate) use value::params;
pub use value::{FromValue, Row, Value};
pub use writer::{Lane, WriterStats};

use crate::failure::Failure;
use migrations::MIGRATIONS;
use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, SqliteConnection, SqlitePool};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Readers of the embedded database. Two cores serve no more at once.
const READERS: u32 = 4;
/// How long a statement waits for another process (the operator's commands) to finish.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What can go wrong below the use cases.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The writer's driver.
    #[error("database: {0}")]
    Writer(rusqlite::Error),
    /// The readers' driver.
    #[error("database: {0}")]
    Reader(sqlx::Error),
    /// The file is no database any more, or parts of it are none.
    #[error(
        "the database is damaged ({0}). Stop the server, and keep a copy of the whole data directory as it is. \
         Then put landfall.db back from your backup, and take the files landfall.db-wal and landfall.db-shm \
         away from beside it. Keep audit.pub and today's audit-checkpoints.jsonl: landfall-server audit verify \
         shows with them what the backup lacks"
    )]
    Damaged(String),
    /// The file.
    #[error("the database file cannot be used: {0}; check who owns it and that the disk has room")]
    File(#[from] std::io::Error),
    /// A newer build has worked on it.
    #[error(
        "a newer landfall-server has worked on it (its tables are of version {0}, which this build \
         does not know); install that version or a later one. Nothing was changed"
    )]
    Newer(i64),
    /// An older build has worked on it, and this one has not yet.
    #[error(
        "an older landfall-server wrote it last, and this one has not brought it up to date (its tables \
         are of version {0}); stop the server, then run: landfall-server migrate. Nothing was changed"
    )]
    Older(i64),
    /// The migrations.
    #[error("migration: {0}")]
    Migration(MigrateError),
    /// A statement and its parameters do not fit.
    #[error("parameters do not fit: {sql}")]
    Parameters {
        /// The statement.
        sql: &'static str,
    },
    /// A column holds what we never wrote.
    #[error("column {column} holds something else")]
    Shape {
        /// Counted from zero.
        column: usize,
    },
    /// A reader was asked to write.
    #[error("readers do not write")]
    ReadOnly,
    /// The batch could not be made durable.
    #[error("the batch did not commit")]
    NotCommitted,
    /// A glance waited for something.
    #[error("a look at a row waited")]
    Waited,
    /// The queue is full.
    #[error("the queue is full")]
    Full,
    /// The writer is gone.
    #[error("the writer has stopped")]
    Stopped,
}

impl StoreError {
    /// Whether a column held what we never wrote: somebody edited the file.
    pub fn is_content(&self) -> bool {
        matches!(
            self,
            Self::Shape { .. }
                | Self::Reader(sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_))
        )
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Damaged(error.to_string()),
            _ => Self::Writer(error),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_damage(&error) { Self::Damaged(error.to_string()) } else { Self::Reader(error) }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(version) => Self::Newer(version),
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)
                if is_damage(&error) =>
            {
                Self::Damaged(error.to_string())
            }
            other => Self::Migration(other),
        }
    }
}

/// Whether SQLite says that the file is not what it wrote: `SQLITE_CORRUPT` and `SQLITE_NOTADB`, of whose
/// numbers the extended codes keep the last byte.
fn is_damage(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    let code = code.and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 11 | 26))
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Busy,
            StoreError::NotCommitted | StoreError::Stopped => Self::Unavailable,
            other => Self::internal(other),
        }
    }
}

/// A statement that was compiled once serves whatever values are bound. Otherwise SQLite compiles each
/// statement with a bound `LIMIT` anew whenever it is used, in the hope of a better plan; ours have one.
fn keep_plans(connection: &rusqlite::Connection) -> Result<(), StoreError> {
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// The database: many readers, one writer.
#[derive(Clone)]
pub struct Store {
    readers: SqlitePool,
    glances: Arc<glance::Glances>,
    writer: writer::Writer,
}

impl Store {
    /// Opens the embedded database at `path`, making it when it is not there, readable by its owner
    /// alone, and brings its tables up to this build.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be opened or a migration fails; [`StoreError::Newer`] when a
    /// newer build has worked on it.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        crate::directory::make_private(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let mut migrating = SqliteConnection::connect_with(&options).await?;
        MIGRATIONS.run(&mut migrating).await?;
        migrating.close().await?;
        // A reader that wrote would meet the writer half-way (`RETURNING` makes it easy to miss).
        let reading = options.create_if_missing(false).pragma("query_only", "ON");
        let readers =
            SqlitePoolOptions::new().max_connections(READERS).connect_with(reading).await?;
        let writer = writer::Writer::start(path, BUSY_TIMEOUT)?;
        let glances = Arc::new(glance::Glances::new(path, BUSY_TIMEOUT));
        Ok(Self { readers, glances, writer })
    }

    /// Reads outside any transaction of the writer. What gates a write is read inside it instead.
    ///
    /// # Errors
    /// Whatever `work` answers.
    pub async fn read<T>(
        &self,
        work: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.readers.acquire().await?;
        work(&mut Tx::Reader(&mut connection)).await
    }

    /// Looks at a row or two by their keys, on this very thread: what a request needs before its write
    /// is queued. Lists belong into [`Store::read`].
    ///
    /// # Errors
    /// Whatever `work` answers; it may wait for nothing.
    pub fn glance<T>(
        &self,
        work: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.glances.glance(work)
    }

    /// Runs `work` in the writer's next batch. Its effects stand, and this answers, only after the
    /// batch is on disk. When `work` fails its effects are undone; `record` still runs, with the
    /// result in hand, and what it writes stays: the refusal in the audit.
    ///
    /// # Errors
    /// What `work` answers, or [`Failure::Busy`] / [`Failure::Unavailable`] when nothing was done.
    pub async fn write<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl AsyncFn(&mut Tx<'_>) -> Result<T, Failure> + Send + 'static,
        record: impl AsyncFn(&mut Tx<'_>, &Result<T, Failure>) -> Result<(), StoreError>
        + Send
        + 'static,
    ) -> Result<T, Failure> {
        self.writer.submit(lane, work, record).await
    }

    /// What the writer has done so far, for `/metrics`.
    pub fn writer_stats(&self) -> WriterStats {
        self.writer.stats()
    }

    /// Whether the newest write could not be made durable: the disk is full, or failed. The next one that
    /// can takes this back.
    pub fn is_failing(&self) -> bool {
        self.writer.is_failing()
    }

    /// Finishes what is queued and closes the file.
    pub async fn close(self) {
        self.writer.stop().await;
        self.glances.close();
        self.readers.close().await;
    }
}
