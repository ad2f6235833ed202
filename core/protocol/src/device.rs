//! Devices.

use crate::time::At;
use landfall_identity::secret::SecretName;
use landfall_identity::{DeviceName, SpiffeId, UserName};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::{IntoParams, ToSchema};

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
    /// Whether an administrator has stopped the whole account already.
    #[serde(default)]
    pub account_stopped: bool,
    /// Agents of its owner that came in through it: they stop with it.
    #[serde(default)]
    pub agents: u32,
}

/// Which acts of a device. Newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeviceReviewQuery {
    /// How many rows at the most: 1 to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Only at or after this RFC 3339 time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// Something that a device did: what whoever had it in hand may have done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct DeviceAct {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: At,
    /// The action's code, as in the audit: `read-secret`, `open-session`, `issue-token`, ...
    pub action: String,
    /// On what.
    pub target: String,
    /// `allow`, `deny` or `error`.
    pub outcome: String,
    /// The session's strength; `cert+human` was a person with a passkey.
    pub auth_strength: Option<String>,
    /// Where the request came from, unless erased.
    pub source: Option<String>,
}

/// A secret that a device could read, in the value that it has now: a candidate for rotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct ExposedSecret {
    /// Its name.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub name: SecretName,
    /// Since when it has the value that it has: the oldest come first.
    #[schema(value_type = String, format = DateTime)]
    pub written_at: At,
    /// When the device last read it; it could have, at any time, where this is absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub read_at: Option<At>,
}
