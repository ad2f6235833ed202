//! Codes that are mailed during a recovery: who asked for one, and what is kept of it.

use super::{Row, StoreError, Tx, params};
use landfall_identity::id::{AddressId, RecoveryId, RecoveryMailId};
use landfall_identity::prompt::PROMPTS_WITHIN;
use landfall_identity::recovery::{MAILS_PLACE_WITHIN, MAILS_UNPROVED_LONG, MailShare, MailsAsked};
use landfall_identity::{TenantName, Timestamp, UserName};

/// Somebody asked for a code.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its identifier.
    pub id: RecoveryMailId,
    /// In which recovery.
    pub recovery: RecoveryId,
    /// Where.
    pub tenant: TenantName,
    /// Whose account, as they say. Need not exist.
    pub user: UserName,
    /// The place that limits are counted by.
    pub place: String,
    /// The address that the request came from.
    pub source: Option<String>,
    /// What else it has shown, when it has.
    pub shown: Option<String>,
    /// Out of which of the account's mails it is sent.
    pub share: MailShare,
    /// When.
    pub at: Timestamp,
}

/// What is kept of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCode {
    /// The address that it was mailed to.
    pub address: AddressId,
    /// Its keyed hash.
    pub hash: [u8; 32],
}

fn read(row: &Row) -> Result<Asked, StoreError> {
    let proved: i64 = row.get(6)?;
    let share = if proved == 0 { MailShare::Open } else { MailShare::Proved };
    Ok(Asked {
        id: row.parse(0)?,
        recovery: row.parse(1)?,
        tenant: row.parse(2)?,
        user: row.parse(3)?,
        place: row.get(4)?,
        source: row.get(5)?,
        share,
        shown: row.get(7)?,
        at: row.get(8)?,
    })
}

/// Notes that somebody asks.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert(tx: &mut Tx<'_>, asked: &Asked) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO recovery_mails (id, recovery, tenant, user_name, place, source, proved, shown, asked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            asked.id.as_str(),
            asked.recovery.as_str(),
            asked.tenant.as_str(),
            asked.user.as_str(),
            asked.place.as_str(),
            asked.source.as_deref(),
            i64::from(asked.share == MailShare::Proved),
            asked.shown.as_deref(),
            asked.at,
        ],
    )
    .await?;
    Ok(())
}

/// What was asked for before, for this account and from this place.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn asked_before(tx: &mut Tx<'_>, now: &Asked) -> Result<MailsAsked, StoreError> {
    let long = now.at - MAILS_UNPROVED_LONG;
    let account = tx
        .one(
            "SELECT COUNT(CASE WHEN asked_at > $3 AND proved <> 0 THEN 1 END),
                    COUNT(CASE WHEN asked_at > $3 AND proved <> 0 AND shown = $5 THEN 1 END),
                    COUNT(CASE WHEN asked_at > $3 AND proved = 0 THEN 1 END),
                    COUNT(CASE WHEN proved = 0 THEN 1 END)
             FROM recovery_mails WHERE tenant = $1 AND user_name = $2 AND asked_at > $4",
            params![
                now.tenant.as_str(),
                now.user.as_str(),
                now.at - PROMPTS_WITHIN,
                long,
                now.shown.as_deref(),
            ],
        )
        .await?;
    let place = tx
        .one(
            "SELECT COUNT(*) FROM recovery_mails WHERE place = $1 AND asked_at > $2",
            params![now.place.as_str(), now.at - MAILS_PLACE_WITHIN],
        )
        .await?;
    let (Some(account), Some(place)) = (account, place) else { return Ok(MailsAsked::default()) };
    Ok(MailsAsked {
        recent_proved: account.get(0)?,
        recent_same: account.get(1)?,
        recent_unproved: account.get(2)?,
        long_unproved: account.get(3)?,
        from_place: place.get(0)?,
    })
}

/// Whether somebody asked and nobody has looked yet. Keeps the writer out of idle hours.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn any_waiting(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    let row =
        tx.one("SELECT 1 FROM recovery_mails WHERE sorted_at IS NULL LIMIT 1", params![]).await?;
    Ok(row.is_some())
}

/// Takes what nobody has looked at yet, oldest first, at most `limit`: each once.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn take_waiting(
    tx: &mut Tx<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Asked>, StoreError> {
    let rows = tx
        .all(
            "UPDATE recovery_mails SET sorted_at = $1
             WHERE id IN (SELECT id FROM recovery_mails WHERE sorted_at IS NULL
                          ORDER BY asked_at LIMIT $2)
             RETURNING id, recovery, tenant, user_name, place, source, proved, shown, asked_at",
            params![now, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// What was asked for under this identifier.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(tx: &mut Tx<'_>, id: &RecoveryMailId) -> Result<Option<Asked>, StoreError> {
    let row = tx
        .one(
            "SELECT id, recovery, tenant, user_name, place, source, proved, shown, asked_at
             FROM recovery_mails WHERE id = $1",
            params![id.as_str()],
        )
        .await?;
    row.as_ref().map(read).transpose()
}

/// Keeps the code that is about to be mailed to an address, in place of the one before it. Tells whether
/// anybody waits for it: the recovery is open, and the address is confirmed and its user's.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn keep_code(
    tx: &mut Tx<'_>,
    recovery: &RecoveryId,
    code: &KeptCode,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let kept = tx
        .run(
            "INSERT INTO recovery_mail_codes (recovery, address, code_hash, until)
             SELECT r.id, a.id, $3, $4 FROM recoveries r
               JOIN addresses a ON a.tenant = r.tenant AND a.user_name = r.user_name
             WHERE r.id = $1 AND a.id = $2 AND r.state = 'open' AND r.expires_at > $5
               AND a.confirmed_at IS NOT NULL
             ON CONFLICT (recovery, address) DO UPDATE SET code_hash = excluded.code_hash,
                 until = excluded.until",
            params![recovery.as_str(), code.address.as_str(), code.hash.as_slice(), until, now,],
        )
        .await?;
    Ok(kept == 1)
}

/// The codes of a recovery that can still be used.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn live_codes(
    tx: &mut Tx<'_>,
    recovery: &RecoveryId,
    now: Timestamp,
) -> Result<Vec<KeptCode>, StoreError> {
    let rows = tx
        .all(
            "SELECT address, code_hash FROM recovery_mail_codes
             WHERE recovery = $1 AND until > $2 ORDER BY address",
            params![recovery.as_str(), now],
        )
        .await?;
    let read = |row: &Row| {
        let hash: Vec<u8> = row.get(1)?;
        let hash = hash.try_into().map_err(|_| StoreError::Shape { column: 1 })?;
        Ok(KeptCode { address: row.parse(0)?, hash })
    };
    rows.iter().map(read).collect()
}

/// Drops the codes of a recovery: it is over, or they are.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn drop_codes(tx: &mut Tx<'_>, recovery: &RecoveryId) -> Result<(), StoreError> {
    tx.run("DELETE FROM recovery_mail_codes WHERE recovery = $1", params![recovery.as_str()])
        .await?;
    Ok(())
}
