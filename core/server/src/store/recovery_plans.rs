//! Plans that users have made stricter for themselves.

use super::{StoreError, Tx, params};
use landfall_identity::recovery::Plan;
use landfall_identity::{TenantName, Timestamp, UserName};

/// A user's own plan.
#[derive(Debug, Clone)]
pub struct OwnPlan {
    /// The plan as it was chosen.
    pub plan: Plan,
    /// Since when.
    pub set_at: Timestamp,
}

/// A user's own plan, when there is one.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
) -> Result<Option<OwnPlan>, StoreError> {
    let row = tx
        .one(
            "SELECT plan, set_at FROM recovery_plans WHERE tenant = $1 AND user_name = $2",
            params![tenant.as_str(), user.as_str()],
        )
        .await?;
    let read = |row: super::Row| {
        let text: String = row.get(0)?;
        let plan = serde_json::from_str(&text).map_err(|_| StoreError::Shape { column: 0 })?;
        Ok(OwnPlan { plan, set_at: row.get(1)? })
    };
    row.map(read).transpose()
}

/// Keeps a user's own plan.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn set(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    plan: &Plan,
    now: Timestamp,
) -> Result<(), StoreError> {
    let text = serde_json::to_string(plan).map_err(|_| StoreError::Shape { column: 0 })?;
    tx.run(
        "INSERT INTO recovery_plans (tenant, user_name, plan, set_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant, user_name) DO UPDATE SET plan = excluded.plan, set_at = excluded.set_at",
        params![tenant.as_str(), user.as_str(), text, now],
    )
    .await?;
    Ok(())
}

/// Takes a user's own plan away; the tenant's holds.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn clear(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
) -> Result<(), StoreError> {
    tx.run(
        "DELETE FROM recovery_plans WHERE tenant = $1 AND user_name = $2",
        params![tenant.as_str(), user.as_str()],
    )
    .await?;
    Ok(())
}
