//! The sealer: gives written rows their places, hashes them into the log, signs where it stands.

use super::checkpoint::{from_stored, to_stored};
use super::journal::{JOURNAL_FILE, Journal, TAIL_MAX};
use super::{leaf, proofs};
use crate::failure::Failure;
use crate::store::audit_log::{self, Lease};
use crate::store::{Lane, Store, StoreError, Tx};
use data_encoding::HEXLOWER;
use landfall_crypto::checkpoint::{Checkpoint, SignedCheckpoint};
use landfall_crypto::merkle::Hash;
use landfall_crypto::{Ambient, Signer, SignerError};
use landfall_identity::{Seconds, Timestamp};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Rows that one step seals: few enough that nobody behind it in the writer's queue notices.
pub const STEP_ROWS: u32 = 128;
/// How often the sealer looks. Rows are sealed within a second.
const TICK: Duration = Duration::from_millis(500);
/// How long a node that went away keeps the others from sealing.
const LEASE: Seconds = Seconds(2);
/// Roots of blocks that one step keeps.
const BLOCKS_A_STEP: usize = 8;
/// Checkpoints that one step exports.
const EXPORT_STEP: u32 = 1000;

/// Why rows were not sealed. They stay, and the next tick tries again.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The database.
    #[error("the audit could not be read: {0}")]
    Store(#[from] StoreError),
    /// The writer.
    #[error("the audit could not be sealed: {0}")]
    Write(#[from] Failure),
    /// The audit key.
    #[error(transparent)]
    Key(#[from] SignerError),
    /// The exported file.
    #[error("the file of checkpoints: {0}")]
    File(#[from] io::Error),
    /// The database holds a checkpoint that is none.
    #[error("the database holds a checkpoint that cannot be read; run `audit verify`")]
    Checkpoint,
}

/// Seals the log of one database.
pub struct Sealer {
    store: Store,
    key: Arc<dyn Signer>,
    journal: Arc<Mutex<Journal>>,
    holder: String,
}

impl Sealer {
    /// A sealer that signs with `key`, which lives outside the database, and exports to `directory`.
    ///
    /// # Errors
    /// [`io::Error`] when the file of checkpoints cannot be opened.
    pub fn open(
        store: Store,
        key: Arc<dyn Signer>,
        directory: &Path,
        ambient: &Ambient,
    ) -> io::Result<Self> {
        let journal = Journal::open(&directory.join(JOURNAL_FILE))?;
        let holder = HEXLOWER.encode(&ambient.random::<8>());
        Ok(Self { store, key, journal: Arc::new(Mutex::new(journal)), holder })
    }

    /// Seals every row that was written before, and exports the checkpoints. Answers how many rows it
    /// sealed: none, too, when another node holds the lease.
    ///
    /// # Errors
    /// [`SealError`]; what was sealed before it stays sealed.
    pub async fn seal(&self, now: Timestamp) -> Result<u64, SealError> {
        let mut sealed = 0;
        loop {
            let step = self.step(now).await?;
            sealed += step;
            if step < u64::from(STEP_ROWS) {
                break;
            }
        }
        self.export().await?;
        self.keep_blocks().await?;
        Ok(sealed)
    }

    /// Keeps the roots of whole blocks, a few at a time: proofs do without them, only slower.
    async fn keep_blocks(&self) -> Result<(), SealError> {
        for _ in 0..BLOCKS_A_STEP {
            let look = async |tx: &mut Tx<'_>| {
                let size = audit_log::head(tx).await?.frontier.size();
                proofs::next_block(tx, size).await
            };
            let Some((number, root)) = self.store.read(look).await? else { return Ok(()) };
            let work =
                async move |tx: &mut Tx<'_>| Ok(audit_log::keep_block(tx, number, &root).await?);
            self.store.write(Lane::Known, work, async |_: &mut Tx<'_>, _: &_| Ok(())).await?;
        }
        Ok(())
    }

    /// Seals until `stop`, and once more then.
    pub async fn run(self, ambient: Ambient, stop: CancellationToken) {
        if let Err(error) = self.warn_when_the_file_knows_more().await {
            tracing::error!(%error, "the audit could not be compared with its exported checkpoints");
        }
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let last = tokio::select! {
                () = stop.cancelled() => true,
                _ = ticks.tick() => false,
            };
            if let Err(error) = self.seal(ambient.now()).await {
                tracing::error!(%error, "the audit was not sealed");
            }
            if last {
                return self.release().await;
            }
        }
    }

    /// Lets the next start seal at once.
    async fn release(&self) {
        let holder = self.holder.clone();
        let work = async move |tx: &mut Tx<'_>| Ok(audit_log::release(tx, Some(&holder)).await?);
        if let Err(error) =
            self.store.write(Lane::Known, work, async |_: &mut Tx<'_>, _: &_| Ok(())).await
        {
            tracing::warn!(%error, "the audit's lease was not released");
        }
    }

    /// Reads, hashes and signs beside the writer; then one short job puts it all down, if the log
    /// still stands where it stood.
    async fn step(&self, now: Timestamp) -> Result<u64, SealError> {
        let read = async |tx: &mut Tx<'_>| {
            let head = audit_log::head(tx).await?;
            // A row that is written between the two reads waits for the next step.
            Ok((head, audit_log::unsealed(tx, STEP_ROWS).await?))
        };
        let (head, rows) = self.store.read(read).await?;
        let held_by_another = head.holder != self.holder && !head.held_until.is_over(now);
        if rows.is_empty() || held_by_another {
            return Ok(0);
        }
        let from = head.frontier.size();
        let mut frontier = head.frontier;
        let mut places: Vec<(i64, u64, Hash)> = Vec::with_capacity(rows.len());
        for row in rows {
            let seq = frontier.size() + 1;
            let leaf = leaf::hash(seq, &row.columns);
            frontier.append(leaf);
            places.push((row.ordinal, seq, leaf));
        }
        let checkpoint = Checkpoint { size: frontier.size(), root: frontier.root(), at: now };
        let stored = to_stored(&checkpoint.sign(&*self.key)?);
        let lease = Lease { holder: self.holder.clone(), now, until: now + LEASE };
        let work = async move |tx: &mut Tx<'_>| {
            if !audit_log::advance(tx, from, &frontier, &lease).await? {
                return Ok(0);
            }
            for (ordinal, seq, leaf) in &places {
                if !audit_log::place(tx, *ordinal, *seq, leaf).await? {
                    return Err(Failure::internal("an audit row has a place already"));
                }
            }
            audit_log::keep_checkpoint(tx, &stored).await?;
            Ok(places.len() as u64)
        };
        Ok(self.store.write(Lane::Known, work, async |_: &mut Tx<'_>, _: &_| Ok(())).await?)
    }

    /// Brings the file up to the database: only what is durable there, in its order. What a crash left
    /// out comes with the next export.
    async fn export(&self) -> Result<(), SealError> {
        loop {
            let known = self.exported();
            let read =
                async |tx: &mut Tx<'_>| audit_log::checkpoints_after(tx, known, EXPORT_STEP).await;
            let stored = self.store.read(read).await?;
            if stored.is_empty() {
                return Ok(());
            }
            let key = self.key.public_key().thumbprint();
            let checkpoints: Vec<SignedCheckpoint> = stored
                .iter()
                .map(|stored| from_stored(stored, &key))
                .collect::<Option<_>>()
                .ok_or(SealError::Checkpoint)?;
            let journal = Arc::clone(&self.journal);
            let append =
                move || journal.lock().unwrap_or_else(PoisonError::into_inner).append(&checkpoints);
            tokio::task::spawn_blocking(append).await.map_err(io::Error::other)??;
        }
    }

    /// Rows that the last exported checkpoint covers.
    fn exported(&self) -> u64 {
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.last().map_or(0, |signed| signed.checkpoint.size)
    }

    /// A database that was rolled back, or replaced, is told apart from its file at once; the sealer
    /// goes on, for the acts of today need their audit, and the file keeps the proof.
    async fn warn_when_the_file_knows_more(&self) -> Result<(), SealError> {
        let last = self.journal.lock().unwrap_or_else(PoisonError::into_inner).last().cloned();
        let known = last.as_ref().map_or(0, |signed| signed.checkpoint.size);
        let read =
            async |tx: &mut Tx<'_>| audit_log::checkpoints_after(tx, known, TAIL_MAX + 1).await;
        if self.store.read(read).await?.len() > TAIL_MAX as usize {
            tracing::error!(
                exported_rows = known,
                "the exported audit checkpoints end well before the database's; somebody may have cut \
                 the file. Compare a copy kept elsewhere before it is brought up to date"
            );
        }
        let Some(last) = last.map(|signed| signed.checkpoint) else { return Ok(()) };
        let read = async |tx: &mut Tx<'_>| {
            audit_log::checkpoints_after(tx, last.size.saturating_sub(1), 1).await
        };
        let same = self.store.read(read).await?.into_iter().next().is_some_and(|stored| {
            stored.size == last.size && stored.root.as_slice() == last.root.as_slice()
        });
        if !same {
            tracing::error!(
                exported_rows = last.size,
                "the database does not hold what the exported audit checkpoints say; \
                 run `landfall-server audit verify`"
            );
        }
        Ok(())
    }
}
