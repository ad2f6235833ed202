//! Recovery codes: what is on paper leads all the way back in, and never somebody else.

use futures::future::join_all;
use landfall_client::words::{RecoveryCode, ServerLine, Trust};
use landfall_client::{AuditFilter, NewCodes, RecoverRequest, RecoveryProgress};
use landfall_crypto::SecretBytes;
use landfall_crypto::ambient::SystemRandom;
use landfall_identity::id::RecoveryId;
use landfall_identity::passkey::Attachment;
use landfall_identity::recovery::{
    BEGUN_PER_PLACE, BEGUN_WINDOW, CodeState, OPEN_PER_ACCOUNT, TRIES_MAX,
};
use landfall_identity::secret::SecretName;
use landfall_identity::{DeviceName, Reason, Seconds, UserName};
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::device::DeviceStateName;
use landfall_protocol::recovery::{NewRecoveryCode, Recovered, RecoveryStateName};
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::bare::{complete_body, prove_body, status};
use landfall_test_support::world::NoBrowser;
use landfall_test_support::{Bare, Person, PocketKey, Raw, World};
use reqwest::Method;
use serde_json::{Value, json};

fn device(name: &str) -> DeviceName {
    DeviceName::parse(name).unwrap()
}

fn reason() -> Reason {
    Reason::parse("called on the number that we have").unwrap()
}

fn new_code() -> RecoveryCode {
    RecoveryCode::generate(&SystemRandom)
}

/// What the server is told of a code.
fn told(code: &RecoveryCode) -> NewRecoveryCode {
    let auth_hash = code.auth().hash().to_string();
    NewRecoveryCode { name: code.name().unwrap(), auth_hash }
}

async fn codes_of(person: &Person) -> NewCodes {
    person.client().make_recovery_codes(&person.shell).await.unwrap()
}

/// Ana, who claims the server, and Bert, whom she invites and whose laptop she has cut off an hour ago:
/// nothing of his could object any more.
async fn bert_without_a_device(world: &mut World) -> (Person, Person, NewCodes) {
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let codes = codes_of(&bert).await;
    ana.step_up().await.unwrap();
    ana.client().admin_suspend_device(&bert.name, &device("bert-laptop")).await.unwrap();
    world.pass(Seconds::hours(1)).await.unwrap();
    (ana, bert, codes)
}

async fn approve(admin: &Person, bare: &Bare, id: &RecoveryId) {
    let check = bare.check_code(id);
    admin.client().admin_approve_recovery(id, &check, reason(), &admin.shell).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_and_an_admin_lead_to_secrets_on_a_new_machine_with_a_passkey() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let wifi = SecretName::parse("wifi").unwrap();
    bert.client().set_secret(&wifi, &SecretBytes::new(b"hunter2".to_vec())).await.unwrap();
    let NewCodes { codes, server } = codes_of(&bert).await;
    assert!(matches!(server.trust, Trust::Pin(_)), "a sheet needs no trust on first use");

    // The laptop is gone, and with it everything else. A bare machine, the sheet, and a phone.
    let machine = world.machine("bert-new").unwrap();
    let request = RecoverRequest {
        server: ServerLine::parse(&server.to_string()).unwrap(),
        user: bert.name.clone(),
        device: device("bert-new"),
        label: None,
        lost: Some(device("bert-laptop")),
        code: Some(RecoveryCode::parse(&codes[0].to_text()).unwrap()),
        replace: false,
    };
    let mut recovering = machine.client.recover(request).unwrap();
    let progress = recovering.run(&NoBrowser).await.unwrap();
    assert!(matches!(progress, RecoveryProgress::Waiting(_)), "a code alone is not enough");
    let check = recovering.check_code().unwrap();
    drop(recovering);

    let queue = ana.client().admin_recoveries().await.unwrap();
    assert_eq!(queue.len(), 1);
    let id = &queue[0].id;
    let wrong = ana.client().admin_approve_recovery(id, "0000-0000", reason(), &ana.shell).await;
    assert_eq!(wrong.err().unwrap().code(), ErrorCode::CheckCodeWrong);
    let held = ana.client().admin_approve_recovery(id, &check, reason(), &ana.shell).await.unwrap();
    assert_eq!(held.state, RecoveryStateName::Held, "the laptop could still object");
    ana.step_up().await.unwrap();
    ana.client().admin_suspend_device(&bert.name, &device("bert-laptop")).await.unwrap();
    world.pass(Seconds::hours(1)).await.unwrap();

    // The terminal was closed in between; the same machine goes on by itself.
    let mut recovering = machine.client.resume_recovery().unwrap().unwrap();
    let RecoveryProgress::Done(end) = recovering.run(&NoBrowser).await.unwrap() else {
        panic!("still waiting")
    };
    let successor = RecoveryCode::parse(end.successor.as_ref().unwrap()).unwrap();
    recovering.finish().unwrap();
    assert!(machine.client.resume_recovery().unwrap().is_none());

    let new = Person { name: bert.name.clone(), machine, shell: PocketKey::new().unwrap() };
    let read = new.client().get_secret(&wifi, None).await.unwrap();
    assert_eq!(read.value.expose(), b"hunter2");
    new.register(Attachment::Roaming).await.unwrap();
    new.step_up().await.unwrap();
    let devices = new.client().devices().await.unwrap();
    let lost = devices.iter().find(|info| info.name == device("bert-laptop")).unwrap();
    assert_eq!(lost.state, DeviceStateName::Suspended);
    // One is burnt and names its device; its successor has its place.
    let kept = new.client().recovery_codes().await.unwrap();
    let state = |code: &RecoveryCode| {
        kept.iter().find(|info| info.name == code.name().unwrap()).map(|info| info.state)
    };
    assert_eq!(state(&codes[0]), Some(CodeState::Used));
    assert_eq!(state(&successor), Some(CodeState::Live));
    assert_eq!(kept.iter().filter(|info| info.state == CodeState::Live).count(), 10);

    // The audit names each proof, in the row of the new device.
    let rows = new.client().audit(&AuditFilter::default()).await.unwrap().items;
    let row = rows.iter().find(|row| row.action == "complete-recovery").unwrap();
    for named in [codes[0].name().unwrap().as_str(), "admin ana", reason().as_str(), "bert-laptop"]
    {
        assert!(row.target.contains(named), "{named}: {}", row.target);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_alone_is_not_enough_and_burns_nothing() {
    let mut world = World::new().await.unwrap();
    let (_ana, _bert, NewCodes { codes, .. }) = bert_without_a_device(&mut world).await;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    assert_eq!(status(&bare.prove(&id, &codes[0]).await.unwrap()).unwrap().proofs.len(), 1);
    // Ten of them are no more than one: they lay in the same drawer.
    for code in &codes {
        let shown = status(&bare.prove(&id, code).await.unwrap()).unwrap();
        assert_eq!((shown.state, shown.proofs.len()), (RecoveryStateName::Unproved, 1));
    }
    let refused = bare.complete(&id, "bert-new", Some(&new_code())).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
    let live = "SELECT COUNT(*) FROM recovery_codes WHERE state = 'live'";
    assert_eq!(world.number(live).unwrap(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burnt_code_is_dead_and_its_successor_works() {
    let mut world = World::new().await.unwrap();
    let (ana, _bert, NewCodes { codes, .. }) = bert_without_a_device(&mut world).await;
    let next = new_code();
    let first = Bare::new(&world).unwrap();
    let id = first.begin("bert", "bert-new").await.unwrap().recovery_id;
    first.prove(&id, &codes[0]).await.unwrap();
    approve(&ana, &first, &id).await;
    // A used code never goes without a successor, and nothing was done without one.
    let refused = first.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::SuccessorMissing);
    let done = first.complete(&id, "bert-new", Some(&next)).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");

    let second = Bare::new(&world).unwrap();
    let id = second.begin("bert", "bert-newer").await.unwrap().recovery_id;
    let burnt = second.prove(&id, &codes[0]).await.unwrap();
    assert_eq!(burnt.code(), ErrorCode::RecoveryCodeUsed);
    assert!(burnt.body["detail"].as_str().unwrap().contains("bert-new"), "{burnt:?}");
    let shown = status(&second.prove(&id, &next).await.unwrap()).unwrap();
    assert_eq!(shown.proofs.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_codes_take_an_approval_of_exactly_these_and_kill_the_old_ones() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let old = codes_of(&ana).await.codes;
    // A proof that was given before counts no more afterwards, not even with everything else at hand.
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("ana", "ana-new").await.unwrap().recovery_id;
    assert_eq!(status(&bare.prove(&id, &old[0]).await.unwrap()).unwrap().proofs.len(), 1);

    let raw = Raw::of(&ana.machine).unwrap();
    let codes: Vec<NewRecoveryCode> = (0..10).map(|_| told(&new_code())).collect();
    let body = json!({ "codes": codes });
    let weak = raw.session().await.unwrap().token;
    let strong = ana.client().step_up(None, None, &ana.shell).await.unwrap().token;
    for token in [&weak, &strong] {
        let refused = raw.send(Method::POST, paths::RECOVERY_CODES, Some(token), Some(&body)).await;
        assert_eq!(refused.unwrap().code(), ErrorCode::StepUpRequired);
    }
    let act = BoundActBody::MakeRecoveryCodes { codes_hash: "of other codes".to_owned() };
    let bound = ana.client().step_up(Some(act), None, &ana.shell).await.unwrap().token;
    let refused =
        raw.send(Method::POST, paths::RECOVERY_CODES, Some(&bound), Some(&body)).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::StepUpForAnotherAct);
    assert_eq!(bare.show(&id).await.unwrap().proofs.len(), 1, "nothing was replaced yet");

    let new = codes_of(&ana).await.codes;
    assert_eq!(bare.show(&id).await.unwrap().proofs.len(), 0);
    let dead = bare.prove(&id, &old[1]).await.unwrap();
    assert_eq!(dead.code(), ErrorCode::RecoveryCodeReplaced);
    assert_eq!(status(&bare.prove(&id, &new[1]).await.unwrap()).unwrap().proofs.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_young_passkey_replaces_no_older_codes() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    codes_of(&ana).await;
    world.clock.advance(Seconds::minutes(1));
    // A passkey that somebody got added does not get the paper out of the drawer.
    ana.register(Attachment::Platform).await.unwrap();
    let act = BoundActBody::MakeRecoveryCodes { codes_hash: "of whichever codes".to_owned() };
    let young = Some(Attachment::Platform);
    let refused = ana.client().step_up(Some(act), young, &ana.shell).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::Probation, "said before anybody touches for it");
    let kept = ana.client().recovery_codes().await.unwrap();
    assert!(kept.iter().all(|info| info.state == CodeState::Live));
    // The one that was there before them does.
    codes_of(&ana).await;
    assert_eq!(ana.client().recovery_codes().await.unwrap().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_is_taken_twice() {
    let mut world = World::new().await.unwrap();
    let (ana, _bert, NewCodes { codes, .. }) = bert_without_a_device(&mut world).await;
    let bare = Bare::new(&world).unwrap();
    let replayed = async |message| {
        let first = bare.send(&message).await.unwrap();
        assert_eq!(first.status, 200, "{first:?}");
        let again = bare.send(&message).await.unwrap();
        assert_eq!(again.code(), ErrorCode::SignatureInvalid, "taken twice");
        first
    };
    let body = bare.begin_body("bert", "bert-new").unwrap();
    let begun = replayed(bare.message(paths::RECOVERY_BEGIN, &body).unwrap()).await;
    let id = status(&begun).unwrap().recovery_id;
    replayed(bare.message(paths::RECOVERY_SHOW, &json!({ "recovery_id": id })).unwrap()).await;
    let body = prove_body(&id, &codes[0]).unwrap();
    replayed(bare.message(paths::RECOVERY_PROVE, &body).unwrap()).await;
    approve(&ana, &bare, &id).await;
    let body = complete_body(&id, "bert-new", Some(&new_code())).unwrap();
    let done = replayed(bare.message(paths::RECOVERY_COMPLETE, &body).unwrap()).await;
    // Whoever signs anew is the same machine: it is answered with the same certificate, for a while.
    let done: Recovered = serde_json::from_value(done.body).unwrap();
    let again = bare.complete(&id, "bert-new", None).await.unwrap();
    let again: Recovered = serde_json::from_value(again.body).unwrap();
    assert_eq!(again.issued.certificate_chain, done.issued.certificate_chain);
    world.clock.advance(Seconds::minutes(10));
    let late = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(late.code(), ErrorCode::RecoveryOver);
    let devices = "SELECT COUNT(*) FROM enrollments WHERE device = 'bert-new'";
    assert_eq!(world.number(devices).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_racers_with_one_code_make_one_device() {
    const RACERS: u32 = 64;
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    world.pass(Seconds::hours(24)).await.unwrap();
    let code = codes_of(&eve).await.codes.swap_remove(0);
    // An administrator needs the code besides one approval, so the code is what they race for.
    ana.step_up().await.unwrap();
    ana.client().admin_suspend_device(&eve.name, &device("eve-laptop")).await.unwrap();
    world.pass(BEGUN_WINDOW).await.unwrap();
    let mut racers = Vec::new();
    for number in 0..RACERS {
        if number > 0 && number % BEGUN_PER_PLACE == 0 {
            world.pass(BEGUN_WINDOW).await.unwrap();
        }
        let bare = Bare::new(&world).unwrap();
        let name = format!("eve-{number}");
        let id = bare.begin("eve", &name).await.unwrap().recovery_id;
        let shown = status(&bare.prove(&id, &code).await.unwrap()).unwrap();
        assert_eq!(shown.state, RecoveryStateName::Unproved);
        approve(&ana, &bare, &id).await;
        racers.push((bare, id, name));
    }
    let race = racers
        .iter()
        .map(async |(bare, id, name)| bare.complete(id, name, Some(&new_code())).await.unwrap());
    let answers = join_all(race).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for lost in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(lost.code(), ErrorCode::RecoveryUnproved, "{lost:?}");
    }
    let devices = "SELECT COUNT(*) FROM enrollments WHERE user_name = 'eve'";
    assert_eq!(world.number(devices).unwrap(), 2);
    let live = "SELECT COUNT(*) FROM recovery_codes WHERE state = 'live'";
    assert_eq!(world.number(live).unwrap(), 10, "one was burnt, and one took its place");
}

/// What differs by chance or time is taken out of an answer.
fn plain(mut body: Value) -> Value {
    for field in ["recovery_id", "request_id", "expires_at", "server_time"] {
        body.as_object_mut().unwrap().remove(field);
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_who_exists_or_has_codes() {
    let mut world = World::new().await.unwrap();
    let (_ana, _bert, _codes) = bert_without_a_device(&mut world).await;
    let mut seen = Vec::new();
    // With codes and no device; with a device and no codes, an administrator; nobody at all.
    for user in ["bert", "ana", "nobody"] {
        let bare = Bare::new(&world).unwrap();
        let body = bare.begin_body(user, "new").unwrap();
        let begun = bare.post(paths::RECOVERY_BEGIN, &body).await.unwrap();
        let id = status(&begun).unwrap().recovery_id;
        let wrong = bare.prove(&id, &new_code()).await.unwrap();
        let show = bare.post(paths::RECOVERY_SHOW, &json!({ "recovery_id": id })).await.unwrap();
        let refused = bare.complete(&id, "new", Some(&new_code())).await.unwrap();
        let answers = [begun, wrong, show, refused];
        seen.push(answers.map(|answer| (answer.status, plain(answer.body))));
    }
    assert_eq!(seen[0][1].1["code"], "recovery-code-wrong");
    assert_eq!(seen[0], seen[2], "with codes, and nobody");
    assert_eq!(seen[1], seen[2], "without codes, and nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thief_with_the_code_and_another_key_gets_nothing() {
    let mut world = World::new().await.unwrap();
    let (ana, _bert, NewCodes { codes, .. }) = bert_without_a_device(&mut world).await;
    let owner = Bare::new(&world).unwrap();
    let id = owner.begin("bert", "bert-new").await.unwrap().recovery_id;
    owner.prove(&id, &codes[0]).await.unwrap();
    approve(&ana, &owner, &id).await;
    // Everything is proved, and the thief has seen all of it: but not the key.
    let thief = Bare::new(&world).unwrap();
    for answer in [
        thief.complete(&id, "bert-new", Some(&new_code())).await.unwrap(),
        thief.prove(&id, &codes[0]).await.unwrap(),
        thief.post(paths::RECOVERY_SHOW, &json!({ "recovery_id": id })).await.unwrap(),
    ] {
        assert_eq!(answer.code(), ErrorCode::SignatureInvalid);
    }
    // With a recovery of their own, the same code and the same name, an approval is still missing.
    let own = thief.begin("bert", "bert-new").await.unwrap().recovery_id;
    assert_ne!(own, id);
    let shown = status(&thief.prove(&own, &codes[0]).await.unwrap()).unwrap();
    assert_eq!(shown.state, RecoveryStateName::Unproved);
    let done = owner.complete(&id, "bert-new", Some(&new_code())).await.unwrap();
    assert_eq!(done.status, 200);
    assert!(thief.show(&own).await.unwrap().proofs.is_empty(), "the code was burnt meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_forgets_neither_limits_nor_what_was_proved() {
    let mut world = World::new().await.unwrap();
    let (ana, _bert, NewCodes { codes, .. }) = bert_without_a_device(&mut world).await;
    let honest = Bare::new(&world).unwrap();
    let id = honest.begin("bert", "bert-new").await.unwrap().recovery_id;
    honest.prove(&id, &codes[0]).await.unwrap();
    approve(&ana, &honest, &id).await;
    // Somebody at the same address guesses, and then begins as often as they may.
    let guesser = Bare::new(&world).unwrap();
    let guess = guesser.begin("bert", "x").await.unwrap().recovery_id;
    for _ in 0..TRIES_MAX {
        let wrong = guesser.prove(&guess, &new_code()).await.unwrap();
        assert_eq!(wrong.code(), ErrorCode::RecoveryCodeWrong);
    }
    for _ in 2..BEGUN_PER_PLACE {
        Bare::new(&world).unwrap().begin("bert", "x").await.unwrap();
    }
    for restarted in [false, true] {
        if restarted {
            world.restart().await.unwrap();
        }
        // Not even the right code: this recovery takes no more.
        let over = guesser.prove(&guess, &codes[0]).await.unwrap();
        assert_eq!(over.code(), ErrorCode::RecoveryOver, "restarted: {restarted}");
        let bare = Bare::new(&world).unwrap();
        let body = bare.begin_body("bert", "x").unwrap();
        let refused = bare.post(paths::RECOVERY_BEGIN, &body).await.unwrap();
        assert_eq!(refused.code(), ErrorCode::RateLimited, "restarted: {restarted}");
        // It is not their doing, and there is a way.
        for said in ["Too many tries from this network", "your phone's, works at once", "3600"] {
            assert!(refused.body.to_string().contains(said), "{said}: {}", refused.body);
        }
    }
    // Whoever was under way before is let in all the same, and the account was never locked.
    let again = honest.begin("bert", "bert-new").await.unwrap();
    assert_eq!((again.recovery_id, again.state), (id.clone(), RecoveryStateName::Ready));
    let done = honest.complete(&id, "bert-new", Some(&new_code())).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_from_a_few_places_pushes_out_its_own_and_not_the_owners() {
    let mut world = World::new().await.unwrap();
    let (ana, _bert, _codes) = bert_without_a_device(&mut world).await;
    let owner = Bare::new(&world).unwrap();
    // Without a code: nothing is proved until an administrator has them on the phone.
    let id = owner.begin("bert", "bert-new").await.unwrap().recovery_id;
    let move_to = |place: &str| {
        let sql = "UPDATE recoveries SET place = ?1 WHERE place = '127.0.0.1'";
        world.database().unwrap().execute(sql, [place]).unwrap();
    };
    move_to("192.0.2.1");
    for number in 0..=OPEN_PER_ACCOUNT / BEGUN_PER_PLACE {
        let place = &format!("198.51.100.{number}");
        world.clock.advance(Seconds(1));
        for _ in 0..BEGUN_PER_PLACE {
            Bare::new(&world).unwrap().begin("bert", "x").await.unwrap();
        }
        move_to(place);
    }
    let open = "SELECT COUNT(*) FROM recoveries WHERE user_name = 'bert' AND expires_at >
                (SELECT MAX(begun_at) FROM recoveries)";
    assert_eq!(world.number(open).unwrap(), i64::from(OPEN_PER_ACCOUNT));
    approve(&ana, &owner, &id).await;
    let done = owner.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_codes_are_nowhere_on_the_servers_disk() {
    let mut world = World::new().await.unwrap();
    let (_ana, _bert, NewCodes { codes, .. }) = bert_without_a_device(&mut world).await;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    bare.prove(&id, &codes[0]).await.unwrap();
    world.restart().await.unwrap();
    let text = codes[0].to_text().to_string();
    let (auth, hash) = (codes[0].auth().to_text(), *codes[0].auth().hash().as_bytes());
    let planted: [&[u8]; 4] =
        [text.as_bytes(), &text.as_bytes()[..9], auth.as_bytes(), hash.as_slice()];
    for entry in std::fs::read_dir(world.data_dir()).unwrap().flatten() {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        for secret in planted {
            let found = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!found, "{:?}", entry.path());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_has_an_identity_keeps_it_and_a_taken_name_is_changed() {
    let mut world = World::new().await.unwrap();
    let (ana, bert, NewCodes { codes, server }) = bert_without_a_device(&mut world).await;
    let request = |name: &str| RecoverRequest {
        server: server.clone(),
        user: UserName::parse("bert").unwrap(),
        device: device(name),
        label: None,
        lost: None,
        code: Some(codes[0].clone()),
        replace: false,
    };
    let refused = ana.client().recover(request("x")).err().unwrap();
    assert_eq!(refused.code(), ErrorCode::ProfileExists);
    let machine = world.machine("bert-new").unwrap();
    let mut recovering = machine.client.recover(request("bert-laptop")).unwrap();
    // Said as soon as a code was shown, and not when somebody was called and everything is done.
    let taken = recovering.run(&NoBrowser).await.err().unwrap();
    assert_eq!(taken.code(), ErrorCode::DeviceNameTaken);
    recovering.rename(device("bert-new"));
    let waits = recovering.run(&NoBrowser).await.unwrap();
    assert!(matches!(waits, RecoveryProgress::Waiting(_)));
    let queue = ana.client().admin_recoveries().await.unwrap();
    let check = recovering.check_code().unwrap();
    let id = &queue[0].id;
    ana.client().admin_approve_recovery(id, &check, reason(), &ana.shell).await.unwrap();
    let done = recovering.run(&NoBrowser).await.unwrap();
    assert!(matches!(done, RecoveryProgress::Done(_)));
    assert_eq!(machine.client.whoami().await.unwrap().device.name, device("bert-new"));
    assert!(bert.client().devices().await.is_err(), "the laptop stays cut off");
}
