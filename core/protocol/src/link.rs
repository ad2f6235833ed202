//! Linking: a bare machine asks, another device of the same user approves.
//!
//! The new device begins with a certificate request and signs every message with its key, as in a
//! recovery, and it is completed as one: `POST /auth/recovery/complete` with the link's identifier. In
//! between, the two clients exchange three words of 32 bytes (base64url without padding), which the
//! server carries and cannot use: a commitment, an answer, a reveal. Both compute six digits from them
//! and from the new device's key; a server that puts another key in between shows two different codes.

use crate::recovery::RecoveryStatus;
use crate::time::At;
use landfall_identity::id::RecoveryId;
use landfall_identity::{DeviceName, UserName};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// Begin: `POST /auth/links/begin`. The same key for the same user again finds what it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct LinkBeginRequest {
    /// Whose account it is.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub user: UserName,
    /// What the new device will be called, for ever: it is what the approver approves.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub device: DeviceName,
    /// The certificate request, PEM, at most 8 KiB. Only its key is used.
    pub csr: String,
}

/// How it stands: `POST /auth/links/show`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct LinkShowRequest {
    /// Which.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub link_id: RecoveryId,
}

/// The new device answers: `POST /auth/links/answer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct LinkAnswerRequest {
    /// Which.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub link_id: RecoveryId,
    /// The commitment that is answered.
    pub commitment: String,
    /// The new device's nonce.
    pub nonce: String,
}

/// How a link stands, for the key that began it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct LinkStatus {
    /// The recovery that it is: its `recovery_id` names the link as well.
    pub recovery: RecoveryStatus,
    /// The device that has taken it on.
    pub approver: Option<LinkApprover>,
}

/// The device that has taken a link on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct LinkApprover {
    /// Its name.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub device: DeviceName,
    /// Its key (RFC 7638).
    pub thumbprint: String,
    /// What it committed to.
    pub commitment: String,
    /// Its nonce, once it was revealed.
    pub nonce: Option<String>,
}

/// The approver looks for the device that shows a code: `POST /auth/links/find`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct LinkFindRequest {
    /// The eight characters, as typed.
    pub code: String,
}

/// Take it on: `POST /auth/links/{id}/claim`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct LinkClaimRequest {
    /// The commitment to the approver's nonce.
    pub commitment: String,
}

/// Reveal: `POST /auth/links/{id}/reveal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct LinkRevealRequest {
    /// The approver's nonce.
    pub nonce: String,
}

/// A link as its approver sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct LinkInfo {
    /// Its identifier.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub id: RecoveryId,
    /// Whose account it leads into.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub user: UserName,
    /// What the new device will be called.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub device: DeviceName,
    /// Its key (RFC 7638). With the identifier it makes the eight characters that the new device shows.
    pub thumbprint: String,
    /// Where it asks from.
    pub source: String,
    /// How far the two devices have come.
    pub stage: LinkStage,
    /// The new device's nonce, once it has answered.
    pub answer: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub begun_at: At,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: At,
}

/// How far two devices have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub enum LinkStage {
    /// Nobody has taken it on.
    Waiting,
    /// A device has.
    Claimed,
    /// The new device has answered.
    Answered,
    /// Both can show the check code.
    Revealed,
    /// The new device may come in.
    Approved,
    /// It is over, one way or another.
    Over,
}
