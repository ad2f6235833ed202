//! Who is asking, as the rows say at this moment.

use crate::device::DeviceState;
use crate::grant::EnrollmentGrant;
use crate::id::EnrollmentId;
use crate::session::SessionFacts;
use crate::spiffe::SpiffeId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What a user may do in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Their own things.
    Member,
    /// The tenant's people and devices as well.
    Admin,
}

impl Role {
    /// Both roles.
    pub const ALL: [Self; 2] = [Self::Member, Self::Admin];

    /// The wire text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
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
    /// The user's role.
    pub role: Role,
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
