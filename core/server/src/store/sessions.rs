//! Sessions: what revocation ends at once, and a restart does not bring back.

use super::{Row, StoreError, Tx, params};
use crate::failure::Failure;
use landfall_identity::id::{EnrollmentId, SessionId};
use landfall_identity::session::{Factor, SessionFacts};
use landfall_identity::{AuthStrength, Refusal, TenantName, Timestamp, UserName};

/// A live session, and whose it is.
pub struct LiveSession {
    /// The device key that it works with.
    pub enrollment: EnrollmentId,
    /// What `authorize` must know.
    pub facts: SessionFacts,
}

fn read(row: &Row) -> Result<LiveSession, StoreError> {
    let strength: String = row.get(2)?;
    let passkey: Option<String> = row.get(5)?;
    let factor = match passkey {
        Some(_) => Some(Factor {
            passkey: row.parse(5)?,
            registered_at: row.get(6)?,
            lives_on: row.parse_option(7)?,
        }),
        None => None,
    };
    Ok(LiveSession {
        enrollment: row.parse(1)?,
        facts: SessionFacts {
            id: row.parse(0)?,
            strength: AuthStrength::parse(&strength).ok_or(StoreError::Shape { column: 2 })?,
            auth_time: row.get(3)?,
            expires_at: row.get(4)?,
            factor,
            bound_to: row.get(8)?,
        },
    })
}

/// A session that is neither over nor ended nor spent.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn live(
    tx: &mut Tx<'_>,
    id: &SessionId,
    now: Timestamp,
) -> Result<Option<LiveSession>, StoreError> {
    let row = tx
        .one(
            "SELECT id, enrollment, strength, auth_time, expires_at, passkey, passkey_since,
                 passkey_lives_on, bound_act
             FROM sessions WHERE id = $1 AND ended_at IS NULL AND expires_at > $2",
            params![id.as_str(), now],
        )
        .await?;
    row.as_ref().map(read).transpose()
}

/// Opens a session.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    enrollment: &EnrollmentId,
    facts: &SessionFacts,
) -> Result<(), StoreError> {
    let factor = facts.factor.as_ref();
    tx.run(
        "INSERT INTO sessions (id, tenant, enrollment, strength, auth_time, expires_at, passkey,
             passkey_since, passkey_lives_on, bound_act)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            facts.id.as_str(),
            tenant.as_str(),
            enrollment.as_str(),
            facts.strength.as_str(),
            facts.auth_time,
            facts.expires_at,
            factor.map(|factor| factor.passkey.as_str()),
            factor.map(|factor| factor.registered_at),
            factor.and_then(|factor| factor.lives_on.as_ref()).map(EnrollmentId::as_str),
            facts.bound_to.as_deref(),
        ],
    )
    .await?;
    Ok(())
}

/// Ends a device's oldest `cert-only` sessions, so that at most `keep` are live.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn keep_newest(
    tx: &mut Tx<'_>,
    enrollment: &EnrollmentId,
    keep: u32,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.run(
        "UPDATE sessions SET ended_at = $3
         WHERE enrollment = $1 AND ended_at IS NULL AND rowid IN
             (SELECT rowid FROM sessions
              WHERE enrollment = $1 AND ended_at IS NULL AND strength = 'cert-only'
              ORDER BY rowid DESC LIMIT -1 OFFSET $2)",
        params![enrollment.as_str(), keep, now],
    )
    .await
}

/// Spends a session that was opened for one act, in the act's own transaction.
///
/// # Errors
/// [`Refusal::StepUpSpent`] when it was spent before.
pub async fn spend(tx: &mut Tx<'_>, id: &SessionId, now: Timestamp) -> Result<(), Failure> {
    let spent = tx
        .run(
            "UPDATE sessions SET spent_at = $2 WHERE id = $1 AND spent_at IS NULL",
            params![id.as_str(), now],
        )
        .await?;
    if spent == 1 { Ok(()) } else { Err(Refusal::StepUpSpent.into()) }
}

/// Ends one session.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn end(tx: &mut Tx<'_>, id: &SessionId, now: Timestamp) -> Result<(), StoreError> {
    tx.run(
        "UPDATE sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL",
        params![id.as_str(), now],
    )
    .await?;
    Ok(())
}

/// Ends every live session of a device, and those on other devices whose passkey cannot leave it. Tells
/// how many there were.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn end_of_device(
    tx: &mut Tx<'_>,
    enrollment: &EnrollmentId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.run(
        "UPDATE sessions SET ended_at = $2
         WHERE (enrollment = $1 OR passkey_lives_on = $1)
           AND ended_at IS NULL AND expires_at > $2",
        params![enrollment.as_str(), now],
    )
    .await
}

/// Ends every live session of a user and tells how many there were.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn end_of_user(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.run(
        "UPDATE sessions SET ended_at = $3
         WHERE ended_at IS NULL AND expires_at > $3 AND enrollment IN
             (SELECT id FROM enrollments WHERE tenant = $1 AND user_name = $2)",
        params![tenant.as_str(), user.as_str(), now],
    )
    .await
}

/// Ends the sessions that were opened with a passkey, when it is removed.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn end_of_passkey(
    tx: &mut Tx<'_>,
    passkey: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.run(
        "UPDATE sessions SET ended_at = $2
         WHERE passkey = $1 AND ended_at IS NULL AND expires_at > $2",
        params![passkey, now],
    )
    .await
}
