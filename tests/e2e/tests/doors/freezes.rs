//! A freeze keeps out what was begun before it, also once it ends; and an administrator's takes more than ten minutes.

use landfall_identity::id::RecoveryId;
use landfall_identity::recovery::Standing;
use landfall_identity::{Reason, Seconds};
use landfall_protocol::recovery::{RecoveryInfo, RecoveryStateName};
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::{Bare, Person, Raw, World};
use reqwest::Method;

async fn approve(admin: &Person, bare: &Bare, id: &RecoveryId) -> Result<RecoveryInfo, ErrorCode> {
    let (check, reason) = (bare.check_code(id), Reason::parse("called them").unwrap());
    let approved = admin.client().admin_approve_recovery(id, &check, reason, &admin.shell).await;
    approved.map_err(|failure| failure.code())
}

async fn told(person: &Person, kind: &str) -> usize {
    let notices = person.client().notices(200, None).await.unwrap().items;
    notices.iter().filter(|notice| notice.kind == kind).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_freeze_has_kept_out_is_not_let_in_by_its_end() {
    for by_admin in [false, true] {
        let mut world = World::new().await.unwrap();
        let ana = world.admin("ana").await.unwrap();
        let bert = world.invited(&ana, "bert").await.unwrap();
        let thief = Bare::new(&world).unwrap();
        let id = thief.begin("bert", "x").await.unwrap().recovery_id;
        approve(&ana, &thief, &id).await.unwrap();
        world.clock.advance(Seconds(1));
        bert.client().freeze().await.unwrap();
        world.pass(Seconds::hours(2)).await.unwrap();
        let refused = thief.complete(&id, "x", None).await.unwrap();
        assert_eq!(refused.code(), ErrorCode::AccountFrozen);
        // One that was begun since stands in nobody's way, and goes on.
        let later = Bare::new(&world).unwrap();
        let open = later.begin("bert", "bert-new").await.unwrap().recovery_id;
        let ended = match by_admin {
            true => ana.client().admin_unfreeze(&bert.name, &ana.shell).await.unwrap(),
            false => {
                bert.step_up().await.unwrap();
                bert.client().unfreeze().await.unwrap()
            }
        };
        assert_eq!((ended.frozen, ended.recoveries_stopped), (false, 1));
        let over = thief.complete(&id, "x", None).await.unwrap();
        assert_eq!(over.code(), ErrorCode::RecoveryStopped, "by an admin: {by_admin}");
        assert_eq!(later.show(&open).await.unwrap().state, RecoveryStateName::Unproved);
        let rows = "SELECT COUNT(*) FROM audit_events WHERE target = 'account bert; recoveries stopped: 1'";
        assert_eq!(world.number(rows).unwrap(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_word_in_spite_of_a_freeze_is_heard_like_the_first() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    approve(&ana, &bare, &id).await.unwrap();
    approve(&ana, &bare, &id).await.unwrap();
    assert_eq!(told(&bert, "recovery-approved").await, 1, "the same word again is no news");
    world.clock.advance(Seconds(1));
    bert.client().freeze().await.unwrap();
    world.pass(Seconds::minutes(1)).await.unwrap();
    approve(&ana, &bare, &id).await.unwrap();
    bert.step_up().await.unwrap();
    assert_eq!(told(&bert, "recovery-approved").await, 2, "the hour begins anew, and he knows");
    bert.client().stop_recovery(&id).await.unwrap();
    world.pass(Seconds::hours(1)).await.unwrap();
    let over = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(over.code(), ErrorCode::RecoveryStopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_young_administrator_and_ten_stolen_minutes_stop_no_administrator() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    world.clock.advance(Seconds(1));
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    for old in [&ana, &bert] {
        let refused = eve.client().admin_freeze(&old.name, &eve.shell).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Probation, "{}", old.name);
    }
    // Ten minutes of a session are no touch for exactly this, neither to stop somebody nor to let them go.
    let token = ana.client().step_up(None, None, &ana.shell).await.unwrap().token;
    let raw = Raw::of(&ana.machine).unwrap();
    for path in [paths::ADMIN_FREEZE, paths::ADMIN_UNFREEZE] {
        let path = paths::fill(path, &["eve"]);
        let refused = raw.send(Method::POST, &path, Some(&token), None).await.unwrap();
        assert_eq!(refused.code(), ErrorCode::StepUpRequired, "{path}");
    }
    // With one, she stops who came after her; and who is older hears that it was her.
    ana.client().admin_freeze(&eve.name, &ana.shell).await.unwrap();
    let users = ana.client().admin_users().await.unwrap();
    let stopped = users.iter().find(|user| user.name == eve.name).unwrap();
    assert_eq!((stopped.stopped_by_admin, stopped.stopped_by.as_ref()), (true, Some(&ana.name)));
    world.pass(Seconds::hours(25)).await.unwrap();
    let refused = eve.client().admin_freeze(&bert.name, &eve.shell).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::AccountFrozen);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_stopped_is_told_that_nothing_gets_in_and_by_whom() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    assert_ne!(bert.client().readiness().await.unwrap().standing, Standing::LockedOut);
    bert.client().freeze().await.unwrap();
    let frozen = bert.client().readiness().await.unwrap();
    assert_ne!(frozen.standing, Standing::LockedOut, "what he holds ends his own freeze");
    world.clock.advance(Seconds(1));
    ana.client().admin_freeze(&bert.name, &ana.shell).await.unwrap();
    let stopped = bert.client().readiness().await.unwrap();
    assert_eq!((stopped.standing, stopped.stopped_by_admin), (Standing::LockedOut, true));
    assert_eq!(told(&bert, "account-frozen").await, 2, "it is another freeze, and he hears of it");
    let all = ana.client().admin_readiness(None).await.unwrap();
    let his = all.iter().find(|one| one.user == bert.name).unwrap();
    assert_eq!((his.standing, his.stopped_by_admin), (Standing::LockedOut, true));
    ana.client().admin_unfreeze(&bert.name, &ana.shell).await.unwrap();
    assert_ne!(bert.client().readiness().await.unwrap().standing, Standing::LockedOut);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_from_before_a_freeze_lets_nobody_in() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let code = bert.device_token("bert-phone").await.unwrap();
    bert.client().freeze().await.unwrap();
    let machine = world.machine("phone").unwrap();
    let refused = machine.try_enroll(&code, None, None).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::AccountFrozen);
    ana.client().admin_freeze(&bert.name, &ana.shell).await.unwrap();
    let refused = world.machine("other").unwrap().try_enroll(&code, None, None).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::FrozenByAdmin);
    assert_eq!(
        world.number("SELECT COUNT(*) FROM enrollments WHERE device = 'bert-phone'").unwrap(),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_code_stops_whom_it_is_made_against() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    world.pass(Seconds::hours(25)).await.unwrap();
    eve.client().admin_freeze(&ana.name, &eve.shell).await.unwrap();
    let nobody = landfall_identity::UserName::parse("nobody").unwrap();
    for wrong in [&nobody, &ana.name] {
        let refused = world.break_glass_against("ana", Some("ana-new"), &[wrong]).await;
        assert!(refused.unwrap_err().to_string().contains("--stop"));
    }
    world.clock.advance(Seconds(1));
    let code = world.break_glass_against("ana", Some("ana-new"), &[&eve.name]).await.unwrap();
    let answer = eve.client().admin_freeze(&ana.name, &eve.shell).await.unwrap_err();
    assert_eq!(answer.code(), ErrorCode::AccountFrozen, "she answers nothing any more");
    let machine = world.machine("ana-new").unwrap();
    machine.enroll(&code, None, None).await.unwrap();
    let back = Person { machine, ..ana };
    back.register(landfall_identity::passkey::Attachment::Roaming).await.unwrap();
    let users = back.client().admin_users().await.unwrap();
    let stopped = users.iter().find(|user| user.name == eve.name).unwrap();
    assert_eq!((stopped.stopped_by_admin, stopped.stopped_by.as_ref()), (true, None));
    let rows = "SELECT COUNT(*) FROM audit_events WHERE action = 'break-glass' AND target LIKE '%, stopping eve'";
    assert_eq!(world.number(rows).unwrap(), 1);
}
