//! One schema for everything that anybody did, or tried.

use crate::caller::ActorRole;
use crate::id::{AuditId, RequestId, SessionId};
use crate::name::TenantName;
use crate::session::AuthStrength;
use crate::spiffe::SpiffeId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// A known principal.
    Principal(SpiffeId),
    /// Somebody who showed no key that we know.
    Stranger,
    /// The server itself: first start, operator's commands, the clock.
    Server,
}

impl Actor {
    /// The role on the actor axis, of a principal that acts on behalf of `parents`; none for others.
    pub fn role(&self, parents: &[SpiffeId]) -> Option<ActorRole> {
        match self {
            Self::Principal(id) => Some(ActorRole::of(id.principal.kind(), parents)),
            Self::Stranger | Self::Server => None,
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Done.
    Allow,
    /// Refused by a rule.
    Deny,
    /// Failed by our fault.
    Error,
}

impl Outcome {
    /// The wire text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Error => "error",
        }
    }
}

/// One row. It commits in the same transaction as the act; a refused act leaves its row alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// Its identifier.
    pub id: AuditId,
    /// When it was decided.
    pub at: Timestamp,
    /// Where.
    pub tenant: TenantName,
    /// Who.
    pub actor: Actor,
    /// On whose behalf, nearest first; empty for those who act for themselves.
    pub parents: Vec<SpiffeId>,
    /// What: an action's code. A text, so that rows of newer and older versions still render.
    pub action: String,
    /// On what, as a text that a person can read.
    pub target: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, as an error code, when it did not end well.
    pub reason: Option<String>,
    /// Which rule decided: a policy's name, `law/` and an error code where a state machine refused, `door/`
    /// and the action where a secret let somebody in who was nobody yet. None where nobody was asked, and
    /// in rows of versions that did not note it.
    pub rule: Option<String>,
    /// The session's strength.
    pub strength: Option<AuthStrength>,
    /// The session.
    pub session: Option<SessionId>,
    /// The capability that they were given, or acted with: its `jti`.
    pub capability: Option<String>,
    /// The request.
    pub request: Option<RequestId>,
    /// Personal fields, kept in an erasable side row.
    pub personal: Personal,
}

impl AuditEvent {
    /// What the server did by itself: at its first start, for its operator, or because of its clock.
    pub fn by_server(
        id: AuditId,
        at: Timestamp,
        tenant: TenantName,
        action: &str,
        target: String,
    ) -> Self {
        Self {
            id,
            at,
            tenant,
            actor: Actor::Server,
            parents: Vec::new(),
            action: action.to_owned(),
            target,
            outcome: Outcome::Allow,
            reason: None,
            rule: None,
            strength: None,
            session: None,
            capability: None,
            request: None,
            personal: Personal::default(),
        }
    }
}

/// What can be erased of an audit row without breaking the log: the row commits to a salted hash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Personal {
    /// Where the request came from.
    pub source: Option<String>,
    /// What the client called itself, cut to [`USER_AGENT_MAX`] bytes.
    pub user_agent: Option<String>,
}

/// The most that is kept of a user agent, in bytes.
pub const USER_AGENT_MAX: usize = 200;
