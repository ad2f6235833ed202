//! Where notices are mailed to.

use super::{Row, StoreError, Tx, params};
use landfall_identity::id::AddressId;
use landfall_identity::{MailAddress, Seconds, TenantName, Timestamp, UserName};

/// An address of a user.
#[derive(Debug, Clone)]
pub struct Address {
    /// Its identifier.
    pub id: AddressId,
    /// Where.
    pub tenant: TenantName,
    /// Whose.
    pub user: UserName,
    /// The address itself.
    pub address: MailAddress,
    /// When it was added.
    pub added_at: Timestamp,
    /// When its owner proved it; nothing but codes goes there before.
    pub confirmed_at: Option<Timestamp>,
    /// What is kept of the code that was mailed last.
    pub code: Option<MailedCode>,
    /// Tries that the code has left.
    pub tries_left: u32,
}

/// What is kept of a mailed code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailedCode {
    /// Its hash.
    pub hash: Vec<u8>,
    /// When it is over.
    pub until: Timestamp,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, tenant, user_name, address, added_at, confirmed_at, ",
            "code_hash, code_until, tries_left FROM addresses ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<Address, StoreError> {
    let code = match (row.get(6)?, row.get(7)?) {
        (Some(hash), Some(until)) => Some(MailedCode { hash, until }),
        _ => None,
    };
    Ok(Address {
        id: row.parse(0)?,
        tenant: row.parse(1)?,
        user: row.parse(2)?,
        address: row.parse(3)?,
        added_at: row.get(4)?,
        confirmed_at: row.get(5)?,
        code,
        tries_left: row.get(8)?,
    })
}

/// Adds an address that is not confirmed yet.
///
/// # Errors
/// [`StoreError`] from the database, also when the user has it already.
pub async fn insert(tx: &mut Tx<'_>, address: &Address) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO addresses (id, tenant, user_name, address, added_at)
         VALUES ($1, $2, $3, $4, $5)",
        params![
            address.id.as_str(),
            address.tenant.as_str(),
            address.user.as_str(),
            address.address.as_str(),
            address.added_at,
        ],
    )
    .await?;
    Ok(())
}

/// The address of this identifier.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(tx: &mut Tx<'_>, id: &AddressId) -> Result<Option<Address>, StoreError> {
    let row = tx.one(select!("WHERE id = $1"), params![id.as_str()]).await?;
    row.as_ref().map(read).transpose()
}

/// A user's addresses after `after`, oldest first.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    after: (Timestamp, &str),
    limit: u32,
) -> Result<Vec<Address>, StoreError> {
    let rows = tx
        .all(
            select!(
                "WHERE tenant = $1 AND user_name = $2 AND (added_at > $3 OR (added_at = $3 AND id > $4))
                 ORDER BY added_at, id LIMIT $5"
            ),
            params![tenant.as_str(), user.as_str(), after.0, after.1, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Takes note of the code that is about to be mailed; an older one is worth nothing from here on.
/// Tells whether the address still waits for one.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn set_code(
    tx: &mut Tx<'_>,
    id: &AddressId,
    code: &MailedCode,
    tries: u32,
) -> Result<bool, StoreError> {
    let changed = tx
        .run(
            "UPDATE addresses SET code_hash = $2, code_until = $3, tries_left = $4
             WHERE id = $1 AND confirmed_at IS NULL",
            params![id.as_str(), code.hash.as_slice(), code.until, tries],
        )
        .await?;
    Ok(changed == 1)
}

/// Pays a try of a user's code, if there is one to pay with.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn pay_try(
    tx: &mut Tx<'_>,
    id: &AddressId,
    tenant: &TenantName,
    user: &UserName,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = tx
        .run(
            "UPDATE addresses SET tries_left = tries_left - 1
             WHERE id = $1 AND tenant = $2 AND user_name = $3 AND confirmed_at IS NULL
               AND tries_left > 0 AND code_until > $4",
            params![id.as_str(), tenant.as_str(), user.as_str(), now],
        )
        .await?;
    Ok(changed == 1)
}

/// The owner has proved it.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn confirm(tx: &mut Tx<'_>, id: &AddressId, now: Timestamp) -> Result<bool, StoreError> {
    let changed = tx
        .run(
            "UPDATE addresses SET confirmed_at = $2, code_hash = NULL, code_until = NULL,
                    tries_left = 0
             WHERE id = $1 AND confirmed_at IS NULL",
            params![id.as_str(), now],
        )
        .await?;
    Ok(changed == 1)
}

/// Takes it away.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn remove(tx: &mut Tx<'_>, id: &AddressId) -> Result<(), StoreError> {
    tx.run("DELETE FROM addresses WHERE id = $1", params![id.as_str()]).await?;
    Ok(())
}

/// Takes away a user's addresses that have waited longer than `wait` for their confirmation.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn drop_waiting(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    wait: Seconds,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "DELETE FROM addresses WHERE tenant = $1 AND user_name = $2 AND confirmed_at IS NULL
           AND added_at <= $3",
        params![tenant.as_str(), user.as_str(), now - wait],
    )
    .await?;
    Ok(())
}
