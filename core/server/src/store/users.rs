//! Users: the durable axis.

use super::{Row, StoreError, Tx, params};
use landfall_identity::caller::{AccountState, Role};
use landfall_identity::device::PROBATION;
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
    /// Since when they are an administrator.
    pub admin_since: Option<Timestamp>,
    /// Until when they were one.
    pub admin_until: Option<Timestamp>,
    /// Since when the account is frozen.
    pub frozen_at: Option<Timestamp>,
    /// When the link of a mail was pressed while it was frozen already.
    pub frozen_again_at: Option<Timestamp>,
    /// Whether an administrator froze it, and not whoever has a device or a mail of its owner's.
    pub frozen_by_admin: bool,
    /// Which administrator; absent when it was whoever runs the server.
    pub frozen_by: Option<UserName>,
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

    /// Whether it was frozen after `at`, by whomever. What was begun before stays out.
    pub fn was_frozen_since(&self, at: Timestamp) -> bool {
        self.frozen_at.max(self.frozen_again_at).is_some_and(|frozen| frozen > at)
    }

    /// The role by which they are let back in at `at`. *Whoever takes an administrator's role away would come in as
    /// them by one approval, where it takes two:* for a day it does still.
    pub fn role_in_recovery(&self, at: Timestamp) -> Role {
        match self.admin_until {
            Some(until) if !(until + PROBATION).is_over(at) => Role::Admin,
            _ => self.role,
        }
    }

    /// From when on their word lets another administrator back in. *Whoever can make administrators would make the
    /// second one, who agrees:* so it counts from a day after they became one.
    pub fn vouches_for_admins_from(&self) -> Option<Timestamp> {
        self.admin_since.map(|since| since + PROBATION)
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
        admin_since: row.get(6)?,
        admin_until: row.get(7)?,
        frozen_by_admin: row.get(8)?,
        frozen_again_at: row.get(9)?,
        frozen_by: row.parse_option(10)?,
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
            "SELECT tenant, name, role, frozen_at, webauthn_handle, created_at,
                 admin_since, admin_until, frozen_by_admin, frozen_again_at, frozen_by
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
        "INSERT INTO users (tenant, name, role, webauthn_handle, created_at, admin_since)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![
            user.tenant.as_str(),
            user.name.as_str(),
            user.role.as_str(),
            user.webauthn_handle.as_slice(),
            user.created_at,
            user.admin_since,
        ],
    )
    .await?;
    Ok(())
}

/// Freezes or unfreezes. What an administrator froze stays theirs until it is unfrozen.
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
        "UPDATE users SET frozen_at = $3, frozen_again_at = NULL, frozen_by = NULL,
             frozen_by_admin = FALSE
         WHERE tenant = $1 AND name = $2",
        params![tenant.as_str(), name.as_str(), frozen_at],
    )
    .await?;
    Ok(())
}

/// Freezes for an administrator, or for whoever runs the server: what was said before that counts no more.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn set_frozen_by_admin(
    tx: &mut Tx<'_>,
    (tenant, name): (&TenantName, &UserName),
    by: Option<&UserName>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE users SET frozen_at = $4, frozen_by_admin = TRUE, frozen_by = $3
         WHERE tenant = $1 AND name = $2",
        params![tenant.as_str(), name.as_str(), by.map(UserName::as_str), now],
    )
    .await?;
    Ok(())
}

/// Notes that the link of a mail was pressed while the account stood still already.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn set_frozen_again(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    name: &UserName,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE users SET frozen_again_at = $3
         WHERE tenant = $1 AND name = $2 AND frozen_at IS NOT NULL",
        params![tenant.as_str(), name.as_str(), now],
    )
    .await?;
    Ok(())
}

/// Gives a user another role, from now on.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn set_role(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    name: &UserName,
    role: Role,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE users SET role = $3,
             admin_until = CASE WHEN role = 'admin' AND $3 <> 'admin' THEN $4 ELSE admin_until END,
             admin_since = CASE WHEN $3 <> 'admin' THEN NULL ELSE COALESCE(admin_since, $4) END
         WHERE tenant = $1 AND name = $2",
        params![tenant.as_str(), name.as_str(), role.as_str(), now],
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
            "SELECT tenant, name, role, frozen_at, webauthn_handle, created_at,
                 admin_since, admin_until, frozen_by_admin, frozen_again_at, frozen_by
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
            "SELECT tenant, name, role, frozen_at, webauthn_handle, created_at,
                 admin_since, admin_until, frozen_by_admin, frozen_again_at, frozen_by
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
