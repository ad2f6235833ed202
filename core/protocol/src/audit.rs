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
    /// Whether they acted as a `master`, for themselves, or as an `agent`, for somebody else. Absent where
    /// nobody known acted, and in rows of older versions.
    #[serde(default)]
    pub actor_role: Option<String>,
    /// The machine that spoke: a person's device, or one that stands for itself.
    #[serde(default)]
    pub machine: Option<String>,
    /// The capability that they were given, or acted with: its `jti`.
    #[serde(default)]
    pub capability: Option<String>,
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
    /// Which rule decided: `floor/…`, `default/…` and `tenant/…` are policy, `law/…` an error code of a state
    /// machine, `door/…` a way in by a secret. Absent in rows of older versions.
    pub rule: Option<String>,
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
    /// Only rows before this RFC 3339 time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Only rows of principals whose SPIFFE ID begins with this, up to the end of a segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// As `actor`, or of anybody who acted on their behalf: "which developer", where `actor` says "which
    /// pod".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behalf: Option<String>,
    /// Only rows of this kind of principal: `human`, `provisioned-device`, `workload` or `agent`; or of a
    /// `stranger`, or the `server` itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// What the log said of itself, signed: one line of the exported file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct AuditCheckpointInfo {
    /// Rows that it covers.
    #[ts(type = "number")]
    pub size: u64,
    /// The checkpoint as the exported file has it: JSON with `size`, `root`, `sealed_at`, `key` and
    /// `signature`.
    pub line: String,
}

/// Which proof of a row: `GET /audit/proofs/{seq}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditProofQuery {
    /// In the log as it was with so many rows: a checkpoint that one holds. The newest when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// That a row is in the log (RFC 9162 section 2.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct AuditProof {
    /// The row's place, counted from one.
    #[ts(type = "number")]
    pub seq: u64,
    /// The row as it is hashed, base64url: `landfall/audit-row/v1`, NUL, its place, and its columns.
    pub entry: String,
    /// The hashes beside its way to the root, from below, base64url.
    pub path: Vec<String>,
    /// The checkpoint that it leads to.
    pub checkpoint: String,
}

/// Which proof of growth: `GET /audit/proofs/consistency`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditConsistencyQuery {
    /// Rows of the older checkpoint.
    #[serde(default)]
    pub from: u64,
    /// Rows of the newer one; the newest when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
}

/// That one checkpoint's log is a beginning of another's (RFC 9162 section 2.1.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct AuditConsistency {
    /// The older checkpoint.
    pub from: String,
    /// The newer one.
    pub to: String,
    /// The hashes that lead from one root to the other, base64url.
    pub path: Vec<String>,
}
