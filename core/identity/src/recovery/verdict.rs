//! Whether given proofs open the door, and when.

use super::plan::{Door, Hold, Plan};
use crate::time::Timestamp;
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
    /// Whether a device of the user is live, and could object.
    pub device_lives: bool,
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
    /// Judges `evidence` at `now`.
    pub fn verdict(&self, evidence: &Evidence, now: Timestamp) -> Verdict {
        match self.opens_at(&Given::of(evidence)) {
            Some(at) if at.is_over(now) => Verdict::Open,
            Some(until) => Verdict::Waiting { until },
            None => Verdict::Missing,
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
                let waits = *hold == Hold::Always || given.device_lives;
                Some(if waits { from + *seconds } else { from })
            }
        }
    }
}

/// When the first, the second, ... different proof of each kind was given.
pub(super) struct Given {
    times: BTreeMap<Door, Vec<Timestamp>>,
    device_lives: bool,
}

impl Given {
    fn of(evidence: &Evidence) -> Self {
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
        Self { times, device_lives: evidence.device_lives }
    }

    /// So many proofs of each kind, all given at one time.
    pub(super) fn counted(
        counts: impl IntoIterator<Item = (Door, usize)>,
        device_lives: bool,
        at: Timestamp,
    ) -> Self {
        let times = counts.into_iter().map(|(door, count)| (door, vec![at; count])).collect();
        Self { times, device_lives }
    }

    fn nth(&self, door: Door, count: u8) -> Option<Timestamp> {
        self.times.get(&door)?.get(usize::from(count).checked_sub(1)?).copied()
    }
}
