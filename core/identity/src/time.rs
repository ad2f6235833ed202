//! Points in time and spans, without a clock.

use serde::{Deserialize, Serialize};
use std::ops::{Add, Sub};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the epoch (JWT claims, signature parameters, X.509 validity).
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// How long after `earlier` this is; zero when it is before.
    pub fn since(self, earlier: Self) -> Seconds {
        Seconds(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0) / 1000)
    }

    /// Whether this instant has been reached at `now`. A deadline is over *at* its instant.
    pub const fn is_over(self, now: Self) -> bool {
        now.0 >= self.0
    }
}

/// An instant of the clock, and how far waits have come. They differ while the clock is in doubt: it
/// jumped, and no operator has confirmed it. Then waits stand still, for whoever can move the clock
/// could otherwise make them end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// What the clock says. Decides what is over.
    pub now: Timestamp,
    /// Up to when waiting has counted. Decides what has ripened.
    pub waited: Timestamp,
}

impl From<Timestamp> for Moment {
    fn from(now: Timestamp) -> Self {
        Self { now, waited: now }
    }
}

/// A span of whole seconds; never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub u64);

impl Seconds {
    /// `n` minutes; the longest span there is when that would be longer.
    pub const fn minutes(n: u64) -> Self {
        Self(n.saturating_mul(60))
    }

    /// `n` hours; as [`Seconds::minutes`].
    pub const fn hours(n: u64) -> Self {
        Self(n.saturating_mul(3600))
    }

    /// `n` days; as [`Seconds::minutes`].
    pub const fn days(n: u64) -> Self {
        Self(n.saturating_mul(86_400))
    }

    fn as_millis(self) -> i64 {
        i64::try_from(self.0.saturating_mul(1000)).unwrap_or(i64::MAX)
    }
}

impl Add<Seconds> for Timestamp {
    type Output = Self;
    fn add(self, span: Seconds) -> Self {
        Self(self.0.saturating_add(span.as_millis()))
    }
}

impl Sub<Seconds> for Timestamp {
    type Output = Self;
    fn sub(self, span: Seconds) -> Self {
        Self(self.0.saturating_sub(span.as_millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_over_at_its_instant_and_not_before() {
        let deadline = Timestamp::from_seconds(100);
        assert!(!deadline.is_over(Timestamp::from_millis(99_999)));
        assert!(deadline.is_over(deadline));
    }

    #[test]
    fn huge_spans_saturate_instead_of_wrapping() {
        let far = Timestamp::from_seconds(1) + Seconds(u64::MAX);
        assert_eq!(far.millis(), i64::MAX);
        assert_eq!(Timestamp::from_seconds(1).since(far), Seconds(0));
        for longest in
            [Seconds::minutes(u64::MAX), Seconds::hours(u64::MAX), Seconds::days(u64::MAX)]
        {
            assert_eq!(longest, Seconds(u64::MAX));
        }
    }
}
