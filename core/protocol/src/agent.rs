//! Agents: what their clients and this provider tell each other (AAuth), and what their owners see.
//!
//! Clients of several drafts are in use, so that what an agent sends is read leniently: fields that are
//! not known are passed over. Answers carry the union of what those clients look for. What owners send is
//! read strictly, as everywhere.

use crate::enroll::TokenStateName;
use crate::link::{LinkApprover, LinkStage};
use crate::time::At;
use landfall_identity::agent_life::AgentDoor;
use landfall_identity::id::{AgentCodeId, PairingId};
use landfall_identity::{AgentId, DeviceName, SpiffeId, TenantName, UserName};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;
use utoipa::{IntoParams, ToSchema};

/// Enrol: `POST /enrol`, with the key in the body, signed or not.
#[derive(Clone, Default, Deserialize, ToSchema)]
pub struct AgentEnrolRequest {
    /// What it wants to be called: `aauth:local@domain`.
    #[serde(default)]
    pub agent_id: Option<String>,
    /// Its public key (RFC 7517).
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub jwk: Option<Value>,
    /// The server of the person whom it acts for.
    #[serde(default)]
    pub ps: Option<String>,
    /// What lets it in: a code.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub attestation: Option<Value>,
}

/// Enrol: `POST /enroll`, signed by the key.
#[derive(Clone, Default, Deserialize, ToSchema)]
pub struct AgentEnrollRequest {
    /// What it runs on.
    #[serde(default)]
    pub platform: Option<String>,
    /// What lets it in: a code.
    #[serde(default)]
    pub enrollment_token: Option<String>,
    /// What lets it in elsewhere; not taken here.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub enrollment_assertion: Option<Value>,
    /// The server of the person whom it acts for.
    #[serde(default)]
    pub ps: Option<String>,
    /// What its owner calls it.
    #[serde(default)]
    pub label: Option<String>,
}

/// The next token: `POST /refresh`, `POST /agent-token`, signed.
#[derive(Clone, Default, Deserialize, ToSchema)]
pub struct AgentTokenRequest {
    /// The server of the person whom it acts for, if that is another one from now on.
    #[serde(default)]
    pub ps: Option<String>,
}

/// A token for a part of the agent: `POST /subagent-token`, signed with the agent's own token.
#[derive(Clone, Deserialize, ToSchema)]
pub struct SubAgentTokenRequest {
    /// What tells it from the others: its name is the agent's, `+` and this.
    pub discriminator: String,
    /// Its public key (RFC 7517), which is not the agent's.
    #[serde(alias = "jwk")]
    #[schema(value_type = Object)]
    pub cnf_jwk: Value,
}

/// An agent, and its token where the dialect carries one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentGranted {
    /// The token (`aa-agent+jwt`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_token: Option<String>,
    /// `aa-agent+jwt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// How long the token lives, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// What the agent is called.
    pub agent: String,
    /// The same, for clients that look for it here.
    pub agent_id: String,
    /// `enrolled`, or `existing` for a key that was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What its key is called in its own key set.
    pub key_id: String,
    /// Where that key set is.
    pub jwks_uri: String,
    /// The agent that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_agent: Option<String>,
}

/// Begin a pairing: `POST /auth/agents/pairings/begin`, signed by the agent's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentPairingBeginRequest {
    /// Whose agent it wants to be.
    #[schema(value_type = String)]
    pub user: UserName,
    /// What it will be called: the part before `@`.
    pub agent: String,
}

/// How it stands: `POST /auth/agents/pairings/show`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentPairingShowRequest {
    /// Which.
    #[schema(value_type = String)]
    pub pairing_id: PairingId,
}

/// The agent answers: `POST /auth/agents/pairings/answer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentPairingAnswerRequest {
    /// Which.
    #[schema(value_type = String)]
    pub pairing_id: PairingId,
    /// The commitment that is answered.
    pub commitment: String,
    /// The agent's nonce.
    pub nonce: String,
}

/// How a pairing stands, for the key that began it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentPairingStatus {
    /// Which.
    #[schema(value_type = String)]
    pub pairing_id: PairingId,
    /// The tenant.
    #[schema(value_type = String)]
    pub tenant: TenantName,
    /// Whose agent it becomes.
    #[schema(value_type = String)]
    pub user: UserName,
    /// What it will be called.
    pub agent: String,
    /// How far the two have come.
    pub stage: LinkStage,
    /// The device that has taken it on.
    pub approver: Option<LinkApprover>,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: At,
}

/// A code that lets one agent in: `POST /auth/agents/codes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct AgentCodeIssueRequest {
    /// What the agent will be called: the part before `@`. Absent leaves it to the agent.
    #[serde(default)]
    pub agent: Option<String>,
    /// How long the code can be used; ten minutes unless said otherwise.
    #[serde(default)]
    pub ttl_seconds: Option<u64>,
    /// SHA-256 of the code's secret, base64url.
    pub auth_hash: String,
}

/// A code for an agent, without what opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct AgentCodeInfo {
    /// Its public name.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub id: AgentCodeId,
    /// What the agent will be called, where the code says so.
    pub name: Option<String>,
    /// Where it stands.
    pub state: TokenStateName,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub issued_at: At,
    /// When its time is over.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: At,
    /// The agent that it let in.
    pub agent: Option<String>,
}

/// A code that was made, and where an agent shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct AgentCodeIssued {
    /// The code, without its secret.
    pub code: AgentCodeInfo,
    /// Who issues the agent's tokens.
    pub issuer: String,
    /// Where an agent enrols.
    pub enrol_endpoint: String,
}

/// An agent, as its owner or an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct AgentInfo {
    /// What it is called.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub agent: AgentId,
    /// Its name as a principal.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub spiffe_id: SpiffeId,
    /// Whether it may act.
    pub state: AgentStateName,
    /// What let it in.
    #[ts(type = "\"link-code\" | \"pairing\" | \"allow-list\" | \"open\" | \"parent\"")]
    #[schema(value_type = String)]
    pub door: AgentDoor,
    /// Whose it is.
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub owner: Option<UserName>,
    /// The owner's device through which it came.
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub introduced_by: Option<DeviceName>,
    /// The agent that it is a part of.
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub parent: Option<AgentId>,
    /// The server of the person whom it acts for.
    pub person_server: Option<String>,
    /// What its owner calls it.
    pub label: Option<String>,
    /// Its key (RFC 7638).
    pub thumbprint: String,
    /// Since when it exists.
    #[schema(value_type = String, format = DateTime)]
    pub enrolled_at: At,
    /// When it last asked for a token.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_at: At,
    /// Until when a token of it may be shown elsewhere.
    #[schema(value_type = String, format = DateTime)]
    pub token_until: At,
}

/// Whether an agent may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub enum AgentStateName {
    /// It was named, and has proved no key.
    Unproven,
    /// It may.
    Active,
    /// Not now: the account is frozen, or the device that let it in is suspended.
    Held,
    /// Not any more: the device that let it in was revoked.
    Unvouched,
    /// Never again.
    Revoked,
}

/// An agent that was cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct AgentCut {
    /// The agent.
    pub agent: AgentInfo,
    /// Parts of it that went with it.
    pub sub_agents_revoked: u32,
}

/// Which agents: `GET /admin/agents`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AdminAgentsQuery {
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

/// A pairing as its approver sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct AgentPairingInfo {
    /// Its identifier.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub id: PairingId,
    /// Whose agent it becomes.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub user: UserName,
    /// What it will be called: the part before `@`.
    pub agent: String,
    /// Its key (RFC 7638). With the identifier it makes the eight characters that the agent shows.
    pub thumbprint: String,
    /// Where it asks from.
    pub source: String,
    /// How far the two have come.
    pub stage: LinkStage,
    /// The agent's nonce, once it has answered.
    pub answer: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub begun_at: At,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: At,
}
