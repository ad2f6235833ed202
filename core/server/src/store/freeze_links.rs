//! The links in mailed notices that freeze an account.

use super::{StoreError, Tx, params};
use landfall_identity::{TenantName, Timestamp, UserName};

/// Whose account a link freezes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreezeLink {
    /// Where.
    pub tenant: TenantName,
    /// Whose.
    pub user: UserName,
}

/// Keeps a link by the hash of its secret.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    link: &FreezeLink,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO freeze_links (hash, tenant, user_name, expires_at) VALUES ($1, $2, $3, $4)",
        params![hash.as_slice(), link.tenant.as_str(), link.user.as_str(), expires_at],
    )
    .await?;
    Ok(())
}

/// The link of this hash, whether it can still be used or not.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<FreezeLink>, StoreError> {
    let row = tx
        .one("SELECT tenant, user_name FROM freeze_links WHERE hash = $1", params![hash.as_slice()])
        .await?;
    row.map(|row| Ok(FreezeLink { tenant: row.parse(0)?, user: row.parse(1)? })).transpose()
}

/// Uses a link up. False when it was used before, or is over.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn spend(tx: &mut Tx<'_>, hash: &[u8; 32], now: Timestamp) -> Result<bool, StoreError> {
    let changed = tx
        .run(
            "UPDATE freeze_links SET used_at = $2
             WHERE hash = $1 AND used_at IS NULL AND expires_at > $2",
            params![hash.as_slice(), now],
        )
        .await?;
    Ok(changed == 1)
}
