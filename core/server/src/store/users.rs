//! Users: the durable axis.

use super::{Row, StoreError, Tx, params};
use landfall_identity::caller::{AccountState, Role};
use landfall_identity::{TenantName, Timestamp, UserName};

/// A user.
#[derive(Debug, Clone)]
pub struct User {
    /// Where.
    pub tenant: TenantName,
    /// Who.
    pub name: UserName,
    /// What they may do.
    pub role: Role,
    /// Since when the account is frozen.
    pub frozen_at: Option<Timestamp>,
    /// The WebAuthn user handle: random, never the name.
    pub webauthn_handle: Vec<u8>,
    /// Since when the user exists.
    pub created_at: Timestamp,
}

impl User {
    /// Whether the account may act.
    pub fn account(&self) -> AccountState {
        if self.frozen_at.is_some() { AccountState::Frozen } else { AccountState::Active }
    }
}

fn read(row: &Row) -> Result<User, StoreError> {
    let role: String = row.get(2)?;
    Ok(User {
        tenant: row.parse(0)?,
        name: row.parse(1)?,
        role: Role::parse(&role).ok_or(StoreError::Shape { column: 2 })?,
        frozen_at: row.get(3)?,
        webauthn_handle: row.get(4)?,
        created_at: row.get(5)?,
    })
}

/// The tenant of the server's users; none before the first.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn first_tenant(tx: &mut Tx<'_>) -> Result<Option<TenantName>, StoreError> {
    let row = tx.one("SELECT tenant FROM users ORDER BY created_at LIMIT 1", params![]).await?;
    row.as_ref().map(|row| row.parse(0)).transpose()
}

/// One user.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    name: &UserName,
) -> Result<Option<User>, StoreError> {
    let row = tx
        .one(
            "SELECT tenant, name, role, frozen_at, webauthn_handle, created_at
             FROM users WHERE tenant = $1 AND name = $2",
            params![tenant.as_str(), name.as_str()],
        )
        .await?;
    row.as_ref().map(read).transpose()
}

/// Adds a user.
///
/// # Errors
/// [`StoreError`] from the database, also when the name is taken.
pub async fn insert(tx: &mut Tx<'_>, user: &User) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO users (tenant, name, role, webauthn_handle, created_at)
         VALUES ($1, $2, $3, $4, $5)",
        params![
            user.tenant.as_str(),
            user.name.as_str(),
            user.role.as_str(),
            user.webauthn_handle.as_slice(),
            user.created_at,
        ],
    )
    .await?;
    Ok(())
}

/// Freezes or unfreezes.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn set_frozen(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    name: &UserName,
    frozen_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE users SET frozen_at = $3 WHERE tenant = $1 AND name = $2",
        params![tenant.as_str(), name.as_str(), frozen_at],
    )
    .await?;
    Ok(())
}

/// Gives a user another role.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn set_role(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    name: &UserName,
    role: Role,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE users SET role = $3 WHERE tenant = $1 AND name = $2",
        params![tenant.as_str(), name.as_str(), role.as_str()],
    )
    .await?;
    Ok(())
}

/// Whether an administrator has ever existed, anywhere. One always does from then on: the last one's role
/// cannot be taken from them.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn any_admin(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    Ok(tx.one("SELECT 1 FROM users WHERE role = 'admin' LIMIT 1", params![]).await?.is_some())
}

/// A tenant's administrators by name.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn admins(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    limit: u32,
) -> Result<Vec<User>, StoreError> {
    let rows = tx
        .all(
            "SELECT tenant, name, role, frozen_at, webauthn_handle, created_at
             FROM users WHERE tenant = $1 AND role = 'admin' ORDER BY name LIMIT $2",
            params![tenant.as_str(), limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// A page of a tenant's users by name, after `after`.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    after: &str,
    limit: u32,
) -> Result<Vec<User>, StoreError> {
    let rows = tx
        .all(
            "SELECT tenant, name, role, frozen_at, webauthn_handle, created_at
             FROM users WHERE tenant = $1 AND name > $2 ORDER BY name LIMIT $3",
            params![tenant.as_str(), after, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Makes a tenant, unless it is there.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn ensure_tenant(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO tenants (name, created_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        params![tenant.as_str(), now],
    )
    .await?;
    Ok(())
}
