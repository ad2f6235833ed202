//! Agents' tokens that name a person server, and whom to tell when they are called in.

use super::{Row, StoreError, Tx, params};
use landfall_identity::Timestamp;
use landfall_identity::id::{AgentRowId, EnrollmentId, NodeId};

/// One token, called in.
#[derive(Debug, Clone)]
pub struct CalledIn {
    /// What it is called.
    pub jti: String,
    /// Whom to tell: `https://` and a host.
    pub person_server: String,
    /// When it ends, and nobody needs to be told any more.
    pub expires_at: Timestamp,
    /// When it was called in.
    pub at: Timestamp,
    /// How often that was tried, this time counted.
    pub attempts: u32,
}

fn read(row: &Row) -> Result<CalledIn, StoreError> {
    Ok(CalledIn {
        jti: row.get(0)?,
        person_server: row.get(1)?,
        expires_at: row.get(2)?,
        at: row.get(3)?,
        attempts: row.get(4)?,
    })
}

/// Keeps a token's name until it ends. Of one agent at most `most` are kept, those that end last.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn keep(
    tx: &mut Tx<'_>,
    jti: &str,
    agent: &AgentRowId,
    person_server: &str,
    expires_at: Timestamp,
    most: u32,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO agent_tokens (jti, agent, person_server, expires_at) VALUES ($1, $2, $3, $4)",
        params![jti, agent.as_str(), person_server, expires_at],
    )
    .await?;
    tx.run(
        "DELETE FROM agent_tokens WHERE jti IN (SELECT jti FROM agent_tokens WHERE agent = $1
             ORDER BY expires_at DESC LIMIT 1 OFFSET $2)",
        params![agent.as_str(), most],
    )
    .await?;
    Ok(())
}

/// Calls in the tokens of an agent and of its parts.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn call_in(
    tx: &mut Tx<'_>,
    agent: &AgentRowId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE agent_tokens SET called_in_at = $2, due_at = $2
         WHERE called_in_at IS NULL AND expires_at > $2
           AND agent IN (SELECT id FROM agents WHERE id = $1 OR parent = $1)",
        params![agent.as_str(), now],
    )
    .await?;
    Ok(())
}

/// Calls in the tokens of all agents that came through a device.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn call_in_of_device(
    tx: &mut Tx<'_>,
    device: &EnrollmentId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE agent_tokens SET called_in_at = $2, due_at = $2
         WHERE called_in_at IS NULL AND expires_at > $2
           AND agent IN (SELECT id FROM agents WHERE introduced_by = $1)",
        params![device.as_str(), now],
    )
    .await?;
    Ok(())
}

/// Whether anybody is to be told. A look that keeps the writer out of idle hours.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn any_due(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let row = tx
        .one(
            "SELECT 1 FROM agent_tokens WHERE due_at <= $1
               AND (leased_until IS NULL OR leased_until <= $1) LIMIT 1",
            params![now],
        )
        .await?;
    Ok(row.is_some())
}

/// Takes on what is due, at most `limit`, until `until`. An attempt counts when it begins.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn lease(
    tx: &mut Tx<'_>,
    node: &NodeId,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<CalledIn>, StoreError> {
    let rows = tx
        .all(
            "UPDATE agent_tokens SET leased_by = $1, leased_until = $2, attempts = attempts + 1
             WHERE jti IN (SELECT jti FROM agent_tokens WHERE due_at <= $3
                             AND (leased_until IS NULL OR leased_until <= $3)
                           ORDER BY due_at LIMIT $4)
             RETURNING jti, person_server, expires_at, called_in_at, attempts",
            params![node.as_str(), until, now, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Gives one that this node has leased back until `due_at`; forgets it without.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn settle(
    tx: &mut Tx<'_>,
    jti: &str,
    node: &NodeId,
    due_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    match due_at {
        Some(due_at) => {
            tx.run(
                "UPDATE agent_tokens SET due_at = $3, leased_by = NULL, leased_until = NULL
                 WHERE jti = $1 AND leased_by = $2",
                params![jti, node.as_str(), due_at],
            )
            .await?
        }
        None => {
            let ours = "DELETE FROM agent_tokens WHERE jti = $1 AND leased_by = $2";
            tx.run(ours, params![jti, node.as_str()]).await?
        }
    };
    Ok(())
}

/// Ends every lease, for the start of a server: see [`super::outbox::release_all`].
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn release_all(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.run(
        "UPDATE agent_tokens SET leased_by = NULL, leased_until = NULL WHERE leased_by IS NOT NULL",
        params![],
    )
    .await?;
    Ok(())
}
