//! Agents: their keys, and who stands behind them.

use super::{Row, StoreError, Tx, params};
use landfall_identity::agent_life::{AgentDoor, AgentState, Backing};
use landfall_identity::caller::AccountState;
use landfall_identity::id::{AgentRowId, EnrollmentId};
use landfall_identity::{AgentId, DeviceName, DeviceState, Label, TenantName, Timestamp, UserName};

/// One agent, with who stands behind it as the rows have them now.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Its identifier.
    pub id: AgentRowId,
    /// Where.
    pub tenant: TenantName,
    /// What it is called, for ever.
    pub agent: AgentId,
    /// Its key's public name (RFC 7638).
    pub thumbprint: String,
    /// Its key, as a JSON Web Key.
    pub jwk: String,
    /// Whether it may act by itself.
    pub state: AgentState,
    /// What let it in.
    pub door: AgentDoor,
    /// Whose it is.
    pub owner: Option<UserName>,
    /// The owner's device through which it came.
    pub introduced_by: Option<EnrollmentId>,
    /// The agent that it is a part of.
    pub parent: Option<AgentRowId>,
    /// The server of the person whom it acts for.
    pub person_server: Option<String>,
    /// What its owner calls it.
    pub label: Option<Label>,
    /// Since when it exists.
    pub enrolled_at: Timestamp,
    /// When it last asked for a token.
    pub last_seen_at: Timestamp,
    /// When its newest token ends.
    pub token_until: Timestamp,
    /// Who stands behind it.
    pub backing: Backing,
    /// What that device is called.
    pub introducer: Option<DeviceName>,
    /// What the agent above it is called.
    pub parent_agent: Option<AgentId>,
}

/// Columns of the agent itself; those of who stands behind it follow.
const COLUMNS: usize = 16;

fn state_of(row: &Row, column: usize) -> Result<Option<AgentState>, StoreError> {
    let state: Option<String> = row.get(column)?;
    let at: Option<Timestamp> = row.get(column + 1)?;
    Ok(Some(match (state.as_deref(), at) {
        (None, _) => return Ok(None),
        (Some("active"), _) => AgentState::Active,
        (Some("unproven"), Some(until)) => AgentState::Unproven { until },
        (Some("revoked"), Some(at)) => AgentState::Revoked { at },
        _ => return Err(StoreError::Shape { column }),
    }))
}

fn device_state_of(row: &Row, column: usize) -> Result<Option<DeviceState>, StoreError> {
    let state: Option<String> = row.get(column)?;
    let at: Option<Timestamp> = row.get(column + 1)?;
    Ok(Some(match (state.as_deref(), at) {
        (None, _) => return Ok(None),
        (Some("active"), _) => DeviceState::Active,
        (Some("suspended"), Some(at)) => DeviceState::Suspended { at },
        (Some("revoked"), Some(at)) => DeviceState::Revoked { at },
        _ => return Err(StoreError::Shape { column }),
    }))
}

fn read(row: &Row) -> Result<Agent, StoreError> {
    let shape = |column| StoreError::Shape { column };
    let door: String = row.get(7)?;
    let owner: Option<UserName> = row.parse_option(8)?;
    let frozen: Option<Timestamp> = row.get(COLUMNS)?;
    let account = match frozen {
        Some(_) => AccountState::Frozen,
        None => AccountState::Active,
    };
    Ok(Agent {
        id: row.parse(0)?,
        tenant: row.parse(1)?,
        agent: row.parse(2)?,
        thumbprint: row.get(3)?,
        jwk: row.get(4)?,
        state: state_of(row, 5)?.ok_or(shape(5))?,
        door: AgentDoor::parse(&door).ok_or(shape(7))?,
        introduced_by: row.parse_option(9)?,
        parent: row.parse_option(10)?,
        person_server: row.get(11)?,
        label: row.parse_option(12)?,
        enrolled_at: row.get(13)?,
        last_seen_at: row.get(14)?,
        token_until: row.get(15)?,
        backing: Backing {
            parent: state_of(row, COLUMNS + 1)?,
            owner: owner.is_some().then_some(account),
            introducer: device_state_of(row, COLUMNS + 3)?,
        },
        introducer: row.parse_option(COLUMNS + 5)?,
        parent_agent: row.parse_option(COLUMNS + 6)?,
        owner,
    })
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.tenant, a.agent, a.thumbprint, a.jwk, a.state, a.state_at, a.door, ",
            "a.owner, a.introduced_by, a.parent, a.person_server, a.label, a.enrolled_at, ",
            "a.last_seen_at, a.token_until, u.frozen_at, p.state, p.state_at, e.state, ",
            "e.state_changed_at, e.device, p.agent FROM agents a ",
            "LEFT JOIN users u ON u.tenant = a.tenant AND u.name = a.owner ",
            "LEFT JOIN enrollments e ON e.id = a.introduced_by ",
            "LEFT JOIN agents p ON p.id = a.parent ",
            $rest
        )
    };
}

/// The agent of a key: what gives it authority.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn by_thumbprint(tx: &mut Tx<'_>, thumbprint: &str) -> Result<Option<Agent>, StoreError> {
    let row = tx.one(select!("WHERE a.thumbprint = $1"), params![thumbprint]).await?;
    row.as_ref().map(read).transpose()
}

/// The agent of that name.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(tx: &mut Tx<'_>, agent: &AgentId) -> Result<Option<Agent>, StoreError> {
    let row = tx.one(select!("WHERE a.agent = $1"), params![agent.as_str()]).await?;
    row.as_ref().map(read).transpose()
}

/// A page of a tenant's agents by name; `owner` narrows it to one user's.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    owner: Option<&UserName>,
    after: &str,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Agent>, StoreError> {
    let rows = tx
        .all(
            select!(
                "WHERE a.tenant = $1 AND ($2 IS NULL OR a.owner = $2) AND a.agent > $3
                 AND (a.state <> 'unproven' OR a.state_at > $4) ORDER BY a.agent LIMIT $5"
            ),
            params![tenant.as_str(), owner.map(UserName::as_str), after, now, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Counts a user's agents that are not revoked, sub-agents apart.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count_of_user(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    owner: &UserName,
) -> Result<u32, StoreError> {
    count(
        tx,
        "SELECT COUNT(*) FROM agents
         WHERE tenant = $1 AND owner = $2 AND parent IS NULL AND state <> 'revoked'",
        params![tenant.as_str(), owner.as_str()],
    )
    .await
}

/// Counts the agents that came in through a device of their owner's and are not revoked, sub-agents apart.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count_introduced(
    tx: &mut Tx<'_>,
    (tenant, owner): (&TenantName, &UserName),
    by: &EnrollmentId,
) -> Result<u32, StoreError> {
    count(
        tx,
        "SELECT COUNT(*) FROM agents
         WHERE tenant = $1 AND owner = $2 AND introduced_by = $3 AND parent IS NULL AND state = 'active'",
        params![tenant.as_str(), owner.as_str(), by.as_str()],
    )
    .await
}

/// Counts agents that have proved nothing and are not gone yet.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count_unproven(tx: &mut Tx<'_>, now: Timestamp) -> Result<u32, StoreError> {
    let sql = "SELECT COUNT(*) FROM agents WHERE state = 'unproven' AND state_at > $1";
    count(tx, sql, params![now]).await
}

/// Counts the parts of an agent whose tokens live.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count_parts(
    tx: &mut Tx<'_>,
    parent: &AgentRowId,
    now: Timestamp,
) -> Result<u32, StoreError> {
    let sql = "SELECT COUNT(*) FROM agents WHERE parent = $1 AND token_until > $2";
    count(tx, sql, params![parent.as_str(), now]).await
}

async fn count(
    tx: &mut Tx<'_>,
    sql: &'static str,
    params: &[super::Value],
) -> Result<u32, StoreError> {
    tx.one(sql, params).await?.map_or(Ok(0), |row| row.get(0))
}

/// Adds an agent.
///
/// # Errors
/// [`StoreError`] from the database, also when the key or the name is taken.
pub async fn insert(tx: &mut Tx<'_>, agent: &Agent) -> Result<(), StoreError> {
    let (state, at) = state_words(agent.state);
    tx.run(
        "INSERT INTO agents (id, tenant, agent, thumbprint, jwk, state, state_at, door, owner,
             introduced_by, parent, person_server, label, enrolled_at, last_seen_at, token_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        params![
            agent.id.as_str(),
            agent.tenant.as_str(),
            agent.agent.as_str(),
            agent.thumbprint.as_str(),
            agent.jwk.as_str(),
            state,
            at,
            agent.door.as_str(),
            agent.owner.as_ref().map(UserName::as_str),
            agent.introduced_by.as_ref().map(EnrollmentId::as_str),
            agent.parent.as_ref().map(AgentRowId::as_str),
            agent.person_server.as_deref(),
            agent.label.as_ref().map(Label::as_str),
            agent.enrolled_at,
            agent.last_seen_at,
            agent.token_until,
        ],
    )
    .await?;
    Ok(())
}

fn state_words(state: AgentState) -> (&'static str, Option<Timestamp>) {
    match state {
        AgentState::Unproven { until } => ("unproven", Some(until)),
        AgentState::Active => ("active", None),
        AgentState::Revoked { at } => ("revoked", Some(at)),
    }
}

/// Changes whether an agent may act. Revoked is for ever: such a row stays as it is.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn set_state(
    tx: &mut Tx<'_>,
    id: &AgentRowId,
    state: AgentState,
) -> Result<bool, StoreError> {
    let (state, at) = state_words(state);
    let changed = tx
        .run(
            "UPDATE agents SET state = $2, state_at = $3 WHERE id = $1 AND state <> 'revoked'",
            params![id.as_str(), state, at],
        )
        .await?;
    Ok(changed == 1)
}

/// Revokes the parts of an agent. Answers how many were not revoked before.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn revoke_parts(
    tx: &mut Tx<'_>,
    parent: &AgentRowId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.run(
        "UPDATE agents SET state = 'revoked', state_at = $2 WHERE parent = $1 AND state <> 'revoked'",
        params![parent.as_str(), now],
    )
    .await
}

/// Notes that an agent was given a token until a time, and which person server it carries.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn saw(
    tx: &mut Tx<'_>,
    id: &AgentRowId,
    person_server: Option<&str>,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE agents SET last_seen_at = $2, person_server = $3,
             token_until = CASE WHEN token_until > $4 THEN token_until ELSE $4 END WHERE id = $1",
        params![id.as_str(), now, person_server, until],
    )
    .await?;
    Ok(())
}

/// Notes that an agent came in through another device of its owner, and its parts with it.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn introduce(
    tx: &mut Tx<'_>,
    id: &AgentRowId,
    door: AgentDoor,
    owner: &UserName,
    device: &EnrollmentId,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE agents SET owner = $3, introduced_by = $4,
             door = CASE WHEN id = $1 THEN $2 ELSE door END WHERE id = $1 OR parent = $1",
        params![id.as_str(), door.as_str(), owner.as_str(), device.as_str()],
    )
    .await?;
    Ok(())
}

/// Forgets whoever has this key or this name and never proved anything in time.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn drop_gone(
    tx: &mut Tx<'_>,
    thumbprint: &str,
    agent: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "DELETE FROM agents WHERE (thumbprint = $1 OR agent = $2)
             AND state = 'unproven' AND state_at <= $3",
        params![thumbprint, agent, now],
    )
    .await?;
    Ok(())
}

/// Forgets an agent that has proved nothing.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn forget_unproven(tx: &mut Tx<'_>, id: &AgentRowId) -> Result<(), StoreError> {
    let sql = "DELETE FROM agents WHERE id = $1 AND state = 'unproven'";
    tx.run(sql, params![id.as_str()]).await?;
    Ok(())
}

/// Takes a naming token, once.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn take_naming(
    tx: &mut Tx<'_>,
    thumbprint: &str,
    jti: &str,
    expires_at: Timestamp,
) -> Result<bool, StoreError> {
    let taken = tx
        .run(
            "INSERT INTO agent_replays (thumbprint, jti, expires_at) VALUES ($1, $2, $3)
             ON CONFLICT (thumbprint, jti) DO NOTHING",
            params![thumbprint, jti, expires_at],
        )
        .await?;
    Ok(taken == 1)
}

/// Counts a key's naming tokens that are remembered, up to `most`.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count_naming(tx: &mut Tx<'_>, thumbprint: &str, most: u32) -> Result<u32, StoreError> {
    count(
        tx,
        "SELECT COUNT(*) FROM (SELECT 1 FROM agent_replays WHERE thumbprint = $1 LIMIT $2)",
        params![thumbprint, most],
    )
    .await
}
