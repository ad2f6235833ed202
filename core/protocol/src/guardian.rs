//! Guardians: people whom a user chose, who vouch for them when every device is gone. And the waiting
//! period, which both an operator and a user must want.

use crate::time::At;
use landfall_identity::UserName;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// Choose a guardian: `POST /auth/recovery/guardians`. Somebody of the same tenant, who must accept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct GuardianNameRequest {
    /// Whom.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub guardian: UserName,
}

/// A guardian, as the user and the guardian see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct GuardianInfo {
    /// Whose guardian.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub user: UserName,
    /// Who.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub guardian: UserName,
    /// When the user chose them.
    #[schema(value_type = String, format = DateTime)]
    pub named_at: At,
    /// When they accepted; absent while they have not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub accepted_at: Option<At>,
    /// From when on their word counts.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub counts_from: Option<At>,
}

/// Whether a waiting period may stand in for a proof: `GET /auth/recovery/waiting`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct WaitingInfo {
    /// How long it is on this server; absent where the operator does not want it.
    pub days: Option<u32>,
    /// Since when the user has allowed it; absent while they have not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub allowed_at: Option<At>,
}
