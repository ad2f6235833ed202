//! What agents want beyond their ceilings, and what their owners say.

use super::{Row, StoreError, Tx, params};
use landfall_identity::capability::{Ceiling, Words};
use landfall_identity::id::{AgentRowId, ApprovalId, EnrollmentId};
use landfall_identity::{AgentId, Reason, TenantName, Timestamp, UserName};

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalState {
    /// Nobody has answered.
    Open,
    /// Yes.
    Granted,
    /// No.
    Refused,
}

impl ApprovalState {
    const ALL: [Self; 3] = [Self::Open, Self::Granted, Self::Refused];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Granted => "granted",
            Self::Refused => "refused",
        }
    }
}

/// One approval.
#[derive(Debug, Clone)]
pub struct Approval {
    /// Its identifier.
    pub id: ApprovalId,
    /// Where.
    pub tenant: TenantName,
    /// Whose answer it takes.
    pub user: UserName,
    /// Which agent asks.
    pub agent: AgentRowId,
    /// What it is called.
    pub agent_id: AgentId,
    /// What it wants to do.
    pub scope: Words,
    /// Where.
    pub audience: Words,
    /// What of that it lacked.
    pub missing: Words,
    /// Why, in its own words.
    pub reason: Option<Reason>,
    /// Where it stands.
    pub state: ApprovalState,
    /// When it asked.
    pub raised_at: Timestamp,
    /// When nobody can answer any more; once granted, when it is over.
    pub expires_at: Timestamp,
}

fn read(row: &Row) -> Result<Approval, StoreError> {
    let shape = |column| StoreError::Shape { column };
    let words = |column: usize| -> Result<Words, StoreError> {
        let text: String = row.get(column)?;
        Words::parse(&text).map_err(|_| shape(column))
    };
    let state: String = row.get(9)?;
    let state = ApprovalState::ALL.into_iter().find(|one| one.as_str() == state);
    Ok(Approval {
        id: row.parse(0)?,
        tenant: row.parse(1)?,
        user: row.parse(2)?,
        agent: row.parse(3)?,
        agent_id: row.parse(4)?,
        scope: words(5)?,
        audience: words(6)?,
        missing: words(7)?,
        reason: row.parse_option(8)?,
        state: state.ok_or(shape(9))?,
        raised_at: row.get(10)?,
        expires_at: row.get(11)?,
    })
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.tenant, p.user_name, p.agent, a.agent, p.scope, p.audience, p.missing, ",
            "p.reason, p.state, p.raised_at, p.expires_at ",
            "FROM agent_approvals p JOIN agents a ON a.id = p.agent ",
            $rest
        )
    };
}

/// One approval.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(tx: &mut Tx<'_>, id: &ApprovalId) -> Result<Option<Approval>, StoreError> {
    let row = tx.one(select!("WHERE p.id = $1"), params![id.as_str()]).await?;
    row.as_ref().map(read).transpose()
}

/// The one that an agent has open for exactly this: how a lost reply finds it.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn open_of(
    tx: &mut Tx<'_>,
    agent: &AgentRowId,
    scope: &Words,
    audience: &Words,
    now: Timestamp,
) -> Result<Option<Approval>, StoreError> {
    let row = tx
        .one(
            select!(
                "WHERE p.agent = $1 AND p.state = 'open' AND p.expires_at > $4
                 AND p.scope = $2 AND p.audience = $3 LIMIT 1"
            ),
            params![agent.as_str(), scope.to_string(), audience.to_string(), now],
        )
        .await?;
    row.as_ref().map(read).transpose()
}

/// What an agent was allowed beyond its policy, and still is.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn granted(
    tx: &mut Tx<'_>,
    agent: &AgentRowId,
    now: Timestamp,
) -> Result<Vec<Ceiling>, StoreError> {
    let rows = tx
        .all(
            select!("WHERE p.agent = $1 AND p.state = 'granted' AND p.expires_at > $2"),
            params![agent.as_str(), now],
        )
        .await?;
    let ceiling =
        |row: &Row| read(row).map(|one| Ceiling { scope: one.scope, audience: Some(one.audience) });
    rows.iter().map(ceiling).collect()
}

/// A page of what a user's agents have asked for, newest first, older than `before`.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    before: (Timestamp, &str),
    limit: u32,
) -> Result<Vec<Approval>, StoreError> {
    let rows = tx
        .all(
            select!(
                "WHERE p.tenant = $1 AND p.user_name = $2
                 AND (p.raised_at < $3 OR (p.raised_at = $3 AND p.id < $4))
                 ORDER BY p.raised_at DESC, p.id DESC LIMIT $5"
            ),
            params![tenant.as_str(), user.as_str(), before.0, before.1, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Counts what an agent has open.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count_open(
    tx: &mut Tx<'_>,
    agent: &AgentRowId,
    now: Timestamp,
) -> Result<u32, StoreError> {
    let sql = "SELECT COUNT(*) FROM agent_approvals
               WHERE agent = $1 AND state = 'open' AND expires_at > $2";
    let row = tx.one(sql, params![agent.as_str(), now]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Counts what a user's agents have asked for since a time, whatever became of it.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count_since(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    since: Timestamp,
) -> Result<u32, StoreError> {
    let sql = "SELECT COUNT(*) FROM agent_approvals
               WHERE tenant = $1 AND user_name = $2 AND raised_at > $3";
    let row = tx.one(sql, params![tenant.as_str(), user.as_str(), since]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Adds one that is open.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert(tx: &mut Tx<'_>, approval: &Approval) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO agent_approvals (id, tenant, user_name, agent, scope, audience, missing, reason,
             state, raised_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, $10)",
        params![
            approval.id.as_str(),
            approval.tenant.as_str(),
            approval.user.as_str(),
            approval.agent.as_str(),
            approval.scope.to_string(),
            approval.audience.to_string(),
            approval.missing.to_string(),
            approval.reason.as_ref().map(Reason::as_str),
            approval.raised_at,
            approval.expires_at,
        ],
    )
    .await?;
    Ok(())
}

/// Answers one that is open; `false` when it is over, or was answered before.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn answer(
    tx: &mut Tx<'_>,
    id: &ApprovalId,
    state: ApprovalState,
    by: &EnrollmentId,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let answered = tx
        .run(
            "UPDATE agent_approvals SET state = $2, answered_by = $3, expires_at = $4,
                 answered_at = $5
             WHERE id = $1 AND state = 'open' AND expires_at > $5",
            params![id.as_str(), state.as_str(), by.as_str(), until, now],
        )
        .await?;
    Ok(answered == 1)
}
