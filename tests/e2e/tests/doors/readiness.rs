//! Who could get in, which single loss locks out: said before the loss, to the person alone.

use landfall_identity::recovery::{Door, Plan, Preset, Remedy, Standing, ThingKind};
use landfall_identity::{DeviceName, Reason, Seconds};
use landfall_protocol::readiness::{ReadinessInfo, ThingInfo};
use landfall_protocol::recovery::RecoveryStateName;
use landfall_protocol::{ErrorCode, paths};
use landfall_server::config::PlanChoice;
use landfall_test_support::{Bare, Person, Raw, World};
use reqwest::Method;
use serde_json::json;

fn device(name: &str) -> DeviceName {
    DeviceName::parse(name).unwrap()
}

async fn in_full(person: &Person) -> ReadinessInfo {
    person.step_up().await.unwrap();
    person.client().readiness().await.unwrap()
}

fn named(things: &[ThingInfo]) -> Vec<&str> {
    things.iter().map(|thing| thing.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_device_sees_the_score_and_the_person_sees_names() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let brief = bert.client().readiness().await.unwrap();
    assert_eq!((brief.standing, brief.losses_to_lock_out), (Standing::Ready, 2));
    assert_eq!(brief.details, None, "a stolen laptop must not learn what else to steal");

    let full = in_full(&bert).await;
    let details = full.details.unwrap();
    assert_eq!(details.ways_in.len(), 2, "the laptop, or Ana: {details:?}");
    assert!(details.single_losses.is_empty());
    // The key in his pocket cannot be found without a name: it is no door, and none is promised.
    assert!(details.idle.is_empty(), "{details:?}");

    // What was opened for one act shows nothing, either.
    let act = landfall_protocol::ceremony::BoundActBody::DrillPasskey {};
    let bound = bert.client().step_up(Some(act), None, &bert.shell).await.unwrap().token;
    let raw = Raw::of(&bert.machine).unwrap();
    let refused = raw.send(Method::GET, paths::READINESS, Some(&bound), None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::StepUpForAnotherAct);
    // Ten minutes later the names are gone again.
    let strong = bert.client().step_up(None, None, &bert.shell).await.unwrap().token;
    let seen = raw.send(Method::GET, paths::READINESS, Some(&strong), None).await.unwrap();
    assert!(seen.body["details"].is_object());
    world.clock.advance(Seconds::minutes(4));
    world.clock.advance(Seconds::minutes(4));
    world.clock.advance(Seconds::minutes(2));
    let late = raw.send(Method::GET, paths::READINESS, Some(&strong), None).await.unwrap();
    assert!(late.status >= 400 || late.body["details"].is_null(), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_user_is_told_the_truth_and_what_helps_does() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    ana.client().make_recovery_codes(&ana.shell).await.unwrap();
    let alone = in_full(&ana).await;
    assert_eq!(alone.standing, Standing::OneLossAway);
    let details = alone.details.unwrap();
    assert_eq!(named(&details.single_losses), ["ana-desktop"]);
    assert!(
        details.idle.iter().any(|thing| thing.kind == ThingKind::CodeSheet),
        "a sheet alone is not enough, and that is said: {details:?}"
    );
    assert_eq!(alone.next, Some(Remedy::AddPasskey));

    // What helps as much, done.
    let phone = world.machine("ana-phone").unwrap();
    phone.enroll(&ana.device_token("ana-phone").await.unwrap(), None, None).await.unwrap();
    assert_eq!(ana.client().readiness().await.unwrap().standing, Standing::Ready);

    // And the truth when both are gone: the row of an administrator who sees her.
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    // Her word lets an administrator in from a day later on.
    world.pass(Seconds::hours(24)).await.unwrap();
    eve.step_up().await.unwrap();
    for name in ["ana-desktop", "ana-phone"] {
        eve.client().admin_suspend_device(&ana.name, &device(name)).await.unwrap();
    }
    let people = eve.client().admin_readiness(None).await.unwrap();
    let row = people.iter().find(|row| row.user == ana.name).unwrap();
    assert_eq!(
        row.standing,
        Standing::OneLossAway,
        "a code and Eve, and neither without the other"
    );
    let lost: Vec<_> = row.single_losses.as_ref().unwrap().iter().map(|thing| thing.kind).collect();
    assert_eq!(lost, [ThingKind::CodeSheet, ThingKind::Admin]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_readiness_promises_opens_and_what_it_does_not_stays_shut() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let details = in_full(&bert).await.details.unwrap();
    let by_ana = details.ways_in.iter().any(|way| {
        way.needs.len() == 1 && way.needs[0].of.iter().all(|thing| thing.kind == ThingKind::Admin)
    });
    assert!(by_ana, "{details:?}");
    ana.step_up().await.unwrap();
    ana.client().admin_suspend_device(&bert.name, &device("bert-laptop")).await.unwrap();
    world.pass(Seconds::hours(1)).await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    let (check, reason) = (bare.check_code(&id), Reason::parse("called").unwrap());
    ana.client().admin_approve_recovery(&id, &check, reason, &ana.shell).await.unwrap();
    assert_eq!(bare.complete(&id, "bert-new", None).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_people_are_paged_and_members_see_nobody() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    world.invited(&ana, "cleo").await.unwrap();
    let raw = Raw::of(&ana.machine).unwrap();
    let token = raw.session().await.unwrap().token;
    let first = format!("{}?limit=2", paths::ADMIN_READINESS);
    let page = raw.send(Method::GET, &first, Some(&token), None).await.unwrap().body;
    let users: Vec<_> = page["items"].as_array().unwrap().iter().map(|row| &row["user"]).collect();
    assert_eq!(users, ["ana", "bert"]);
    assert!(page["items"][0]["single_losses"].is_null(), "names only after a step-up");
    let rest = format!("{first}&after={}", page["next"].as_str().unwrap());
    let page = raw.send(Method::GET, &rest, Some(&token), None).await.unwrap().body;
    assert_eq!(page["items"][0]["user"], "cleo");
    assert!(page["next"].is_null());

    let away = ana.client().admin_readiness(Some(Standing::OneLossAway)).await.unwrap();
    let away: Vec<_> = away.iter().map(|row| row.user.as_str()).collect();
    assert_eq!(away, ["ana"], "she has nobody to vouch for her");
    let admins = ana.client().admins_readiness().await.unwrap();
    assert_eq!((admins.admins, admins.acting, admins.recoverable, admins.safe), (1, 1, 0, false));
    let odd = format!("{}?standing=fine", paths::ADMIN_READINESS);
    let odd = raw.send(Method::GET, &odd, Some(&token), None).await.unwrap();
    assert_eq!(odd.code(), ErrorCode::InvalidField);
    for refused in [
        bert.client().admin_readiness(None).await.err().unwrap(),
        bert.client().admins_readiness().await.err().unwrap(),
    ] {
        assert_eq!(refused.code(), ErrorCode::Forbidden);
    }
}

/// A device, or two administrators: what `Preset::Strict` comes to without its passkeys.
fn two_admins() -> Plan {
    Plan::AnyOf(vec![Plan::one(Door::Device), Plan::admin_assisted(2)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_ones_own_is_what_the_engine_goes_by() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let own = bert.client().set_recovery_plan(&two_admins(), &bert.shell).await.unwrap();
    assert_ne!(own.tenant, own.holds);
    assert_eq!(own.own.as_ref(), Some(&own.holds));

    ana.step_up().await.unwrap();
    ana.client().admin_suspend_device(&bert.name, &device("bert-laptop")).await.unwrap();
    world.pass(Seconds::hours(1)).await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    for (admin, state) in [(&ana, RecoveryStateName::Unproved), (&eve, RecoveryStateName::Ready)] {
        let (check, reason) = (bare.check_code(&id), Reason::parse("called").unwrap());
        let approve = admin.client().admin_approve_recovery(&id, &check, reason, &admin.shell);
        assert_eq!(approve.await.unwrap().state, state);
    }
    assert_eq!(bare.complete(&id, "bert-new", None).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_takes_an_approval_of_exactly_this_one_and_is_never_weaker() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    world.invited_admin(&ana, "eve").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let raw = Raw::of(&bert.machine).unwrap();
    let weak = raw.session().await.unwrap().token;
    let strong = bert.client().step_up(None, None, &bert.shell).await.unwrap().token;
    let body = json!({ "plan": two_admins() });
    for token in [&weak, &strong] {
        let sent = raw.send(Method::POST, paths::RECOVERY_PLAN, Some(token), Some(&body)).await;
        assert_eq!(sent.unwrap().code(), ErrorCode::StepUpRequired);
    }
    // An approval of one plan is none of another.
    let ways = Preset::Strict.plan().words().unwrap();
    let act = landfall_protocol::ceremony::BoundActBody::SetRecoveryPlan { ways };
    let bound = bert.client().step_up(Some(act), None, &bert.shell).await.unwrap().token;
    let sent = raw.send(Method::POST, paths::RECOVERY_PLAN, Some(&bound), Some(&body)).await;
    assert_eq!(sent.unwrap().code(), ErrorCode::StepUpForAnotherAct);
    // What a page shows is a line that a plan comes to, and no story.
    let act = json!({ "act": "set-recovery-plan", "ways": "\u{202E}nothing changes" });
    let begin = json!({ "act": act, "return_path": { "by": "typed" } });
    let sent = raw.send(Method::POST, paths::STEP_UP_BEGIN, Some(&weak), Some(&begin)).await;
    assert_eq!(sent.unwrap().code(), ErrorCode::InvalidField);

    // Weaker than the floor, weaker than the tenant's, shut to everybody: refused, before or after a touch.
    let code_alone = Plan::AnyOf(vec![Plan::one(Door::Device), Plan::one(Door::RecoveryCode)]);
    let no_device = Plan::admin_assisted(2);
    for plan in [code_alone, no_device] {
        let refused = bert.client().set_recovery_plan(&plan, &bert.shell).await.err().unwrap();
        assert_eq!(refused.code(), ErrorCode::InvalidField, "{plan:?}");
    }
    let own = "SELECT COUNT(*) FROM recovery_plans";
    assert_eq!(world.number(own).unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_locks_themselves_out_by_a_plan() {
    // Where guardians alone may do.
    let world = World::configured(|config, _| {
        config.recovery_plan = Preset::Personal.into();
        Ok(())
    });
    let world = world.await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    // Ana is the only one who could vouch: two of them there are not. Nor has Bert any guardian.
    let guardians = Plan::AnyOf(vec![Plan::one(Door::Device), Plan::of(Door::Guardian, 2)]);
    for plan in [two_admins(), guardians] {
        let refused = bert.client().set_recovery_plan(&plan, &bert.shell).await.err().unwrap();
        assert_eq!(refused.code(), ErrorCode::PlanLocksOut, "{plan:?}");
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM recovery_plans").unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_young_passkey_changes_no_plan_and_the_older_one_goes_back() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    world.invited_admin(&ana, "eve").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    bert.client().set_recovery_plan(&two_admins(), &bert.shell).await.unwrap();
    world.clock.advance(Seconds::minutes(1));
    // Somebody got a passkey of their own added.
    bert.register(landfall_identity::passkey::Attachment::Platform).await.unwrap();
    let ways = {
        bert.step_up().await.unwrap();
        bert.client().recovery_plan().await.unwrap().tenant
    };
    let act = landfall_protocol::ceremony::BoundActBody::SetRecoveryPlan { ways };
    let young = Some(landfall_identity::passkey::Attachment::Platform);
    let refused = bert.client().step_up(Some(act), young, &bert.shell).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::Probation, "said before anybody touches for it");
    // Nor does it make the way back narrower for the owner.
    let ways = Plan::AnyOf(vec![Plan::one(Door::Device), Plan::admin_assisted(3)]).words().unwrap();
    let act = landfall_protocol::ceremony::BoundActBody::SetRecoveryPlan { ways };
    let refused = bert.client().step_up(Some(act), young, &bert.shell).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::Probation);
    // The one that was there before does it.
    let back = bert.client().clear_recovery_plan(&bert.shell).await.unwrap();
    assert_eq!((back.own, back.tenant == back.holds), (None, true));
    let told = "SELECT COUNT(*) FROM notices WHERE kind = 'recovery-plan-changed'";
    assert_eq!(world.number(told).unwrap(), 2);
    world.restart().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_plan_made_to_measure_holds_and_a_bad_one_keeps_the_server_down() {
    let choose = |plan: Plan| {
        World::configured(move |config, _| {
            config.recovery_plan = PlanChoice::Own(plan);
            Ok(())
        })
    };
    let world = choose(two_admins()).await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let ready = in_full(&bert).await;
    assert_eq!(ready.standing, Standing::OneLossAway, "one administrator is not two");
    assert_eq!(ready.next, Some(Remedy::AddDevice));
    for plan in [
        Plan::one(Door::Device),
        Plan::AnyOf(vec![Plan::one(Door::Device), Plan::one(Door::RecoveryCode)]),
        Plan::AnyOf(vec![Plan::one(Door::Device), Plan::of(Door::RecoveryCode, 2)]),
    ] {
        let refused = choose(plan).await.err().unwrap().to_string();
        assert!(refused.contains("recovery_plan cannot be chosen"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stricter_tenant_binds_whoever_had_a_plan_of_their_own() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    bert.client().make_recovery_codes(&bert.shell).await.unwrap();
    let code_and_admin = Plan::AnyOf(vec![
        Plan::one(Door::Device),
        Plan::AllOf(vec![Plan::one(Door::RecoveryCode), Plan::admin_assisted(1)]),
    ]);
    bert.client().set_recovery_plan(&code_and_admin, &bert.shell).await.unwrap();
    world
        .restart_with(|config, _| {
            config.recovery_plan = PlanChoice::Own(two_admins());
            Ok(())
        })
        .await
        .unwrap();
    let details = in_full(&bert).await.details.unwrap();
    let away = details.ways_in.iter().find(|way| {
        way.needs.iter().all(|need| need.of.iter().all(|thing| thing.kind != ThingKind::Device))
    });
    let kinds: Vec<_> =
        away.unwrap().needs.iter().map(|need| (need.of[0].kind, need.count)).collect();
    assert_eq!(kinds, [(ThingKind::CodeSheet, 1), (ThingKind::Admin, 2)], "both plans must open");
    drop(eve);
}
