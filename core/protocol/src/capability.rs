//! What agents may do elsewhere: capabilities, handing them on, and what an owner allows beyond the policy.

use crate::time::At;
use landfall_identity::id::ApprovalId;
use landfall_identity::{AgentId, Reason};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// A capability: `POST /auth/capabilities`, signed by the agent's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CapabilityRequest {
    /// What it wants to do: up to 32 words.
    pub scope: Vec<String>,
    /// Where: up to 32 places, such as `https://calendar.example.org`.
    pub audience: Vec<String>,
    /// For how long, in seconds; an hour at most.
    #[serde(default)]
    pub ttl_seconds: Option<u64>,
}

/// Hand it on, smaller: `POST /auth/capabilities/exchange`, signed by the key that it is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CapabilityExchangeRequest {
    /// The capability.
    pub capability: String,
    /// What of its scope; all of it when absent.
    #[serde(default)]
    pub scope: Option<Vec<String>>,
    /// Which of its places; all of them when absent.
    #[serde(default)]
    pub audience: Option<Vec<String>>,
    /// For how long; as long as the capability itself at most.
    #[serde(default)]
    pub ttl_seconds: Option<u64>,
    /// To which part of the agent; itself when absent.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub agent: Option<AgentId>,
}

/// A capability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CapabilityIssued {
    /// The token (`landfall-capability+jwt`).
    pub capability: String,
    /// Whose it is.
    #[schema(value_type = String)]
    pub agent: AgentId,
    /// What it allows.
    pub scope: Vec<String>,
    /// Where.
    pub audience: Vec<String>,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: At,
}

/// Ask the owner for more: `POST /auth/approvals`, signed by the agent's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRaiseRequest {
    /// What it wants to do.
    pub scope: Vec<String>,
    /// Where.
    pub audience: Vec<String>,
    /// Why, in its own words.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub reason: Option<Reason>,
}

/// How it stands: `POST /auth/approvals/show`, signed by the agent's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalShowRequest {
    /// Which.
    #[schema(value_type = String)]
    pub approval_id: ApprovalId,
}

/// What an agent wants beyond its policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct ApprovalInfo {
    /// Its identifier.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub id: ApprovalId,
    /// Which agent asks.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub agent: AgentId,
    /// What it wants to do.
    pub scope: Vec<String>,
    /// Where.
    pub audience: Vec<String>,
    /// What of that it may not do without a yes: the difference.
    pub missing: Vec<String>,
    /// Why, in its own words.
    pub reason: Option<String>,
    /// Where it stands.
    pub state: ApprovalStateName,
    /// When it asked.
    #[schema(value_type = String, format = DateTime)]
    pub raised_at: At,
    /// When nobody can answer any more; once granted, when it is over.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: At,
}

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub enum ApprovalStateName {
    /// Nobody has answered.
    Open,
    /// Yes.
    Granted,
    /// No.
    Refused,
    /// Nobody answered in time, or what was allowed is over.
    Over,
}
