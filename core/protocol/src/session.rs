//! Sessions.

use crate::time::At;
use landfall_identity::AuthStrength;
use landfall_identity::id::SessionId;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// Open a `cert-only` session: `POST /auth/session`, on a connection made with the device key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct SessionOpenRequest {}

/// An open session. The token works only on connections of the same device key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct SessionOpened {
    /// The session.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub id: SessionId,
    /// Goes into `Authorization: Bearer`. Useless without the device key.
    pub token: String,
    /// Fixed for the session's whole life.
    #[ts(type = "\"cert-only\" | \"cert+human\"")]
    #[schema(value_type = String)]
    pub auth_strength: AuthStrength,
    /// When the key, or the person, was seen to act.
    #[schema(value_type = String, format = DateTime)]
    pub auth_time_at: At,
    /// When it ends. There is no refresh.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: At,
    /// Whether it serves one act only.
    pub bound: bool,
}
