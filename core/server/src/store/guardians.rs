//! Guardians.

use super::{Row, StoreError, Tx, params};
use landfall_identity::recovery::Guardianship;
use landfall_identity::{TenantName, Timestamp, UserName};

/// Somebody's guardian, or somebody who was asked to be.
#[derive(Debug, Clone)]
pub struct Guardian {
    /// Whose.
    pub user: UserName,
    /// Who.
    pub guardian: UserName,
    /// Since when.
    pub since: Guardianship,
}

fn read(row: &Row) -> Result<Guardian, StoreError> {
    Ok(Guardian {
        user: row.parse(0)?,
        guardian: row.parse(1)?,
        since: Guardianship { named_at: row.get(2)?, accepted_at: row.get(3)? },
    })
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT user_name, guardian, named_at, accepted_at FROM guardians
             WHERE tenant = $1 AND ended_at IS NULL ",
            $rest
        )
    };
}

/// Whether somebody is, or is asked to be, a user's guardian.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    guardian: &UserName,
) -> Result<Option<Guardian>, StoreError> {
    let row = tx
        .one(
            select!("AND user_name = $2 AND guardian = $3"),
            params![tenant.as_str(), user.as_str(), guardian.as_str()],
        )
        .await?;
    row.as_ref().map(read).transpose()
}

/// A page of a user's guardians by name.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    after: &str,
    limit: u32,
) -> Result<Vec<Guardian>, StoreError> {
    let rows = tx
        .all(
            select!("AND user_name = $2 AND guardian > $3 ORDER BY guardian LIMIT $4"),
            params![tenant.as_str(), user.as_str(), after, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// A page of those who want somebody as their guardian, by name.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn wards(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    guardian: &UserName,
    after: &str,
    limit: u32,
) -> Result<Vec<Guardian>, StoreError> {
    let rows = tx
        .all(
            select!("AND guardian = $2 AND user_name > $3 ORDER BY user_name LIMIT $4"),
            params![tenant.as_str(), guardian.as_str(), after, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// How many guardians a user has named.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
) -> Result<u32, StoreError> {
    let row = tx
        .one(
            "SELECT COUNT(*) FROM guardians
             WHERE tenant = $1 AND user_name = $2 AND ended_at IS NULL",
            params![tenant.as_str(), user.as_str()],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Names a guardian: a new term, in which nothing of an earlier one counts.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn name(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    guardian: &UserName,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO guardians (tenant, user_name, guardian, named_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant, user_name, guardian) DO UPDATE SET named_at = excluded.named_at,
             accepted_at = NULL, ended_at = NULL",
        params![tenant.as_str(), user.as_str(), guardian.as_str(), now],
    )
    .await?;
    Ok(())
}

/// They accept; `false` when they had, or were not asked.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn accept(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    guardian: &UserName,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = tx
        .run(
            "UPDATE guardians SET accepted_at = $4 WHERE tenant = $1 AND user_name = $2
               AND guardian = $3 AND accepted_at IS NULL AND ended_at IS NULL",
            params![tenant.as_str(), user.as_str(), guardian.as_str(), now],
        )
        .await?;
    Ok(changed == 1)
}

/// Ends it.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn end(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    guardian: &UserName,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE guardians SET ended_at = $4 WHERE tenant = $1 AND user_name = $2 AND guardian = $3
           AND ended_at IS NULL",
        params![tenant.as_str(), user.as_str(), guardian.as_str(), now],
    )
    .await?;
    Ok(())
}
