//! Drills: what was tried, and when. Nothing of a recovery is read or written here.

use super::{Row, StoreError, Tx, params};
use landfall_identity::id::EnrollmentId;
use landfall_identity::recovery::Door;
use landfall_identity::{TenantName, Timestamp, UserName};

/// A drill that was done.
#[derive(Debug, Clone)]
pub struct Drill {
    /// What was tried.
    pub door: Door,
    /// The code's name, or the passkey.
    pub thing: String,
    /// Whether it would have counted in a recovery.
    pub counts: bool,
    /// The device that it was done on.
    pub enrollment: EnrollmentId,
    /// When.
    pub at: Timestamp,
}

/// Keeps a drill in the place of the one before it.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn keep(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    drill: &Drill,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO recovery_drills (tenant, user_name, door, thing, counts, enrollment, done_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant, user_name, door) DO UPDATE SET thing = excluded.thing,
             counts = excluded.counts, enrollment = excluded.enrollment, done_at = excluded.done_at",
        params![
            tenant.as_str(),
            user.as_str(),
            drill.door.as_str(),
            drill.thing.as_str(),
            drill.counts,
            drill.enrollment.as_str(),
            drill.at,
        ],
    )
    .await?;
    Ok(())
}

/// The newest drill of each kind, newest first.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn of_user(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
) -> Result<Vec<Drill>, StoreError> {
    let rows = tx
        .all(
            "SELECT door, thing, counts, enrollment, done_at FROM recovery_drills
             WHERE tenant = $1 AND user_name = $2 ORDER BY done_at DESC, door",
            params![tenant.as_str(), user.as_str()],
        )
        .await?;
    let read = |row: &Row| {
        let door: String = row.get(0)?;
        Ok(Drill {
            door: Door::parse(&door).ok_or(StoreError::Shape { column: 0 })?,
            thing: row.get(1)?,
            counts: row.get(2)?,
            enrollment: row.parse(3)?,
            at: row.get(4)?,
        })
    };
    rows.iter().map(read).collect()
}
