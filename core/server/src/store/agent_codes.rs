//! Codes that let one agent in.

use super::{Row, StoreError, Tx, params};
use landfall_identity::id::{AgentCodeId, EnrollmentId};
use landfall_identity::token::TokenState;
use landfall_identity::{TenantName, Timestamp, UserName};

/// A code. Of its secret only a hash is known here.
#[derive(Debug, Clone)]
pub struct AgentCode {
    /// Its public name.
    pub id: AgentCodeId,
    /// Where.
    pub tenant: TenantName,
    /// Whose agent it lets in.
    pub user: UserName,
    /// The device that it was made on.
    pub enrollment: EnrollmentId,
    /// What the agent will be called; absent leaves it to the agent.
    pub name: Option<String>,
    /// SHA-256 of its secret.
    pub auth_hash: [u8; 32],
    /// Where it stands.
    pub state: TokenState,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When its time is over.
    pub expires_at: Timestamp,
    /// The agent that it let in.
    pub agent: Option<String>,
    /// Whether the device that it was made on is gone for good, and the code with it.
    pub made_on_revoked: bool,
}

fn read(row: &Row) -> Result<AgentCode, StoreError> {
    let shape = |column| StoreError::Shape { column };
    let hash: Vec<u8> = row.get(5)?;
    let state: String = row.get(6)?;
    let maker: Option<String> = row.get(12)?;
    let state = match state.as_str() {
        "issued" => TokenState::Issued,
        "consumed" => TokenState::Consumed { at: row.get(9)?, by: row.get(10)? },
        "cancelled" => TokenState::Cancelled { at: row.get(9)? },
        _ => return Err(shape(6)),
    };
    Ok(AgentCode {
        id: row.parse(0)?,
        tenant: row.parse(1)?,
        user: row.parse(2)?,
        enrollment: row.parse(3)?,
        name: row.get(4)?,
        auth_hash: hash.try_into().map_err(|_| shape(5))?,
        state,
        issued_at: row.get(7)?,
        expires_at: row.get(8)?,
        agent: row.get(11)?,
        made_on_revoked: maker.is_some_and(|state| state == "revoked"),
    })
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, tenant, user_name, enrollment, name, auth_hash, state, issued_at, ",
            "expires_at, ended_at, consumed_by, agent, ",
            "(SELECT e.state FROM enrollments e WHERE e.id = agent_codes.enrollment) ",
            "FROM agent_codes ",
            $rest
        )
    };
}

/// A code by its public name. Anybody may hold the name; the secret is compared by the caller.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(tx: &mut Tx<'_>, id: &AgentCodeId) -> Result<Option<AgentCode>, StoreError> {
    let row = tx.one(select!("WHERE id = $1"), params![id.as_str()]).await?;
    row.as_ref().map(read).transpose()
}

/// A code by the hash of its secret: how a repeated minting finds the first one.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn by_auth_hash(
    tx: &mut Tx<'_>,
    auth_hash: &[u8; 32],
) -> Result<Option<AgentCode>, StoreError> {
    let row = tx.one(select!("WHERE auth_hash = $1"), params![auth_hash.as_slice()]).await?;
    row.as_ref().map(read).transpose()
}

/// A page of a user's codes, newest first, older than `before`.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    before: (Timestamp, &str),
    limit: u32,
) -> Result<Vec<AgentCode>, StoreError> {
    let rows = tx
        .all(
            select!(
                "WHERE tenant = $1 AND user_name = $2
                 AND (issued_at < $3 OR (issued_at = $3 AND id < $4))
                 ORDER BY issued_at DESC, id DESC LIMIT $5"
            ),
            params![tenant.as_str(), user.as_str(), before.0, before.1, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Counts a user's codes that can still be used.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count_open(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    now: Timestamp,
) -> Result<u32, StoreError> {
    let row = tx
        .one(
            "SELECT COUNT(*) FROM agent_codes
             WHERE tenant = $1 AND user_name = $2 AND state = 'issued' AND expires_at > $3",
            params![tenant.as_str(), user.as_str(), now],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Adds a code.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert(tx: &mut Tx<'_>, code: &AgentCode) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO agent_codes (id, tenant, user_name, enrollment, name, auth_hash, state,
             issued_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'issued', $7, $8)",
        params![
            code.id.as_str(),
            code.tenant.as_str(),
            code.user.as_str(),
            code.enrollment.as_str(),
            code.name.as_deref(),
            code.auth_hash.as_slice(),
            code.issued_at,
            code.expires_at,
        ],
    )
    .await?;
    Ok(())
}

/// Uses a code up, for one key. `false` when it was used or withdrawn meanwhile.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn consume(
    tx: &mut Tx<'_>,
    id: &AgentCodeId,
    thumbprint: &str,
    agent: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let used = tx
        .run(
            "UPDATE agent_codes SET state = 'consumed', ended_at = $4, consumed_by = $2, agent = $3
             WHERE id = $1 AND state = 'issued' AND expires_at > $4",
            params![id.as_str(), thumbprint, agent, now],
        )
        .await?;
    Ok(used == 1)
}

/// Withdraws a code. `false` when it was used or withdrawn before.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn cancel(tx: &mut Tx<'_>, id: &AgentCodeId, now: Timestamp) -> Result<bool, StoreError> {
    let cancelled = tx
        .run(
            "UPDATE agent_codes SET state = 'cancelled', ended_at = $2
             WHERE id = $1 AND state = 'issued'",
            params![id.as_str(), now],
        )
        .await?;
    Ok(cancelled == 1)
}
