//! Recoveries, what was proved in them, and the messages that were taken.

use super::{Row, StoreError, Tx, params};
use landfall_identity::id::{EnrollmentId, RecoveryId};
use landfall_identity::recovery::{Door, MESSAGES_WINDOW, RecoveryState, UNPROVED_SHOWN};
use landfall_identity::{DeviceName, Reason, TenantName, Timestamp, UserName};
use std::net::IpAddr;

/// A recovery.
#[derive(Debug, Clone)]
pub struct Recovery {
    /// Its identifier.
    pub id: RecoveryId,
    /// Where.
    pub tenant: TenantName,
    /// Whose account, as the one who began it says. Need not exist.
    pub user: UserName,
    /// What the new device will be called.
    pub device: DeviceName,
    /// The key that began it (RFC 7638), and alone may go on.
    pub thumbprint: String,
    /// That key (SubjectPublicKeyInfo, DER).
    pub spki: Vec<u8>,
    /// Where it was begun from.
    pub place: String,
    /// Where it stands.
    pub state: RecoveryState,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Wrong codes that it still takes.
    pub tries_left: u32,
    /// The device that it made.
    pub enrollment: Option<EnrollmentId>,
    /// The certificate that it yielded, by serial.
    pub certificate: Option<String>,
}

/// One proof, as it was given.
#[derive(Debug, Clone)]
pub struct ProofRow {
    /// What kind it is.
    pub door: Door,
    /// Who or which: the same one counts once.
    pub by: String,
    /// A code's name, or the device that an administrator or a guardian approved on.
    pub thing: String,
    /// Why, where somebody vouched.
    pub reason: Option<Reason>,
    /// When it was given.
    pub at: Timestamp,
}

fn read(row: &Row) -> Result<Recovery, StoreError> {
    let state: String = row.get(7)?;
    let ended: Option<Timestamp> = row.get(10)?;
    let state = match (state.as_str(), ended) {
        ("open", _) => RecoveryState::Open,
        ("completed", Some(at)) => RecoveryState::Completed { at },
        ("stopped", Some(at)) => RecoveryState::Stopped { at },
        _ => return Err(StoreError::Shape { column: 7 }),
    };
    Ok(Recovery {
        id: row.parse(0)?,
        tenant: row.parse(1)?,
        user: row.parse(2)?,
        device: row.parse(3)?,
        thumbprint: row.get(4)?,
        spki: row.get(5)?,
        place: row.get(6)?,
        state,
        begun_at: row.get(8)?,
        expires_at: row.get(9)?,
        tries_left: row.get(11)?,
        enrollment: row.parse_option(12)?,
        certificate: row.get(13)?,
    })
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, tenant, user_name, device, thumbprint, spki, place, state, begun_at, \
             expires_at, ended_at, tries_left, enrollment, certificate FROM recoveries ",
            $rest
        )
    };
}

/// One recovery.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(tx: &mut Tx<'_>, id: &RecoveryId) -> Result<Option<Recovery>, StoreError> {
    let row = tx.one(select!("WHERE id = $1"), params![id.as_str()]).await?;
    row.as_ref().map(read).transpose()
}

/// The one that a key has open for a user.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn open_of_key(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    thumbprint: &str,
) -> Result<Option<Recovery>, StoreError> {
    let row = tx
        .one(
            select!("WHERE tenant = $1 AND user_name = $2 AND thumbprint = $3 AND state = 'open'"),
            params![tenant.as_str(), user.as_str(), thumbprint],
        )
        .await?;
    row.as_ref().map(read).transpose()
}

/// How many were begun from a place since a time, whatever became of them.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn begun_from(tx: &mut Tx<'_>, place: &str, since: Timestamp) -> Result<u32, StoreError> {
    let row = tx
        .one(
            "SELECT COUNT(*) FROM recoveries WHERE place = $1 AND begun_at > $2",
            params![place, since],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Lets the time of those recoveries of an account end for which there is no room: of the ones that have
/// proved nothing, those beyond `kept`. Each network keeps its newest before any keeps its second, and in it each
/// place: who begins many pushes out their own. Links have a pool of their own.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn make_room(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    kept: u32,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE recoveries SET expires_at = $3 WHERE id IN
             (SELECT ranked.id FROM
                (SELECT of_place.id, of_place.begun_at,
                        ROW_NUMBER() OVER (PARTITION BY of_place.net
                                           ORDER BY of_place.nth, of_place.begun_at DESC, of_place.id) AS nth
                 FROM
                   (SELECT r.id, r.net, r.begun_at,
                           ROW_NUMBER() OVER (PARTITION BY r.place ORDER BY r.begun_at DESC, r.id) AS nth
                    FROM recoveries r
                    WHERE r.tenant = $1 AND r.user_name = $2 AND r.state = 'open' AND r.expires_at > $3
                      AND NOT EXISTS (SELECT 1 FROM recovery_proofs p WHERE p.recovery = r.id)
                      AND NOT EXISTS (SELECT 1 FROM links l WHERE l.recovery = r.id)) of_place) ranked
              ORDER BY ranked.nth, ranked.begun_at DESC, ranked.id LIMIT 1000 OFFSET $4)",
        params![tenant.as_str(), user.as_str(), now, kept],
    )
    .await?;
    Ok(())
}

/// The network that a place is in: the first two of an address's four numbers, or of an IPv6 network's groups, which
/// is what a provider gives out.
pub(super) fn net_of(place: &str) -> String {
    let address = place.split('/').next().unwrap_or_default();
    match address.parse() {
        Ok(IpAddr::V4(address)) => {
            let [first, second, ..] = address.octets();
            format!("{first}.{second}")
        }
        Ok(IpAddr::V6(address)) => {
            let [first, second, ..] = address.segments();
            format!("{first:x}:{second:x}")
        }
        Err(_) => place.to_owned(),
    }
}

/// Adds an open recovery.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert(tx: &mut Tx<'_>, new: &Recovery) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO recoveries (id, tenant, user_name, device, thumbprint, spki, place, state,
             begun_at, expires_at, tries_left, net)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9, $10, $11)",
        params![
            new.id.as_str(),
            new.tenant.as_str(),
            new.user.as_str(),
            new.device.as_str(),
            new.thumbprint.as_str(),
            new.spki.as_slice(),
            new.place.as_str(),
            new.begun_at,
            new.expires_at,
            new.tries_left,
            net_of(&new.place),
        ],
    )
    .await?;
    Ok(())
}

/// A page of recoveries of users who exist, open and not over, newest first, older than `before`;
/// `user` narrows it to one, as its owner sees it: what has shown nothing for a while is not there.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn list_open(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: Option<&UserName>,
    before: (Timestamp, &str),
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Recovery>, StoreError> {
    let rows = tx
        .all(
            select!(
                "WHERE tenant = $1 AND ($2 IS NULL OR user_name = $2) AND state = 'open'
                 AND expires_at > $3 AND (begun_at < $4 OR (begun_at = $4 AND id < $5))
                 AND EXISTS (SELECT 1 FROM users u
                             WHERE u.tenant = recoveries.tenant AND u.name = user_name)
                 AND ($2 IS NOT NULL
                      OR NOT EXISTS (SELECT 1 FROM links l WHERE l.recovery = recoveries.id))
                 AND ($2 IS NULL OR begun_at > $7
                      OR EXISTS (SELECT 1 FROM links l WHERE l.recovery = recoveries.id)
                      OR EXISTS (SELECT 1 FROM recovery_proofs p WHERE p.recovery = recoveries.id))
                 ORDER BY begun_at DESC, id DESC LIMIT $6"
            ),
            params![
                tenant.as_str(),
                user.map(UserName::as_str),
                now,
                before.0,
                before.1,
                limit,
                now - UNPROVED_SHOWN
            ],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// As [`list_open`] of nobody in particular, of those who chose `guardian`, who accepted.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn list_of_wards(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    guardian: &UserName,
    before: (Timestamp, &str),
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Recovery>, StoreError> {
    let rows = tx
        .all(
            select!(
                "WHERE tenant = $1 AND state = 'open' AND expires_at > $2
                 AND (begun_at < $3 OR (begun_at = $3 AND id < $4))
                 AND EXISTS (SELECT 1 FROM guardians g
                             WHERE g.tenant = recoveries.tenant AND g.guardian = $5
                               AND g.user_name = recoveries.user_name
                               AND g.accepted_at IS NOT NULL AND g.ended_at IS NULL)
                 AND NOT EXISTS (SELECT 1 FROM links l WHERE l.recovery = recoveries.id)
                 ORDER BY begun_at DESC, id DESC LIMIT $6"
            ),
            params![tenant.as_str(), now, before.0, before.1, guardian.as_str(), limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Counts a wrong code; `false` when no try is left.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count_try(tx: &mut Tx<'_>, id: &RecoveryId) -> Result<bool, StoreError> {
    let counted = tx
        .run(
            "UPDATE recoveries SET tries_left = tries_left - 1 WHERE id = $1 AND tries_left > 0",
            params![id.as_str()],
        )
        .await?;
    Ok(counted == 1)
}

/// Says no; `false` when it is not open any more.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn stop(tx: &mut Tx<'_>, id: &RecoveryId, now: Timestamp) -> Result<bool, StoreError> {
    let stopped = tx
        .run(
            "UPDATE recoveries SET state = 'stopped', ended_at = $2
             WHERE id = $1 AND state = 'open'",
            params![id.as_str(), now],
        )
        .await?;
    Ok(stopped == 1)
}

/// The one place where a recovery ends well; `false` when it is not open any more.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn complete(
    tx: &mut Tx<'_>,
    id: &RecoveryId,
    device: &DeviceName,
    enrollment: &EnrollmentId,
    certificate: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let completed = tx
        .run(
            "UPDATE recoveries SET state = 'completed', ended_at = $2, device = $3,
                 enrollment = $4, certificate = $5
             WHERE id = $1 AND state = 'open' AND expires_at > $2",
            params![id.as_str(), now, device.as_str(), enrollment.as_str(), certificate],
        )
        .await?;
    Ok(completed == 1)
}

/// The recoveries of a user that are open and were begun before `at`, the oldest first.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn open_before(
    tx: &mut Tx<'_>,
    (tenant, user): (&TenantName, &UserName),
    at: Timestamp,
    now: Timestamp,
) -> Result<Vec<Recovery>, StoreError> {
    let rows = tx
        .all(
            select!(
                "WHERE tenant = $1 AND user_name = $2 AND state = 'open' AND expires_at > $4
                   AND begun_at < $3 ORDER BY begun_at, id LIMIT 1000"
            ),
            params![tenant.as_str(), user.as_str(), at, now],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// A proof that was given before `since` is given anew, now. Tells whether there was one.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn give_again(
    tx: &mut Tx<'_>,
    recovery: &RecoveryId,
    proof: &ProofRow,
    since: Timestamp,
) -> Result<bool, StoreError> {
    let given = tx
        .run(
            "UPDATE recovery_proofs SET given_at = $4
         WHERE recovery = $1 AND door = $2 AND given_by = $3 AND given_at <= $5",
            params![recovery.as_str(), proof.door.as_str(), proof.by.as_str(), proof.at, since,],
        )
        .await?;
    Ok(given > 0)
}

/// Keeps a proof; `false` when the same one gave it before. Then the first stays, unless its `thing` has
/// changed.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn add_proof(
    tx: &mut Tx<'_>,
    recovery: &RecoveryId,
    proof: &ProofRow,
) -> Result<bool, StoreError> {
    let known = tx
        .one(
            "SELECT 1 FROM recovery_proofs WHERE recovery = $1 AND door = $2 AND given_by = $3",
            params![recovery.as_str(), proof.door.as_str(), proof.by.as_str()],
        )
        .await?;
    tx.run(
        "INSERT INTO recovery_proofs (recovery, door, given_by, thing, reason, given_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (recovery, door, given_by) DO UPDATE SET thing = excluded.thing,
             reason = excluded.reason, given_at = excluded.given_at
         WHERE recovery_proofs.thing <> excluded.thing",
        params![
            recovery.as_str(),
            proof.door.as_str(),
            proof.by.as_str(),
            proof.thing.as_str(),
            proof.reason.as_ref().map(Reason::as_str),
            proof.at,
        ],
    )
    .await?;
    Ok(known.is_none())
}

/// What was proved, in the order in which it was.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn proofs(tx: &mut Tx<'_>, recovery: &RecoveryId) -> Result<Vec<ProofRow>, StoreError> {
    let rows = tx
        .all(
            "SELECT door, given_by, thing, reason, given_at FROM recovery_proofs
             WHERE recovery = $1 ORDER BY given_at, door, given_by",
            params![recovery.as_str()],
        )
        .await?;
    let read = |row: &Row| {
        let door: String = row.get(0)?;
        Ok(ProofRow {
            door: Door::parse(&door).ok_or(StoreError::Shape { column: 0 })?,
            by: row.get(1)?,
            thing: row.get(2)?,
            reason: row.parse_option(3)?,
            at: row.get(4)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Takes a message by its signature; `false` when it was taken before.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn take_message(
    tx: &mut Tx<'_>,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let taken = tx
        .run(
            "INSERT INTO recovery_messages (digest, taken_at) VALUES ($1, $2)
             ON CONFLICT (digest) DO NOTHING",
            params![digest.as_slice(), now],
        )
        .await?;
    Ok(taken == 1)
}

/// Counts a message of a recovery, in a span of its own when the one before is over (or the clock went back).
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count_message(
    tx: &mut Tx<'_>,
    id: &RecoveryId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE recoveries SET
             messages = CASE WHEN messages_since > $2 AND messages_since <= $3
                 THEN messages + 1 ELSE 1 END,
             messages_since = CASE WHEN messages_since > $2 AND messages_since <= $3
                 THEN messages_since ELSE $3 END
         WHERE id = $1",
        params![id.as_str(), now - MESSAGES_WINDOW, now],
    )
    .await?;
    Ok(())
}

/// How many messages a recovery has sent in the span that runs.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn messages(tx: &mut Tx<'_>, id: &RecoveryId, now: Timestamp) -> Result<u32, StoreError> {
    let row = tx
        .one(
            "SELECT messages FROM recoveries
             WHERE id = $1 AND messages_since > $2 AND messages_since <= $3",
            params![id.as_str(), now - MESSAGES_WINDOW, now],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}
