//! What tenants add to the shipped rules, and what rules were asked lately.

use super::{StoreError, Tx, params};
use landfall_identity::{TenantName, Timestamp, UserName};

/// Generations that are kept of each tenant's rules, to be looked up after a mistake.
const GENERATIONS_KEPT: i64 = 50;
/// Questions that are kept of each tenant. They differ in kind, not in who asked: hundreds are many.
pub const QUESTIONS_MAX: u32 = 1_000;

/// A tenant's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPolicy {
    /// How often they were changed.
    pub generation: i64,
    /// The rules.
    pub text: String,
    /// Since when.
    pub set_at: Timestamp,
    /// Who set them; the server's operator when absent.
    pub set_by: Option<UserName>,
}

/// The rules in force, when the tenant ever had any.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn current(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
) -> Result<Option<StoredPolicy>, StoreError> {
    let row = tx
        .one(
            "SELECT generation, text, set_at, set_by FROM policies
             WHERE tenant = $1 ORDER BY generation DESC LIMIT 1",
            params![tenant.as_str()],
        )
        .await?;
    let read = |row: super::Row| {
        let set_by: Option<String> = row.get(3)?;
        let set_by = set_by.map(UserName::parse).transpose();
        Ok(StoredPolicy {
            generation: row.get(0)?,
            text: row.get(1)?,
            set_at: row.get(2)?,
            set_by: set_by.map_err(|_| StoreError::Shape { column: 3 })?,
        })
    };
    row.map(read).transpose()
}

/// Keeps the next generation.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn put(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    policy: &StoredPolicy,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO policies (tenant, generation, text, set_at, set_by) VALUES ($1, $2, $3, $4, $5)",
        params![
            tenant.as_str(),
            policy.generation,
            policy.text.as_str(),
            policy.set_at,
            policy.set_by.as_ref().map(UserName::as_str),
        ],
    )
    .await?;
    tx.run(
        "DELETE FROM policies WHERE tenant = $1 AND generation <= $2",
        params![tenant.as_str(), policy.generation - GENERATIONS_KEPT],
    )
    .await?;
    Ok(())
}

/// Keeps a question, or notes that it was asked again; the oldest beyond [`QUESTIONS_MAX`] go.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn keep_question(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    digest: &[u8; 32],
    question: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO policy_questions (tenant, digest, question, last_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant, digest) DO UPDATE SET last_at = excluded.last_at",
        params![tenant.as_str(), digest.as_slice(), question, now],
    )
    .await?;
    tx.run(
        "DELETE FROM policy_questions WHERE tenant = $1 AND digest IN (
             SELECT digest FROM policy_questions WHERE tenant = $1
             ORDER BY last_at DESC LIMIT 1 OFFSET $2)",
        params![tenant.as_str(), QUESTIONS_MAX],
    )
    .await?;
    Ok(())
}

/// The questions that are kept, the latest first.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn questions(tx: &mut Tx<'_>, tenant: &TenantName) -> Result<Vec<String>, StoreError> {
    let rows = tx
        .all(
            "SELECT question FROM policy_questions WHERE tenant = $1
             ORDER BY last_at DESC, digest LIMIT $2",
            params![tenant.as_str(), QUESTIONS_MAX],
        )
        .await?;
    rows.iter().map(|row| row.get(0)).collect()
}
