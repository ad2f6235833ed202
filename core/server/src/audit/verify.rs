//! Recomputing the log from its rows, and saying precisely what is wrong with it.
//!
//! Whoever changes the database and nothing else is found out. Whoever also holds the audit key, and
//! every copy of the exported file, can write another history: so the key lives outside the database,
//! and the file is to be copied elsewhere.

use super::cursor::{FileCursor, TableCursor};
use super::journal::{Lines, TAIL_MAX};
use super::report::{Fault, Place, Verification};
use super::{leaf, swift};
use crate::store::audit_log::{self, Sealed};
use crate::store::{StoreError, Tx, Value, archive, audit::personal_hash};
use landfall_crypto::PublicKey;
use landfall_crypto::checkpoint::SignedCheckpoint;
use landfall_crypto::merkle::{Frontier, Hash};
use landfall_identity::audit::Personal;
use std::io;
use std::path::Path;

/// Rows read at once.
const PAGE: u32 = 1000;
/// Changed rows among which the verifier looks for swapped places.
const SWAPS_SOUGHT: usize = 64;

/// Why nothing could be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The database does not answer.
    #[error("the database could not be read: {0}")]
    Store(#[from] StoreError),
    /// The file does not answer.
    #[error("the exported checkpoints could not be read: {0}")]
    File(#[from] io::Error),
}

/// Which file of checkpoints a log is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exported {
    /// The server's own, which goes as far as the database does.
    Own,
    /// A copy that was kept elsewhere, and may be older.
    Copy,
}

/// Verifies the log of `database` against its checkpoints, those in the file `exported`, and `key`. A running server is not disturbed.
///
/// # Errors
/// [`VerifyError`] when something could not be read at all.
pub async fn verify(
    database: &Path,
    exported: &Path,
    kind: Exported,
    key: &PublicKey,
) -> Result<Verification, VerifyError> {
    // The file first: what a running server adds to both meanwhile must not look cut off.
    let lines = Lines::of(exported)?;
    let has_file = lines.is_some();
    let mut found = Verification::default();
    let file = FileCursor::new(lines, &mut found);
    let mut check = Check::new(key, file, found);
    let outcome = archive::snapshot_of_this_build(database, async |tx: &mut Tx<'_>| {
        let after = check.sound_rows(tx, database).await?;
        check.rows(tx, after).await?;
        check.ends(tx).await
    })
    .await;
    outcome?;
    if let Some(error) = check.file.failed.take() {
        return Err(error.into());
    }
    // A crash leaves the file behind by a line or two, and empties none.
    let is_empty = check.found.exported == 0 && check.found.checkpoints > 1;
    let own = kind == Exported::Own;
    match check.unexported {
        Some((first, count)) if has_file && own && count > u64::from(TAIL_MAX) => {
            check.fault(Fault::FileBehind { first, count });
        }
        _ if !has_file && check.found.checkpoints > 0 || own && is_empty => {
            check.fault(Fault::FileMissing);
        }
        _ => {}
    }
    Ok(check.found)
}

/// The walk through rows, table and file, side by side.
struct Check<'k> {
    key: &'k PublicKey,
    file: FileCursor,
    table: TableCursor,
    frontier: Frontier,
    /// The place that the walk has reached.
    at: u64,
    /// The largest size that a checkpoint of the table has covered so far.
    covered: u64,
    /// The largest size whose root was right.
    proved: u64,
    /// Once a root was wrong, or a leaf is unknown, later roots tell nothing.
    roots_tell: bool,
    changed: Vec<Changed>,
    /// Checkpoints of the table after the end of the file: the first one's size, and how many.
    unexported: Option<(u64, u64)>,
    found: Verification,
}

/// The checkpoints of one size: the table's, and the file's with its line.
type Pair = (u64, Option<SignedCheckpoint>, Option<(u64, SignedCheckpoint)>);

/// A row whose hash is not its own.
struct Changed {
    seq: u64,
    columns: Vec<Value>,
    leaf: Option<Hash>,
}

impl<'k> Check<'k> {
    fn new(key: &'k PublicKey, file: FileCursor, found: Verification) -> Self {
        Self {
            key,
            file,
            table: TableCursor::new(key.thumbprint()),
            frontier: Frontier::new(),
            at: 0,
            covered: 0,
            proved: 0,
            roots_tell: true,
            changed: Vec::new(),
            unexported: None,
            found,
        }
    }

    fn fault(&mut self, fault: Fault) {
        self.found.fault(fault);
    }

    /// As far as the log is sound, stretch by stretch; answers the last place of that. Rows that a running
    /// server seals meanwhile are not among them: this snapshot does not see them.
    async fn sound_rows(&mut self, tx: &mut Tx<'_>, database: &Path) -> Result<u64, StoreError> {
        let (mut last, end) = (0, audit_log::last_place(tx).await?);
        while last < end {
            let stretch = last + 1..(last + swift::STRETCH).min(end) + 1;
            let Some(sound) = swift::look(database, stretch) else { break };
            self.found.sealed += sound.leaves.len() as u64;
            self.found.erased += sound.erased;
            for leaf in sound.leaves {
                last += 1;
                self.pass(tx, last, Some(leaf)).await?;
            }
        }
        Ok(last)
    }

    async fn rows(&mut self, tx: &mut Tx<'_>, after: u64) -> Result<(), StoreError> {
        let mut last = after;
        loop {
            match audit_log::sealed_after(tx, last, PAGE).await {
                Ok(rows) if rows.is_empty() => return Ok(()),
                Ok(rows) => {
                    for row in rows {
                        last = row.seq;
                        self.row(tx, row).await?;
                    }
                }
                // A column of a type that we never write: look at the rows one by one.
                Err(error) if error.is_content() => last = self.one(tx, last).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// The next row alone; answers its place.
    async fn one(&mut self, tx: &mut Tx<'_>, last: u64) -> Result<u64, StoreError> {
        match audit_log::sealed_after(tx, last, 1).await {
            Ok(rows) => match rows.into_iter().next() {
                Some(row) => {
                    let seq = row.seq;
                    self.row(tx, row).await?;
                    Ok(seq)
                }
                None => Ok(last),
            },
            Err(error) if error.is_content() => {
                let seq = audit_log::next_place(tx, last).await?.unwrap_or(u64::MAX);
                self.fault(Fault::RowEdited(seq));
                self.found.sealed += 1;
                self.roots_tell = false;
                self.pass(tx, seq, None).await?;
                Ok(seq)
            }
            Err(error) => Err(error),
        }
    }

    async fn row(&mut self, tx: &mut Tx<'_>, row: Sealed) -> Result<(), StoreError> {
        self.found.sealed += 1;
        self.personal(&row);
        let leaf = leaf::hash(row.seq, &row.columns);
        let stored = match &row.leaf {
            Value::Blob(bytes) => Hash::try_from(bytes.as_slice()).ok(),
            _ => None,
        };
        let seq = row.seq;
        if stored != Some(leaf) {
            let changed = Changed { seq, columns: row.columns, leaf: stored };
            if self.changed.len() < SWAPS_SOUGHT {
                self.changed.push(changed);
            } else {
                self.fault(Fault::RowEdited(seq));
            }
        }
        // With the hash that was stored the roots still tell whether anything else was changed.
        self.pass(tx, seq, Some(stored.unwrap_or(leaf))).await
    }

    /// The side row, when it is there.
    fn personal(&mut self, row: &Sealed) {
        let text = |value: &Value| match value {
            Value::Null => Some(None),
            Value::Text(text) => Some(Some(text.clone())),
            _ => None,
        };
        let [salt, source, agent] = &row.personal;
        let committed = row.columns.last();
        let fits = match (salt, text(source), text(agent)) {
            (Value::Null, Some(None), Some(None)) => {
                self.found.erased += 1;
                true
            }
            (Value::Blob(salt), Some(source), Some(user_agent)) => {
                let hash = personal_hash(salt, &Personal { source, user_agent });
                matches!(committed, Some(Value::Blob(committed)) if committed.as_slice() == hash)
            }
            _ => false,
        };
        if !fits {
            self.fault(Fault::PersonalEdited(row.seq));
        }
    }

    /// Takes place `seq` into the tree and compares every checkpoint that ends there.
    async fn pass(
        &mut self,
        tx: &mut Tx<'_>,
        seq: u64,
        leaf: Option<Hash>,
    ) -> Result<(), StoreError> {
        let expected = self.at + 1;
        if seq > expected {
            self.fault(Fault::RowsMissing(expected, seq - 1));
            self.roots_tell = false;
        }
        match leaf {
            Some(leaf) if self.roots_tell => self.frontier.append(leaf),
            _ => self.roots_tell = false,
        }
        self.at = seq;
        while let Some((size, table, file)) = self.next_checkpoints(tx, seq).await? {
            if let Some(checkpoint) = &table {
                self.covered = size;
                self.checkpoint(checkpoint, Place::Table);
            }
            if let Some((line, checkpoint)) = &file {
                match table.as_ref() == Some(checkpoint) {
                    // What was said of the one was said of both.
                    true => self.found.exported += 1,
                    false => self.checkpoint(checkpoint, Place::File(*line)),
                }
            }
            match (table, file) {
                (None, _) => self.fault(Fault::NotInTable(size)),
                (Some(_), None) if self.file.peek().is_some() => {
                    self.fault(Fault::NotInFile(size));
                }
                (Some(_), None) => {
                    self.unexported.get_or_insert((size, 0)).1 += 1;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The checkpoints of the next size, from both places, as far as `limit` rows.
    async fn next_checkpoints(
        &mut self,
        tx: &mut Tx<'_>,
        limit: u64,
    ) -> Result<Option<Pair>, StoreError> {
        let table = self.table.peek(tx, &mut self.found).await?;
        let file = self.file.peek();
        let Some(size) = [table, file].into_iter().flatten().min().filter(|size| *size <= limit)
        else {
            return Ok(None);
        };
        let table = if table == Some(size) { self.table.take() } else { None };
        let file = if file == Some(size) { self.file.take(&mut self.found) } else { None };
        Ok(Some((size, table, file)))
    }

    fn checkpoint(&mut self, checkpoint: &SignedCheckpoint, place: Place) {
        let signed = self.signed(checkpoint, place);
        let size = checkpoint.checkpoint.size;
        // Where a checkpoint meets a log with a gap before it, the gap was told already.
        if !signed || !self.roots_tell || self.frontier.size() != size {
            return;
        }
        if checkpoint.checkpoint.root == self.frontier.root() {
            self.proved = size;
        } else {
            self.fault(Fault::RootDiffers(self.proved + 1, size, place));
            self.roots_tell = false;
        }
    }

    /// Counts a checkpoint and tells whether the audit key signed it.
    fn signed(&mut self, checkpoint: &SignedCheckpoint, place: Place) -> bool {
        match place {
            Place::Table => self.found.checkpoints += 1,
            Place::File(_) => self.found.exported += 1,
        }
        let signed = checkpoint.verify(self.key).is_ok();
        if !signed {
            self.fault(Fault::NotSigned(checkpoint.checkpoint.size, place));
        }
        signed
    }

    /// After the last row: what the checkpoints say beyond it, and what stands outside the log.
    async fn ends(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.changed_rows();
        let (mut table_says, mut file_says) = (None, None);
        while let Some((size, table, file)) = self.next_checkpoints(tx, u64::MAX).await? {
            if table.is_some_and(|checkpoint| self.signed(&checkpoint, Place::Table)) {
                table_says = Some((size, Place::Table));
            }
            if let Some((line, checkpoint)) = file
                && self.signed(&checkpoint, Place::File(line))
            {
                file_says = Some((size, Place::File(line)));
            }
        }
        for (signed, place) in [table_says, file_says].into_iter().flatten() {
            self.fault(Fault::Truncated { signed, present: self.at, place });
        }
        if self.covered < self.at {
            self.fault(Fault::Unsigned(self.covered + 1, self.at));
        }
        let outside = audit_log::outside(tx).await?;
        self.found.waiting = outside.waiting;
        if outside.half > 0 {
            self.fault(Fault::HalfSealed(outside.half));
        }
        Ok(())
    }

    /// Tells rows that changed their places from rows that changed.
    fn changed_rows(&mut self) {
        let changed = std::mem::take(&mut self.changed);
        let mut faults = Vec::with_capacity(changed.len());
        for row in &changed {
            let was = changed.iter().find(|other| {
                let elsewhere = Some(leaf::hash(other.seq, &row.columns));
                other.seq != row.seq && (elsewhere == other.leaf || elsewhere == row.leaf)
            });
            faults.push(match was {
                Some(other) => Fault::RowMoved(row.seq, other.seq),
                None => Fault::RowEdited(row.seq),
            });
        }
        // What was changed comes before what follows from it.
        let told = std::mem::take(&mut self.found.faults);
        faults.into_iter().chain(told).for_each(|fault| self.fault(fault));
    }
}
