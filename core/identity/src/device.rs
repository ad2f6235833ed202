//! Devices: their states, and what a young one may not do yet.

use crate::time::{Seconds, Timestamp};

/// How long a certificate lives.
pub const CERTIFICATE_TTL: Seconds = Seconds::hours(24);
/// When the client renews: two thirds of [`CERTIFICATE_TTL`].
pub const RENEW_AFTER: Seconds = Seconds::hours(16);
/// A certificate begins this much before its issue, for clients whose clocks are a little slow.
pub const BACKDATE: Seconds = Seconds::minutes(5);
/// A device silent for longer than this needs an approval instead of a renewal, unless configured
/// otherwise.
pub const RENEWAL_SILENCE_MAX: Seconds = Seconds::days(90);
/// How long a device, a passkey or an approver key is on probation.
pub const PROBATION: Seconds = Seconds::hours(24);

/// How long after a recovery has suspended a device the suspension becomes a revocation, unless a person
/// with a passkey lets the device work again.
pub const SUSPENSION_RIPENS: Seconds = Seconds::hours(24);

/// Whether a device may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceState {
    /// May act.
    Active,
    /// Cut off, and can be resumed.
    Suspended {
        /// Since when.
        at: Timestamp,
    },
    /// Cut off for ever.
    Revoked {
        /// Since when.
        at: Timestamp,
    },
}

/// A thing that a young factor may not evict when it is older than the factor.
pub fn on_probation(since: Timestamp, now: Timestamp) -> bool {
    !(since + PROBATION).is_over(now)
}

/// Whether something that began at `mine` may evict something that began at `theirs`: not while it is
/// on probation and the other is older. An age of its own is what makes a factor a witness.
pub fn may_evict(mine: Timestamp, theirs: Timestamp, now: Timestamp) -> bool {
    !on_probation(mine, now) || theirs >= mine
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_young_device_evicts_only_what_is_younger_still() {
        let t = Timestamp::from_seconds;
        let day = 86_400;
        assert!(!may_evict(t(100), t(50), t(200)), "young against older");
        assert!(may_evict(t(100), t(150), t(200)), "young against younger");
        assert!(may_evict(t(100), t(50), t(100 + day)), "probation over, to the second");
        assert!(!may_evict(t(100), t(50), t(99 + day)), "one second before");
    }
}
