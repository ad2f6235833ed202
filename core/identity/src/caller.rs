//! Who is asking, as the rows say at this moment.

use crate::device::DeviceState;
use crate::grant::EnrollmentGrant;
use crate::id::EnrollmentId;
use crate::machine::MachineRole;
use crate::session::SessionFacts;
use crate::spiffe::{PrincipalKind, SpiffeId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What a user may do in a tenant, beside their own things, which all of them may. A role is no rung of a
/// ladder: an operator does not read what an auditor reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Nothing more.
    Member,
    /// Reads the audit and the lists of the tenant, and changes nothing.
    Auditor,
    /// Provisions machines, and sees which devices there are.
    Operator,
    /// Everything: the tenant's people, their devices, its rules.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Member, Self::Auditor, Self::Operator, Self::Admin];

    /// The wire text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role as people say it, with its article.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Member => "a member",
            Self::Auditor => "an auditor",
            Self::Operator => "an operator",
            Self::Admin => "an administrator",
        }
    }

    /// The role that a wire text names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// The role on the actor axis: a device holds it as the user's own hand, or as an agent's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorRole {
    /// Acts for itself.
    Master,
    /// Acts for somebody else, within what they handed over.
    Agent,
}

impl ActorRole {
    /// The wire text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Agent => "agent",
        }
    }

    /// The role of a principal that acts on behalf of `parents`: an agent is one also where nobody owns it.
    pub fn of(kind: PrincipalKind, parents: &[SpiffeId]) -> Self {
        match kind {
            PrincipalKind::Agent => Self::Agent,
            _ if !parents.is_empty() => Self::Agent,
            _ => Self::Master,
        }
    }
}

/// Whether the whole account stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountState {
    /// Working.
    Active,
    /// Frozen: every device is cut, doors back in stay open.
    Frozen,
}

/// A principal and its session on this request. Built from rows read for this very request, never
/// from what a certificate or a token claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who speaks.
    pub spiffe_id: SpiffeId,
    /// The user's role; [`Role::Member`] for a principal that is no person.
    pub role: Role,
    /// What a provisioned device stands for; nothing for anybody else.
    pub machine: Option<MachineRole>,
    /// On whose behalf it acts, nearest first; empty for those who act for themselves.
    pub parents: Vec<SpiffeId>,
    /// The row that gives the key authority.
    pub enrollment: EnrollmentId,
    /// When the device was enrolled.
    pub enrolled_at: Timestamp,
    /// Whether the device may act.
    pub device: DeviceState,
    /// Whether the account may act.
    pub account: AccountState,
    /// The session presented, if one was; already checked to be live and to belong to this key.
    pub session: Option<SessionFacts>,
    /// An unspent right to register a first passkey, held by this device.
    pub grant: Option<EnrollmentGrant>,
}
