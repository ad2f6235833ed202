//! A plan written out: every minimal way in.

use super::plan::{Door, Hold, Plan, PlanError, WAYS_MAX};
use super::verdict::Given;
use crate::time::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// One way in: these proofs, then this wait. Nothing of it can be left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Way {
    /// How many different proofs of each kind.
    pub proofs: BTreeMap<Door, u8>,
    /// How long the wait is once all proofs are given; zero when there is none.
    pub wait_seconds: Seconds,
}

impl Way {
    /// Whether whoever can take this way can also take `other`.
    fn covers(&self, other: &Self) -> bool {
        self.wait_seconds >= other.wait_seconds
            && other
                .proofs
                .iter()
                .all(|(door, count)| self.proofs.get(door).is_some_and(|own| own >= count))
    }

    fn with(&self, other: &Self) -> Self {
        let mut proofs = self.proofs.clone();
        for (door, count) in &other.proofs {
            let own = proofs.entry(*door).or_default();
            *own = (*own).max(*count);
        }
        Self { proofs, wait_seconds: self.wait_seconds.max(other.wait_seconds) }
    }
}

impl Way {
    /// The proofs in words: "a recovery code and 2 administrators".
    fn proofs_in_words(&self) -> String {
        let words: Vec<String> =
            self.proofs.iter().map(|(door, count)| door.counted(*count)).collect();
        words.join(" and ")
    }

    /// The way in words, with the wait that there is when no device is left.
    pub(super) fn words(&self, alone: Seconds) -> String {
        let proofs = self.proofs_in_words();
        let wait = hours(self.wait_seconds);
        match (self.wait_seconds, alone) {
            (Seconds(0), Seconds(0)) => proofs,
            (held, alone) if held == alone => format!("{proofs}, after {wait}"),
            (_, Seconds(0)) => format!("{proofs}, after {wait} while a device still works"),
            (_, alone) => {
                format!("{proofs}, after {wait} while a device still works, else {}", hours(alone))
            }
        }
    }
}

/// A wait, to the second where it takes that.
fn hours(wait: Seconds) -> String {
    match wait.0 % 3600 {
        0 => format!("{} h", wait.0 / 3600),
        _ => format!("{} s", wait.0),
    }
}

impl Door {
    /// So many of it, in words.
    fn counted(self, count: u8) -> String {
        let (one, more) = match self {
            Self::Device => ("a device", "devices"),
            Self::Passkey => ("a passkey", "passkeys"),
            Self::RecoveryCode => ("a recovery code", "recovery codes"),
            Self::MailedCode => ("a mailed code", "mailed codes"),
            Self::Admin => ("an administrator", "administrators"),
            Self::Guardian => ("a guardian", "guardians"),
        };
        if count == 1 { one.to_owned() } else { format!("{count} {more}") }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(self.wait_seconds))
    }
}

impl Plan {
    /// Every minimal way in.
    ///
    /// # Errors
    /// [`PlanError::TooLarge`] beyond [`WAYS_MAX`].
    pub fn ways(&self, device_lives: bool) -> Result<Vec<Way>, PlanError> {
        let ways = match self {
            Self::Proofs { door, count } => {
                vec![Way { proofs: [(*door, *count)].into(), wait_seconds: Seconds(0) }]
            }
            Self::AnyOf(of) => choose(of, 1, device_lives)?,
            Self::AllOf(of) => choose(of, of.len(), device_lives)?,
            Self::AtLeast { count, of } => choose(of, usize::from(*count), device_lives)?,
            Self::Wait { seconds, hold, after } => {
                let waits = *hold == Hold::Always || device_lives;
                let more = if waits { *seconds } else { Seconds(0) };
                let mut ways = after.ways(device_lives)?;
                ways.iter_mut().for_each(|way| way.wait_seconds.0 += more.0);
                ways
            }
        };
        minimal(ways)
    }

    /// Whether a way in is one by this plan too, and no sooner than this plan would open.
    pub(super) fn is_met_by(&self, way: &Way, device_lives: bool) -> bool {
        let start = Timestamp::from_millis(0);
        let counts = way.proofs.iter().map(|(door, count)| (*door, usize::from(*count)));
        let given = Given::counted(counts, device_lives, start);
        self.opens_at(&given).is_some_and(|at| at <= start + way.wait_seconds)
    }
}

/// Every way to have `count` of the parts.
fn choose(of: &[Plan], count: usize, device_lives: bool) -> Result<Vec<Way>, PlanError> {
    // By how many parts are had so far.
    let nothing = Way { proofs: BTreeMap::new(), wait_seconds: Seconds(0) };
    let mut had: Vec<Vec<Way>> = vec![Vec::new(); count + 1];
    had[0].push(nothing);
    for part in of {
        let ways = part.ways(device_lives)?;
        for so_far in (0..count).rev() {
            let joined: Vec<_> = had[so_far]
                .iter()
                .flat_map(|way| ways.iter().map(move |other| way.with(other)))
                .collect();
            had[so_far + 1].extend(joined);
            had[so_far + 1] = minimal(std::mem::take(&mut had[so_far + 1]))?;
        }
    }
    Ok(had.pop().unwrap_or_default())
}

/// Without the ways that ask for more than another one does.
fn minimal(mut ways: Vec<Way>) -> Result<Vec<Way>, PlanError> {
    ways.sort_unstable();
    ways.dedup();
    let kept: Vec<_> = ways
        .iter()
        .filter(|way| !ways.iter().any(|other| other != *way && way.covers(other)))
        .cloned()
        .collect();
    if kept.len() > WAYS_MAX { Err(PlanError::TooLarge) } else { Ok(kept) }
}
