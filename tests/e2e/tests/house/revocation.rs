//! Cutting a device off: at once, for good, and nothing else.

use landfall_identity::passkey::Attachment;
use landfall_identity::{DeviceName, Seconds};
use landfall_protocol::{ErrorCode, paths};
use landfall_server::service::SESSIONS_MAX;
use landfall_test_support::{Person, PocketKey, Raw, World};
use reqwest::Method;
use serde_json::json;

fn device(name: &str) -> DeviceName {
    DeviceName::parse(name).unwrap()
}

/// Bert's second machine, enrolled by a code from his first.
async fn second_machine(world: &World, bert: &Person, name: &str) -> Person {
    let token = bert.device_token(name).await.unwrap();
    let machine = world.machine(name).unwrap();
    machine.enroll(&token, None, None).await.unwrap();
    Person { name: bert.name.clone(), machine, shell: bert.shell.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn revoked_device_is_out_at_once() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let desktop = second_machine(&world, &bert, "bert-desktop").await;
    let thief = Raw::of(&bert.machine).unwrap();
    let session = thief.session().await.unwrap();
    let me = |raw: Raw, token: String| async move {
        raw.send(Method::GET, paths::ME, Some(&token), None).await
    };
    assert_eq!(me(thief.clone(), session.token.clone()).await.unwrap().status, 200);

    // A day later the passkey is old enough to evict what is older than itself.
    world.pass(Seconds::hours(25)).await.unwrap();
    let fresh = thief.session().await;
    assert!(fresh.is_err(), "the certificate is over, and says so");
    bert.client().renew_now().await.unwrap();
    let thief = Raw::of(&bert.machine).unwrap();
    let session = thief.session().await.unwrap();
    let cut = desktop.client().revoke_device(&device("bert-laptop"), &desktop.shell).await.unwrap();
    assert!(cut.sessions_ended >= 1);

    // The thief's session, new sessions and renewal: nothing, now and after a restart.
    for _ in 0..2 {
        // The connection at hand was cut under the thief; a new one hears why.
        let answer = match me(thief.clone(), session.token.clone()).await {
            Ok(answer) => answer,
            Err(_cut) => me(thief.clone(), session.token.clone()).await.unwrap(),
        };
        assert_eq!(answer.code(), ErrorCode::DeviceRevoked);
        let body = json!({});
        let answer = thief.send(Method::POST, paths::SESSION, None, Some(&body)).await.unwrap();
        assert_eq!(answer.code(), ErrorCode::DeviceRevoked);
        assert_eq!(bert.client().renew_now().await.unwrap_err().code(), ErrorCode::DeviceRevoked);
        world.restart().await.unwrap();
    }
    // The user, the other machine and the trail are untouched.
    assert_eq!(desktop.client().whoami().await.unwrap().user, bert.name);
    let rows = desktop.client().audit(&landfall_client::AuditFilter::default()).await.unwrap();
    let revocation = rows.items.iter().find(|row| row.action == "revoke-device").unwrap();
    assert_eq!(revocation.outcome, "allow");
    assert_eq!(revocation.auth_strength.as_deref(), Some("cert+human"));
    let denied = rows.items.iter().find(|row| row.reason.as_deref() == Some("device-revoked"));
    assert!(denied.is_some(), "the thief's tries are in the trail");
}

#[tokio::test(flavor = "multi_thread")]
async fn stolen_laptop_cannot_suspend_another_device() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let desktop = second_machine(&world, &bert, "bert-desktop").await;
    // The thief has the laptop's key and certificate, and no passkey.
    let thief = Raw::of(&bert.machine).unwrap();
    let token = thief.session().await.unwrap().token;
    for path in ["/devices/bert-desktop/suspend", "/devices/bert-desktop/revoke"] {
        let answer = thief.send(Method::POST, path, Some(&token), None).await.unwrap();
        assert_eq!(answer.code(), ErrorCode::StepUpRequired, "{path}");
    }
    assert_eq!(desktop.client().whoami().await.unwrap().user, bert.name);
    // It may suspend itself, and it may freeze everything: both only ever help the owner.
    let answer =
        thief.send(Method::POST, "/devices/bert-laptop/suspend", Some(&token), None).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(desktop.client().whoami().await.unwrap().user, bert.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_young_passkey_suspends_but_does_not_evict_what_is_older() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    world.clock.advance(Seconds(1));
    let desktop = second_machine(&world, &bert, "bert-desktop").await;
    let refused =
        desktop.client().revoke_device(&device("bert-laptop"), &desktop.shell).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Probation);
    desktop.step_up().await.unwrap();
    desktop.client().suspend_device(&device("bert-laptop")).await.unwrap();
    desktop.client().resume_device(&device("bert-laptop")).await.unwrap();
    assert_eq!(bert.client().whoami().await.unwrap().user, bert.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_cuts_everything_and_leaves_the_doors_open() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let desktop = second_machine(&world, &bert, "bert-desktop").await;
    world.clock.advance(Seconds(1));
    bert.client().freeze().await.unwrap();
    for person in [&bert, &desktop] {
        let refused = person.client().secrets().await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::AccountFrozen);
        assert_eq!(person.client().devices().await.unwrap().len(), 2, "which one is it?");
        assert!(person.client().whoami().await.unwrap().frozen);
    }
    let refused = desktop.client().unfreeze().await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::StepUpRequired, "a device alone does not undo it");
    ana.step_up().await.unwrap();
    ana.client().admin_unfreeze(&bert.name, &ana.shell).await.unwrap();
    assert_eq!(desktop.client().secrets().await.unwrap().len(), 0);
    // The account's first passkey undoes it too, however young it is.
    desktop.client().freeze().await.unwrap();
    desktop.step_up().await.unwrap();
    desktop.client().unfreeze().await.unwrap();
    assert_eq!(desktop.client().devices().await.unwrap().len(), 2);
}

/// The owner freezes because a thief has got in with a code and added a passkey: it must not be the
/// thief's passkey, however shortly older than the freeze, that ends it.
#[tokio::test(flavor = "multi_thread")]
async fn a_thief_with_a_fresh_passkey_does_not_end_the_freeze() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let stolen = second_machine(&world, &bert, "bert-spare").await;
    let thief = Person { shell: PocketKey::new().unwrap(), ..stolen };
    world.clock.advance(Seconds(1));
    thief.register(Attachment::Roaming).await.unwrap();
    world.clock.advance(Seconds(1));
    bert.client().freeze().await.unwrap();
    thief.step_up().await.unwrap();
    assert_eq!(thief.client().unfreeze().await.unwrap_err().code(), ErrorCode::Probation);
    bert.step_up().await.unwrap();
    bert.client().unfreeze().await.unwrap();

    // A day later it would be a witness like any other: the owner has had that day.
    bert.client().freeze().await.unwrap();
    world.pass(Seconds::hours(25)).await.unwrap();
    thief.step_up().await.unwrap();
    thief.client().unfreeze().await.unwrap();
}

/// Whoever holds the stolen laptop can freeze; they cannot keep its owner out by doing so again and
/// again.
#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_laptop_that_freezes_for_ever_is_cut_off_while_frozen() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let desktop = second_machine(&world, &bert, "bert-desktop").await;
    world.clock.advance(Seconds(1));
    let laptop = device("bert-laptop");
    let thief = bert.client();
    thief.freeze().await.unwrap();
    desktop.step_up().await.unwrap();
    let again = thief.freeze().await.unwrap();
    assert_eq!((again.frozen, again.sessions_ended), (true, 0), "it is frozen already");
    desktop.client().suspend_device(&laptop).await.unwrap();
    assert_eq!(thief.freeze().await.unwrap_err().code(), ErrorCode::DeviceSuspended);
    desktop.client().unfreeze().await.unwrap();
    assert_eq!(desktop.client().devices().await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_holds_a_bounded_number_of_sessions_and_the_newest_live() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let raw = Raw::of(&ana.machine).unwrap();
    let first = raw.session().await.unwrap().token;
    let mut last = String::new();
    for _ in 0..SESSIONS_MAX {
        last = raw.session().await.unwrap().token;
    }
    let me = async |token: &str| raw.send(Method::GET, paths::ME, Some(token), None).await.unwrap();
    assert_eq!(me(&last).await.status, 200);
    assert_eq!(me(&first).await.code(), ErrorCode::SessionOver);
}
