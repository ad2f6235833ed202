//! A first pass over the sealed log, on all processors: is there anything to look at more closely?
//!
//! It only answers yes or no for a stretch of places: every row is there, gives its hash, and fits its side
//! row. What is wrong, and where, is for [`super::verify`] to find out, row by row.

use super::leaf;
use crate::store::StoreError;
use crate::store::audit_scan::{CAPABILITY, Cell, ROLE, RULE, Scanned, scan};
use landfall_crypto::merkle::{self, Hash};
use landfall_crypto::secret::sha256_of;
use std::ops::Range;
use std::path::Path;
use std::thread;

/// Places of one stretch: 32 MiB of hashes.
pub const STRETCH: u64 = 1 << 20;

/// A stretch without a fault.
pub struct Sound {
    /// The hashes of its rows.
    pub leaves: Vec<Hash>,
    /// Rows whose side rows were erased.
    pub erased: u64,
}

/// Looks at the rows of the places in `stretch`, counted from one; `None` when anything is out of order, or
/// could not be read.
pub fn look(database: &Path, stretch: Range<u64>) -> Option<Sound> {
    let places = stretch.end - stretch.start;
    let threads = thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let each = places.div_ceil(threads).max(1);
    let parts: Vec<Option<Sound>> = thread::scope(|scope| {
        let starts = (0..threads).map(|part| stretch.start + part * each);
        let parts = starts.filter(|start| *start < stretch.end);
        let looks: Vec<_> = parts
            .map(|start| {
                let part = start..(start + each).min(stretch.end);
                scope.spawn(move || part_of(database, part))
            })
            .collect();
        looks.into_iter().map(|look| look.join().ok().flatten()).collect()
    });
    let mut whole = Sound { leaves: Vec::new(), erased: 0 };
    for part in parts {
        let part = part?;
        whole.leaves.extend(part.leaves);
        whole.erased += part.erased;
    }
    (whole.leaves.len() as u64 == places).then_some(whole)
}

fn part_of(database: &Path, part: Range<u64>) -> Option<Sound> {
    let mut sound = Sound { leaves: Vec::new(), erased: 0 };
    let (mut next, mut well, mut buffer) = (part.start, true, Vec::new());
    let read: Result<(), StoreError> = scan(database, (part.start - 1, part.end - 1), |row| {
        let leaf = leaf_of(row, &mut buffer);
        well = u64::try_from(row.seq) == Ok(next) && row.leaf == Cell::Blob(&leaf);
        well &= match personal(row, &mut buffer) {
            Some(erased) => {
                sound.erased += u64::from(erased);
                true
            }
            None => false,
        };
        sound.leaves.push(leaf);
        next += 1;
        well
    });
    (read.is_ok() && well && next == part.end).then_some(sound)
}

fn leaf_of(row: &Scanned<'_>, buffer: &mut Vec<u8>) -> Hash {
    buffer.clear();
    leaf::begin(buffer, row.seq.unsigned_abs());
    let missing: &[usize] = match (row.columns[CAPABILITY], row.columns[ROLE]) {
        (Cell::Null, Cell::Null) => &[RULE, ROLE, CAPABILITY],
        (Cell::Null, _) => &[CAPABILITY],
        _ => &[],
    };
    for (index, column) in row.columns.iter().enumerate() {
        if *column == Cell::Null && missing.contains(&index) {
            continue;
        }
        match *column {
            Cell::Null => leaf::null(buffer),
            Cell::Int(number) => leaf::int(buffer, number),
            Cell::Text(text) => leaf::text(buffer, text),
            Cell::Blob(bytes) => leaf::blob(buffer, bytes),
        }
    }
    merkle::leaf_hash(buffer)
}

/// Whether the side row was erased; `None` when it does not fit.
fn personal(row: &Scanned<'_>, buffer: &mut Vec<u8>) -> Option<bool> {
    let [salt, source, agent] = &row.personal;
    let salt = match *salt {
        Cell::Null if *source == Cell::Null && *agent == Cell::Null => return Some(true),
        Cell::Blob(salt) => salt,
        _ => return None,
    };
    let (source, agent) = (bytes_of(source)?, bytes_of(agent)?);
    buffer.clear();
    for part in [source, agent] {
        buffer.extend_from_slice(part.len().to_string().as_bytes());
        buffer.push(b':');
        buffer.extend_from_slice(part);
    }
    let hash = sha256_of(&[b"landfall/audit-personal/v1\0", salt, buffer]);
    (row.columns.last() == Some(&Cell::Blob(&hash))).then_some(false)
}

/// A text's bytes; none of NULL.
fn bytes_of<'r>(cell: &Cell<'r>) -> Option<&'r [u8]> {
    match *cell {
        Cell::Null => Some(b""),
        Cell::Text(text) => Some(text),
        _ => None,
    }
}
