//! The right to register a first passkey.
//!
//! "A user without a passkey may register one" would let whoever steals a certificate do it; without
//! any such right, somebody whose only passkey was on the lost laptop could never step up again. So
//! the right is a thing of its own, made only by consuming a token.

use crate::id::{EnrollmentId, GrantId};
use crate::time::{Seconds, Timestamp};

/// How long a grant can be used.
pub const GRANT_TTL: Seconds = Seconds::minutes(10);

/// A right to register one passkey, held by one device key. Resumable until it is spent or over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollmentGrant {
    /// Its identifier.
    pub id: GrantId,
    /// The only device that can use it.
    pub held_by: EnrollmentId,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl EnrollmentGrant {
    /// Whether `device` may register a passkey with it at `now`.
    pub fn serves(&self, device: &EnrollmentId, now: Timestamp) -> bool {
        self.held_by == *device && !self.expires_at.is_over(now)
    }
}
