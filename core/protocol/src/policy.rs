//! The rules of a tenant.

use crate::time::At;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// Rules in force, in Cedar: `GET /admin/policies`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct PolicyInfo {
    /// What rules may speak of.
    pub schema: String,
    /// What no rule takes away.
    pub floors: String,
    /// What the server ships.
    pub shipped: String,
    /// What the tenant adds.
    pub text: String,
    /// How often that was changed.
    #[ts(type = "number")]
    pub generation: i64,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub set_at: Option<At>,
    /// By whom; absent when nobody did, or the server's operator.
    pub set_by: Option<String>,
    /// The longest text that is taken, in bytes.
    #[ts(type = "number")]
    pub text_max: u64,
}

/// Other rules for the tenant, all of its own: `POST /admin/policies`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct PolicySetRequest {
    /// The rules, in Cedar; none at all when empty.
    pub text: String,
    /// The generation that was read: nobody's change is overwritten unseen.
    #[ts(type = "number")]
    pub generation: i64,
}

/// What other rules would change: `POST /admin/policies/try`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct PolicyTryRequest {
    /// The rules, in Cedar.
    pub text: String,
}

/// What they would change, of what was asked lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct PolicyTried {
    /// Questions that they were tried on. Names of people are not kept with them.
    #[ts(type = "number")]
    pub tried: u64,
    /// Those that are answered alike.
    #[ts(type = "number")]
    pub same: u64,
    /// Those that are allowed now, and would not be.
    #[ts(type = "number")]
    pub newly_refused: u64,
    /// Those that are refused now, and would not be.
    #[ts(type = "number")]
    pub newly_allowed: u64,
    /// The first hundred that would change.
    pub changes: Vec<PolicyChange>,
}

/// One kind of question that would be answered differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct PolicyChange {
    /// What was asked for.
    pub action: String,
    /// By whom; `-` in the place of a person's name.
    pub caller: String,
    /// Their role.
    pub role: String,
    /// Their session.
    pub strength: String,
    /// Whether they would be allowed.
    pub allowed: bool,
    /// Which rule decides now.
    pub rule_before: String,
    /// Which one would.
    pub rule_after: String,
}
