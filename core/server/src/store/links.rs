//! Links: what two devices of one user tell each other while one lets the other in.

use super::exchange::{self, stage};
use super::{StoreError, Tx, params};
use landfall_identity::id::{EnrollmentId, RecoveryId};
use landfall_identity::recovery::link::{Exchange, Word};
use landfall_identity::{TenantName, Timestamp, UserName};

/// The places that may have to make room for one link.
const ROUNDS_MAX: u32 = 8;

/// How far the exchange of a link has come.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(tx: &mut Tx<'_>, id: &RecoveryId) -> Result<Option<Exchange>, StoreError> {
    let row = tx
        .one(
            "SELECT stage, claimed_by, commitment, answer, reveal FROM links WHERE recovery = $1",
            params![id.as_str()],
        )
        .await?;
    row.as_ref().map(|row| exchange::read(row, 0)).transpose()
}

/// Adds a link that waits, beside its recovery.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert(
    tx: &mut Tx<'_>,
    id: &RecoveryId,
    code: &str,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO links (recovery, code, stage, expires_at) VALUES ($1, $2, 'waiting', $3)",
        params![id.as_str(), code, expires_at],
    )
    .await?;
    Ok(())
}

/// The open link of a user that shows a code, taken on or not.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn by_code(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    code: &str,
    now: Timestamp,
) -> Result<Option<RecoveryId>, StoreError> {
    let row = tx
        .one(
            "SELECT l.recovery FROM links l JOIN recoveries r ON r.id = l.recovery
             WHERE l.code = $3 AND l.expires_at > $4 AND r.tenant = $1 AND r.user_name = $2
               AND r.state = 'open'
             ORDER BY r.begun_at DESC LIMIT 1",
            params![tenant.as_str(), user.as_str(), code, now],
        )
        .await?;
    row.map(|row| row.parse(0)).transpose()
}

/// Takes a step; `false` when another one was taken meanwhile.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn step(
    tx: &mut Tx<'_>,
    id: &RecoveryId,
    from: &Exchange,
    to: &Exchange,
) -> Result<bool, StoreError> {
    let word = |word: Option<&Word>| word.map(|word| word.to_vec());
    let stepped = tx
        .run(
            "UPDATE links SET stage = $3, claimed_by = $4, commitment = $5, answer = $6, reveal = $7
             WHERE recovery = $1 AND stage = $2",
            params![
                id.as_str(),
                stage(from),
                stage(to),
                to.claimed_by().map(EnrollmentId::as_str),
                word(to.commitment()),
                word(to.answer()),
                word(to.reveal()),
            ],
        )
        .await?;
    Ok(stepped == 1)
}

/// Leaves room for one more: while more than `kept` links of a user, or of the whole tenant, wait for an
/// approver, the oldest of the place that has the most of them, in the network that has, ends. So a flood from one
/// place or network pushes out its own, and nobody is pushed out whom an approver has taken on.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn make_room(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: Option<&UserName>,
    kept: u32,
    now: Timestamp,
) -> Result<(), StoreError> {
    let user = user.map(UserName::as_str);
    for _ in 0..ROUNDS_MAX {
        let nets = tx
            .all(
                "SELECT r.net, COUNT(*), MIN(r.begun_at) FROM links l
                 JOIN recoveries r ON r.id = l.recovery
                 WHERE l.stage = 'waiting' AND l.expires_at > $3 AND r.state = 'open'
                   AND r.tenant = $1 AND ($2 IS NULL OR r.user_name = $2)
                 GROUP BY r.net ORDER BY 2 DESC, 3",
                params![tenant.as_str(), user, now],
            )
            .await?;
        let mut waiting = 0;
        for net in &nets {
            waiting += net.get::<u32>(1)?;
        }
        let Some(fullest) = nets.first().filter(|_| waiting > kept) else { return Ok(()) };
        let fullest: String = fullest.get(0)?;
        let oldest = tx
            .one(
                "SELECT l.recovery FROM links l JOIN recoveries r ON r.id = l.recovery
                 WHERE l.stage = 'waiting' AND l.expires_at > $3 AND r.state = 'open'
                   AND r.tenant = $1 AND ($2 IS NULL OR r.user_name = $2) AND r.net = $4
                 ORDER BY (SELECT COUNT(*) FROM links o JOIN recoveries s ON s.id = o.recovery
                           WHERE o.stage = 'waiting' AND o.expires_at > $3 AND s.state = 'open'
                             AND s.tenant = r.tenant AND ($2 IS NULL OR s.user_name = $2)
                             AND s.place = r.place) DESC, r.begun_at, r.id LIMIT 1",
                params![tenant.as_str(), user, now, fullest],
            )
            .await?;
        let Some(oldest) = oldest else { return Ok(()) };
        let id: String = oldest.get(0)?;
        for sql in [
            "UPDATE links SET expires_at = $2 WHERE recovery = $1",
            "UPDATE recoveries SET expires_at = $2 WHERE id = $1",
        ] {
            tx.run(sql, params![id.as_str(), now]).await?;
        }
    }
    Ok(())
}
