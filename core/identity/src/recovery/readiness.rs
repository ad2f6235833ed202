//! Who could get in today, which single loss locks out, and what to do about it before it happens.

use super::plan::{Door, Plan, PlanError};
use super::verdict::Given;
use crate::time::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Losses at once that are looked at; whoever survives fewer is told the number, the others "or more".
pub const LOSSES_MAX: usize = 3;

/// Something that a user holds, or somebody who would vouch for them: one proof for one door.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Thing {
    /// What it is.
    pub kind: ThingKind,
    /// What the user calls it, or who it is.
    pub name: String,
}

/// The kinds of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThingKind {
    /// An enrolled, active device. Its own device-bound passkeys open nothing elsewhere.
    Device,
    /// A passkey that is kept in step by a provider.
    SyncedPasskey,
    /// A security key.
    RoamingKey,
    /// A sheet with at least one unburnt code.
    CodeSheet,
    /// A confirmed address that still accepts mail.
    Mailbox,
    /// Somebody else who is an administrator.
    Admin,
    /// A guardian with an active device.
    Guardian,
}

impl Thing {
    /// The same person in their other role: administrators can be guardians, too.
    pub fn other_role(&self) -> Option<Self> {
        let kind = match self.kind {
            ThingKind::Admin => ThingKind::Guardian,
            ThingKind::Guardian => ThingKind::Admin,
            _ => return None,
        };
        Some(Self { kind, name: self.name.clone() })
    }
}

impl ThingKind {
    /// The door that it opens, alone or with others.
    pub const fn door(self) -> Door {
        match self {
            Self::Device => Door::Device,
            Self::SyncedPasskey | Self::RoamingKey => Door::Passkey,
            Self::CodeSheet => Door::RecoveryCode,
            Self::Mailbox => Door::MailedCode,
            Self::Admin => Door::Admin,
            Self::Guardian => Door::Guardian,
        }
    }
}

/// Proofs that suffice together, each kind with the things that could give it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayIn {
    /// So many of these, for each kind of proof.
    pub needs: Vec<Need>,
    /// How long one waits once everything is given, when no device is live any more.
    pub wait_seconds: Seconds,
}

/// So many of these things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// How many.
    pub count: u8,
    /// Of which.
    pub of: Vec<Thing>,
}

/// How a user stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nothing that they hold lets them in.
    LockedOut,
    /// One loss, and they are out.
    OneLossAway,
    /// Any single loss can be survived.
    Ready,
}

/// What a user could do to stand better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// Make and print recovery codes.
    PrintCodes,
    /// Register a security key, or a passkey that is kept in step.
    AddPasskey,
    /// Enrol another device.
    AddDevice,
    /// Confirm an address.
    ConfirmMail,
    /// Choose a guardian.
    ChooseGuardian,
    /// Have another administrator.
    AskForAdmin,
}

impl Remedy {
    /// In the order of ease.
    pub const ALL: [Self; 6] = [
        Self::PrintCodes,
        Self::AddPasskey,
        Self::AddDevice,
        Self::ConfirmMail,
        Self::ChooseGuardian,
        Self::AskForAdmin,
    ];

    const fn door(self) -> Door {
        match self {
            Self::PrintCodes => Door::RecoveryCode,
            Self::AddPasskey => Door::Passkey,
            Self::AddDevice => Door::Device,
            Self::ConfirmMail => Door::MailedCode,
            Self::ChooseGuardian => Door::Guardian,
            Self::AskForAdmin => Door::Admin,
        }
    }
}

/// How ready one user is to lose something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// In one word.
    pub standing: Standing,
    /// How many things must be lost at once before nothing gets in; at most [`LOSSES_MAX`], which
    /// stands for that many or more.
    pub losses_to_lock_out: u8,
    /// Every minimal set of things that gets in.
    pub ways_in: Vec<WayIn>,
    /// Every thing whose loss alone locks out.
    pub single_losses: Vec<Thing>,
    /// What would help most; absent when nothing would, or nothing needs to.
    pub next: Option<Remedy>,
}

impl Readiness {
    /// Of somebody for whom no door leads in, whatever they hold.
    pub const fn shut() -> Self {
        Self {
            standing: Standing::LockedOut,
            losses_to_lock_out: 0,
            ways_in: Vec::new(),
            single_losses: Vec::new(),
            next: None,
        }
    }

    /// From 0 (locked out) to 100 (as many losses at once as are looked at).
    pub fn score(&self) -> u8 {
        let losses = usize::from(self.losses_to_lock_out).min(LOSSES_MAX);
        u8::try_from(losses * 100 / LOSSES_MAX).unwrap_or(100)
    }
}

impl Standing {
    /// The wire text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LockedOut => "locked-out",
            Self::OneLossAway => "one-loss-away",
            Self::Ready => "ready",
        }
    }
}

/// How many proofs of each kind there are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Counts {
    of: BTreeMap<Door, usize>,
    /// People who are administrators and guardians: whoever loses one has lost both proofs.
    both: usize,
}

/// What can be lost at once.
#[derive(Debug, Clone, Copy)]
enum Loss {
    One(Door),
    Both,
}

impl Readiness {
    /// Judges what a user holds by a plan.
    ///
    /// # Errors
    /// [`PlanError::TooLarge`] for a plan that should never have been chosen.
    pub fn of(plan: &Plan, things: &[Thing]) -> Result<Self, PlanError> {
        let mut things = things.to_vec();
        things.sort_unstable();
        things.dedup();
        let counts = count(&things);
        let ways_in = ways_in(plan, &things)?;
        let losses = losses_to_lock_out(plan, &counts);
        let is_both =
            |thing: &Thing| thing.other_role().is_some_and(|other| things.contains(&other));
        let loss = |thing: &Thing| match is_both(thing) {
            true => Loss::Both,
            false => Loss::One(thing.kind.door()),
        };
        let alone = |thing: &&Thing| !opens(plan, &counts.without(loss(thing)));
        // Whoever is out already does not lose the door by a loss.
        let single_losses =
            if losses == 0 { Vec::new() } else { things.iter().filter(alone).cloned().collect() };
        let standing = match losses {
            0 => Standing::LockedOut,
            1 => Standing::OneLossAway,
            _ => Standing::Ready,
        };
        Ok(Self {
            standing,
            losses_to_lock_out: u8::try_from(losses).unwrap_or(u8::MAX),
            ways_in,
            single_losses,
            next: next_best(plan, &counts, losses),
        })
    }
}

fn count(things: &[Thing]) -> Counts {
    let mut of = BTreeMap::new();
    for thing in things {
        *of.entry(thing.kind.door()).or_default() += 1;
    }
    let admins = things.iter().filter(|thing| thing.kind == ThingKind::Admin);
    let both = admins.filter_map(Thing::other_role).filter(|other| things.contains(other));
    Counts { of, both: both.count() }
}

/// Whether so many proofs get in at all, however long it takes.
fn opens(plan: &Plan, counts: &Counts) -> bool {
    let given = counts.of.iter().map(|(door, count)| (*door, *count));
    plan.opens_at(&Given::counted(given, false, Timestamp::from_millis(0))).is_some()
}

impl Counts {
    fn without(&self, loss: Loss) -> Self {
        let mut left = self.clone();
        let mut lose = |door| {
            left.of.entry(door).and_modify(|count: &mut usize| *count = count.saturating_sub(1));
        };
        match loss {
            Loss::One(door) => lose(door),
            Loss::Both => {
                lose(Door::Admin);
                lose(Door::Guardian);
                left.both = left.both.saturating_sub(1);
            }
        }
        left
    }

    fn with(&self, door: Door) -> Self {
        let mut more = self.clone();
        *more.of.entry(door).or_default() += 1;
        more
    }

    /// Everything that a single loss could be: of an administrator or a guardian who is not both, while there is one.
    fn losses(&self) -> impl Iterator<Item = Loss> + '_ {
        let single = |door: &Door| match door {
            Door::Admin | Door::Guardian => self.of[door] > self.both,
            _ => true,
        };
        let singles = self.of.keys().copied().filter(single).map(Loss::One);
        singles.chain((self.both > 0).then_some(Loss::Both))
    }
}

/// The smallest number of losses after which nothing gets in, up to [`LOSSES_MAX`].
fn losses_to_lock_out(plan: &Plan, counts: &Counts) -> usize {
    let mut left = vec![counts.clone()];
    for losses in 0..LOSSES_MAX {
        if left.iter().any(|counts| !opens(plan, counts)) {
            return losses;
        }
        left = left
            .iter()
            .flat_map(|counts| counts.losses().map(|loss| counts.without(loss)))
            .collect();
        left.sort_unstable();
        left.dedup();
    }
    LOSSES_MAX
}

fn ways_in(plan: &Plan, things: &[Thing]) -> Result<Vec<WayIn>, PlanError> {
    let of = |door: Door| -> Vec<Thing> {
        things.iter().filter(|thing| thing.kind.door() == door).cloned().collect()
    };
    let mut ways = plan.ways(false)?;
    // Two ways by the same proofs: the one that waits less is the one that is taken.
    ways.sort_unstable();
    ways.dedup_by(|later, earlier| later.proofs == earlier.proofs);
    Ok(ways
        .into_iter()
        .filter_map(|way| {
            let need = |(door, count): (&Door, &u8)| {
                let of = of(*door);
                (of.len() >= usize::from(*count)).then_some(Need { count: *count, of })
            };
            let needs: Option<Vec<_>> = way.proofs.iter().map(need).collect();
            Some(WayIn { needs: needs?, wait_seconds: way.wait_seconds })
        })
        .collect())
}

/// The single addition that lets most losses be survived; else the first half of the best pair.
fn next_best(plan: &Plan, counts: &Counts, losses: usize) -> Option<Remedy> {
    if losses >= LOSSES_MAX {
        return None;
    }
    let gain = |counts: &Counts| losses_to_lock_out(plan, counts);
    // A new sheet takes the place of the one that there is.
    let has_sheet = counts.of.get(&Door::RecoveryCode).is_some_and(|sheets| *sheets > 0);
    let possible = |remedy: &Remedy| !(has_sheet && *remedy == Remedy::PrintCodes);
    let remedies = || Remedy::ALL.into_iter().filter(possible);
    let better = |(remedy, reached): &(Remedy, usize)| {
        // Among equals the easier one, which is the smaller.
        (*reached, std::cmp::Reverse(*remedy))
    };
    let single = remedies().map(|remedy| (remedy, gain(&counts.with(remedy.door()))));
    let best = single.max_by_key(better)?;
    if best.1 > losses {
        return Some(best.0);
    }
    // Nor are two sheets worth more than one.
    let twice = |pair: &(Remedy, Remedy)| *pair == (Remedy::PrintCodes, Remedy::PrintCodes);
    let pairs = remedies().flat_map(|first| remedies().map(move |second| (first, second)));
    pairs
        .filter(|pair| !twice(pair))
        .map(|(first, second)| (first, gain(&counts.with(first.door()).with(second.door()))))
        .max_by_key(better)
        .filter(|(_, reached)| *reached > losses)
        .map(|(first, _)| first)
}
