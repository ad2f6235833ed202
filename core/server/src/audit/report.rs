//! What a verification says, in words.

use std::fmt;

/// Faults that are told one by one; the rest are counted.
const FAULTS_TOLD: usize = 100;

/// What a verification found.
#[derive(Debug, Default)]
pub struct Verification {
    /// Rows of the sealed log that were recomputed.
    pub sealed: u64,
    /// Rows that were written and not sealed yet.
    pub waiting: u64,
    /// Sealed rows whose personal fields were erased, as is allowed.
    pub erased: u64,
    /// Checkpoints in the database.
    pub checkpoints: u64,
    /// Checkpoints in the exported file.
    pub exported: u64,
    /// What is wrong, at most a hundred of it.
    pub faults: Vec<Fault>,
    /// What else is wrong.
    pub more_faults: u64,
}

/// Where a checkpoint stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the database's table.
    Table,
    /// In the exported file, at this line.
    File(u64),
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A row does not give its hash.
    RowEdited(u64),
    /// A row stands at the first place, and was sealed at the second.
    RowMoved(u64, u64),
    /// Rows from the first to the second place are gone.
    RowsMissing(u64, u64),
    /// The personal fields beside a row are not those that it commits to.
    PersonalEdited(u64),
    /// So many rows are marked half: numbered and not hashed, hashed and not numbered.
    HalfSealed(u64),
    /// The rows from the first to the second place were changed together with their hashes: they do
    /// not give the root that was signed.
    RootDiffers(u64, u64, Place),
    /// A checkpoint was not signed by this server's audit key, or was changed.
    NotSigned(u64, Place),
    /// A checkpoint says that there were more rows than the database has: rows were cut off its end,
    /// or an older copy was put in its place.
    Truncated {
        /// Rows that were signed.
        signed: u64,
        /// Rows that are there.
        present: u64,
        /// Who says so.
        place: Place,
    },
    /// Rows after the last checkpoint have places: its checkpoint was removed.
    Unsigned(u64, u64),
    /// A checkpoint of so many rows is in the file and not in the database.
    NotInTable(u64),
    /// A checkpoint of so many rows is in the database and not in the file, which goes further.
    NotInFile(u64),
    /// The server's own file ends well before the database's checkpoints do.
    FileBehind {
        /// Rows of the first checkpoint that it lacks.
        first: u64,
        /// How many it lacks.
        count: u64,
    },
    /// There are checkpoints in the database, and no file.
    FileMissing,
    /// A line of the file is no checkpoint.
    LineUnreadable(u64),
    /// A line of the file goes back behind the line before.
    LineGoesBack(u64),
}

impl Verification {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        if self.faults.len() < FAULTS_TOLD {
            self.faults.push(fault);
        } else {
            self.more_faults += 1;
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table => f.write_str("the database"),
            Self::File(line) => write!(f, "the exported file, line {line}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RowEdited(seq) => write!(f, "row {seq} was edited"),
            Self::RowMoved(seq, was) => write!(f, "row {seq} was moved there from place {was}"),
            Self::RowsMissing(from, to) if from == to => write!(f, "row {from} is missing"),
            Self::RowsMissing(from, to) => write!(f, "rows {from} to {to} are missing"),
            Self::PersonalEdited(seq) => {
                write!(f, "row {seq}: its personal fields were edited, not erased")
            }
            Self::HalfSealed(count) => {
                write!(f, "{count} rows were taken out of the sealed log, or put into it by hand")
            }
            Self::RootDiffers(from, to, place) => write!(
                f,
                "rows {from} to {to}: one or more were changed together with their hashes; they do not \
                 give the root signed in {place}"
            ),
            Self::NotSigned(size, place) => write!(
                f,
                "the checkpoint of {size} rows in {place} was not signed by this server's audit key"
            ),
            Self::Truncated { signed, present, place } => write!(
                f,
                "truncated: {place} has a checkpoint of {signed} rows, the database has {present}"
            ),
            Self::Unsigned(from, to) => {
                write!(f, "rows {from} to {to} have places, and their checkpoint was removed")
            }
            Self::NotInTable(size) => {
                write!(f, "the checkpoint of {size} rows was removed from the database")
            }
            Self::NotInFile(size) => {
                write!(f, "the checkpoint of {size} rows was removed from the exported file")
            }
            Self::FileBehind { first, count } => write!(
                f,
                "the exported file lacks the last {count} checkpoints, from {first} rows on: its end \
                 was cut off"
            ),
            Self::FileMissing => {
                f.write_str("the exported file of checkpoints is missing, or was emptied")
            }
            Self::LineUnreadable(line) => {
                write!(f, "the exported file, line {line}: no checkpoint")
            }
            Self::LineGoesBack(line) => {
                write!(f, "the exported file, line {line}: goes back behind the line before")
            }
        }
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "sealed rows: {} (personal fields erased: {}); waiting to be sealed: {}",
            self.sealed, self.erased, self.waiting
        )?;
        writeln!(
            f,
            "checkpoints: {} in the database, {} in the exported file",
            self.checkpoints, self.exported
        )?;
        if self.exported < self.checkpoints && self.faults.is_empty() {
            writeln!(
                f,
                "note: the exported file lacks the newest ones. An older copy does, and a server's own for \
                 seconds; otherwise somebody may have cut it"
            )?;
        }
        for fault in &self.faults {
            writeln!(f, "BROKEN: {fault}")?;
        }
        if self.more_faults > 0 {
            writeln!(f, "BROKEN: {} more", self.more_faults)?;
        }
        f.write_str(if self.is_sound() { "The log is whole." } else { "The log is NOT whole." })
    }
}
