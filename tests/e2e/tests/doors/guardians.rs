//! Guardians: two people whom somebody chose let them back in; nobody else does, and not at once.

use landfall_client::RecoverRequest;
use landfall_client::words::ServerLine;
use landfall_crypto::SecretBytes;
use landfall_crypto::ambient::SystemRandom;
use landfall_crypto::recovery_code::RecoveryCode;
use landfall_identity::id::RecoveryId;
use landfall_identity::passkey::Attachment;
use landfall_identity::recovery::Preset;
use landfall_identity::secret::SecretName;
use landfall_identity::{DeviceName, Seconds, UserName};
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::recovery::{RecoveryInfo, RecoveryStateName};
use landfall_protocol::{ErrorCode, paths};
use landfall_server::Config;
use landfall_test_support::world::NoBrowser;
use landfall_test_support::{Bare, Person, PocketKey, Raw, World};
use reqwest::Method;
use serde_json::json;
use std::path::Path;

fn device(name: &str) -> DeviceName {
    DeviceName::parse(name).unwrap()
}

fn user(name: &str) -> UserName {
    UserName::parse(name).unwrap()
}

/// A plan by which two guardians suffice.
fn by_guardians(config: &mut Config, _: &Path) -> anyhow::Result<()> {
    config.recovery_plan = Preset::Personal.into();
    Ok(())
}

async fn name(owner: &Person, guardian: &Person) -> Result<(), ErrorCode> {
    let named = owner.client().name_guardian(&guardian.name, &owner.shell).await;
    named.map(drop).map_err(|failure| failure.code())
}

async fn accept(guardian: &Person, owner: &Person) -> Result<(), ErrorCode> {
    guardian.step_up().await.unwrap();
    let accepted = guardian.client().accept_ward(&owner.name).await;
    accepted.map(drop).map_err(|failure| failure.code())
}

async fn vouch(guardian: &Person, bare: &Bare, id: &RecoveryId) -> Result<RecoveryInfo, ErrorCode> {
    let check = bare.check_code(id);
    let vouched = guardian.client().vouch(id, &check, &guardian.shell).await;
    vouched.map_err(|failure| failure.code())
}

async fn remove(owner: &Person, guardian: &Person) -> Result<(), ErrorCode> {
    let removed = owner.client().remove_guardian(&guardian.name, &owner.shell).await;
    removed.map_err(|failure| failure.code())
}

/// Ana, who claims the server; Bert; and his guardians Eve and Kim, who have accepted, a day ago.
struct Circle {
    world: World,
    ana: Person,
    bert: Person,
    eve: Person,
    kim: Person,
}

async fn circle() -> Circle {
    let mut world = World::configured(by_guardians).await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let eve = world.invited(&ana, "eve").await.unwrap();
    let kim = world.invited(&ana, "kim").await.unwrap();
    for guardian in [&eve, &kim] {
        name(&bert, guardian).await.unwrap();
        accept(guardian, &bert).await.unwrap();
    }
    world.pass(Seconds::hours(24)).await.unwrap();
    Circle { world, ana, bert, eve, kim }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_guardians_lead_to_secrets_and_a_passkey_of_its_own() {
    let Circle { world, ana, bert, eve, kim } = circle().await;
    let wifi = SecretName::parse("wifi").unwrap();
    bert.client().set_secret(&wifi, &SecretBytes::new(b"hunter2".to_vec())).await.unwrap();
    ana.step_up().await.unwrap();
    ana.client().admin_suspend_device(&bert.name, &device("bert-laptop")).await.unwrap();
    let machine = world.machine("bert-new").unwrap();
    let server = ana.client().profile().unwrap();
    let mut recovering = machine
        .client
        .recover(RecoverRequest {
            server: ServerLine { url: server.server, trust: server.trust },
            user: bert.name.clone(),
            device: device("bert-new"),
            label: None,
            lost: None,
            code: None,
            replace: false,
        })
        .unwrap();
    recovering.run(&NoBrowser).await.unwrap();
    let check = recovering.check_code().unwrap();
    for guardian in [&eve, &kim] {
        let id = guardian.client().ward_recoveries().await.unwrap()[0].id.clone();
        // Somebody else's machine is not the one on the phone.
        let wrong = guardian.client().vouch(&id, "0000-0000", &guardian.shell).await.err().unwrap();
        assert_eq!(wrong.code(), ErrorCode::CheckCodeWrong);
        // What is on the phone names it by itself.
        let none = guardian.client().ward_recovery_that_shows("0000-0000").await.err().unwrap();
        assert_eq!(none.code(), ErrorCode::NotFound);
        let shown = guardian.client().ward_recovery_that_shows(&check.to_lowercase()).await;
        assert_eq!(shown.unwrap().id, id);
        guardian.client().vouch(&id, &check, &guardian.shell).await.unwrap();
    }
    recovering.run(&NoBrowser).await.unwrap();
    recovering.finish().unwrap();
    let shell = PocketKey::new().unwrap();
    let new = Person { name: bert.name.clone(), machine, shell };
    new.register(Attachment::Roaming).await.unwrap();
    new.step_up().await.unwrap();
    let value = new.client().get_secret(&wifi, None).await.unwrap();
    assert_eq!(value.value.expose(), b"hunter2");
    let row = "SELECT COUNT(*) FROM audit_events WHERE action = 'complete-recovery'
               AND target LIKE '%guardian eve and guardian kim%'";
    assert_eq!(world.number(row).unwrap(), 1, "each proof is named");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_guardian_is_too_few_however_often_and_with_a_code_enough() {
    let Circle { world, bert, eve, .. } = circle().await;
    let codes = bert.client().make_recovery_codes(&bert.shell).await.unwrap().codes;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    for _ in 0..2 {
        let info = vouch(&eve, &bare, &id).await.unwrap();
        assert_eq!(info.state, RecoveryStateName::Unproved);
        assert!(
            info.proofs.is_empty(),
            "who else vouched, and what was shown, is not theirs to see"
        );
    }
    let refused = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
    bare.prove(&id, &codes[0]).await.unwrap();
    let next = RecoveryCode::generate(&SystemRandom);
    let done = bare.complete(&id, "bert-new", Some(&next)).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_dies_with_the_device_the_account_or_the_office_of_who_gave_it() {
    let Circle { mut world, ana, bert, eve, kim } = circle().await;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    vouch(&eve, &bare, &id).await.unwrap();
    vouch(&kim, &bare, &id).await.unwrap();
    let state = async || bare.show(&id).await.unwrap().state;
    assert_eq!(state().await, RecoveryStateName::Ready);
    // Somebody had Eve's laptop.
    ana.step_up().await.unwrap();
    ana.client().admin_suspend_device(&eve.name, &device("eve-laptop")).await.unwrap();
    assert_eq!(state().await, RecoveryStateName::Unproved);
    assert_eq!(vouch(&eve, &bare, &id).await.err(), Some(ErrorCode::DeviceSuspended));
    let refused = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
    ana.client().admin_resume_device(&eve.name, &device("eve-laptop")).await.unwrap();
    assert_eq!(state().await, RecoveryStateName::Ready);
    // Her account stands still.
    eve.client().freeze().await.unwrap();
    assert_eq!(state().await, RecoveryStateName::Unproved);
    ana.client().admin_unfreeze(&eve.name, &ana.shell).await.unwrap();
    assert_eq!(state().await, RecoveryStateName::Ready);
    // Bert no longer wants her; nor does what she said count when he does again.
    remove(&bert, &eve).await.unwrap();
    assert_eq!(state().await, RecoveryStateName::Unproved);
    assert_eq!(vouch(&eve, &bare, &id).await.err(), Some(ErrorCode::NotFound));
    name(&bert, &eve).await.unwrap();
    accept(&eve, &bert).await.unwrap();
    assert_eq!(state().await, RecoveryStateName::Unproved);
    // Kim steps down.
    kim.step_up().await.unwrap();
    kim.client().leave_ward(&bert.name).await.unwrap();
    world.pass(Seconds::hours(23)).await.unwrap();
    assert_eq!(state().await, RecoveryStateName::Unproved);
    let left = bert.client().guardians().await.unwrap();
    assert_eq!(left.iter().map(|info| info.guardian.as_str()).collect::<Vec<_>>(), ["eve"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guardian_learns_of_those_alone_who_chose_them_and_approves_exactly_one() {
    let Circle { world, ana, bert, eve, .. } = circle().await;
    let mia = world.invited(&ana, "mia").await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    let other = Bare::new(&world).unwrap();
    let foreign = other.begin("ana", "ana-new").await.unwrap().recovery_id;
    let second = Bare::new(&world).unwrap();
    let twin = second.begin("bert", "thief").await.unwrap().recovery_id;
    assert_eq!(eve.client().ward_recoveries().await.unwrap().len(), 2);
    for nobody in [&mia, &ana, &bert] {
        assert!(nobody.client().ward_recoveries().await.unwrap().is_empty());
        assert!(vouch(nobody, &bare, &id).await.is_err());
    }
    // Asked and not accepted, one sees nothing yet.
    name(&bert, &mia).await.unwrap();
    assert!(mia.client().ward_recoveries().await.unwrap().is_empty());
    let wards = mia.client().wards().await.unwrap();
    assert!(wards.len() == 1 && wards[0].accepted_at.is_none());

    let raw = Raw::of(&eve.machine).unwrap();
    let path = |id: &RecoveryId| paths::fill(paths::WARD_VOUCH, &[id.as_str()]);
    let weak = raw.session().await.unwrap().token;
    let strong = eve.client().step_up(None, None, &eve.shell).await.unwrap().token;
    let all = eve.client().ward_recoveries().await.unwrap();
    let info = all.iter().find(|info| info.id == twin).unwrap();
    let act = BoundActBody::VouchForRecovery {
        recovery: twin.clone(),
        user: bert.name.clone(),
        thumbprint: info.thumbprint.clone(),
    };
    let bound = eve.client().step_up(Some(act), None, &eve.shell).await.unwrap().token;
    for (token, code) in [
        (&weak, ErrorCode::StepUpRequired),
        (&strong, ErrorCode::StepUpRequired),
        (&bound, ErrorCode::StepUpForAnotherAct),
    ] {
        let refused = raw.send(Method::POST, &path(&id), Some(token), None).await.unwrap();
        assert_eq!(refused.code(), code);
        let hidden = raw.send(Method::POST, &path(&foreign), Some(token), None).await.unwrap();
        assert_eq!(hidden.code(), ErrorCode::NotFound);
    }
    // A touch for a recovery of somebody else is not even asked for.
    let act = BoundActBody::VouchForRecovery {
        recovery: foreign,
        user: ana.name.clone(),
        thumbprint: "x".to_owned(),
    };
    let refused = eve.client().step_up(Some(act), None, &eve.shell).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::NotFound);
    // The approval serves once.
    let done = raw.send(Method::POST, &path(&twin), Some(&bound), None).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
    let again = raw.send(Method::POST, &path(&twin), Some(&bound), None).await.unwrap();
    assert!(again.status >= 400);
    assert_eq!(bare.show(&id).await.unwrap().proofs.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_the_machine_and_key_for_an_hour_names_no_friends_to_come_back_with() {
    let mut world = World::configured(by_guardians).await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let eve = world.invited(&ana, "eve").await.unwrap();
    let kim = world.invited(&ana, "kim").await.unwrap();
    let early = Bare::new(&world).unwrap();
    let id = early.begin("bert", "early").await.unwrap().recovery_id;
    for friend in [&eve, &kim] {
        name(&bert, friend).await.unwrap();
        // Who has not accepted yet is sent to do that, and to no administrator's list.
        let check = early.check_code(&id);
        let refused = friend.client().vouch(&id, &check, &friend.shell).await.err().unwrap();
        assert!(refused.problem().detail.contains("wards accept"), "{refused}");
        accept(friend, &bert).await.unwrap();
    }
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "thief").await.unwrap().recovery_id;
    assert_eq!(vouch(&eve, &bare, &id).await.err(), Some(ErrorCode::Probation));
    // The owner hears of both, and sends them away.
    let told = "SELECT COUNT(*) FROM notices WHERE user_name = 'bert' AND kind = 'guardian-named'";
    assert_eq!(world.number(told).unwrap(), 2);
    world.pass(Seconds(24 * 3600 - 1)).await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "thief").await.unwrap().recovery_id;
    assert_eq!(vouch(&eve, &bare, &id).await.err(), Some(ErrorCode::Probation));
    world.clock.advance(Seconds(1));
    vouch(&eve, &bare, &id).await.unwrap();
    remove(&bert, &eve).await.unwrap();
    assert_eq!(bare.show(&id).await.unwrap().proofs.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_young_passkey_neither_names_nor_removes_and_each_takes_a_touch_for_that() {
    let Circle { world, bert, eve, .. } = circle().await;
    let strong = bert.client().step_up(None, None, &bert.shell).await.unwrap().token;
    let raw = Raw::of(&bert.machine).unwrap();
    let one = paths::fill(paths::GUARDIAN, &["eve"]);
    let body = json!({ "guardian": "ana" });
    let named = raw.send(Method::POST, paths::GUARDIANS, Some(&strong), Some(&body)).await.unwrap();
    let removed = raw.send(Method::DELETE, &one, Some(&strong), None).await.unwrap();
    for refused in [named, removed] {
        assert_eq!(refused.code(), ErrorCode::StepUpRequired);
    }
    world.clock.advance(Seconds::minutes(1));
    bert.register(Attachment::Platform).await.unwrap();
    let young = Some(Attachment::Platform);
    for act in [
        BoundActBody::NameGuardian { guardian: user("ana") },
        BoundActBody::RemoveGuardian { guardian: eve.name.clone() },
    ] {
        let refused = bert.client().step_up(Some(act), young, &bert.shell).await.err().unwrap();
        assert_eq!(refused.code(), ErrorCode::Probation);
    }
    assert_eq!(bert.client().guardians().await.unwrap().len(), 2);
    // A device alone accepts nothing, and nobody accepts who was not asked.
    eve.client().wards().await.unwrap();
    let weak = Raw::of(&eve.machine).unwrap();
    let token = weak.session().await.unwrap().token;
    let path = paths::fill(paths::WARD_ACCEPT, &["bert"]);
    let refused = weak.send(Method::POST, &path, Some(&token), None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::StepUpRequired);
    let mut bert = bert;
    bert.name = user("ana");
    assert_eq!(accept(&eve, &bert).await.err(), Some(ErrorCode::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_room_for_nine_others_of_the_tenant_and_the_list_is_paged() {
    let Circle { world, ana, bert, .. } = circle().await;
    let bert_name = user("bert");
    let own = bert.client().name_guardian(&bert_name, &bert.shell).await.err().unwrap();
    assert_eq!(own.code(), ErrorCode::InvalidField, "nobody vouches for themselves");
    let nobody = user("nobody");
    let missing = bert.client().name_guardian(&nobody, &bert.shell).await.err().unwrap();
    assert_eq!(missing.code(), ErrorCode::NotFound);
    for number in 0..7 {
        let friend = world.invited(&ana, &format!("friend-{number}")).await.unwrap();
        name(&bert, &friend).await.unwrap();
    }
    assert_eq!(name(&bert, &ana).await.err(), Some(ErrorCode::TooManyGuardians));
    let raw = Raw::of(&bert.machine).unwrap();
    let token = raw.session().await.unwrap().token;
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("{}?limit=4{after}", paths::GUARDIANS);
        let page = raw.send(Method::GET, &path, Some(&token), None).await.unwrap().body;
        for item in page["items"].as_array().unwrap() {
            seen.push(item["guardian"].as_str().unwrap().to_owned());
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 9);
    assert!(seen.is_sorted());
}

/// What keeps people from giving their word nobody can foresee: where there are rules, the last administrator does not leave
/// on it.
#[tokio::test(flavor = "multi_thread")]
async fn rules_keep_guardians_from_vouching_and_the_last_administrator_from_leaving() {
    let mut world = World::configured(by_guardians).await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let (eve, kim) = (world.invited(&ana, "eve").await, world.invited(&ana, "kim").await);
    for guardian in [eve.unwrap(), kim.unwrap()] {
        name(&ana, &guardian).await.unwrap();
        accept(&guardian, &ana).await.unwrap();
    }
    world.pass(Seconds::hours(25)).await.unwrap();
    let rule = "@id(\"x\") forbid (principal, action == Landfall::Action::\"list-ward-recoveries\", resource);";
    ana.client().admin_set_policy(rule, 0, &ana.shell).await.unwrap();
    let ready = ana.client().readiness().await.unwrap();
    assert_eq!(ready.standing, landfall_identity::recovery::Standing::OneLossAway, "{ready:?}");
    let refused = ana.client().suspend_device(&device("ana-desktop")).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::LastAdmin);
    ana.client().admin_set_policy("", 1, &ana.shell).await.unwrap();
    ana.client().suspend_device(&device("ana-desktop")).await.unwrap();
}
