//! Audit rows as they are read.

use crate::time::At;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::{IntoParams, ToSchema};

/// One row. Codes are texts, so that rows written by other versions still render.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct AuditRow {
    /// Its identifier.
    pub id: String,
    /// Its place in the sealed log; absent for the second or so until it is sealed.
    pub seq: Option<u64>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: At,
    /// Where.
    pub tenant: String,
    /// Who: a SPIFFE ID, `stranger` or `server`.
    pub actor: String,
    /// On whose behalf, nearest first.
    pub parents: Vec<String>,
    /// What.
    pub action: String,
    /// On what.
    pub target: String,
    /// `allow`, `deny` or `error`.
    pub outcome: String,
    /// Why, when it did not end well.
    pub reason: Option<String>,
    /// The session's strength.
    pub auth_strength: Option<String>,
    /// The session.
    pub session: Option<String>,
    /// The request.
    pub request_id: Option<String>,
    /// Where the request came from, unless erased.
    pub source: Option<String>,
    /// What the client called itself, unless erased.
    pub user_agent: Option<String>,
}

/// Which rows. Newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// How many rows at the most: 1 to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Only this user's rows (administrators).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Only rows of this device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Only rows of this action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Only rows with this outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Only rows at or after this RFC 3339 time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}
