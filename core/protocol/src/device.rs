//! Devices.

use crate::time::At;
use landfall_identity::{DeviceName, SpiffeId, UserName};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// A device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct DeviceInfo {
    /// Its permanent name.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub name: DeviceName,
    /// Whose it is.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub user: UserName,
    /// What its owner calls it.
    pub label: Option<String>,
    /// Who it speaks as.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub spiffe_id: SpiffeId,
    /// Whether it may act.
    pub state: DeviceStateName,
    /// Whether it is the one that asks.
    pub this_device: bool,
    /// Its key (RFC 7638 thumbprint).
    pub thumbprint: String,
    /// When it was enrolled.
    #[schema(value_type = String, format = DateTime)]
    pub enrolled_at: At,
    /// When it last opened a session or renewed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen_at: Option<At>,
    /// When its certificate ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub certificate_not_after: Option<At>,
    /// When it was suspended or revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub state_changed_at: Option<At>,
}

/// Whether a device may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub enum DeviceStateName {
    /// May act.
    Active,
    /// Cut off for now.
    Suspended,
    /// Cut off for ever.
    Revoked,
}

/// What cutting a device off did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct DeviceCut {
    /// The device, as it stands now.
    pub device: DeviceInfo,
    /// Sessions that ended.
    pub sessions_ended: u32,
    /// Passkeys that live on it and cannot be used any more.
    pub passkeys_disabled: u32,
    /// Passkeys that were registered on it and are synced elsewhere: theirs is a question for the
    /// owner.
    pub passkeys_synced: Vec<crate::passkey::PasskeyInfo>,
}
