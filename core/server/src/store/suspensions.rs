//! Devices that a recovery suspended, on their way to a revocation.

use super::{Row, StoreError, Tx, params};
use landfall_identity::Timestamp;
use landfall_identity::id::{EnrollmentId, RecoveryId};

/// Devices that one look revokes.
const STEP_ROWS: u32 = 50;

/// A suspension that becomes a revocation.
#[derive(Debug, Clone)]
pub struct Suspension {
    /// Of which device.
    pub enrollment: EnrollmentId,
    /// By which recovery.
    pub recovery: RecoveryId,
}

/// Notes that a recovery has suspended a device, which will be revoked at `revoke_at`.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn schedule(
    tx: &mut Tx<'_>,
    suspension: &Suspension,
    now: Timestamp,
    revoke_at: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO recovery_suspensions (enrollment, recovery, made_at, revoke_at, state)
         VALUES ($1, $2, $3, $4, 'pending')
         ON CONFLICT (enrollment) DO UPDATE SET recovery = excluded.recovery,
             made_at = excluded.made_at, revoke_at = excluded.revoke_at, state = 'pending',
             ended_at = NULL",
        params![suspension.enrollment.as_str(), suspension.recovery.as_str(), now, revoke_at],
    )
    .await?;
    Ok(())
}

/// The devices that a recovery suspended, whatever became of it.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn of_recovery(
    tx: &mut Tx<'_>,
    recovery: &RecoveryId,
) -> Result<Vec<EnrollmentId>, StoreError> {
    let rows = tx
        .all(
            "SELECT enrollment FROM recovery_suspensions WHERE recovery = $1 ORDER BY made_at",
            params![recovery.as_str()],
        )
        .await?;
    rows.iter().map(|row| row.parse(0)).collect()
}

/// The recovery that made a device since a time, if one did. A link is none: nothing was lost.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn made_by(
    tx: &mut Tx<'_>,
    enrollment: &EnrollmentId,
    since: Timestamp,
) -> Result<Option<RecoveryId>, StoreError> {
    let row = tx
        .one(
            "SELECT id FROM recoveries
             WHERE enrollment = $1 AND state = 'completed' AND ended_at > $2
               AND NOT EXISTS (SELECT 1 FROM links l WHERE l.recovery = recoveries.id)",
            params![enrollment.as_str(), since],
        )
        .await?;
    row.map(|row| row.parse(0)).transpose()
}

/// Pending ones whose time has come, some at a time.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn ripe(tx: &mut Tx<'_>, waited: Timestamp) -> Result<Vec<Suspension>, StoreError> {
    let rows = tx
        .all(
            "SELECT enrollment, recovery FROM recovery_suspensions
             WHERE state = 'pending' AND revoke_at <= $1 ORDER BY revoke_at LIMIT $2",
            params![waited, STEP_ROWS],
        )
        .await?;
    let read = |row: &Row| Ok(Suspension { enrollment: row.parse(0)?, recovery: row.parse(1)? });
    rows.iter().map(read).collect()
}

/// Ends one: revoked, or somebody objected. `false` when there was none.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn end(
    tx: &mut Tx<'_>,
    enrollment: &EnrollmentId,
    revoked: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let state = if revoked { "revoked" } else { "objected" };
    let ended = tx
        .run(
            "UPDATE recovery_suspensions SET state = $2, ended_at = $3
             WHERE enrollment = $1 AND state = 'pending'",
            params![enrollment.as_str(), state, now],
        )
        .await?;
    Ok(ended == 1)
}
