//! The tenant's people and devices.

use crate::time::At;
use landfall_identity::UserName;
use landfall_identity::caller::Role;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::{IntoParams, ToSchema};

/// A user as an administrator sees them: never what they keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct UserInfo {
    /// The user.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub name: UserName,
    /// What they may do.
    #[ts(type = "\"member\" | \"auditor\" | \"operator\" | \"admin\"")]
    #[schema(value_type = String)]
    pub role: Role,
    /// Whether the account is frozen.
    pub frozen: bool,
    /// Whether an administrator, or whoever runs the server, has frozen it: nothing that its owner holds ends that.
    #[serde(default)]
    pub stopped_by_admin: bool,
    /// Which administrator.
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub stopped_by: Option<UserName>,
    /// Devices that may act.
    pub active_devices: u32,
    /// Passkeys that can be used.
    pub passkeys: u32,
    /// Since when the user exists.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: At,
}

/// Another role for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct RoleSetRequest {
    /// Which.
    #[ts(type = "\"member\" | \"auditor\" | \"operator\" | \"admin\"")]
    #[schema(value_type = String)]
    pub role: Role,
}

/// Which devices: `GET /admin/devices`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AdminDevicesQuery {
    /// How many items at the most: 1 to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Only this user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}
