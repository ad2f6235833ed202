//! Administrators vouch: with a reason, for the very machine that is on the phone, never alone where one
//! is too few, and never against the owner.

use landfall_identity::caller::Role;
use landfall_identity::id::RecoveryId;
use landfall_identity::passkey::Attachment;
use landfall_identity::{DeviceName, Reason, Seconds};
use landfall_protocol::recovery::{Recovered, RecoveryInfo, RecoveryStateName};
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::{Bare, Person, Raw, World};
use reqwest::Method;
use serde_json::json;

fn device(name: &str) -> DeviceName {
    DeviceName::parse(name).unwrap()
}

fn reason() -> Reason {
    Reason::parse("sat in front of me").unwrap()
}

async fn approve(admin: &Person, bare: &Bare, id: &RecoveryId) -> Result<RecoveryInfo, ErrorCode> {
    let check = bare.check_code(id);
    let approved = admin.client().admin_approve_recovery(id, &check, reason(), &admin.shell).await;
    approved.map_err(|failure| failure.code())
}

async fn cut_off(admin: &Person, user: &Person, name: &str) {
    admin.step_up().await.unwrap();
    admin.client().admin_suspend_device(&user.name, &device(name)).await.unwrap();
}

/// Cuts off a device, and lets an hour pass: it could object no more.
async fn long_cut_off(world: &mut World, admin: &Person, user: &Person, name: &str) {
    cut_off(admin, user, name).await;
    world.pass(Seconds::hours(1)).await.unwrap();
}

/// Bert's laptop works, and Ana, who has approved, has it cut off; or it does that to itself, in a
/// thief's hands; or for ever. None of it spares anybody the hour.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_ends_the_hour_by_cutting_off_what_could_object() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    for (number, cut) in ["by the admin", "for ever", "by itself"].into_iter().enumerate() {
        let user = format!("bert{number}");
        let bert = world.invited(&ana, &user).await.unwrap();
        let laptop = device(&format!("{user}-laptop"));
        ana.step_up().await.unwrap();
        let bare = Bare::new(&world).unwrap();
        let id = bare.begin(&user, "new").await.unwrap().recovery_id;
        match cut {
            "by itself" => {
                bert.client().suspend_device(&laptop).await.unwrap();
                approve(&ana, &bare, &id).await.unwrap();
            }
            "for ever" => {
                approve(&ana, &bare, &id).await.unwrap();
                ana.client().admin_revoke_device(&bert.name, &laptop, &ana.shell).await.unwrap();
            }
            _ => {
                approve(&ana, &bare, &id).await.unwrap();
                ana.client().admin_suspend_device(&bert.name, &laptop).await.unwrap();
            }
        }
        let refused = bare.complete(&id, "new", None).await.unwrap();
        assert_eq!(refused.code(), ErrorCode::RecoveryHeld, "{cut}");
        assert_eq!(refused.body["retry_after_seconds"], 3600, "{cut}");
        world.pass(Seconds(3599)).await.unwrap();
        let refused = bare.complete(&id, "new", None).await.unwrap();
        assert_eq!(refused.code(), ErrorCode::RecoveryHeld, "{cut}");
        world.clock.advance(Seconds(1));
        assert_eq!(bare.complete(&id, "new", None).await.unwrap().status, 200, "{cut}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_that_was_cut_off_an_hour_ago_spares_its_owner_the_hour() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    cut_off(&ana, &bert, "bert-laptop").await;
    world.pass(Seconds(3000)).await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    approve(&ana, &bare, &id).await.unwrap();
    let refused = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(refused.body["retry_after_seconds"], 600, "what is left of it");
    world.pass(Seconds(600)).await.unwrap();
    assert_eq!(bare.complete(&id, "bert-new", None).await.unwrap().status, 200);
}

/// Whoever suspended it at once and has it revoked afterwards, as every text advises, waits no longer for that;
/// one that was let act again in between could object until a moment ago.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_keeps_the_time_of_the_suspension_before_it() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    for (user, resumed) in [("bert", false), ("cleo", true)] {
        let person = world.invited(&ana, user).await.unwrap();
        let laptop = device(&format!("{user}-laptop"));
        long_cut_off(&mut world, &ana, &person, laptop.as_str()).await;
        if resumed {
            ana.step_up().await.unwrap();
            ana.client().admin_resume_device(&person.name, &laptop).await.unwrap();
        }
        ana.client().admin_revoke_device(&person.name, &laptop, &ana.shell).await.unwrap();
        let bare = Bare::new(&world).unwrap();
        let id = bare.begin(user, "new").await.unwrap().recovery_id;
        approve(&ana, &bare, &id).await.unwrap();
        let answer = bare.complete(&id, "new", None).await.unwrap();
        if resumed {
            assert_eq!(answer.body["retry_after_seconds"], 3600);
        } else {
            assert_eq!(answer.status, 200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_without_a_step_up_for_exactly_this_approves_nothing() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    let other = Bare::new(&world).unwrap().begin("bert", "thief").await.unwrap().recovery_id;

    let raw = Raw::of(&ana.machine).unwrap();
    let path = paths::fill(paths::ADMIN_RECOVERY_APPROVE, &[id.as_str()]);
    let body = json!({ "reason": reason() });
    let weak = raw.session().await.unwrap().token;
    let strong = ana.client().step_up(None, None, &ana.shell).await.unwrap().token;
    for token in [&weak, &strong] {
        let refused = raw.send(Method::POST, &path, Some(token), Some(&body)).await.unwrap();
        assert_eq!(refused.code(), ErrorCode::StepUpRequired);
    }
    // An approval of one recovery is none of another, nor one with another reason.
    let queue = ana.client().admin_recoveries().await.unwrap();
    assert_eq!(queue.len(), 2);
    let theirs = queue.iter().find(|info| info.id == other).unwrap();
    for (recovery, said) in [(&other, "sat in front of me"), (&id, "another reason")] {
        let act = landfall_protocol::ceremony::BoundActBody::ApproveRecovery {
            recovery: recovery.clone(),
            user: bert.name.clone(),
            thumbprint: theirs.thumbprint.clone(),
            reason: Reason::parse(said).unwrap(),
        };
        let bound = ana.client().step_up(Some(act), None, &ana.shell).await.unwrap().token;
        let refused = raw.send(Method::POST, &path, Some(&bound), Some(&body)).await.unwrap();
        assert_eq!(refused.code(), ErrorCode::StepUpForAnotherAct);
    }
    // A member approves nothing, and has no queue.
    let member = Raw::of(&bert.machine).unwrap();
    let token = bert.client().step_up(None, None, &bert.shell).await.unwrap().token;
    let refused = member.send(Method::POST, &path, Some(&token), Some(&body)).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::Forbidden);
    assert_eq!(bare.show(&id).await.unwrap().state, RecoveryStateName::Unproved);
    // No reason is no approval.
    let empty = json!({ "reason": " " });
    let refused = raw.send(Method::POST, &path, Some(&strong), Some(&empty)).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::InvalidField);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_needs_two_others_and_is_never_one_of_them() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    let kim = world.invited_admin(&ana, "kim").await.unwrap();
    // Whoever can make administrators could make the second one: their word counts from a day later on.
    let soon = Bare::new(&world).unwrap();
    let id = soon.begin("eve", "eve-new").await.unwrap().recovery_id;
    assert_eq!(approve(&kim, &soon, &id).await.err(), Some(ErrorCode::Probation));
    world.pass(Seconds::hours(24)).await.unwrap();
    long_cut_off(&mut world, &ana, &eve, "eve-laptop").await;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("eve", "eve-new").await.unwrap().recovery_id;
    // The same one twice is one.
    for _ in 0..2 {
        assert_eq!(approve(&ana, &bare, &id).await.unwrap().state, RecoveryStateName::Unproved);
    }
    let refused = bare.complete(&id, "eve-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
    // Nobody vouches for themselves.
    let own = Bare::new(&world).unwrap();
    let mine = own.begin("ana", "ana-new").await.unwrap().recovery_id;
    assert_eq!(approve(&ana, &own, &mine).await.err(), Some(ErrorCode::Forbidden));

    assert_eq!(approve(&kim, &bare, &id).await.unwrap().state, RecoveryStateName::Ready);
    let done = bare.complete(&id, "eve-new", None).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
}

/// One administrator takes another's role, and is alone with an approval that was not enough a moment ago.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_an_admin_until_yesterday_still_needs_two() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    world.pass(Seconds::hours(25)).await.unwrap();
    long_cut_off(&mut world, &eve, &ana, "ana-desktop").await;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("ana", "ana-new").await.unwrap().recovery_id;
    assert_eq!(approve(&eve, &bare, &id).await.unwrap().state, RecoveryStateName::Unproved);
    eve.client().admin_set_role(&ana.name, Role::Member, &eve.shell).await.unwrap();
    let refused = bare.complete(&id, "ana-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
    // Nor does it help to begin anew, on that day.
    let anew = Bare::new(&world).unwrap();
    let id = anew.begin("ana", "ana-new").await.unwrap().recovery_id;
    assert_eq!(approve(&eve, &anew, &id).await.unwrap().state, RecoveryStateName::Unproved);
    world.pass(Seconds::hours(24)).await.unwrap();
    let later = Bare::new(&world).unwrap();
    let id = later.begin("ana", "ana-new").await.unwrap().recovery_id;
    assert_eq!(approve(&eve, &later, &id).await.unwrap().state, RecoveryStateName::Ready);
}

/// Whoever reads Bert's mail answers each step of his way back with a freeze. Ana, who has him on the telephone,
/// decides.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_admin_vouches_for_in_spite_of_a_freeze_goes_on() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    approve(&ana, &bare, &id).await.unwrap();
    world.clock.advance(Seconds(1));
    bert.client().freeze().await.unwrap();
    world.pass(Seconds::hours(1)).await.unwrap();
    let refused = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::AccountFrozen, "it came after her word");
    assert!(!approve(&ana, &bare, &id).await.unwrap().account_frozen);
    let held = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(held.code(), ErrorCode::RecoveryHeld, "the hour is his who could object, anew");
    world.pass(Seconds::hours(1)).await.unwrap();
    let done = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(world.number("SELECT COUNT(*) FROM users WHERE frozen_at IS NOT NULL").unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_admin_has_stopped_no_way_back_opens() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    ana.step_up().await.unwrap();
    assert_eq!(
        ana.client().admin_freeze(&ana.name, &ana.shell).await.err().map(|f| f.code()),
        Some(ErrorCode::LastAdmin)
    );
    assert!(ana.client().admin_freeze(&bert.name, &ana.shell).await.unwrap().frozen);
    let refused = bert.client().secrets().await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::AccountFrozen);
    world.pass(Seconds::hours(25)).await.unwrap();
    bert.step_up().await.unwrap();
    let refused = bert.client().unfreeze().await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::FrozenByAdmin);
    long_cut_off(&mut world, &ana, &bert, "bert-laptop").await;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    let vain = approve(&ana, &bare, &id).await.unwrap_err();
    assert_eq!(
        vain,
        ErrorCode::FrozenByAdmin,
        "no word counts, and no hour runs, while he can do nothing"
    );
    let refused = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
    ana.step_up().await.unwrap();
    ana.client().admin_unfreeze(&bert.name, &ana.shell).await.unwrap();
    approve(&ana, &bare, &id).await.unwrap();
    assert_eq!(bare.complete(&id, "bert-new", None).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_held_while_a_device_lives_and_the_owner_objects() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    assert_eq!(approve(&ana, &bare, &id).await.unwrap().state, RecoveryStateName::Held);
    let refused = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryHeld);
    assert_eq!(refused.body["retry_after_seconds"], 3600);

    // The laptop alone may look and not stop it: a stolen one would, for ever. Its owner may.
    assert_eq!(bert.client().recoveries().await.unwrap().len(), 1);
    let refused = bert.client().stop_recovery(&id).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::StepUpRequired);
    bert.step_up().await.unwrap();
    let stopped = bert.client().stop_recovery(&id).await.unwrap();
    assert_eq!(stopped.state, RecoveryStateName::Stopped);
    world.pass(Seconds::hours(1)).await.unwrap();
    let over = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(over.code(), ErrorCode::RecoveryStopped);
    assert_eq!(approve(&ana, &bare, &id).await.err(), Some(ErrorCode::NotFound));

    // Nobody objects to the next one, and an hour later it opens: not a second sooner.
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    approve(&ana, &bare, &id).await.unwrap();
    world.pass(Seconds(3599)).await.unwrap();
    let refused = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryHeld);
    world.clock.advance(Seconds(1));
    let done = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_dies_with_the_device_or_the_account_that_gave_it() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    long_cut_off(&mut world, &ana, &bert, "bert-laptop").await;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    assert_eq!(approve(&eve, &bare, &id).await.unwrap().state, RecoveryStateName::Ready);
    // Somebody had Eve's laptop. It is cut off before the machine comes for its certificate.
    cut_off(&ana, &eve, "eve-laptop").await;
    let refused = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
    let queue = ana.client().admin_recoveries().await.unwrap();
    assert!(queue[0].proofs.iter().all(|proof| proof.by == "eve" && !proof.counts));

    ana.client().admin_resume_device(&eve.name, &device("eve-laptop")).await.unwrap();
    assert_eq!(bare.show(&id).await.unwrap().state, RecoveryStateName::Ready);
    eve.client().freeze().await.unwrap();
    let refused = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
    approve(&ana, &bare, &id).await.unwrap();
    assert_eq!(bare.complete(&id, "bert-new", None).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_stops_what_was_begun_before_it_and_lets_in_what_comes_after() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let thief = Bare::new(&world).unwrap();
    let theirs = thief.begin("bert", "thief").await.unwrap().recovery_id;
    approve(&ana, &thief, &theirs).await.unwrap();
    world.clock.advance(Seconds(1));
    bert.client().freeze().await.unwrap();
    long_cut_off(&mut world, &ana, &bert, "bert-laptop").await;
    let refused = thief.complete(&theirs, "thief", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::AccountFrozen);
    // What helps is said, to the machine that has shown something and to those who vouch.
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("landfall recover --anew"), "{detail}");
    let shown = thief.show(&theirs).await.unwrap();
    assert!(shown.account_frozen && shown.state == RecoveryStateName::Ready);
    assert!(ana.client().admin_recoveries().await.unwrap()[0].account_frozen);
    let stranger = Bare::new(&world).unwrap();
    let nothing = stranger.begin("bert", "x").await.unwrap().recovery_id;
    assert!(!stranger.show(&nothing).await.unwrap().account_frozen, "begun after it");

    world.clock.advance(Seconds(1));
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    approve(&ana, &bare, &id).await.unwrap();
    let done = bare.complete(&id, "bert-new", None).await.unwrap();
    let done: Recovered = serde_json::from_value(done.body).unwrap();
    assert!(done.unfrozen && done.issued.grant.is_some());
    assert_eq!(world.number("SELECT COUNT(*) FROM users WHERE frozen_at IS NOT NULL").unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_ends_it_and_the_queue_is_paged_and_shows_nobody_who_is_not() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    world.invited(&ana, "bert").await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let mut ids = Vec::new();
    for number in 0..5 {
        world.clock.advance(Seconds(1));
        let new = Bare::new(&world).unwrap();
        ids.push(new.begin("bert", &format!("n{number}")).await.unwrap().recovery_id);
    }
    bare.begin("nobody", "x").await.unwrap();
    let raw = Raw::of(&ana.machine).unwrap();
    let token = raw.session().await.unwrap().token;
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("{}?limit=2{after}", paths::ADMIN_RECOVERIES);
        let page = raw.send(Method::GET, &path, Some(&token), None).await.unwrap().body;
        let items: Vec<RecoveryInfo> = serde_json::from_value(page["items"].clone()).unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.into_iter().map(|info| info.id));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    ids.reverse();
    assert_eq!(seen, ids, "newest first, each once, and nobody's is not there");
    ana.step_up().await.unwrap();
    let stopped = ana.client().admin_refuse_recovery(&ids[0]).await.unwrap();
    assert_eq!(stopped.state, RecoveryStateName::Stopped);
    assert_eq!(ana.client().admin_recoveries().await.unwrap().len(), 4);
    let again = ana.client().admin_refuse_recovery(&ids[0]).await.err().unwrap();
    assert_eq!(again.code(), ErrorCode::RecoveryOver);
}

/// Anybody can begin one in a name that they know; its owner need not look at it for a day.
#[tokio::test(flavor = "multi_thread")]
async fn what_shows_nothing_leaves_its_owners_list_within_minutes_and_comes_back_with_a_proof() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let codes = bert.client().make_recovery_codes(&bert.shell).await.unwrap().codes;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    world.pass(Seconds(599)).await.unwrap();
    assert_eq!(bert.client().recoveries().await.unwrap().len(), 1);
    world.clock.advance(Seconds(1));
    assert!(bert.client().recoveries().await.unwrap().is_empty());
    assert_eq!(ana.client().admin_recoveries().await.unwrap().len(), 1, "she may be called yet");
    bare.prove(&id, &codes[0]).await.unwrap();
    assert_eq!(bert.client().recoveries().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovered_machine_registers_its_own_passkey_and_one_only() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    long_cut_off(&mut world, &ana, &bert, "bert-laptop").await;
    let machine = world.machine("bert-new").unwrap();
    let server = ana.client().profile().unwrap();
    let mut recovering = machine
        .client
        .recover(landfall_client::RecoverRequest {
            server: landfall_client::words::ServerLine { url: server.server, trust: server.trust },
            user: bert.name.clone(),
            device: device("bert-new"),
            label: None,
            lost: None,
            code: None,
            replace: false,
        })
        .unwrap();
    recovering.run(&landfall_test_support::world::NoBrowser).await.unwrap();
    let id = ana.client().admin_recoveries().await.unwrap()[0].id.clone();
    let check = recovering.check_code().unwrap();
    ana.client().admin_approve_recovery(&id, &check, reason(), &ana.shell).await.unwrap();
    recovering.run(&landfall_test_support::world::NoBrowser).await.unwrap();
    recovering.finish().unwrap();
    let shell = landfall_test_support::PocketKey::new().unwrap();
    let new = Person { name: bert.name.clone(), machine, shell };
    new.register(Attachment::Roaming).await.unwrap();
    new.step_up().await.unwrap();
    assert_eq!(new.client().passkeys().await.unwrap().len(), 2);
}
