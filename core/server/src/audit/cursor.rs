//! Checkpoints of the table and of the exported file, in the order of their sizes.

use super::checkpoint::from_stored;
use super::journal::{JournalLine, Lines};
use super::report::{Fault, Place, Verification};
use crate::store::{StoreError, Tx, audit_log};
use landfall_crypto::Thumbprint;
use landfall_crypto::checkpoint::SignedCheckpoint;
use std::fs::File;
use std::io;

/// Checkpoints read at once.
const PAGE: u32 = 1000;

/// The table's checkpoints, page by page.
pub(super) struct TableCursor {
    /// Whose the table's signatures are said to be.
    key: Thumbprint,
    read: u64,
    done: bool,
    /// The rest of a page, the smallest last.
    page: Vec<SignedCheckpoint>,
}

impl TableCursor {
    /// Before the first.
    pub(super) fn new(key: Thumbprint) -> Self {
        Self { key, read: 0, done: false, page: Vec::new() }
    }

    /// The size of the next one.
    pub(super) async fn peek(
        &mut self,
        tx: &mut Tx<'_>,
        found: &mut Verification,
    ) -> Result<Option<u64>, StoreError> {
        while self.page.is_empty() && !self.done {
            let stored = audit_log::checkpoints_after(tx, self.read, PAGE).await?;
            self.done = stored.len() < PAGE as usize;
            for stored in stored.into_iter().rev() {
                let size = stored.size;
                self.read = self.read.max(size);
                match from_stored(&stored, &self.key) {
                    Some(checkpoint) => self.page.push(checkpoint),
                    None => found.fault(Fault::NotSigned(size, Place::Table)),
                }
            }
        }
        Ok(self.page.last().map(|signed| signed.checkpoint.size))
    }

    /// Takes it.
    pub(super) fn take(&mut self) -> Option<SignedCheckpoint> {
        self.page.pop()
    }
}

/// The file's checkpoints, line by line.
pub(super) struct FileCursor {
    lines: Option<Lines<File>>,
    next: Option<(u64, SignedCheckpoint)>,
    last: u64,
    /// Why reading stopped, when it did not stop at the end.
    pub(super) failed: Option<io::Error>,
}

impl FileCursor {
    /// At the first checkpoint of `lines`, which are none when there is no file.
    pub(super) fn new(lines: Option<Lines<File>>, found: &mut Verification) -> Self {
        let mut cursor = Self { lines, next: None, last: 0, failed: None };
        cursor.forward(found);
        cursor
    }

    /// The size of the next one.
    pub(super) fn peek(&self) -> Option<u64> {
        self.next.as_ref().map(|(_, signed)| signed.checkpoint.size)
    }

    /// Takes it, with its line.
    pub(super) fn take(&mut self, found: &mut Verification) -> Option<(u64, SignedCheckpoint)> {
        let taken = self.next.take();
        self.forward(found);
        taken
    }

    /// To the next line that is a checkpoint beyond the one before.
    fn forward(&mut self, found: &mut Verification) {
        let Some(lines) = &mut self.lines else { return };
        for line in lines {
            match line {
                Err(error) => {
                    self.failed = Some(error);
                    return;
                }
                Ok(JournalLine { number, checkpoint: None }) => {
                    found.fault(Fault::LineUnreadable(number));
                }
                Ok(JournalLine { number, checkpoint: Some(signed) })
                    if signed.checkpoint.size <= self.last =>
                {
                    found.fault(Fault::LineGoesBack(number));
                }
                Ok(JournalLine { number, checkpoint: Some(signed) }) => {
                    self.last = signed.checkpoint.size;
                    self.next = Some((number, signed));
                    return;
                }
            }
        }
    }
}
