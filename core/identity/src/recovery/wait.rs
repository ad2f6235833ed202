//! The waiting period: time in which the owner can object stands in for a second proof.
//!
//! Outside NIST SP 800-63B-4, and therefore off unless a tenant's operator and the user both want it. It is
//! bound to the key that asked. Its time is counted in three legs, and each begins only once somebody of
//! the account has received the notice that announces it: a wait that nobody hears of does not move.

use super::plan::{Door, Hold, Plan};
use super::verdict::{Evidence, Given, Verdict};
use crate::time::{Seconds, Timestamp};

/// The last leg: who is away over a weekend hears of the end a day before it.
pub const LAST_LEG: Seconds = Seconds::hours(24);
/// How long a recovery stays open beyond the end of its wait: to come and fetch the certificate, and for a
/// notice to be heard.
pub const PICK_UP: Seconds = Seconds::days(7);
/// Objections that end a wait within [`OBJECTIONS_WINDOW`]. Another one does not: it leaves the wait to
/// administrators, or somebody with the owner's laptop and key could keep the owner out for ever.
pub const OBJECTIONS_MAX: u32 = 1;
/// The span that objections are counted over.
pub const OBJECTIONS_WINDOW: Seconds = Seconds::hours(24);

/// A part of a wait, begun by a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leg {
    /// From the first notice to half of the time.
    First,
    /// From the notice at half to the last day.
    Second,
    /// The last day.
    Last,
}

impl Leg {
    /// Every leg, in order.
    pub const ALL: [Self; 3] = [Self::First, Self::Second, Self::Last];

    /// Its text in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Last => "last",
        }
    }

    /// The leg that a text names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|leg| leg.as_str() == text)
    }

    /// How long it takes of a wait of `whole`, which is at least three days.
    pub fn length(self, whole: Seconds) -> Seconds {
        let half = whole.0 / 2;
        match self {
            Self::First => Seconds(half),
            Self::Second => Seconds((whole.0 - half).saturating_sub(LAST_LEG.0)),
            Self::Last => Seconds((whole.0 - half).min(LAST_LEG.0)),
        }
    }

    /// The one after it.
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::First => Some(Self::Second),
            Self::Second => Some(Self::Last),
            Self::Last => None,
        }
    }

    /// How long the legs after it take.
    fn rest(self, whole: Seconds) -> Seconds {
        match self.next() {
            Some(next) => Seconds(next.length(whole).0 + next.rest(whole).0),
            None => Seconds(0),
        }
    }
}

/// Where a wait stands, whatever the time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitState {
    /// In this leg.
    Running {
        /// Which one.
        leg: Leg,
        /// When it ends; nothing while nobody has received its notice.
        ends_at: Option<Timestamp>,
    },
    /// Two asked, or an owner has said no more than once: time alone never ends it.
    Contested,
    /// Over, one way or the other.
    Ended,
}

/// What a wait says about time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WaitClock {
    /// Time runs from the proofs: what a plan promises, where no wait is looked at.
    #[default]
    FromProofs,
    /// Nobody has asked for one.
    NotBegun,
    /// It stands still until somebody receives the notice.
    Unheard,
    /// Time alone never ends it.
    Contested,
    /// It ends then, if every notice on the way is received at once.
    Until(Timestamp),
}

impl WaitState {
    /// What it says at `waited`, for a wait of `whole`.
    pub fn clock(self, whole: Seconds, waited: Timestamp) -> WaitClock {
        match self {
            Self::Running { ends_at: None, .. } => WaitClock::Unheard,
            Self::Running { leg: Leg::Last, ends_at: Some(at) } => WaitClock::Until(at),
            // The next leg begins no sooner than its notice is written.
            Self::Running { leg, ends_at: Some(at) } => {
                WaitClock::Until(at.max(waited) + leg.rest(whole))
            }
            Self::Contested => WaitClock::Contested,
            Self::Ended => WaitClock::NotBegun,
        }
    }

    /// How much of a wait of `whole` has passed at `waited`, and how much is left; nothing of one that does
    /// not count time.
    pub fn progress(self, whole: Seconds, waited: Timestamp) -> Option<(Seconds, Seconds)> {
        let Self::Running { leg, ends_at } = self else { return None };
        let length = leg.length(whole);
        let of_leg = ends_at.map_or(length, |at| at.since(waited).min(length));
        let left = Seconds(of_leg.0 + leg.rest(whole).0).min(whole);
        Some((Seconds(whole.0 - left.0), left))
    }

    /// The leg that begins now, when the one before it is over at `waited`.
    pub fn next_leg(self, waited: Timestamp) -> Option<Leg> {
        match self {
            Self::Running { leg, ends_at: Some(at) } if at.is_over(waited) => leg.next(),
            _ => None,
        }
    }

    /// Somebody has received the notice of the current leg.
    #[must_use]
    pub fn heard(self, whole: Seconds, waited: Timestamp) -> Self {
        match self {
            Self::Running { leg, ends_at: None } => {
                Self::Running { leg, ends_at: Some(waited + leg.length(whole)) }
            }
            other => other,
        }
    }
}

/// What an objection by the account's owner does to a wait, `before` of which came within
/// [`OBJECTIONS_WINDOW`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objection {
    /// It is over.
    Ends,
    /// It goes to the administrators.
    Refers,
}

impl Objection {
    /// Decides.
    pub const fn after(before: u32) -> Self {
        if before < OBJECTIONS_MAX { Self::Ends } else { Self::Refers }
    }
}

impl Plan {
    /// This plan, or a recovery code and a wait of `days`. Nothing weaker than paper that its owner put
    /// away: whoever has come by a mailbox would hear of the wait, and object to it, himself.
    #[must_use]
    pub fn or_wait(self, days: u64) -> Self {
        let wait = Self::waiting(Seconds::days(days), Self::one(Door::RecoveryCode));
        match self {
            Self::AnyOf(mut of) => {
                of.push(wait);
                Self::AnyOf(of)
            }
            other => Self::AnyOf(vec![other, wait]),
        }
    }

    /// This plan for somebody who does not want waits to stand in for a proof. What consists of nothing
    /// else lets nobody in.
    #[must_use]
    pub fn without_waits(&self) -> Self {
        self.kept_without_waits().unwrap_or(Self::AnyOf(Vec::new()))
    }

    /// This plan as its user can count on it: a wait in a proof's place can be asked for alone, not as a part of
    /// something, and moves only while it is heard of by a mailbox, for every device is lost.
    #[must_use]
    pub fn with_waits_heard(&self) -> Self {
        match self {
            Self::AnyOf(of) => Self::AnyOf(of.iter().map(Self::with_waits_heard).collect()),
            Self::Wait { hold: Hold::Always, .. } => {
                Self::AllOf(vec![self.clone(), Self::one(Door::MailedCode)])
            }
            other => other.without_waits(),
        }
    }

    fn kept_without_waits(&self) -> Option<Self> {
        let kept = |of: &[Self]| of.iter().map(Self::kept_without_waits).collect::<Vec<_>>();
        Some(match self {
            Self::Proofs { .. } => self.clone(),
            Self::AnyOf(of) => match kept(of).into_iter().flatten().collect::<Vec<_>>() {
                none if none.is_empty() => return None,
                some => Self::AnyOf(some),
            },
            Self::AllOf(of) => Self::AllOf(kept(of).into_iter().collect::<Option<_>>()?),
            Self::AtLeast { count, of } => {
                let of: Vec<_> = kept(of).into_iter().flatten().collect();
                if of.len() < usize::from(*count) {
                    return None;
                }
                Self::AtLeast { count: *count, of }
            }
            Self::Wait { hold: Hold::Always, .. } => return None,
            Self::Wait { seconds, hold, after } => {
                let after = Box::new(after.kept_without_waits()?);
                Self::Wait { seconds: *seconds, hold: *hold, after }
            }
        })
    }

    /// How long the wait is that these proofs, which do not suffice by themselves, could ask for.
    pub fn wait_for(&self, evidence: &Evidence, now: Timestamp) -> Option<Seconds> {
        let alone = self.verdict_with(evidence, WaitClock::NotBegun, now);
        (alone == Verdict::Missing).then(|| self.shortest_wait(&Given::of(evidence, false)))?
    }

    fn shortest_wait(&self, given: &Given) -> Option<Seconds> {
        match self {
            Self::Wait { seconds, hold: Hold::Always, after } => {
                after.opens_at(given).map(|_| *seconds)
            }
            // Beside other proofs a wait is no way in by itself.
            Self::AnyOf(of) => of.iter().filter_map(|part| part.shortest_wait(given)).min(),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "wait_tests.rs"]
mod tests;
