//! Sessions: what a device may do for a while, at a strength that is fixed at birth.

use crate::id::{EnrollmentId, PasskeyId, SessionId};
use crate::time::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a `cert-only` session lives. There is no refresh: the device opens another.
pub const CERT_ONLY_TTL: Seconds = Seconds::minutes(15);
/// How long a `cert+human` session lives, counted from the touch. Never prolonged.
pub const CERT_HUMAN_TTL: Seconds = Seconds::minutes(10);
/// How long a `cert+human` session lives that is bound to one action.
pub const BOUND_TTL: Seconds = Seconds::minutes(2);

/// How strongly a session was opened. Fixed at birth: step-up opens a *new* session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AuthStrength {
    /// The device key alone.
    #[serde(rename = "cert-only")]
    CertOnly,
    /// The device key, and a person present who verified themselves.
    #[serde(rename = "cert+human")]
    CertHuman,
}

impl AuthStrength {
    /// Both strengths, weaker first.
    pub const ALL: [Self; 2] = [Self::CertOnly, Self::CertHuman];

    /// The wire text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CertOnly => "cert-only",
            Self::CertHuman => "cert+human",
        }
    }

    /// The strength that a wire text names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|strength| strength.as_str() == text)
    }
}

/// The human factor that a `cert+human` session was opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    /// Which passkey.
    pub passkey: PasskeyId,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// The device it cannot leave, when it is bound to one.
    pub lives_on: Option<EnrollmentId>,
}

/// What `authorize` must know of a live session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFacts {
    /// Its identifier, `sid` in the token.
    pub id: SessionId,
    /// Its strength.
    pub strength: AuthStrength,
    /// When the key, or the person, was last seen to act; `auth_time` in the token.
    pub auth_time: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The human factor; present exactly when the strength is `cert+human`.
    pub factor: Option<Factor>,
    /// The only act it serves, once, when it came of an action-bound step-up: the act's canonical
    /// bytes.
    pub bound_to: Option<Vec<u8>>,
}
