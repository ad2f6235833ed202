//! How stubbornly a notice is delivered, and how many an account may cause.

use crate::time::{Seconds, Timestamp};

/// The wait after the first failure; each further one doubles it.
pub const FIRST_WAIT: Seconds = Seconds(30);
/// No wait is longer.
pub const LONGEST_WAIT: Seconds = Seconds::hours(6);
/// Attempts after which a mail is given up.
pub const ATTEMPTS_MAX: u32 = 16;
/// The age at which a mail is given up.
pub const AGE_MAX: Seconds = Seconds::days(3);
/// How long a node that took a mail on has for it, before another node may.
pub const LEASE: Seconds = Seconds::minutes(5);

/// How long the link in a mailed notice can be used, once.
pub const LINK_TTL: Seconds = Seconds::days(7);

/// Mails of one kind, to one address of one account, that go out one by one within
/// [`BURST_WITHIN`]. What happens beyond is told in one mail at the end of that time: whoever makes
/// things happen over and over fills the audit, and not the owner's mailbox.
pub const BURST_MAX: u32 = 3;
/// See [`BURST_MAX`].
pub const BURST_WITHIN: Seconds = Seconds::hours(1);

/// What becomes of a mail that could not be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is tried again then.
    At(Timestamp),
    /// It is given up.
    Never,
}

/// What becomes of a mail that was made at `made_at` and has failed for the `attempts`th time.
/// `chance` spreads what failed together: a wait is between one half and the whole of its length.
pub fn after_failure(attempts: u32, made_at: Timestamp, now: Timestamp, chance: u16) -> Next {
    if attempts >= ATTEMPTS_MAX {
        return Next::Never;
    }
    let doublings = attempts.saturating_sub(1).min(32);
    let whole = (FIRST_WAIT.0 << doublings).min(LONGEST_WAIT.0);
    let half = whole / 2;
    let wait = Seconds(half + (whole - half) * u64::from(chance) / u64::from(u16::MAX));
    match (made_at + AGE_MAX).is_over(now + wait) {
        true => Next::Never,
        false => Next::At(now + wait),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Timestamp = Timestamp::from_seconds(1_000_000);

    fn wait(attempts: u32, chance: u16) -> Option<u64> {
        match after_failure(attempts, T, T, chance) {
            Next::At(at) => Some(at.since(T).0),
            Next::Never => None,
        }
    }

    #[test]
    fn waits_double_within_their_bounds() {
        assert_eq!((wait(1, 0), wait(1, u16::MAX)), (Some(15), Some(30)));
        assert_eq!((wait(2, 0), wait(2, u16::MAX)), (Some(30), Some(60)));
        assert_eq!(wait(15, u16::MAX), Some(LONGEST_WAIT.0));
        assert_eq!(wait(ATTEMPTS_MAX, 0), None);
    }

    #[test]
    fn what_is_too_old_is_given_up() {
        let old = T - AGE_MAX;
        assert_eq!(after_failure(1, old, T, 0), Next::Never);
        assert_eq!(after_failure(1, old + Seconds(16), T, 0), Next::At(T + Seconds(15)));
    }
}
