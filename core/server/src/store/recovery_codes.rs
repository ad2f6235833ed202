//! Recovery codes: what the server may know of them.

use super::{Row, StoreError, Tx, params};
use landfall_identity::recovery::{CodeName, CodeState};
use landfall_identity::{DeviceName, TenantName, Timestamp, UserName};

/// A code.
#[derive(Debug, Clone)]
pub struct Code {
    /// Its public name.
    pub name: CodeName,
    /// The keyed hash of its `auth` half.
    pub auth_hash: [u8; 32],
    /// Where it stands.
    pub state: CodeState,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it was used or replaced.
    pub ended_at: Option<Timestamp>,
    /// The device that it let in.
    pub used_by: Option<DeviceName>,
}

fn read(row: &Row) -> Result<Code, StoreError> {
    let hash: Vec<u8> = row.get(1)?;
    let state: String = row.get(2)?;
    Ok(Code {
        name: row.parse(0)?,
        auth_hash: hash.try_into().map_err(|_| StoreError::Shape { column: 1 })?,
        state: CodeState::parse(&state).ok_or(StoreError::Shape { column: 2 })?,
        made_at: row.get(3)?,
        ended_at: row.get(4)?,
        used_by: row.parse_option(5)?,
    })
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT name, auth_hash, state, made_at, ended_at, used_by FROM recovery_codes \
             WHERE tenant = $1 AND user_name = $2 ",
            $rest
        )
    };
}

/// A code by its name, in whatever state.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    name: &CodeName,
) -> Result<Option<Code>, StoreError> {
    let row = tx
        .one(select!("AND name = $3"), params![tenant.as_str(), user.as_str(), name.as_str()])
        .await?;
    row.as_ref().map(read).transpose()
}

/// A page of a user's codes by name, after `after`.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    after: &str,
    limit: u32,
) -> Result<Vec<Code>, StoreError> {
    let rows = tx
        .all(
            select!("AND name > $3 ORDER BY name LIMIT $4"),
            params![tenant.as_str(), user.as_str(), after, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// When the oldest code that works was made; `None` when none does.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn live_since(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
) -> Result<Option<Timestamp>, StoreError> {
    let row = tx
        .one(
            "SELECT MIN(made_at) FROM recovery_codes
             WHERE tenant = $1 AND user_name = $2 AND state = 'live'",
            params![tenant.as_str(), user.as_str()],
        )
        .await?;
    row.map_or(Ok(None), |row| row.get(0))
}

/// How many codes work.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count_live(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
) -> Result<u32, StoreError> {
    let row = tx
        .one(
            "SELECT COUNT(*) FROM recovery_codes
             WHERE tenant = $1 AND user_name = $2 AND state = 'live'",
            params![tenant.as_str(), user.as_str()],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Ends every code that works: a new sheet takes their place.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn replace_all(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.run(
        "UPDATE recovery_codes SET state = 'replaced', ended_at = $3
         WHERE tenant = $1 AND user_name = $2 AND state = 'live'",
        params![tenant.as_str(), user.as_str(), now],
    )
    .await
}

/// Adds a code that works; `false` when its name was given before.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    name: &CodeName,
    auth_hash: &[u8; 32],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let added = tx
        .run(
            "INSERT INTO recovery_codes (tenant, user_name, name, auth_hash, state, made_at)
             VALUES ($1, $2, $3, $4, 'live', $5)
             ON CONFLICT (tenant, user_name, name) DO NOTHING",
            params![tenant.as_str(), user.as_str(), name.as_str(), auth_hash.as_slice(), now],
        )
        .await?;
    Ok(added == 1)
}

/// The one place where a code is used up. `false` when it no longer works.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn burn(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    name: &CodeName,
    device: &DeviceName,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let burnt = tx
        .run(
            "UPDATE recovery_codes SET state = 'used', ended_at = $4, used_by = $5
             WHERE tenant = $1 AND user_name = $2 AND name = $3 AND state = 'live'",
            params![tenant.as_str(), user.as_str(), name.as_str(), now, device.as_str()],
        )
        .await?;
    Ok(burnt == 1)
}
