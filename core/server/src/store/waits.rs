//! Waiting periods, and who wants them.

use super::{Row, StoreError, Tx, params};
use landfall_identity::id::{NoticeId, RecoveryId};
use landfall_identity::recovery::{Leg, WaitState};
use landfall_identity::{DeviceName, Seconds, TenantName, Timestamp, UserName};

/// Legs that one look begins.
const STEP_ROWS: u32 = 50;

/// The waiting period of one recovery.
#[derive(Debug, Clone)]
pub struct Wait {
    /// Which recovery.
    pub recovery: RecoveryId,
    /// Where.
    pub tenant: TenantName,
    /// Whose account.
    pub user: UserName,
    /// The device that it would be.
    pub device: DeviceName,
    /// Where it stands.
    pub state: WaitState,
    /// How long it is.
    pub whole: Seconds,
    /// The notice of the current leg.
    pub notice: NoticeId,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// When the recovery was begun.
    pub recovering_since: Timestamp,
}

fn read(row: &Row) -> Result<Wait, StoreError> {
    let (state, leg): (String, String) = (row.get(4)?, row.get(6)?);
    let leg = Leg::parse(&leg).ok_or(StoreError::Shape { column: 6 })?;
    let state = match state.as_str() {
        "running" => WaitState::Running { leg, ends_at: row.get(8)? },
        "contested" => WaitState::Contested,
        "vetoed" | "ended" => WaitState::Ended,
        _ => return Err(StoreError::Shape { column: 4 }),
    };
    Ok(Wait {
        recovery: row.parse(0)?,
        tenant: row.parse(1)?,
        user: row.parse(2)?,
        device: row.parse(3)?,
        state,
        whole: Seconds(row.get(5)?),
        notice: row.parse(7)?,
        begun_at: row.get(9)?,
        recovering_since: row.get(10)?,
    })
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT w.recovery, w.tenant, w.user_name, r.device, w.state, w.whole_seconds, w.leg,
                    w.notice, w.leg_ends_at, w.begun_at, r.begun_at
             FROM recovery_waits w JOIN recoveries r ON r.id = w.recovery ",
            $rest
        )
    };
}

/// The wait of a recovery, if one was asked for.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(tx: &mut Tx<'_>, recovery: &RecoveryId) -> Result<Option<Wait>, StoreError> {
    let row = tx.one(select!("WHERE w.recovery = $1"), params![recovery.as_str()]).await?;
    row.as_ref().map(read).transpose()
}

/// The waits of an account that are not over.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn open_of(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    now: Timestamp,
) -> Result<Vec<Wait>, StoreError> {
    let rows = tx
        .all(
            select!(
                "WHERE w.tenant = $1 AND w.user_name = $2 AND w.state IN ('running', 'contested')
                   AND r.state = 'open' AND r.expires_at > $3 ORDER BY w.begun_at, w.recovery"
            ),
            params![tenant.as_str(), user.as_str(), now],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Running waits whose leg is over at `waited`, some at a time. The last leg begins no other.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn ripe(
    tx: &mut Tx<'_>,
    waited: Timestamp,
    now: Timestamp,
) -> Result<Vec<Wait>, StoreError> {
    let rows = tx
        .all(
            select!(
                "WHERE w.state = 'running' AND w.leg <> 'last' AND w.leg_ends_at <= $1
                   AND r.state = 'open' AND r.expires_at > $2
                 ORDER BY w.leg_ends_at LIMIT $3"
            ),
            params![waited, now, STEP_ROWS],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Keeps a new wait.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert(tx: &mut Tx<'_>, wait: &Wait) -> Result<(), StoreError> {
    let (state, leg, _) = columns(wait.state);
    tx.run(
        "INSERT INTO recovery_waits (recovery, tenant, user_name, state, whole_seconds, leg, notice,
             begun_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            wait.recovery.as_str(),
            wait.tenant.as_str(),
            wait.user.as_str(),
            state,
            u32::try_from(wait.whole.0).unwrap_or(u32::MAX),
            leg,
            wait.notice.as_str(),
            wait.begun_at,
        ],
    )
    .await?;
    Ok(())
}

/// Writes where a wait stands now, and the notice that it stands by.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn set(tx: &mut Tx<'_>, wait: &Wait) -> Result<(), StoreError> {
    let (state, leg, ends_at) = columns(wait.state);
    tx.run(
        "UPDATE recovery_waits SET state = $2, leg = $3, notice = $4, leg_ends_at = $5
         WHERE recovery = $1",
        params![wait.recovery.as_str(), state, leg, wait.notice.as_str(), ends_at],
    )
    .await?;
    Ok(())
}

/// Lets the recovery of a wait stay open until `at`, if it would end sooner.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn keep_open(
    tx: &mut Tx<'_>,
    recovery: &RecoveryId,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE recoveries SET expires_at = $2 WHERE id = $1 AND expires_at < $2",
        params![recovery.as_str(), at],
    )
    .await?;
    Ok(())
}

/// Ends a wait; `vetoed` by its owner.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn end(
    tx: &mut Tx<'_>,
    recovery: &RecoveryId,
    vetoed: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let state = if vetoed { "vetoed" } else { "ended" };
    tx.run(
        "UPDATE recovery_waits SET state = $2, ended_at = $3
         WHERE recovery = $1 AND state IN ('running', 'contested')",
        params![recovery.as_str(), state, now],
    )
    .await?;
    Ok(())
}

/// How many waits the owner of an account has ended since a time.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn vetoes(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    since: Timestamp,
) -> Result<u32, StoreError> {
    let row = tx
        .one(
            "SELECT COUNT(*) FROM recovery_waits
             WHERE tenant = $1 AND user_name = $2 AND state = 'vetoed' AND ended_at > $3",
            params![tenant.as_str(), user.as_str(), since],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Since when a user lets waits stand in for a proof.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn allowed_since(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
) -> Result<Option<Timestamp>, StoreError> {
    let row = tx
        .one(
            "SELECT given_at FROM waiting_consents WHERE tenant = $1 AND user_name = $2",
            params![tenant.as_str(), user.as_str()],
        )
        .await?;
    row.map(|row| row.get(0)).transpose()
}

/// A user lets waits stand in for a proof; `false` when they do already.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn allow(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = tx
        .run(
            "INSERT INTO waiting_consents (tenant, user_name, given_at) VALUES ($1, $2, $3)
             ON CONFLICT (tenant, user_name) DO NOTHING",
            params![tenant.as_str(), user.as_str(), now],
        )
        .await?;
    Ok(changed == 1)
}

/// A user does not any more; `false` when they did not.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn forbid(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
) -> Result<bool, StoreError> {
    let changed = tx
        .run(
            "DELETE FROM waiting_consents WHERE tenant = $1 AND user_name = $2",
            params![tenant.as_str(), user.as_str()],
        )
        .await?;
    Ok(changed == 1)
}

const fn columns(state: WaitState) -> (&'static str, &'static str, Option<Timestamp>) {
    match state {
        WaitState::Running { leg, ends_at } => ("running", leg.as_str(), ends_at),
        WaitState::Contested => ("contested", Leg::First.as_str(), None),
        WaitState::Ended => ("ended", Leg::First.as_str(), None),
    }
}
