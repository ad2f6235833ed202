//! What a user holds, as readiness looks at it.

use super::{StoreError, Tx, params};
use landfall_identity::{DeviceName, TenantName, Timestamp, UserName};

/// The names of a user's devices that may act, whose certificate has not ended by the first time, or
/// that were heard of since the second: first those on which a passkey was registered. *Others could hide them.*
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn active_names(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    (now, heard): (Timestamp, Timestamp),
    limit: u32,
) -> Result<Vec<DeviceName>, StoreError> {
    let rows = tx
        .all(
            "SELECT device FROM enrollments
             WHERE tenant = $1 AND user_name = $2 AND state = 'active'
               AND (not_after > $4 OR last_seen_at >= $5)
             ORDER BY EXISTS (SELECT 1 FROM passkeys p WHERE p.enrollment = enrollments.id) DESC, device
             LIMIT $3",
            params![tenant.as_str(), user.as_str(), limit, now, heard],
        )
        .await?;
    rows.iter().map(|row| row.parse(0)).collect()
}

/// Since when the last of a user's devices may not act, of those that may not: a suspension's time, also when it
/// became a revocation.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn last_cut(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
) -> Result<Option<Timestamp>, StoreError> {
    let row = tx
        .one(
            "SELECT MAX(cut_at) FROM enrollments
             WHERE tenant = $1 AND user_name = $2 AND state <> 'active'",
            params![tenant.as_str(), user.as_str()],
        )
        .await?;
    row.map_or(Ok(None), |row| row.get(0))
}

/// The devices of a user that may act and hold the right to register a passkey.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn with_a_grant(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    now: Timestamp,
) -> Result<Vec<DeviceName>, StoreError> {
    let rows = tx
        .all(
            "SELECT DISTINCT e.device FROM grants g JOIN enrollments e ON e.id = g.enrollment
             WHERE e.tenant = $1 AND e.user_name = $2 AND e.state = 'active'
               AND g.spent_at IS NULL AND g.expires_at > $3",
            params![tenant.as_str(), user.as_str(), now],
        )
        .await?;
    rows.iter().map(|row| row.parse(0)).collect()
}
