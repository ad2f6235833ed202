//! Plans: what is promised by readiness is what the engine does, and no plan is weaker than its floor.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use landfall_identity::recovery::{
    Door, Evidence, Hold, Lives, Plan, PlanError, Preset, Proof, Readiness, Remedy, Standing,
    Thing, ThingKind, Verdict,
};
use landfall_identity::{Seconds, Timestamp};
use proptest::prelude::*;

const KINDS: [ThingKind; 7] = [
    ThingKind::Device,
    ThingKind::SyncedPasskey,
    ThingKind::RoamingKey,
    ThingKind::CodeSheet,
    ThingKind::Mailbox,
    ThingKind::Admin,
    ThingKind::Guardian,
];

fn door() -> impl Strategy<Value = Door> {
    prop::sample::select(&Door::ALL)
}

/// Well-formed and not: whatever an administrator could write.
fn any_plan() -> impl Strategy<Value = Plan> {
    let leaf = (door(), 0_u8..=3).prop_map(|(door, count)| Plan::of(door, count));
    leaf.prop_recursive(4, 24, 4, |inner| {
        let parts = || prop::collection::vec(inner.clone(), 0..=4);
        let hold = prop::sample::select(&[Hold::Always, Hold::WhileADeviceLives]);
        prop_oneof![
            parts().prop_map(Plan::AnyOf),
            parts().prop_map(Plan::AllOf),
            (0_u8..=3, parts()).prop_map(|(count, of)| Plan::AtLeast { count, of }),
            (0_u64..=40, hold, inner.clone()).prop_map(|(days, hold, after)| Plan::Wait {
                seconds: Seconds::days(days),
                hold,
                after: Box::new(after),
            }),
        ]
    })
}

/// A plan that could be chosen over a floor that forbids nothing.
fn plan() -> impl Strategy<Value = Plan> {
    any_plan().prop_filter("well formed", |plan| plan.check(&anything()).is_ok())
}

/// Pairs of which many pass: unrelated ones, and a plan that was tightened.
fn above_a_floor() -> impl Strategy<Value = (Plan, Plan)> {
    (plan(), plan(), any::<bool>()).prop_map(|(plan, other, tightened)| {
        if tightened { (Plan::AllOf(vec![plan.clone(), other]), plan) } else { (plan, other) }
    })
}

fn anything() -> Plan {
    Plan::AnyOf(Door::ALL.map(Plan::one).to_vec())
}

fn things() -> impl Strategy<Value = Vec<Thing>> {
    prop::collection::vec((prop::sample::select(&KINDS), 0_u8..3), 0..=7).prop_map(|things| {
        let mut things: Vec<_> = things
            .into_iter()
            .map(|(kind, number)| Thing { kind, name: format!("{kind:?}-{number}") })
            .collect();
        things.sort();
        things.dedup();
        things
    })
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn lives() -> impl Strategy<Value = Lives> {
    let cut = (-5_000_i64..5_000_000).prop_map(|then| Lives::Until(at(then)));
    prop_oneof![Just(Lives::Now), Just(Lives::Never), cut]
}

fn proofs(things: &[&Thing]) -> Evidence {
    let proof =
        |thing: &&Thing| Proof { door: thing.kind.door(), by: thing.name.clone(), at: at(0) };
    Evidence { proofs: things.iter().map(proof).collect(), lives: Lives::Never }
}

/// What the engine says to whoever brings these things and waits for as long as it takes.
fn gets_in(plan: &Plan, things: &[&Thing]) -> bool {
    plan.verdict(&proofs(things), at(i64::from(u32::MAX))) == Verdict::Open
}

fn subsets(things: &[Thing]) -> impl Iterator<Item = Vec<&Thing>> {
    (0..1_u32 << things.len()).map(|chosen| {
        let taken = |(place, thing)| (chosen >> place & 1 == 1).then_some(thing);
        things.iter().enumerate().filter_map(taken).collect()
    })
}

fn is_promised(readiness: &Readiness, with: &[&Thing]) -> bool {
    readiness.ways_in.iter().any(|way| {
        way.needs.iter().all(|need| {
            let brought = need.of.iter().filter(|thing| with.contains(thing)).count();
            brought >= usize::from(need.count)
        })
    })
}

proptest! {
    /// Every set of things: what readiness promises is what the engine lets in.
    #[test]
    fn readiness_promises_what_the_engine_does(plan in plan(), things in things()) {
        let readiness = Readiness::of(&plan, &things).unwrap();
        for with in subsets(&things) {
            prop_assert_eq!(is_promised(&readiness, &with), gets_in(&plan, &with), "{:?}", with);
        }
    }

    /// "Locks out" really locks out, alone, and nothing else does; the number of losses is the truth.
    #[test]
    fn what_is_said_to_lock_out_does(plan in plan(), things in things()) {
        let readiness = Readiness::of(&plan, &things).unwrap();
        let all: Vec<_> = things.iter().collect();
        prop_assert_eq!(readiness.standing == Standing::LockedOut, !gets_in(&plan, &all));
        for lost in &things {
            let left: Vec<_> = things.iter().filter(|thing| *thing != lost).collect();
            let locks_out = gets_in(&plan, &all) && !gets_in(&plan, &left);
            prop_assert_eq!(readiness.single_losses.contains(lost), locks_out);
        }
        let fewest = subsets(&things)
            .filter(|left| !gets_in(&plan, left))
            .map(|left| things.len() - left.len())
            .min();
        prop_assert_eq!(usize::from(readiness.losses_to_lock_out), fewest.unwrap_or(3).min(3));
    }

    /// What is advised makes things better, at once or with one more.
    #[test]
    fn the_next_step_helps(plan in plan(), things in things()) {
        let before = Readiness::of(&plan, &things).unwrap();
        let Some(remedy) = before.next else { return Ok(()) };
        let add = |remedy: Remedy, name: &str| Thing {
            kind: match remedy {
                Remedy::PrintCodes => ThingKind::CodeSheet,
                Remedy::AddPasskey => ThingKind::RoamingKey,
                Remedy::AddDevice => ThingKind::Device,
                Remedy::ConfirmMail => ThingKind::Mailbox,
                Remedy::ChooseGuardian => ThingKind::Guardian,
                Remedy::AskForAdmin => ThingKind::Admin,
            },
            name: name.to_owned(),
        };
        let mut things = things;
        things.push(add(remedy, "first"));
        let losses = |things: &[Thing]| Readiness::of(&plan, things).unwrap().losses_to_lock_out;
        let at_once = losses(&things) > before.losses_to_lock_out;
        let with_another = Remedy::ALL.into_iter().any(|second| {
            let mut more = things.clone();
            more.push(add(second, "second"));
            losses(&more) > before.losses_to_lock_out
        });
        prop_assert!(at_once || with_another);
    }

    /// A plan that passes above a floor opens to nobody, and never sooner, than the floor does.
    #[test]
    fn no_plan_opens_where_its_floor_stays_shut(
        (plan, floor) in above_a_floor(),
        given in prop::collection::vec((door(), 0_u8..3, 0_i64..100), 0..8),
        lives in lives(),
        later in 0_i64..5_000_000,
    ) {
        let proofs = given
            .into_iter()
            .map(|(door, by, when)| Proof { door, by: by.to_string(), at: at(when) })
            .collect();
        let evidence = Evidence { proofs, lives };
        let opens = |plan: &Plan| plan.verdict(&evidence, at(later)) == Verdict::Open;
        if plan.check(&floor).is_ok() {
            prop_assert!(!opens(&plan) || opens(&floor));
        }
    }

    /// A floor with one more way in is a floor that the plan still holds.
    #[test]
    fn a_plan_holds_every_floor_that_is_wider(plan in plan(), other in plan()) {
        let wider = Plan::AnyOf(vec![plan.clone(), other]);
        prop_assert_eq!(plan.check(&wider), Ok(()));
    }

    /// Every plan that passes lets somebody in.
    #[test]
    fn no_plan_locks_everybody_out(plan in plan()) {
        let everything: Vec<_> = KINDS
            .into_iter()
            .flat_map(|kind| (0..9).map(move |n| Thing { kind, name: format!("{kind:?}-{n}") }))
            .collect();
        prop_assert!(gets_in(&plan, &everything.iter().collect::<Vec<_>>()));
        prop_assert!(!gets_in(&plan, &[]), "and nobody without anything");
    }

    #[test]
    fn a_plan_survives_its_json(plan in any_plan()) {
        let text = serde_json::to_string(&plan).unwrap();
        prop_assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    }
}

fn thing(kind: ThingKind, name: &str) -> Thing {
    Thing { kind, name: name.to_owned() }
}

#[test]
fn the_presets_hold_the_floor() {
    for preset in Preset::ALL {
        assert_eq!(preset.plan().check(&Plan::floor()), Ok(()), "{preset:?}");
    }
    // A user may tighten their tenant's plan, and not loosen it.
    assert_eq!(Preset::Strict.plan().check(&Preset::Team.plan()), Ok(()));
    let loosened = Preset::Team.plan().check(&Preset::Strict.plan());
    assert!(matches!(loosened, Err(PlanError::Weaker(_))), "{loosened:?}");
}

#[test]
fn one_weak_proof_is_never_a_plan() {
    for door in [Door::RecoveryCode, Door::MailedCode, Door::Guardian] {
        let alone = Plan::AnyOf(vec![Plan::one(Door::Device), Plan::one(door)]);
        assert!(matches!(alone.check(&Plan::floor()), Err(PlanError::Weaker(_))), "{door:?}");
    }
    let unheld = Plan::one(Door::Admin);
    assert!(matches!(unheld.check(&Plan::floor()), Err(PlanError::Weaker(_))));
    let hasty = Plan::waiting(Seconds::hours(71), Plan::one(Door::MailedCode));
    assert_eq!(hasty.check(&Plan::floor()), Err(PlanError::Wait));
    let slow = Plan::waiting(Seconds::hours(72), Plan::one(Door::MailedCode));
    assert_eq!(slow.check(&Plan::floor()), Ok(()));
}

#[test]
fn plans_that_open_to_all_or_to_none_are_refused() {
    let one = Plan::one(Door::Device);
    for (plan, why) in [
        (Plan::AllOf(vec![]), PlanError::Nothing),
        (Plan::AnyOf(vec![]), PlanError::Nothing),
        (Plan::of(Door::Passkey, 0), PlanError::Nothing),
        (Plan::AtLeast { count: 0, of: vec![one.clone()] }, PlanError::Nothing),
        (Plan::AtLeast { count: 2, of: vec![one.clone()] }, PlanError::Impossible),
        (Plan::of(Door::Guardian, 10), PlanError::Impossible),
        (Plan::AllOf(vec![one.clone(), one.clone()]), PlanError::CountedTwice),
        (Plan::AnyOf(vec![one.clone(); 41]), PlanError::TooLarge),
        ((0..7).fold(one, |plan, _| Plan::AnyOf(vec![plan])), PlanError::TooLarge),
    ] {
        assert_eq!(plan.check(&anything()), Err(why), "{plan:?}");
    }
}

#[test]
fn a_hold_lasts_while_a_device_could_object() {
    let plan = Plan::admin_assisted(1);
    let proofs = vec![Proof { door: Door::Admin, by: "ana".into(), at: at(100) }];
    let mut evidence = Evidence { proofs, lives: Lives::Now };
    assert_eq!(plan.verdict(&evidence, at(100)), Verdict::Waiting { until: at(3700) });
    assert_eq!(plan.verdict(&evidence, at(3699)), Verdict::Waiting { until: at(3700) });
    assert_eq!(plan.verdict(&evidence, at(3700)), Verdict::Open);
    evidence.lives = Lives::Never;
    assert_eq!(plan.verdict(&evidence, at(100)), Verdict::Open);
}

/// Who approves, or who stole the device, cuts it off for the sake of the hour, and gains nothing by it.
#[test]
fn a_device_that_is_cut_off_counts_for_as_long_as_the_hold() {
    let plan = Plan::admin_assisted(1);
    let opens = |cut: i64, now: i64| {
        let proofs = vec![Proof { door: Door::Admin, by: "ana".into(), at: at(10_000) }];
        let lives = Lives::cut_at(at(cut), plan.longest_hold());
        plan.verdict(&Evidence { proofs, lives }, at(now))
    };
    // Cut off afterwards: the hour from the approval on, as if it had not been.
    assert_eq!(opens(10_500, 10_600), Verdict::Waiting { until: at(13_600) });
    assert_eq!(opens(10_500, 13_600), Verdict::Open);
    // Just before: the hour from the cut on.
    assert_eq!(opens(9_000, 10_000), Verdict::Waiting { until: at(12_600) });
    assert_eq!(opens(9_000, 12_600), Verdict::Open);
    // Long before: none.
    assert_eq!(opens(6_401, 10_000), Verdict::Waiting { until: at(10_001) });
    assert_eq!(opens(6_400, 10_000), Verdict::Open);
}

#[test]
fn the_same_guardian_counts_once_and_from_the_first_time() {
    let plan = Plan::of(Door::Guardian, 2);
    let by = |name: &str, when| Proof { door: Door::Guardian, by: name.into(), at: at(when) };
    let mut evidence = Evidence { proofs: vec![by("cy", 5), by("cy", 1)], lives: Lives::Never };
    assert_eq!(plan.verdict(&evidence, at(10)), Verdict::Missing);
    evidence.proofs.push(by("dee", 7));
    assert_eq!(plan.verdict(&evidence, at(6)), Verdict::Waiting { until: at(7) });
    assert_eq!(plan.verdict(&evidence, at(7)), Verdict::Open);
}

/// Alone, with a sheet of codes and no mail: one thing is never a second proof.
#[test]
fn a_lone_user_with_codes_alone_is_told_the_truth() {
    let plan = Preset::Personal.plan();
    let laptop = thing(ThingKind::Device, "laptop");
    let sheet = thing(ThingKind::CodeSheet, "sheet");
    let readiness = Readiness::of(&plan, &[laptop.clone(), sheet.clone()]).unwrap();
    assert_eq!(readiness.standing, Standing::OneLossAway);
    assert_eq!(readiness.single_losses, std::slice::from_ref(&laptop));
    assert_eq!(readiness.next, Some(Remedy::AddPasskey));
    let lost = Readiness::of(&plan, std::slice::from_ref(&sheet)).unwrap();
    assert_eq!(lost.standing, Standing::LockedOut);
    assert!(lost.ways_in.is_empty());
    // By a plan of sheets alone nothing would help more than another one, and there is never another one.
    let device_or_sheet = Plan::AnyOf(vec![Plan::one(Door::Device), Plan::one(Door::RecoveryCode)]);
    let without = Readiness::of(&device_or_sheet, std::slice::from_ref(&laptop)).unwrap();
    assert_eq!(without.next, Some(Remedy::PrintCodes));
    let with = Readiness::of(&device_or_sheet, &[laptop.clone(), sheet.clone()]).unwrap();
    assert_eq!(with.next, Some(Remedy::AddDevice));
    // A mailbox makes the sheet worth something.
    let mailbox = thing(ThingKind::Mailbox, "bert@example.org");
    let readiness = Readiness::of(&plan, &[laptop, sheet, mailbox]).unwrap();
    assert_eq!(readiness.standing, Standing::Ready);
    assert_eq!(readiness.single_losses, []);
}
