//! Reading the sealed log as fast as it can be read: row by row, without keeping any.

use super::{BUSY_TIMEOUT, StoreError};
use rusqlite::OpenFlags;
use rusqlite::types::ValueRef;
use std::path::Path;

/// Columns that a leaf is made of, in the order of [`super::audit_log`].
pub const COLUMNS: usize = 18;
/// Where the rule stands among them: a row without a role and without one has a leaf without it.
pub const RULE: usize = 14;
/// Where the actor's role does: a row without one has a leaf without it.
pub const ROLE: usize = 15;
/// Where the capability does: a row without one has a leaf without it, and a row with one has all the others.
pub const CAPABILITY: usize = 16;

/// A column, as it lies in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'r> {
    /// NULL.
    Null,
    /// A number.
    Int(i64),
    /// A text's bytes.
    Text(&'r [u8]),
    /// Bytes.
    Blob(&'r [u8]),
}

/// A sealed row.
pub struct Scanned<'r> {
    /// Its place.
    pub seq: i64,
    /// Its hash, as stored.
    pub leaf: Cell<'r>,
    /// The sealed columns.
    pub columns: [Cell<'r>; COLUMNS],
    /// Salt, source and user agent of the side row.
    pub personal: [Cell<'r>; 3],
}

/// Shows `visit` every sealed row after place `from`, as far as place `to`, in order, until it says no.
///
/// # Errors
/// [`StoreError`] from the database, also when a column holds a type that we never write.
pub fn scan(
    path: &Path,
    (from, to): (u64, u64),
    mut visit: impl FnMut(&Scanned<'_>) -> bool,
) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let mut statement = connection.prepare(
        "SELECT e.id, e.at, e.tenant, e.actor, e.actor_user, e.actor_device, e.parents, e.action,
             e.target, e.outcome, e.reason, e.strength, e.session, e.request, e.rule,
             e.actor_role, e.capability, e.personal_hash, e.seq, e.leaf, p.salt, p.source, p.user_agent
         FROM audit_events e LEFT JOIN audit_personal p ON p.event = e.id
         WHERE e.seq > ?1 AND e.seq <= ?2 ORDER BY e.seq",
    )?;
    let bound = |place: u64| i64::try_from(place).unwrap_or(i64::MAX);
    let mut rows = statement.query([bound(from), bound(to)])?;
    while let Some(row) = rows.next()? {
        let cell = |index: usize| -> Result<Cell<'_>, StoreError> {
            Ok(match row.get_ref(index)? {
                ValueRef::Null => Cell::Null,
                ValueRef::Integer(number) => Cell::Int(number),
                ValueRef::Text(text) => Cell::Text(text),
                ValueRef::Blob(bytes) => Cell::Blob(bytes),
                ValueRef::Real(_) => return Err(StoreError::Shape { column: index }),
            })
        };
        let Cell::Int(seq) = cell(COLUMNS)? else {
            return Err(StoreError::Shape { column: COLUMNS });
        };
        let mut columns = [Cell::Null; COLUMNS];
        for (index, column) in columns.iter_mut().enumerate() {
            *column = cell(index)?;
        }
        let personal = [cell(COLUMNS + 2)?, cell(COLUMNS + 3)?, cell(COLUMNS + 4)?];
        if !visit(&Scanned { seq, leaf: cell(COLUMNS + 1)?, columns, personal }) {
            return Ok(());
        }
    }
    Ok(())
}
