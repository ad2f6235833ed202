//! SQLite's write path: one thread, one connection, group commit.
//!
//! Each sqlx statement costs two hand-overs between threads, so the writer speaks to SQLite directly.
//! The law of the batch: a savepoint per job, one fsync for all, an answer only after COMMIT. A job
//! that fails loses its act and keeps its refusal; its neighbours notice nothing; later jobs see
//! earlier ones. If COMMIT fails nobody in the batch gets a yes.

use super::log::{Copier, Log};
use super::{StoreError, Tx};
use crate::failure::Failure;
use futures::FutureExt;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The most jobs in one batch.
const BATCH_MAX: usize = 128;
/// The longest a batch collects work before it commits.
const BATCH_WORK_MAX: Duration = Duration::from_millis(2);
/// Memory for pages, in KiB. An enrolment touches a dozen pages all over the indexes; what is not held
/// is read again. Not much more: after a page was split SQLite looks through all of it at the commit.
const CACHE: i64 = 4 * 1024;
/// How long a batch waits for company before it commits, when the one before had some.
const LINGER: Duration = Duration::from_micros(500);
/// Jobs of known principals that may wait.
const KNOWN_MAX: usize = 4096;
/// Jobs of strangers that may wait: a flood of them must not stand in front of honest people.
const STRANGERS_MAX: usize = 256;
/// While both wait, every so many-th job is a stranger's: a first enrolment comes through
/// the busiest hour, and a flood of strangers takes a quarter of the work and no more.
const STRANGERS_TURN: usize = 4;

/// Who waits in which queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// A principal we know, or the server itself.
    Known,
    /// Anybody else.
    Stranger,
}

/// Counters of the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterStats {
    /// Jobs that were made durable.
    pub jobs: u64,
    /// Batches that were committed.
    pub batches: u64,
    /// Jobs that were turned away because a queue was full.
    pub turned_away: u64,
}

/// A job in the queue: run once inside the batch, then told how the batch ended.
trait Job: Send {
    fn run(&mut self, connection: &mut rusqlite::Connection) -> Result<(), StoreError>;
    fn settle(self: Box<Self>, committed: bool);
}

#[derive(Default)]
struct Queues {
    known: VecDeque<Box<dyn Job>>,
    strangers: VecDeque<Box<dyn Job>>,
    /// Counts the jobs taken, through all batches: a short one must not always end before the turn.
    taken: usize,
    /// Jobs that must wait before the writer is woken.
    wanted: usize,
    stopping: bool,
}

impl Queues {
    fn take(&mut self) -> Option<Box<dyn Job>> {
        self.taken = self.taken.wrapping_add(1);
        let (first, second) = match self.taken.is_multiple_of(STRANGERS_TURN) {
            true => (&mut self.strangers, &mut self.known),
            false => (&mut self.known, &mut self.strangers),
        };
        first.pop_front().or_else(|| second.pop_front())
    }

    fn len(&self) -> usize {
        self.known.len() + self.strangers.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[derive(Default)]
struct Shared {
    queues: Mutex<Queues>,
    wake: Condvar,
    log: Arc<Log>,
    jobs: AtomicU64,
    batches: AtomicU64,
    turned_away: AtomicU64,
    /// Whether the newest batch could not be made durable.
    failing: AtomicBool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queues> {
        // A job that panics is caught outside this lock; a poisoned lock would lose nothing.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handle to the writer's thread.
#[derive(Clone)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    ending: Arc<tokio::sync::Mutex<Option<Ending>>>,
}

/// What a stop waits for.
struct Ending {
    writer: oneshot::Receiver<()>,
    copier: Copier,
}

impl Writer {
    /// Opens the connection and starts the thread.
    pub(super) fn start(path: &Path, busy_timeout: Duration) -> Result<Self, StoreError> {
        let connection = rusqlite::Connection::open(path)?;
        connection.busy_timeout(busy_timeout)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        // What is erased or deleted leaves no copy in the file's free pages.
        connection.pragma_update(None, "secure_delete", "ON")?;
        // Old pages, kept until a savepoint is released, would go through a file in the machine's
        // common temporary folder.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "cache_size", -CACHE)?;
        // No commit copies the log: the copier does.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        super::keep_plans(&connection)?;
        connection.set_prepared_statement_cache_capacity(256);
        let shared = Arc::new(Shared::default());
        let copier = Copier::start(path, Arc::clone(&shared.log), busy_timeout)?;
        let (gone, writer) = oneshot::channel();
        let worker = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                serve(connection, &worker);
                // Nobody listens when the process is going down anyway.
                let _ = gone.send(());
            })
            .map_err(|_| StoreError::Stopped)?;
        let ending = Arc::new(tokio::sync::Mutex::new(Some(Ending { writer, copier })));
        Ok(Self { shared, ending })
    }

    pub(super) async fn submit<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl AsyncFn(&mut Tx<'_>) -> Result<T, Failure> + Send + 'static,
        record: impl AsyncFn(&mut Tx<'_>, &Result<T, Failure>) -> Result<(), StoreError>
        + Send
        + 'static,
    ) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(UseCase { work, record, result: None, reply });
        let enough = {
            let mut queues = self.shared.lock();
            if queues.stopping {
                return Err(StoreError::Stopped.into());
            }
            let (queue, bound) = match lane {
                Lane::Known => (&mut queues.known, KNOWN_MAX),
                Lane::Stranger => (&mut queues.strangers, STRANGERS_MAX),
            };
            if queue.len() >= bound {
                self.shared.turned_away.fetch_add(1, Ordering::Relaxed);
                return Err(StoreError::Full.into());
            }
            queue.push_back(job);
            queues.len() >= queues.wanted
        };
        if enough {
            self.shared.wake.notify_one();
        }
        answer.await.unwrap_or(Err(Failure::Unavailable))
    }

    pub(super) fn stats(&self) -> WriterStats {
        WriterStats {
            jobs: self.shared.jobs.load(Ordering::Relaxed),
            batches: self.shared.batches.load(Ordering::Relaxed),
            turned_away: self.shared.turned_away.load(Ordering::Relaxed),
        }
    }

    /// Whether the newest batch could not be made durable: the disk is full, or failed.
    pub(super) fn is_failing(&self) -> bool {
        self.shared.failing.load(Ordering::Relaxed)
    }

    pub(super) async fn stop(&self) {
        self.shared.lock().stopping = true;
        self.shared.wake.notify_all();
        if let Some(Ending { writer, copier }) = self.ending.lock().await.take() {
            let _ = writer.await;
            copier.stop();
        }
    }
}

/// Takes batch after batch until it is told to stop and the queues are empty.
fn serve(mut connection: rusqlite::Connection, shared: &Shared) {
    let mut pace = Pace::default();
    loop {
        {
            let mut queues = shared.lock();
            while queues.is_empty() {
                if queues.stopping {
                    return;
                }
                queues = shared.wake.wait(queues).unwrap_or_else(PoisonError::into_inner);
            }
        }
        shared.log.keep_short(&connection);
        let size = batch(&mut connection, shared, &pace);
        pace.took(size);
    }
}

/// How many jobs came lately. Clients whose answers just left ask again at once; a commit that waits a
/// moment for them saves a sync of the disk. Who is alone never waits.
struct Pace {
    last: usize,
    before: usize,
    work_max: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { last: 0, before: 0, work_max: BATCH_WORK_MAX }
    }
}

impl Pace {
    fn took(&mut self, jobs: usize) {
        (self.before, self.last) = (self.last, jobs);
    }

    /// Jobs that a batch may hope for.
    fn expected(&self) -> usize {
        if self.last > 1 { (self.last + self.before).min(BATCH_MAX) } else { 0 }
    }
}

/// The next job; when there is none, waits until as many have come as were expected, or until the
/// batch has lingered long enough.
fn next(
    shared: &Shared,
    expected: usize,
    taken: usize,
    linger: &mut Option<Instant>,
) -> Option<Box<dyn Job>> {
    let mut queues = shared.lock();
    if queues.is_empty() && taken < expected && !queues.stopping {
        let until = *linger.get_or_insert_with(|| Instant::now() + LINGER);
        let left = until.saturating_duration_since(Instant::now());
        queues.wanted = expected - taken;
        let waited = shared.wake.wait_timeout_while(queues, left, |queues| {
            queues.len() < queues.wanted && !queues.stopping
        });
        queues = waited.unwrap_or_else(PoisonError::into_inner).0;
        queues.wanted = 0;
    }
    queues.take()
}

/// Runs one batch and tells how many jobs it had.
fn batch(connection: &mut rusqlite::Connection, shared: &Shared, pace: &Pace) -> usize {
    let before = connection.total_changes();
    let begun = statement(connection, "BEGIN IMMEDIATE").is_ok();
    let mut settled: Vec<Box<dyn Job>> = Vec::with_capacity(BATCH_MAX);
    let mut sound = begun;
    let mut linger = None;
    let started = Instant::now();
    while settled.len() < BATCH_MAX && started.elapsed() < pace.work_max {
        let Some(mut job) = next(shared, pace.expected(), settled.len(), &mut linger) else {
            break;
        };
        sound = sound && job.run(connection).is_ok();
        settled.push(job);
        if !sound {
            break;
        }
    }
    let committed = sound && statement(connection, "COMMIT").is_ok();
    if begun
        && !committed
        && !connection.is_autocommit()
        && connection.execute_batch("ROLLBACK").is_err()
    {
        tracing::error!("the writer could not roll back");
    }
    // Known before anybody in the batch hears of it. A batch without a row needs no room on the disk,
    // and proves none.
    if !committed || connection.total_changes() != before {
        shared.failing.store(!committed, Ordering::Relaxed);
    }
    if committed {
        shared.jobs.fetch_add(settled.len() as u64, Ordering::Relaxed);
        shared.batches.fetch_add(1, Ordering::Relaxed);
        shared.log.wrote(settled.len() as u64);
    } else {
        tracing::error!(jobs = settled.len(), "a batch did not commit");
    }
    let size = settled.len();
    for job in settled {
        job.settle(committed);
    }
    size
}

/// Runs a statement of the batch itself, prepared once.
fn statement(connection: &rusqlite::Connection, sql: &'static str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.raw_execute()?;
    Ok(())
}

struct UseCase<T, W, R> {
    work: W,
    record: R,
    result: Option<Result<T, Failure>>,
    reply: oneshot::Sender<Result<T, Failure>>,
}

impl<T, W, R> Job for UseCase<T, W, R>
where
    T: Send,
    W: AsyncFn(&mut Tx<'_>) -> Result<T, Failure> + Send,
    R: AsyncFn(&mut Tx<'_>, &Result<T, Failure>) -> Result<(), StoreError> + Send,
{
    /// Fails only when the batch itself can no longer be trusted.
    fn run(&mut self, connection: &mut rusqlite::Connection) -> Result<(), StoreError> {
        statement(connection, "SAVEPOINT job")?;
        let worked = ready((self.work)(&mut Tx::Writer(connection)));
        let mut result = match worked {
            Some(result) => result,
            None => Err(Failure::internal("a use case waited inside the writer")),
        };
        if result.is_err() {
            statement(connection, "ROLLBACK TO job")?;
        }
        in_transaction(connection)?;
        let recorded = ready((self.record)(&mut Tx::Writer(connection), &result));
        if !matches!(recorded, Some(Ok(()))) {
            // No act without its audit row.
            statement(connection, "ROLLBACK TO job")?;
            result = Err(match recorded {
                Some(Err(error)) => error.into(),
                _ => Failure::internal("an audit row waited inside the writer"),
            });
        }
        in_transaction(connection)?;
        statement(connection, "RELEASE job")?;
        self.result = Some(result);
        Ok(())
    }

    fn settle(self: Box<Self>, committed: bool) {
        let answer = match self.result {
            Some(result) if committed => result,
            _ => Err(Failure::Unavailable),
        };
        // The client may have hung up; what was done stays done, and audited.
        let _ = self.reply.send(answer);
    }
}

/// A full disk or a failed read makes SQLite end the whole transaction by itself. A statement after
/// that would be committed alone, outside any batch: nothing may follow.
fn in_transaction(connection: &rusqlite::Connection) -> Result<(), StoreError> {
    if connection.is_autocommit() { Err(StoreError::NotCommitted) } else { Ok(()) }
}

/// Polls once. Inside the writer every statement answers at once, so nothing ever waits. A panic is
/// the job's own fault and takes nobody else along.
fn ready<F: Future>(future: F) -> Option<F::Output> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| future.now_or_never())).ok().flatten()
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
