//! Guardians: people whom a user chose, so many of whom together let the user back in.

use super::plan::COUNT_MAX;
use crate::device::PROBATION;
use crate::time::Timestamp;

/// Guardians that one user may have named at a time.
pub const GUARDIANS_PER_USER: u32 = COUNT_MAX as u32;

/// Since when somebody is a guardian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guardianship {
    /// When the user named them.
    pub named_at: Timestamp,
    /// When they accepted; nothing while they have not.
    pub accepted_at: Option<Timestamp>,
}

impl Guardianship {
    /// From when on their word counts: a day after the user named them, so that whoever has somebody's
    /// machine and key for an hour cannot name two friends and come back with them. Nothing while they
    /// have not accepted.
    pub fn counts_from(self) -> Option<Timestamp> {
        self.accepted_at.map(|accepted| accepted.max(self.named_at + PROBATION))
    }

    /// Whether a word that was given at `given_at` counts: given as a guardian, not in an earlier term
    /// of office nor before they could.
    pub fn covers(self, given_at: Timestamp) -> bool {
        self.counts_from().is_some_and(|from| given_at >= from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_counts_from_a_day_after_the_naming_and_never_from_before() {
        let named_at = Timestamp::from_seconds(1_000);
        let soon = named_at + crate::time::Seconds(60);
        let asked = Guardianship { named_at, accepted_at: None };
        assert!(!asked.covers(named_at + PROBATION));
        let accepted = Guardianship { named_at, accepted_at: Some(soon) };
        assert!(!accepted.covers(soon));
        assert!(accepted.covers(named_at + PROBATION));
        let late = Guardianship { named_at, accepted_at: Some(named_at + PROBATION + PROBATION) };
        assert!(!late.covers(named_at + PROBATION), "given before they accepted");
    }
}
