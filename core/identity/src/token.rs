//! Bootstrap tokens: a single-use right to one certificate for one user on one device.

use crate::time::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a device token lives unless asked otherwise (NIST SP 800-63B-4 caps binding codes at
/// ten minutes).
pub const DEVICE_TTL: Seconds = Seconds::minutes(10);
/// The longest a device token may live, where policy allows more than [`DEVICE_TTL`].
pub const DEVICE_TTL_MAX: Seconds = Seconds::hours(24);
/// How long an invitation lives unless asked otherwise.
pub const INVITE_TTL: Seconds = Seconds::hours(72);
/// The longest an invitation may live.
pub const INVITE_TTL_MAX: Seconds = Seconds::days(7);
/// How long a claim token lives.
pub const CLAIM_TTL: Seconds = Seconds::minutes(60);

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenKind {
    /// The first administrator of a server. Made by the server.
    Claim,
    /// A user who does not exist yet. Dies when the user exists.
    Invite,
    /// Another device of a user.
    Device,
}

impl TokenKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Claim, Self::Invite, Self::Device];

    /// The wire text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Invite => "invite",
            Self::Device => "device",
        }
    }

    /// The kind that a wire text names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The lifetime it gets when none is asked for.
    pub const fn default_ttl(self) -> Seconds {
        match self {
            Self::Claim => CLAIM_TTL,
            Self::Invite => INVITE_TTL,
            Self::Device => DEVICE_TTL,
        }
    }

    /// Whether `ttl` may be asked for. `device_cap` is the policy's, at most [`DEVICE_TTL_MAX`].
    pub fn allows_ttl(self, ttl: Seconds, device_cap: Seconds) -> bool {
        let cap = match self {
            Self::Claim => CLAIM_TTL,
            Self::Invite => INVITE_TTL_MAX,
            Self::Device => device_cap.min(DEVICE_TTL_MAX),
        };
        ttl.0 > 0 && ttl <= cap
    }
}

/// Where a token stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenState {
    /// Can be used until its expiry.
    Issued,
    /// Used.
    Consumed {
        /// When.
        at: Timestamp,
        /// The key that used it (RFC 7638 thumbprint).
        by: String,
    },
    /// Withdrawn by its owner, or by the world moving on.
    Cancelled {
        /// When.
        at: Timestamp,
    },
}

/// What becomes of a redemption, decided without looking anything up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redemption {
    /// First use: issue a certificate.
    Issue,
    /// The same key again, inside the lifetime: answer with the stored certificate.
    Resume,
    /// No.
    Refuse(RedemptionRefusal),
}

/// Why a redemption by somebody who holds the right secret is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedemptionRefusal {
    /// Its time is over.
    Expired {
        /// Since when.
        at: Timestamp,
    },
    /// Another key used it.
    Used {
        /// When.
        at: Timestamp,
    },
    /// It was withdrawn.
    Cancelled {
        /// When.
        at: Timestamp,
    },
}

impl TokenState {
    /// Decides a redemption by the key `thumbprint` at `now`.
    pub fn redeem(&self, thumbprint: &str, expires_at: Timestamp, now: Timestamp) -> Redemption {
        use Redemption::{Issue, Refuse, Resume};
        match self {
            Self::Cancelled { at } => Refuse(RedemptionRefusal::Cancelled { at: *at }),
            Self::Consumed { at, by } if by != thumbprint => {
                Refuse(RedemptionRefusal::Used { at: *at })
            }
            _ if expires_at.is_over(now) => Refuse(RedemptionRefusal::Expired { at: expires_at }),
            Self::Consumed { .. } => Resume,
            Self::Issued => Issue,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ttl_rules_hold_at_their_edges() {
        let cap = DEVICE_TTL;
        assert!(!TokenKind::Device.allows_ttl(Seconds(0), cap));
        assert!(TokenKind::Device.allows_ttl(DEVICE_TTL, cap));
        assert!(!TokenKind::Device.allows_ttl(Seconds(DEVICE_TTL.0 + 1), cap));
        assert!(!TokenKind::Device.allows_ttl(Seconds::hours(25), Seconds(u64::MAX)));
        assert!(TokenKind::Invite.allows_ttl(INVITE_TTL_MAX, cap));
        assert!(!TokenKind::Invite.allows_ttl(Seconds(u64::MAX), cap));
    }

    #[test]
    fn a_token_serves_one_key_once_and_that_key_again_until_it_expires() {
        let t = Timestamp::from_seconds;
        let issued = TokenState::Issued;
        assert_eq!(issued.redeem("k1", t(10), t(9)), Redemption::Issue);
        assert!(matches!(issued.redeem("k1", t(10), t(10)), Redemption::Refuse(_)));
        let used = TokenState::Consumed { at: t(5), by: "k1".into() };
        assert_eq!(used.redeem("k1", t(10), t(9)), Redemption::Resume);
        assert_eq!(
            used.redeem("k2", t(10), t(9)),
            Redemption::Refuse(RedemptionRefusal::Used { at: t(5) })
        );
        assert_eq!(
            used.redeem("k1", t(10), t(11)),
            Redemption::Refuse(RedemptionRefusal::Expired { at: t(10) })
        );
    }
}
