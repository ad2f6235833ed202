//! Whether given proofs open the door, and when.

use super::plan::{Door, Hold, Plan};
use super::wait::WaitClock;
use crate::time::{Seconds, Timestamp};
use std::collections::BTreeMap;

/// One proof that was given and checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof {
    /// What kind it is.
    pub door: Door,
    /// Whose or which: a device, a passkey, an administrator. The same one counts once.
    pub by: String,
    /// When it was given.
    pub at: Timestamp,
}

/// What a plan is judged by.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The proofs given so far, in any order.
    pub proofs: Vec<Proof>,
    /// Whether a device of the user could object.
    pub lives: Lives,
}

/// Whether a device of a user could object, for the holds that last while one does. A cut ends no hold at
/// once: whoever approves, and whoever stole the device, could make it for that purpose (ADR 32).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lives {
    /// There is none, nor was there for a while.
    #[default]
    Never,
    /// One may act.
    Now,
    /// The last was cut off, and counts until then.
    Until(Timestamp),
}

impl Lives {
    /// When the last device was cut off at `at` and holds last as long as `hold`.
    pub fn cut_at(at: Timestamp, hold: Seconds) -> Self {
        Self::Until(at + hold)
    }
}

/// What a plan says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The door is open.
    Open,
    /// Nothing is missing but time.
    Waiting {
        /// When it opens.
        until: Timestamp,
    },
    /// Something is missing.
    Missing,
}

impl Plan {
    /// Judges `evidence` at `now`, as if every wait ran from the proofs on.
    pub fn verdict(&self, evidence: &Evidence, now: Timestamp) -> Verdict {
        self.verdict_with(evidence, WaitClock::FromProofs, now)
    }

    /// Judges `evidence` at `now`, with the recovery's own waiting period.
    pub fn verdict_with(&self, evidence: &Evidence, wait: WaitClock, now: Timestamp) -> Verdict {
        match self.opens(evidence, wait) {
            Some(at) if at.is_over(now) => Verdict::Open,
            Some(until) => Verdict::Waiting { until },
            None => Verdict::Missing,
        }
    }

    /// When it opens: with a device that counts for a while yet, at the end of the hold, or once the
    /// device counts no more.
    fn opens(&self, evidence: &Evidence, wait: WaitClock) -> Option<Timestamp> {
        let at = |lives| self.opens_at(&Given::of(evidence, lives).with(wait));
        match evidence.lives {
            Lives::Now => at(true),
            Lives::Never => at(false),
            Lives::Until(then) => Some(at(true)?.min(at(false)?.max(then))),
        }
    }

    /// When the proofs at hand open it; `None` when they never do.
    pub(super) fn opens_at(&self, given: &Given) -> Option<Timestamp> {
        match self {
            Self::Proofs { door, count } => given.nth(*door, *count),
            Self::AnyOf(of) => of.iter().filter_map(|part| part.opens_at(given)).min(),
            // Collecting options yields none as soon as one part is missing.
            Self::AllOf(of) => {
                let all: Option<Vec<_>> = of.iter().map(|part| part.opens_at(given)).collect();
                all?.into_iter().max()
            }
            Self::AtLeast { count, of } => {
                let mut open: Vec<_> = of.iter().filter_map(|part| part.opens_at(given)).collect();
                open.sort_unstable();
                open.get(usize::from(*count).checked_sub(1)?).copied()
            }
            Self::Wait { seconds, hold, after } => {
                let from = after.opens_at(given)?;
                match hold {
                    Hold::WhileADeviceLives if !given.device_lives => Some(from),
                    Hold::WhileADeviceLives => Some(from + *seconds),
                    Hold::Always => given.waited(from + *seconds),
                }
            }
        }
    }
}

/// When the first, the second, ... different proof of each kind was given.
pub(super) struct Given {
    times: BTreeMap<Door, Vec<Timestamp>>,
    device_lives: bool,
    wait: WaitClock,
}

impl Given {
    /// `device_lives`: whether the holds that last while a device lives do.
    pub(super) fn of(evidence: &Evidence, device_lives: bool) -> Self {
        let mut first: BTreeMap<(Door, &str), Timestamp> = BTreeMap::new();
        for proof in &evidence.proofs {
            let at = first.entry((proof.door, &proof.by)).or_insert(proof.at);
            *at = proof.at.min(*at);
        }
        let mut times: BTreeMap<Door, Vec<Timestamp>> = BTreeMap::new();
        for ((door, _), at) in first {
            times.entry(door).or_default().push(at);
        }
        times.values_mut().for_each(|times| times.sort_unstable());
        Self { times, device_lives, wait: WaitClock::FromProofs }
    }

    fn with(self, wait: WaitClock) -> Self {
        Self { wait, ..self }
    }

    /// When a waiting period is over that would be at `soonest` if it ran from its proofs on.
    fn waited(&self, soonest: Timestamp) -> Option<Timestamp> {
        match self.wait {
            WaitClock::FromProofs => Some(soonest),
            WaitClock::Until(at) => Some(at.max(soonest)),
            WaitClock::NotBegun | WaitClock::Unheard | WaitClock::Contested => None,
        }
    }

    /// So many proofs of each kind, all given at one time.
    pub(super) fn counted(
        counts: impl IntoIterator<Item = (Door, usize)>,
        device_lives: bool,
        at: Timestamp,
    ) -> Self {
        let times = counts.into_iter().map(|(door, count)| (door, vec![at; count])).collect();
        Self { times, device_lives, wait: WaitClock::FromProofs }
    }

    fn nth(&self, door: Door, count: u8) -> Option<Timestamp> {
        self.times.get(&door)?.get(usize::from(count).checked_sub(1)?).copied()
    }
}
