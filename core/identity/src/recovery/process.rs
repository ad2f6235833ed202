//! One recovery, from a bare machine's first word to a device: where it stands, and what may happen
//! next.
//!
//! It is bound to the key that began it. Proofs are added one by one and judged by the plan anew each
//! time, as the rows say then: an administrator who was cut off meanwhile, or a code that was replaced,
//! has proved nothing.

use super::plan::{Door, Plan};
use super::verdict::{Evidence, Verdict};
use super::wait::WaitClock;
use crate::caller::Role;
use crate::grant::GRANT_TTL;
use crate::time::{Moment, Seconds, Timestamp};

/// How long a recovery stays open. Administrators sleep, and phones are charged at home.
pub const RECOVERY_TTL: Seconds = Seconds::hours(24);
/// How long the same key is answered with the same certificate after the end: as long as the right to
/// register a passkey lasts.
pub const RESUME_TTL: Seconds = GRANT_TTL;
/// Wrong codes that one recovery takes. Nothing can be guessed; it bounds what is written.
pub const TRIES_MAX: u32 = 10;
/// Recoveries of one account that may be open at once. Beyond it the oldest that has proved nothing
/// makes room.
pub const OPEN_PER_ACCOUNT: u32 = 256;
/// Recoveries that one place may begin within [`BEGUN_WINDOW`]. Generous: an office shares one address.
pub const BEGUN_PER_PLACE: u32 = 30;
/// How long its owner's list shows one that has shown nothing. Anybody can begin one; what it never proves
/// concerns nobody, and what it proves later brings it back. Administrators and guardians, who are the
/// proof that it may wait for, see it as long as it is open.
pub const UNPROVED_SHOWN: Seconds = Seconds::minutes(10);
/// Messages that one recovery may send within [`MESSAGES_WINDOW`]: more than twice what a machine sends that waits.
/// Who wants to learn something from how long answers take would need many more.
pub const MESSAGES_MAX: u32 = 2_000;
/// The span that messages are counted over.
pub const MESSAGES_WINDOW: Seconds = Seconds::minutes(10);
/// The span that beginnings are counted over.
pub const BEGUN_WINDOW: Seconds = Seconds::hours(1);

/// Where a recovery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryState {
    /// Under way, until its time is over.
    Open,
    /// It made a device.
    Completed {
        /// When.
        at: Timestamp,
    },
    /// The account's owner, or an administrator, said no.
    Stopped {
        /// When.
        at: Timestamp,
    },
}

/// What becomes of the wish to complete, decided without looking anything up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// Make the device.
    Issue,
    /// It was made; answer with the stored certificate.
    Resume,
    /// More proofs are wanted.
    Unproved,
    /// Nothing is missing but time.
    Held {
        /// Until when.
        until: Timestamp,
    },
    /// Nothing is missing but time, which stands still: nobody has received the notice yet.
    Unheard,
    /// Time alone never ends the wait: two asked for one, or its owner has objected again and again.
    Contested,
    /// The wait would be over, if the clock were believed.
    ClockJumped,
    /// Somebody said no.
    Stopped {
        /// When.
        at: Timestamp,
    },
    /// Its time is over.
    Over,
}

impl RecoveryState {
    /// Whether proofs can still be added at `now`.
    pub fn is_open(self, expires_at: Timestamp, now: Timestamp) -> bool {
        self == Self::Open && !expires_at.is_over(now)
    }

    /// Decides a completion by the key that began it.
    pub fn complete(
        self,
        expires_at: Timestamp,
        plan: &Plan,
        evidence: &Evidence,
        wait: WaitClock,
        moment: Moment,
    ) -> Completion {
        match self {
            Self::Stopped { at } => Completion::Stopped { at },
            Self::Completed { at } if (at + RESUME_TTL).is_over(moment.now) => Completion::Over,
            Self::Completed { .. } => Completion::Resume,
            Self::Open if expires_at.is_over(moment.now) => Completion::Over,
            Self::Open => match plan.verdict_with(evidence, wait, moment.waited) {
                Verdict::Open => Completion::Issue,
                Verdict::Missing => plan.stands_still(evidence, wait, moment),
                Verdict::Waiting { until } if until.is_over(moment.now) => Completion::ClockJumped,
                Verdict::Waiting { until } => Completion::Held { until },
            },
        }
    }
}

impl Plan {
    /// Why it does not open, where something is missing: a proof, or time that does not run.
    fn stands_still(&self, evidence: &Evidence, wait: WaitClock, moment: Moment) -> Completion {
        match (self.verdict(evidence, moment.waited), wait) {
            (Verdict::Missing, _) => Completion::Unproved,
            (_, WaitClock::Unheard) => Completion::Unheard,
            (_, WaitClock::Contested) => Completion::Contested,
            _ => Completion::Unproved,
        }
    }

    /// The plan as it stands for a user of this role: administrators alone let another administrator
    /// in only by two, for one could otherwise make the other's account their own.
    #[must_use]
    pub fn for_role(&self, role: Role) -> Self {
        match role {
            Role::Member | Role::Auditor | Role::Operator => self.clone(),
            Role::Admin => self.for_admins(),
        }
    }

    fn for_admins(&self) -> Self {
        let all = |of: &[Self]| of.iter().map(Self::for_admins).collect();
        match self {
            Self::Proofs { door: Door::Admin, count } => Self::of(Door::Admin, (*count).max(2)),
            // Beside another kind of proof, one administrator is a second witness and not the only one.
            Self::Proofs { .. } | Self::AllOf(_) => self.clone(),
            Self::AnyOf(of) => Self::AnyOf(all(of)),
            Self::AtLeast { count: 1, of } => Self::AtLeast { count: 1, of: all(of) },
            Self::AtLeast { .. } => self.clone(),
            Self::Wait { seconds, hold, after } => {
                Self::Wait { seconds: *seconds, hold: *hold, after: Box::new(after.for_admins()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::{ADMIN_HOLD, Preset};
    use super::super::verdict::{Lives, Proof};
    use super::*;

    const BEGUN: Timestamp = Timestamp::from_seconds(1_000_000);
    const NONE: WaitClock = WaitClock::NotBegun;

    fn proof(door: Door, by: &str) -> Proof {
        Proof { door, by: by.into(), at: BEGUN }
    }

    fn decide(plan: &Plan, proofs: Vec<Proof>, lives: Lives, at: Timestamp) -> Completion {
        let evidence = Evidence { proofs, lives };
        RecoveryState::Open.complete(BEGUN + RECOVERY_TTL, plan, &evidence, NONE, at.into())
    }

    #[test]
    fn a_code_alone_suffices_by_no_preset_and_by_a_plan_that_says_so() {
        let code = || vec![proof(Door::RecoveryCode, "sheet")];
        for preset in Preset::ALL {
            for lives in [Lives::Now, Lives::Never] {
                assert_eq!(decide(&preset.plan(), code(), lives, BEGUN), Completion::Unproved);
            }
        }
        let says_so = Plan::one(Door::RecoveryCode);
        assert_eq!(decide(&says_so, code(), Lives::Now, BEGUN), Completion::Issue);
        assert!(says_so.check(&Plan::floor()).is_err(), "and no tenant can choose it");
    }

    #[test]
    fn an_approval_is_held_while_a_device_could_object() {
        let plan = Preset::Personal.plan();
        let approved = || vec![proof(Door::Admin, "ana")];
        let until = BEGUN + ADMIN_HOLD;
        assert_eq!(decide(&plan, approved(), Lives::Now, BEGUN), Completion::Held { until });
        assert_eq!(decide(&plan, approved(), Lives::Now, until), Completion::Issue);
        assert_eq!(decide(&plan, approved(), Lives::Never, BEGUN), Completion::Issue);
        // A clock that jumped ends no wait.
        let evidence = Evidence { proofs: approved(), lives: Lives::Now };
        let moment = Moment { now: until, waited: BEGUN };
        let expires_at = BEGUN + RECOVERY_TTL;
        let decided = RecoveryState::Open.complete(expires_at, &plan, &evidence, NONE, moment);
        assert_eq!(decided, Completion::ClockJumped);
    }

    #[test]
    fn an_administrator_takes_two_or_one_and_another_kind_of_proof() {
        for preset in Preset::ALL {
            let plan = preset.plan().for_role(Role::Admin);
            let one = vec![proof(Door::Admin, "ana")];
            assert_eq!(decide(&plan, one, Lives::Never, BEGUN), Completion::Unproved, "{preset:?}");
            let twice = vec![proof(Door::Admin, "ana"), proof(Door::Admin, "ana")];
            assert_eq!(
                decide(&plan, twice, Lives::Never, BEGUN),
                Completion::Unproved,
                "{preset:?}"
            );
            let two = vec![proof(Door::Admin, "ana"), proof(Door::Admin, "eve")];
            assert_eq!(decide(&plan, two, Lives::Never, BEGUN), Completion::Issue, "{preset:?}");
            assert_eq!(plan.check(&preset.plan()), Ok(()), "{preset:?}: never weaker");
        }
        let plan = Preset::Personal.plan().for_role(Role::Admin);
        let mixed = vec![proof(Door::Admin, "ana"), proof(Door::RecoveryCode, "sheet")];
        assert_eq!(decide(&plan, mixed, Lives::Never, BEGUN), Completion::Issue);
    }

    #[test]
    fn an_end_is_an_end() {
        let plan = Preset::Personal.plan();
        let nothing = Evidence::default();
        let over = BEGUN + RECOVERY_TTL;
        let decide = |state: RecoveryState, at: Timestamp| {
            state.complete(over, &plan, &nothing, NONE, at.into())
        };
        assert_eq!(decide(RecoveryState::Open, over), Completion::Over);
        let stopped = RecoveryState::Stopped { at: BEGUN };
        assert_eq!(decide(stopped, BEGUN), Completion::Stopped { at: BEGUN });
        let done = RecoveryState::Completed { at: BEGUN };
        assert_eq!(decide(done, BEGUN), Completion::Resume);
        assert_eq!(decide(done, BEGUN + RESUME_TTL), Completion::Over);
        for state in [stopped, done] {
            assert!(!state.is_open(over, BEGUN));
        }
    }
}
