//! After a recovery: the lost device is cut off, for ever unless somebody objects; what it did can be seen,
//! and what to change.

use landfall_client::words::ServerLine;
use landfall_client::{RecoverRequest, Recovering};
use landfall_crypto::SecretBytes;
use landfall_identity::id::RecoveryId;
use landfall_identity::passkey::Attachment;
use landfall_identity::secret::SecretName;
use landfall_identity::{DeviceName, Reason, Seconds};
use landfall_protocol::device::DeviceStateName;
use landfall_protocol::{At, ErrorCode, paths};
use landfall_test_support::bare::complete_body;
use landfall_test_support::world::NoBrowser;
use landfall_test_support::{Bare, Person, PocketKey, Raw, World};
use reqwest::Method;

const DAY: Seconds = Seconds::hours(24);

fn device(name: &str) -> DeviceName {
    DeviceName::parse(name).unwrap()
}

fn reason() -> Reason {
    Reason::parse("sat in front of me").unwrap()
}

fn secret(name: &str) -> SecretName {
    SecretName::parse(name).unwrap()
}

async fn keep(person: &Person, name: &str) {
    let value = SecretBytes::new(b"hunter2".to_vec());
    person.client().set_secret(&secret(name), &value).await.unwrap();
}

fn state_of(world: &World, name: &str) -> String {
    let sql = format!("SELECT state FROM enrollments WHERE device = '{name}'");
    world.database().unwrap().query_row(&sql, [], |row| row.get(0)).unwrap()
}

fn count(world: &World, sql: &str) -> i64 {
    world.number(&format!("SELECT COUNT(*) FROM {sql}")).unwrap()
}

/// Ana vouches for a machine that says it is Bert's new one, at once: a device of his is live, so it
/// takes the hour.
async fn vouched(world: &mut World, ana: &Person, bare: &Bare, name: &str) -> RecoveryId {
    let id = bare.begin("bert", name).await.unwrap().recovery_id;
    let check = bare.check_code(&id);
    ana.client().admin_approve_recovery(&id, &check, reason(), &ana.shell).await.unwrap();
    world.pass(Seconds::hours(1)).await.unwrap();
    id
}

/// Bert is back in on another machine, through Ana, and has said nothing of what is lost.
async fn back_in(world: &mut World, ana: &Person, bert: &Person) -> (Person, Recovering) {
    let machine = world.machine("bert-new").unwrap();
    let server = ana.client().profile().unwrap();
    let request = RecoverRequest {
        server: ServerLine { url: server.server, trust: server.trust },
        user: bert.name.clone(),
        device: device("bert-new"),
        label: None,
        lost: None,
        code: None,
        replace: false,
    };
    let mut recovering = machine.client.recover(request).unwrap();
    recovering.run(&NoBrowser).await.unwrap();
    let id = ana.client().admin_recoveries().await.unwrap()[0].id.clone();
    let check = recovering.check_code().unwrap();
    ana.client().admin_approve_recovery(&id, &check, reason(), &ana.shell).await.unwrap();
    world.pass(Seconds::hours(1)).await.unwrap();
    recovering.run(&NoBrowser).await.unwrap();
    let shell = PocketKey::new().unwrap();
    (Person { name: bert.name.clone(), machine, shell }, recovering)
}

async fn ana_and_bert(world: &World) -> (Person, Person) {
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    (ana, bert)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_suspended_in_a_recovery_is_revoked_after_a_day_and_not_sooner() {
    let mut world = World::new().await.unwrap();
    let (ana, bert) = ana_and_bert(&world).await;
    let bare = Bare::new(&world).unwrap();
    let id = vouched(&mut world, &ana, &bare, "bert-new").await;
    let mut body = complete_body(&id, "bert-new", None).unwrap();
    body["suspend"] = "bert-laptop".into();
    let done = bare.post(paths::RECOVERY_COMPLETE, &body).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(count(&world, "notices WHERE kind = 'device-to-be-revoked'"), 1);
    let gone = bert.client().devices().await.err().unwrap();
    assert_eq!(gone.code(), ErrorCode::DeviceSuspended);

    world.pass(Seconds(DAY.0 - 1)).await.unwrap();
    world.restart().await.unwrap();
    assert_eq!(state_of(&world, "bert-laptop"), "suspended");
    world.clock.advance(Seconds(1));
    world.until("revoked", |world| state_of(world, "bert-laptop") == "revoked").await;
    let told = format!("changes WHERE at >= {}", world.ambient.now().millis());
    assert!(count(&world, &told) > 0, "every node hears of it");
    assert_eq!(count(&world, "notices WHERE kind = 'device-revoked'"), 1);
    let row = "audit_events WHERE action = 'revoke-after-recovery' AND actor = 'server'
               AND target LIKE 'device bert-laptop of bert, suspended in recovery %'";
    assert_eq!(count(&world, row), 1);
    let gone = bert.client().devices().await.err().unwrap();
    assert_eq!(gone.code(), ErrorCode::DeviceRevoked);
    ana.step_up().await.unwrap();
    let refused = ana.client().admin_resume_device(&bert.name, &device("bert-laptop")).await;
    assert_eq!(refused.err().unwrap().code(), ErrorCode::DeviceRevoked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_objects_keeps_the_device() {
    let mut world = World::new().await.unwrap();
    let (ana, bert) = ana_and_bert(&world).await;
    let (new, recovering) = back_in(&mut world, &ana, &bert).await;
    recovering.cut_off(device("bert-laptop")).await.unwrap();
    assert_eq!(state_of(&world, "bert-laptop"), "suspended");
    // It turns up under the sofa. A device alone lets nothing work again.
    let refused = new.client().resume_device(&device("bert-laptop")).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::StepUpRequired);
    new.register(Attachment::Roaming).await.unwrap();
    new.step_up().await.unwrap();
    new.client().resume_device(&device("bert-laptop")).await.unwrap();
    bert.client().devices().await.unwrap();
    // Suspended for another reason on the same day it stays suspended: the objection stands.
    ana.step_up().await.unwrap();
    ana.client().admin_suspend_device(&bert.name, &device("bert-laptop")).await.unwrap();
    for _ in 0..2 {
        world.pass(DAY).await.unwrap();
    }
    assert_eq!(state_of(&world, "bert-laptop"), "suspended");
    assert_eq!(count(&world, "recovery_suspensions WHERE state = 'objected'"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn which_device_is_lost_can_be_said_afterwards_once_and_for_ten_minutes() {
    let mut world = World::new().await.unwrap();
    let (ana, bert) = ana_and_bert(&world).await;
    let token = bert.device_token("bert-phone").await.unwrap();
    world.machine("bert-phone").unwrap().enroll(&token, None, None).await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = vouched(&mut world, &ana, &bare, "bert-new").await;
    let name = async |bare: &Bare, lost: &str| {
        let mut body = complete_body(&id, "bert-new", None).unwrap();
        body["suspend"] = lost.into();
        bare.post(paths::RECOVERY_COMPLETE, &body).await.unwrap()
    };
    let done = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
    // Another key says nothing, a name that is none changes nothing, the new one is not lost.
    let thief = Bare::new(&world).unwrap();
    assert_eq!(name(&thief, "bert-laptop").await.code(), ErrorCode::SignatureInvalid);
    for none in ["bert-tablet", "bert-new"] {
        assert_eq!(name(&bare, none).await.code(), ErrorCode::InvalidField);
    }
    for _ in 0..2 {
        let cut = name(&bare, "bert-laptop").await;
        assert_eq!((cut.status, cut.body["suspended"].as_str()), (200, Some("bert-laptop")));
    }
    assert_eq!(count(&world, "notices WHERE kind = 'device-to-be-revoked'"), 1);
    assert_eq!(name(&bare, "bert-phone").await.code(), ErrorCode::InvalidField, "one is enough");
    assert_eq!(state_of(&world, "bert-phone"), "active");
    world.clock.advance(Seconds::minutes(10));
    assert_eq!(name(&bare, "bert-phone").await.code(), ErrorCode::RecoveryOver);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_recovered_device_suspends_on_its_first_day_is_revoked_and_nothing_else_is() {
    let mut world = World::new().await.unwrap();
    let (ana, bert) = ana_and_bert(&world).await;
    for name in ["bert-phone", "bert-tablet"] {
        let token = bert.device_token(name).await.unwrap();
        world.machine(name).unwrap().enroll(&token, None, None).await.unwrap();
    }
    let (new, recovering) = back_in(&mut world, &ana, &bert).await;
    recovering.finish().unwrap();
    new.register(Attachment::Roaming).await.unwrap();
    new.step_up().await.unwrap();
    new.client().suspend_device(&device("bert-phone")).await.unwrap();
    ana.step_up().await.unwrap();
    ana.client().admin_suspend_device(&bert.name, &device("bert-tablet")).await.unwrap();
    world.pass(DAY).await.unwrap();
    world.until("revoked", |world| state_of(world, "bert-phone") == "revoked").await;
    new.step_up().await.unwrap();
    new.client().suspend_device(&device("bert-laptop")).await.unwrap();
    world.pass(DAY).await.unwrap();
    world.restart().await.unwrap();
    assert_eq!(state_of(&world, "bert-tablet"), "suspended");
    assert_eq!(state_of(&world, "bert-laptop"), "suspended", "after a day it can revoke by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_in_doubt_revokes_nothing() {
    let mut world = World::new().await.unwrap();
    let (ana, bert) = ana_and_bert(&world).await;
    let (_new, recovering) = back_in(&mut world, &ana, &bert).await;
    recovering.cut_off(device("bert-laptop")).await.unwrap();
    world.clock.advance(Seconds::days(2));
    let jumped = "audit_events WHERE action = 'clock-jumped'";
    world.until("the jump is seen", |world| count(world, jumped) == 1).await;
    world.restart().await.unwrap();
    tokio::time::timeout(
        std::time::Duration::from_secs(3),
        world.until("never", |world| state_of(world, "bert-laptop") == "revoked"),
    )
    .await
    .expect_err("it was revoked");
    let confirmed = "UPDATE meta SET value = '' WHERE key = 'clock_jumped'";
    world.database().unwrap().execute(confirmed, []).unwrap();
    world.until("revoked", |world| state_of(world, "bert-laptop") == "revoked").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_to_change_is_listed_oldest_first_and_goes_when_it_is_changed() {
    let mut world = World::new().await.unwrap();
    let (ana, bert) = ana_and_bert(&world).await;
    for name in ["wifi", "db/main", "a_b", "a-b"] {
        keep(&bert, name).await;
        world.clock.advance(Seconds(1));
    }
    // Names that look alike are not taken for each other.
    bert.client().get_secret(&secret("a_b"), Some(1)).await.unwrap();
    let read_at = world.ambient.now();
    world.clock.advance(Seconds(1));
    bert.client().get_secret(&secret("wifi"), None).await.unwrap();
    let (new, recovering) = back_in(&mut world, &ana, &bert).await;
    recovering.cut_off(device("bert-laptop")).await.unwrap();
    new.client().get_secret(&secret("db/main"), None).await.unwrap();
    let exposed = new.client().exposure(&device("bert-laptop")).await.unwrap();
    let names: Vec<&str> = exposed.iter().map(|secret| secret.name.as_str()).collect();
    assert_eq!(names, ["wifi", "db/main", "a_b", "a-b"], "oldest value first");
    let read: Vec<bool> = exposed.iter().map(|secret| secret.read_at.is_some()).collect();
    assert_eq!(read, [true, false, true, false], "on that device");
    assert_eq!(exposed[2].read_at, Some(At(read_at)));
    world.clock.advance(Seconds(1));
    keep(&new, "wifi").await;
    keep(&new, "new-since").await;
    let left = new.client().exposure(&device("bert-laptop")).await.unwrap();
    assert_eq!(left.len(), 3, "what was changed, and what is new, it never could read");

    let raw = Raw::of(&new.machine).unwrap();
    let token = raw.session().await.unwrap().token;
    let path = paths::fill(paths::DEVICE_EXPOSURE, &["bert-laptop"]);
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let at = format!("{path}?limit=1{after}");
        let page = raw.send(Method::GET, &at, Some(&token), None).await.unwrap().body;
        seen.push(page["items"][0]["name"].as_str().unwrap().to_owned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["db/main", "a_b", "a-b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_did_since_a_time_is_shown_to_its_owner_alone() {
    let mut world = World::new().await.unwrap();
    let (ana, bert) = ana_and_bert(&world).await;
    keep(&bert, "wifi").await;
    bert.client().get_secret(&secret("wifi"), None).await.unwrap();
    world.pass(Seconds::hours(2)).await.unwrap();
    // In the hands of somebody else.
    let lost_at = At(world.ambient.now());
    bert.client().get_secret(&secret("wifi"), None).await.unwrap();
    bert.device_token("planted").await.unwrap();
    let (new, _recovering) = back_in(&mut world, &ana, &bert).await;
    let laptop = device("bert-laptop");
    let review = async |since| new.client().review_device(&laptop, since, 200, None).await.unwrap();
    let acts = review(Some(lost_at)).await;
    let count = |code: &str| acts.items.iter().filter(|act| act.action == code).count();
    assert_eq!((count("read-secret"), count("issue-token")), (1, 1), "{acts:?}");
    assert!(count("open-session") >= 1 && acts.next.is_none());
    assert!(acts.items.iter().all(|act| act.at.0 >= lost_at.0));
    assert!(acts.items.iter().all(|act| !act.action.starts_with("list-")), "who only looked");
    let read = acts.items.iter().find(|act| act.action == "read-secret").unwrap();
    assert_eq!(read.target, "secret wifi");
    let all = review(None).await;
    assert_eq!(all.items.iter().filter(|act| act.action == "read-secret").count(), 2);

    let page = new.client().review_device(&laptop, None, 2, None).await.unwrap();
    assert_eq!(page.items, all.items[..2]);
    let next = page.next.as_deref();
    let second = new.client().review_device(&laptop, None, 2, next).await.unwrap();
    assert_eq!(second.items, all.items[2..4]);
    // Bert's things are not Ana's to see, administrator or not: she has the audit for that.
    let refused = ana.client().review_device(&laptop, None, 2, None).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::NotFound);
    let refused = ana.client().exposure(&laptop).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_revoked_is_no_longer_on_its_way_to_it() {
    let mut world = World::new().await.unwrap();
    let (ana, bert) = ana_and_bert(&world).await;
    world.pass(DAY).await.unwrap();
    ana.client().admin_revoke_device(&bert.name, &device("bert-laptop"), &ana.shell).await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = vouched(&mut world, &ana, &bare, "bert-new").await;
    let mut body = complete_body(&id, "bert-new", None).unwrap();
    body["suspend"] = "bert-laptop".into();
    assert_eq!(bare.post(paths::RECOVERY_COMPLETE, &body).await.unwrap().status, 200);
    assert_eq!(count(&world, "recovery_suspensions"), 0);
    let devices = ana.client().admin_devices(Some(&bert.name)).await.unwrap();
    let laptop = devices.iter().find(|info| info.name == device("bert-laptop")).unwrap();
    assert_eq!(laptop.state, DeviceStateName::Revoked);
}
