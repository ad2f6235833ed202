//! Time and chance, handed in.
//!
//! Logic never asks the machine what time it is or for random bytes: it is given a [`Clock`] and a
//! [`Random`]. So a test, a simulation or a drill can run a day in a millisecond and see the same
//! bytes twice.
//!
//! One exception: private keys are made, and ECDSA nonces drawn, by the cryptographic library from
//! its own generator. Handing those in would mean writing key generation ourselves.

use landfall_identity::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// Yields unpredictable bytes.
pub trait Random: Send + Sync {
    /// Overwrites all of `out`.
    fn fill(&self, out: &mut [u8]);
}

impl dyn Random + '_ {
    /// `N` fresh bytes.
    pub fn array<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place where the machine's time enters")]
    fn now(&self) -> Timestamp {
        let now = std::time::SystemTime::now();
        // A machine whose clock stands before 1970 is treated as being at 1970: every check of
        // validity then refuses, which is the safe answer.
        let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The operating system's random source, through the cryptographic library.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[allow(clippy::expect_used, reason = "without random bytes nothing may go on")]
    fn fill(&self, out: &mut [u8]) {
        aws_lc_rs::rand::fill(out).expect("the operating system yields random bytes");
    }
}

/// A clock that stands still until somebody moves it.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn new(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.millis()))
    }

    /// Moves it, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.millis(), Ordering::SeqCst);
    }

    /// Moves it forwards by `seconds`.
    pub fn advance(&self, seconds: landfall_identity::Seconds) {
        self.set(self.now() + seconds);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A clock and a random source, passed along together.
#[derive(Clone)]
pub struct Ambient {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where random bytes come from.
    pub random: Arc<dyn Random>,
}

impl Ambient {
    /// The machine's own.
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) }
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// `N` fresh bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        self.random.array()
    }

    /// 128 bits for the name of a new row: the time in 48 (milliseconds), and 80 of chance. Rows that are
    /// made one after the other then lie side by side in every index, and a commit writes few pages
    /// instead of one far away for each. Such a name says when it was made, and nothing is to be kept
    /// secret by it.
    pub fn row_bits(&self) -> [u8; 16] {
        let mut bits = self.random::<16>();
        bits[..6].copy_from_slice(&self.now().millis().to_be_bytes()[2..]);
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_identity::Seconds;

    #[test]
    fn the_manual_clock_moves_only_when_it_is_told() {
        let clock = ManualClock::new(Timestamp::from_seconds(100));
        assert_eq!(clock.now(), clock.now());
        clock.advance(Seconds::minutes(1));
        assert_eq!(clock.now(), Timestamp::from_seconds(160));
    }

    #[test]
    fn names_of_rows_sort_by_their_time_and_differ_within_it() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(100)));
        let ambient = Ambient { clock: clock.clone(), random: Arc::new(SystemRandom) };
        let (one, two) = (ambient.row_bits(), ambient.row_bits());
        assert_ne!(one, two);
        clock.advance(Seconds(1));
        let later = ambient.row_bits();
        assert!(one.max(two) < later);
    }

    #[test]
    fn random_arrays_differ() {
        let ambient = Ambient::system();
        assert_ne!(ambient.random::<16>(), ambient.random::<16>());
    }
}
