//! Pairings: what an agent and a device of its future owner tell each other.

use super::exchange::{self, stage};
use super::recoveries::net_of;
use super::{Row, StoreError, Tx, params};
use landfall_identity::id::{EnrollmentId, PairingId};
use landfall_identity::recovery::link::{Exchange, Word};
use landfall_identity::{TenantName, Timestamp, UserName};

/// The places that may have to make room for one pairing.
const ROUNDS_MAX: u32 = 8;

/// Where a pairing stands, beside how far the two have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairingState {
    /// The two are at it.
    Open,
    /// The agent may enrol.
    Approved,
    /// It has.
    Enrolled,
    /// Somebody said no.
    Stopped,
}

impl PairingState {
    const ALL: [Self; 4] = [Self::Open, Self::Approved, Self::Enrolled, Self::Stopped];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Enrolled => "enrolled",
            Self::Stopped => "stopped",
        }
    }
}

/// A pairing.
#[derive(Debug, Clone)]
pub struct Pairing {
    /// Its identifier.
    pub id: PairingId,
    /// Where.
    pub tenant: TenantName,
    /// Whose agent it wants to be. Need not exist.
    pub user: UserName,
    /// What it will be called: a local part.
    pub name: String,
    /// Its key (RFC 7638).
    pub thumbprint: String,
    /// What it shows.
    pub code: String,
    /// Where it asks from.
    pub place: String,
    /// Where it stands.
    pub state: PairingState,
    /// How far the two have come.
    pub exchange: Exchange,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

impl Pairing {
    /// Whether the two may go on.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.state == PairingState::Open && !self.expires_at.is_over(now)
    }
}

fn read(row: &Row) -> Result<Pairing, StoreError> {
    let state: String = row.get(7)?;
    let state = PairingState::ALL.into_iter().find(|one| one.as_str() == state);
    Ok(Pairing {
        id: row.parse(0)?,
        tenant: row.parse(1)?,
        user: row.parse(2)?,
        name: row.get(3)?,
        thumbprint: row.get(4)?,
        code: row.get(5)?,
        place: row.get(6)?,
        state: state.ok_or(StoreError::Shape { column: 7 })?,
        exchange: exchange::read(row, 8)?,
        begun_at: row.get(13)?,
        expires_at: row.get(14)?,
    })
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, tenant, user_name, name, thumbprint, code, place, state, stage, ",
            "claimed_by, commitment, answer, reveal, begun_at, expires_at FROM agent_pairings ",
            $rest
        )
    };
}

/// One pairing.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(tx: &mut Tx<'_>, id: &PairingId) -> Result<Option<Pairing>, StoreError> {
    let row = tx.one(select!("WHERE id = $1"), params![id.as_str()]).await?;
    row.as_ref().map(read).transpose()
}

/// The one that a key has under way, or has come in by and not used yet.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn of_key(
    tx: &mut Tx<'_>,
    thumbprint: &str,
    now: Timestamp,
) -> Result<Option<Pairing>, StoreError> {
    let row = tx
        .one(
            select!(
                "WHERE thumbprint = $1 AND expires_at > $2 AND state IN ('open', 'approved')
                 ORDER BY begun_at DESC LIMIT 1"
            ),
            params![thumbprint, now],
        )
        .await?;
    row.as_ref().map(read).transpose()
}

/// The open pairing of a user that shows a code, taken on or not.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn by_code(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    code: &str,
    now: Timestamp,
) -> Result<Option<Pairing>, StoreError> {
    let row = tx
        .one(
            select!(
                "WHERE code = $3 AND expires_at > $4 AND tenant = $1 AND user_name = $2
                 AND state = 'open' ORDER BY begun_at DESC LIMIT 1"
            ),
            params![tenant.as_str(), user.as_str(), code, now],
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
            "SELECT COUNT(*) FROM agent_pairings WHERE place = $1 AND begun_at > $2",
            params![place, since],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Adds a pairing that waits.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert(tx: &mut Tx<'_>, pairing: &Pairing) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO agent_pairings (id, tenant, user_name, name, thumbprint, code, place, state,
             stage, begun_at, expires_at, net)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', 'waiting', $8, $9, $10)",
        params![
            pairing.id.as_str(),
            pairing.tenant.as_str(),
            pairing.user.as_str(),
            pairing.name.as_str(),
            pairing.thumbprint.as_str(),
            pairing.code.as_str(),
            pairing.place.as_str(),
            pairing.begun_at,
            pairing.expires_at,
            net_of(&pairing.place).as_str(),
        ],
    )
    .await?;
    Ok(())
}

/// Takes a step; `false` when another one was taken meanwhile.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn step(
    tx: &mut Tx<'_>,
    id: &PairingId,
    from: &Exchange,
    to: &Exchange,
) -> Result<bool, StoreError> {
    let word = |word: Option<&Word>| word.map(|word| word.to_vec());
    let stepped = tx
        .run(
            "UPDATE agent_pairings
             SET stage = $3, claimed_by = $4, commitment = $5, answer = $6, reveal = $7
             WHERE id = $1 AND stage = $2 AND state = 'open'",
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

/// Moves a pairing on; `false` when it is not where it was believed to be.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn set_state(
    tx: &mut Tx<'_>,
    id: &PairingId,
    from: PairingState,
    to: PairingState,
) -> Result<bool, StoreError> {
    let moved = tx
        .run(
            "UPDATE agent_pairings SET state = $3 WHERE id = $1 AND state = $2",
            params![id.as_str(), from.as_str(), to.as_str()],
        )
        .await?;
    Ok(moved == 1)
}

/// Leaves room for one more: while more than `kept` pairings of a user, or of the whole tenant, wait for
/// somebody, the oldest of the network, and there of the place, that has the most of them ends. So a flood from one place pushes out
/// its own, and nobody is pushed out whom a device has taken on.
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
                "SELECT net, COUNT(*), MIN(begun_at) FROM agent_pairings
                 WHERE stage = 'waiting' AND expires_at > $3 AND state = 'open'
                   AND tenant = $1 AND ($2 IS NULL OR user_name = $2)
                 GROUP BY net ORDER BY 2 DESC, 3",
                params![tenant.as_str(), user, now],
            )
            .await?;
        let mut waiting = 0;
        for net in &nets {
            waiting += net.get::<u32>(1)?;
        }
        let Some(fullest) = nets.first().filter(|_| waiting > kept) else { return Ok(()) };
        let fullest: String = fullest.get(0)?;
        tx.run(
            "UPDATE agent_pairings SET expires_at = $3 WHERE id IN
             (SELECT a.id FROM agent_pairings a
              WHERE a.stage = 'waiting' AND a.expires_at > $3 AND a.state = 'open'
                AND a.tenant = $1 AND ($2 IS NULL OR a.user_name = $2) AND a.net = $4
              ORDER BY (SELECT COUNT(*) FROM agent_pairings b
                        WHERE b.stage = 'waiting' AND b.expires_at > $3 AND b.state = 'open'
                          AND b.tenant = a.tenant AND ($2 IS NULL OR b.user_name = $2)
                          AND b.place = a.place) DESC, a.begun_at, a.id LIMIT 1)",
            params![tenant.as_str(), user, now, fullest],
        )
        .await?;
    }
    Ok(())
}
