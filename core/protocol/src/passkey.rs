//! Registered passkeys.

use crate::time::At;
use landfall_identity::id::PasskeyId;
use landfall_identity::passkey::Attachment;
use landfall_identity::{DeviceName, Label};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::{IntoParams, ToSchema};

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct PasskeyInfo {
    /// Its identifier here.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub id: PasskeyId,
    /// What its owner calls it.
    pub label: String,
    /// Where it lives.
    #[ts(type = "\"platform\" | \"roaming\"")]
    #[schema(value_type = String)]
    pub attachment: Attachment,
    /// The device it was registered on.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub registered_on: DeviceName,
    /// Whether it can leave that device.
    pub device_bound: bool,
    /// Whether it may be copied by its owner's cloud.
    pub backup_eligible: bool,
    /// Whether it has been.
    pub backed_up: bool,
    /// Whether it can be found without a user name; `null` when the authenticator did not say.
    pub resident: Option<bool>,
    /// The model, when the authenticator told (AAGUID, as a UUID).
    pub aaguid: Option<String>,
    /// How its authenticator is reached, as the browser told: `usb`, `nfc`, `ble`, `smart-card`,
    /// `hybrid`, `internal`.
    pub transports: Vec<String>,
    /// Whether it can be used now: not while the device that it is bound to is suspended or revoked.
    pub usable: bool,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    pub registered_at: At,
    /// When it was last used.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<At>,
}

/// Another label: `PATCH /auth/webauthn/credentials/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct RenameRequest {
    /// The new label.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub label: Label,
}

/// How to remove a passkey: `DELETE /auth/webauthn/credentials/{id}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PasskeyRemoveQuery {
    /// The person was told that it is the last one, and said yes.
    #[serde(default)]
    pub confirm_last: bool,
}
