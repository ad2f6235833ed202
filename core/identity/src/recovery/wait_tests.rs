use super::super::plan::{Door, Preset};
use super::super::process::{Completion, RECOVERY_TTL, RecoveryState};
use super::super::verdict::{Lives, Proof};
use super::*;
use crate::time::Moment;

const BEGUN: Timestamp = Timestamp::from_seconds(1_000_000);
const WHOLE: Seconds = Seconds::days(3);

fn code() -> Evidence {
    let proof = Proof { door: Door::RecoveryCode, by: "sheet".into(), at: BEGUN };
    Evidence { proofs: vec![proof], lives: Lives::Now }
}

fn plan() -> Plan {
    Preset::Personal.plan().or_wait(3)
}

fn completes(clock: WaitClock, at: Timestamp) -> Completion {
    let expires_at = BEGUN + Seconds::days(30);
    RecoveryState::Open.complete(expires_at, &plan(), &code(), clock, at.into())
}

#[test]
fn every_preset_with_a_wait_is_a_plan_that_a_tenant_may_choose() {
    for preset in Preset::ALL {
        for days in [3, 30] {
            let plan = preset.plan().or_wait(days);
            assert_eq!(plan.check(&Plan::floor()), Ok(()), "{preset:?} {days}");
            assert_eq!(plan.without_waits(), preset.plan(), "{preset:?} {days}");
        }
        assert!(preset.plan().or_wait(2).check(&Plan::floor()).is_err());
        assert!(preset.plan().or_wait(31).check(&Plan::floor()).is_err());
    }
    let nothing_else = Plan::waiting(WHOLE, Plan::one(Door::RecoveryCode)).without_waits();
    assert_eq!(nothing_else.verdict(&code(), BEGUN + Seconds::days(99)), Verdict::Missing);
}

#[test]
fn what_has_passed_and_what_is_left_make_the_whole_and_nothing_begins_again() {
    let state = |leg, ends_at| WaitState::Running { leg, ends_at };
    let hours = |passed, left| Some((Seconds::hours(passed), Seconds::hours(left)));
    for (state, at, expected) in [
        (state(Leg::First, None), BEGUN, hours(0, 72)),
        (state(Leg::First, Some(BEGUN + Seconds::hours(36))), BEGUN, hours(0, 72)),
        (state(Leg::First, Some(BEGUN + Seconds::hours(10))), BEGUN, hours(26, 46)),
        // Half is over, and nobody has heard of it yet: however long that takes.
        (state(Leg::Second, None), BEGUN + Seconds::days(9), hours(36, 36)),
        (state(Leg::Last, Some(BEGUN + Seconds::hours(1))), BEGUN, hours(71, 1)),
        (WaitState::Contested, BEGUN, None),
        (WaitState::Ended, BEGUN, None),
    ] {
        assert_eq!(state.progress(WHOLE, at), expected, "{state:?}");
    }
}

#[test]
fn the_legs_make_the_whole() {
    for days in 3..=30 {
        let whole = Seconds::days(days);
        let sum: u64 = Leg::ALL.iter().map(|leg| leg.length(whole).0).sum();
        assert_eq!(sum, whole.0);
        assert!(Leg::ALL.iter().all(|leg| leg.length(whole).0 > 0));
        assert_eq!(Leg::Last.length(whole), LAST_LEG);
    }
}

#[test]
fn time_counts_only_from_when_each_notice_was_heard() {
    let far = BEGUN + Seconds::days(29);
    let mut state = WaitState::Running { leg: Leg::First, ends_at: None };
    assert_eq!(completes(state.clock(WHOLE, far), far), Completion::Unheard);
    assert_eq!(state.next_leg(far), None, "nobody heard of the first");

    let mut now = BEGUN;
    for (leg, next) in Leg::ALL.into_iter().zip([Some(Leg::Second), Some(Leg::Last), None]) {
        state = state.heard(WHOLE, now);
        let until = BEGUN + WHOLE;
        assert_eq!(state.clock(WHOLE, now), WaitClock::Until(until), "{leg:?}");
        assert_eq!(completes(state.clock(WHOLE, now), now), Completion::Held { until });
        now = now + leg.length(WHOLE);
        assert_eq!(state.next_leg(now - Seconds(1)), None);
        assert_eq!(state.next_leg(now), next);
        if let Some(leg) = next {
            // The server slept: what is over is not over before the next notice was heard.
            assert!(matches!(completes(state.clock(WHOLE, far), far), Completion::Held { .. }));
            state = WaitState::Running { leg, ends_at: None };
        }
    }
    assert_eq!(completes(state.clock(WHOLE, now), now), Completion::Issue);
    let last = now - Seconds(1);
    assert_eq!(completes(state.clock(WHOLE, last), last), Completion::Held { until: now });
}

#[test]
fn a_clock_in_doubt_ends_no_wait() {
    let at = BEGUN + WHOLE;
    let moment = Moment { now: at, waited: BEGUN };
    let clock = WaitClock::Until(at);
    let expires_at = at + RECOVERY_TTL;
    let decided = RecoveryState::Open.complete(expires_at, &plan(), &code(), clock, moment);
    assert_eq!(decided, Completion::ClockJumped);
}

#[test]
fn what_is_contested_never_ends_by_time_and_other_proofs_still_do() {
    let far = BEGUN + Seconds::days(29);
    let contested = WaitState::Contested.clock(WHOLE, far);
    assert_eq!(completes(contested, far), Completion::Contested);
    assert_eq!(completes(WaitState::Ended.clock(WHOLE, far), far), Completion::Unproved);
    let mut evidence = code();
    evidence.proofs.push(Proof { door: Door::Guardian, by: "eve".into(), at: BEGUN });
    let decided =
        RecoveryState::Open.complete(far + WHOLE, &plan(), &evidence, contested, far.into());
    assert_eq!(decided, Completion::Issue);
}

#[test]
fn a_wait_is_offered_to_who_has_shown_a_code_and_lacks_another_proof() {
    let offered = |plan: Plan, evidence: &Evidence| plan.wait_for(evidence, BEGUN);
    assert_eq!(offered(plan(), &code()), Some(WHOLE));
    assert_eq!(offered(plan().without_waits(), &code()), None);
    assert_eq!(offered(plan(), &Evidence::default()), None);
    let mut enough = code();
    enough.proofs.push(Proof { door: Door::Guardian, by: "eve".into(), at: BEGUN });
    assert_eq!(offered(plan(), &enough), None, "nothing is missing");
    // Whoever has come by a mailbox, or talked to a friend, does not wait his way in.
    for door in [Door::MailedCode, Door::Guardian] {
        let alone = Evidence {
            proofs: vec![Proof { door, by: "a".into(), at: BEGUN }],
            ..Evidence::default()
        };
        assert_eq!(offered(plan(), &alone), None, "{door:?}");
    }
}

#[test]
fn the_second_no_of_a_day_leaves_it_to_administrators() {
    assert_eq!(Objection::after(0), Objection::Ends);
    assert_eq!(Objection::after(1), Objection::Refers);
}
