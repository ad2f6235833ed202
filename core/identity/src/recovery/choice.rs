//! Choosing a plan: what a tenant, or a user on top of it, may ask for; and what a plan comes to where
//! some of its doors lead nowhere.

use super::plan::{Door, Plan, PlanError};
use super::ways::Way;
use crate::time::Seconds;

impl Plan {
    /// This plan as far as doors lead anywhere; `None` when none of it does. Nothing else of it changes,
    /// so what opens by it opens by the whole plan too, and at the same time.
    #[must_use]
    pub fn within(&self, leads_in: impl Fn(Door) -> bool + Copy) -> Option<Self> {
        let parts = |of: &[Self]| -> Vec<Self> {
            of.iter().filter_map(|part| part.within(leads_in)).collect()
        };
        match self {
            Self::Proofs { door, .. } => leads_in(*door).then(|| self.clone()),
            Self::AnyOf(of) => {
                let left = parts(of);
                (!left.is_empty()).then_some(Self::AnyOf(left))
            }
            Self::AllOf(of) => {
                let left = parts(of);
                (left.len() == of.len()).then_some(Self::AllOf(left))
            }
            Self::AtLeast { count, of } => {
                let left = parts(of);
                let enough = left.len() >= usize::from(*count);
                enough.then_some(Self::AtLeast { count: *count, of: left })
            }
            Self::Wait { seconds, hold, after } => {
                let after = Box::new(after.within(leads_in)?);
                Some(Self::Wait { seconds: *seconds, hold: *hold, after })
            }
        }
    }

    /// Whether a server can live by this plan: [`Plan::check`] above the floor; an enrolled device alone
    /// is a way in, because it can always add another one; and whoever has lost every device can come
    /// back by the doors that lead in.
    ///
    /// # Errors
    /// [`PlanError`] names the first thing wrong.
    pub fn check_choice(
        &self,
        floor: &Self,
        leads_in: impl Fn(Door) -> bool + Copy,
    ) -> Result<(), PlanError> {
        self.check(floor)?;
        let mut ways = self.ways(true)?.into_iter();
        let by_device = |way: &Way| {
            way.wait_seconds == Seconds(0)
                && way.proofs.keys().eq([&Door::Device])
                && way.proofs.values().all(|count| *count == 1)
        };
        if !ways.any(|way| by_device(&way)) {
            return Err(PlanError::DeviceShut);
        }
        match self.within(|door| door != Door::Device && leads_in(door)) {
            Some(_) => Ok(()),
            None => Err(PlanError::NobodyComesBack),
        }
    }

    /// A plan that opens only where both open, and no sooner than either.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self::AllOf(vec![self.clone(), other.clone()])
    }

    /// What it comes to, in one line. Plans that open alike read alike, so that an approval of the line
    /// is an approval of the plan.
    ///
    /// # Errors
    /// [`PlanError::TooLarge`] for a plan that should never have been chosen.
    pub fn words(&self) -> Result<String, PlanError> {
        let (held, free) = (self.ways(true)?, self.ways(false)?);
        let same = |way: &&Way, other: &Way| way.proofs == other.proofs;
        let line = held.iter().map(|way| {
            let alone = free.iter().find(|free| same(free, way));
            way.words(alone.map_or(way.wait_seconds, |free| free.wait_seconds))
        });
        let mut words: Vec<String> = line.collect();
        // What is shorter there once no device is left covers what is longer: only what is new is said.
        let only = free.iter().filter(|way| !held.iter().any(|held| same(way, held)));
        words.extend(only.map(|way| format!("{way}, once no device is left")));
        Ok(words.join("; or "))
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::{Preset, WAIT_MIN};
    use super::*;

    #[test]
    fn a_plan_without_a_door_that_leads_in_is_no_choice() {
        let today = |door| matches!(door, Door::Device | Door::RecoveryCode | Door::Admin);
        for preset in Preset::ALL {
            assert_eq!(preset.plan().check_choice(&Plan::floor(), today), Ok(()), "{preset:?}");
        }
        let device = Plan::one(Door::Device);
        let alone = device.check_choice(&Plan::floor(), today);
        assert_eq!(alone, Err(PlanError::NobodyComesBack), "a lost device would be the end");
        let guarded = Plan::AnyOf(vec![device, Plan::of(Door::Guardian, 2)]);
        let shut = guarded.check_choice(&Plan::floor(), today);
        assert_eq!(shut, Err(PlanError::NobodyComesBack));
        assert_eq!(guarded.check_choice(&Plan::floor(), |_| true), Ok(()));
        let no_device = Plan::admin_assisted(1).check_choice(&Plan::floor(), today);
        assert_eq!(no_device, Err(PlanError::DeviceShut));
    }

    #[test]
    fn what_leads_nowhere_falls_away_and_takes_along_what_needs_it() {
        let strict = Preset::Strict.plan();
        let left = strict.within(|door| door != Door::Passkey).unwrap();
        assert_eq!(left, Plan::AnyOf(vec![Plan::one(Door::Device), Plan::admin_assisted(2)]));
        assert_eq!(strict.within(|_| true).unwrap(), strict);
        assert_eq!(strict.within(|_| false), None);
    }

    #[test]
    fn plans_that_open_alike_read_alike_and_others_do_not() {
        let (device, code) = (Plan::one(Door::Device), Plan::one(Door::RecoveryCode));
        let one = Plan::AnyOf(vec![device.clone(), Plan::AnyOf(vec![code.clone()])]);
        let other = Plan::AtLeast { count: 1, of: vec![code.clone(), device.clone()] };
        assert_eq!(one.words(), other.words());
        let held = Plan::AnyOf(vec![device.clone(), Plan::admin_assisted(1)]);
        let unheld = Plan::AnyOf(vec![device.clone(), Plan::one(Door::Admin)]);
        assert_ne!(held.words(), unheld.words());
        let waits = Plan::AnyOf(vec![device, Plan::waiting(WAIT_MIN, code)]);
        assert!(waits.words().unwrap().contains("after 72 h"), "{waits:?}");
        let text = Preset::Team.plan().words().unwrap();
        // What asks for more than another way does is not said.
        assert_eq!(
            text,
            "a device; or a passkey; or a recovery code and a mailed code; or a recovery code and a \
             guardian; or an administrator, after 1 h while a device still works"
        );
    }
}
