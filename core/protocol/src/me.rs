//! The caller's own account.

use crate::device::DeviceInfo;
use crate::enroll::GrantInfo;
use crate::time::At;
use landfall_identity::caller::Role;
use landfall_identity::{AuthStrength, SpiffeId, TenantName, UserName};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// Who am I: `GET /me`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Me {
    /// Who speaks.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub spiffe_id: SpiffeId,
    /// Where.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub tenant: TenantName,
    /// The user.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub user: UserName,
    /// What the user may do.
    #[ts(type = "\"member\" | \"auditor\" | \"operator\" | \"admin\"")]
    #[schema(value_type = String)]
    pub role: Role,
    /// The device that asks.
    pub device: DeviceInfo,
    /// Whether the account is frozen.
    pub frozen: bool,
    /// The session's strength.
    #[ts(type = "\"cert-only\" | \"cert+human\"")]
    #[schema(value_type = String)]
    pub auth_strength: AuthStrength,
    /// When the session ends.
    #[schema(value_type = String, format = DateTime)]
    pub session_expires_at: At,
    /// How many passkeys can be used.
    pub passkeys: u32,
    /// The right to register a first passkey, while it lasts.
    pub grant: Option<GrantInfo>,
}

/// What a freeze did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Frozen {
    /// Whether the account is frozen now.
    pub frozen: bool,
    /// Sessions that ended.
    pub sessions_ended: u32,
    /// Recoveries that the freeze had kept out, and that ended with it.
    #[serde(default)]
    pub recoveries_stopped: u32,
}
