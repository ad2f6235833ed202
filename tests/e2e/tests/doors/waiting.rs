//! The waiting period: for somebody who has lost the only key, against everybody else, and never unheard.

use landfall_client::words::{RecoveryCode, ServerLine};
use landfall_client::{NewCodes, RecoverRequest, Recovering, RecoveryProgress};
use landfall_crypto::SecretBytes;
use landfall_crypto::ambient::SystemRandom;
use landfall_identity::id::RecoveryId;
use landfall_identity::passkey::Attachment;
use landfall_identity::secret::SecretName;
use landfall_identity::{DeviceName, MailAddress, Reason, Seconds};
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::recovery::{RecoveryStateName, RecoveryStatus};
use landfall_protocol::{ErrorCode, paths};
use landfall_server::Config;
use landfall_server::config::SmtpUrl;
use landfall_test_support::bare::status;
use landfall_test_support::world::NoBrowser;
use landfall_test_support::{Bare, Person, PocketKey, Protection, Raw, SmtpServer, World};
use reqwest::Method;
use serde_json::json;
use std::path::Path;

/// The legs of three days: to half, to the last day, to the end.
const LEGS: [u64; 3] = [36, 12, 24];

fn three_days(config: &mut Config, _: &Path) -> anyhow::Result<()> {
    config.recovery_waiting_days = Some(3);
    Ok(())
}

fn device(name: &str) -> DeviceName {
    DeviceName::parse(name).unwrap()
}

fn new_code() -> RecoveryCode {
    RecoveryCode::generate(&SystemRandom)
}

async fn codes_of(person: &Person) -> NewCodes {
    person.client().make_recovery_codes(&person.shell).await.unwrap()
}

/// Ana, who claims the server; Bert with his laptop, ten codes and the wish to wait.
async fn ana_and_bert(world: &World) -> (Person, Person, NewCodes) {
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let codes = codes_of(&bert).await;
    let allowed = bert.client().set_waiting(true, &bert.shell).await.unwrap();
    assert!(allowed.days == Some(3) && allowed.allowed_at.is_some());
    (ana, bert, codes)
}

/// Somebody's device looks at what happened.
async fn look(person: &Person) {
    person.client().notices(20, None).await.unwrap();
}

async fn ask_for_wait(bare: &Bare, id: &RecoveryId) -> Result<RecoveryStatus, ErrorCode> {
    let answer = bare.post(paths::RECOVERY_WAIT, &json!({ "recovery_id": id })).await.unwrap();
    if answer.status == 200 { Ok(status(&answer).unwrap()) } else { Err(answer.code()) }
}

/// A machine that has shown a code of Bert's and waits.
async fn waiting(world: &World, name: &str, code: &RecoveryCode) -> (Bare, RecoveryId) {
    let bare = Bare::new(world).unwrap();
    let id = bare.begin("bert", name).await.unwrap().recovery_id;
    let shown = status(&bare.prove(&id, code).await.unwrap()).unwrap();
    assert_eq!((shown.state, shown.may_wait_days), (RecoveryStateName::Unproved, Some(3)));
    ask_for_wait(&bare, &id).await.unwrap();
    (bare, id)
}

fn count(world: &World, kind: &str) -> i64 {
    world.number(&format!("SELECT COUNT(*) FROM notices WHERE kind = '{kind}'")).unwrap()
}

/// Lets both first legs pass, with somebody who looks at each notice; then the last begins.
async fn to_the_last_day(world: &mut World, looks: &Person) {
    look(looks).await;
    for (hours, kind) in LEGS.into_iter().zip(["wait-half", "wait-ends"]) {
        let before = count(world, kind);
        world.pass(Seconds(hours * 3600 - 1)).await.unwrap();
        assert_eq!(count(world, kind), before, "a second too soon");
        world.clock.advance(Seconds(1));
        world.until(kind, |world| count(world, kind) > before).await;
        look(looks).await;
    }
}

async fn run(recovering: &mut Recovering) -> RecoveryStatus {
    match recovering.run(&NoBrowser).await.unwrap() {
        RecoveryProgress::Waiting(status) => status,
        RecoveryProgress::Done(_) => panic!("it is done"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_and_three_days_without_a_no_lead_to_secrets_and_a_passkey_of_its_own() {
    let mut world = World::configured(three_days).await.unwrap();
    let (_ana, bert, codes) = ana_and_bert(&world).await;
    let wifi = SecretName::parse("wifi").unwrap();
    bert.client().set_secret(&wifi, &SecretBytes::new(b"hunter2".to_vec())).await.unwrap();
    // The key is lost; the laptop still lies on the table.
    let machine = world.machine("bert-new").unwrap();
    let server = ServerLine { url: codes.server.url.clone(), trust: codes.server.trust };
    let mut recovering = machine
        .client
        .recover(RecoverRequest {
            server,
            user: bert.name.clone(),
            device: device("bert-new"),
            label: None,
            lost: None,
            code: Some(codes.codes[0].clone()),
            replace: false,
        })
        .unwrap();
    recovering.ask_to_wait();
    assert_eq!(run(&mut recovering).await.state, RecoveryStateName::Unheard);
    assert_eq!(count(&world, "wait-begun"), 1);
    look(&bert).await;
    let held = run(&mut recovering).await;
    let until = held.held_until.unwrap().0;
    assert_eq!(until, world.ambient.now() + Seconds::days(3));
    assert_eq!((held.wait_passed_seconds, held.wait_left_seconds), (Some(0), Some(3 * 86_400)));
    to_the_last_day(&mut world, &bert).await;
    world.pass(Seconds(24 * 3600 - 1)).await.unwrap();
    assert_eq!(run(&mut recovering).await.state, RecoveryStateName::Held);
    world.clock.advance(Seconds(1));
    let done = recovering.run(&NoBrowser).await.unwrap();
    assert!(matches!(done, RecoveryProgress::Done(_)));
    recovering.finish().unwrap();
    let shell = PocketKey::new().unwrap();
    let new = Person { name: bert.name.clone(), machine, shell };
    new.register(Attachment::Roaming).await.unwrap();
    new.step_up().await.unwrap();
    let value = new.client().get_secret(&wifi, None).await.unwrap();
    assert_eq!(value.value.expose(), b"hunter2");
    let burnt = "SELECT COUNT(*) FROM recovery_codes WHERE state = 'used'";
    assert_eq!(world.number(burnt).unwrap(), 1);
    let legs = "SELECT COUNT(*) FROM audit_events WHERE action = 'wait-goes-on'";
    assert_eq!(world.number(legs).unwrap(), 2);
    let named = "SELECT COUNT(*) FROM audit_events WHERE action = 'complete-recovery'
                 AND target LIKE '% by recovery code % and a wait of 3 days %'";
    assert_eq!(world.number(named).unwrap(), 1, "what stood in for the second proof");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_nobody_hears_of_does_not_move_and_a_laptop_that_slept_hears_in_time() {
    let mut world = World::configured(three_days).await.unwrap();
    let (_ana, bert, codes) = ana_and_bert(&world).await;
    let (bare, id) = waiting(&world, "thief", &codes.codes[0]).await;
    // Past the day that other recoveries have, and past the three that were asked for.
    world.pass(Seconds::days(9)).await.unwrap();
    assert_eq!(bare.show(&id).await.unwrap().state, RecoveryStateName::Unheard);
    let refused = bare.complete(&id, "thief", Some(&new_code())).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnheard);
    // Bert opens his laptop: its certificate ran out long ago and heals by itself.
    look(&bert).await;
    let held = bare.show(&id).await.unwrap();
    assert_eq!(held.state, RecoveryStateName::Held);
    assert_eq!(held.held_until.unwrap().0, world.ambient.now() + Seconds::days(3));
    // He closes it again. Half of the time goes by, and no more of it.
    world.pass(Seconds::days(5)).await.unwrap();
    world.until("half", |world| count(world, "wait-half") == 1).await;
    let half = bare.show(&id).await.unwrap();
    assert_eq!(half.state, RecoveryStateName::Unheard);
    let hours = |hours: u64| Some(hours * 3600);
    assert_eq!((half.wait_passed_seconds, half.wait_left_seconds), (hours(36), hours(36)));
    bert.step_up().await.unwrap();
    let stopped = bert.client().stop_recovery(&id).await.unwrap();
    assert_eq!(stopped.state, RecoveryStateName::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_was_taken_counts_as_heard() {
    let smtp = SmtpServer::start(Protection::Plain).await.unwrap();
    let url = format!("smtp://localhost:{}", smtp.address.port());
    let edit = move |config: &mut Config, _: &Path| {
        config.recovery_waiting_days = Some(3);
        config.smtp_url = Some(SmtpUrl::parse(&url)?);
        config.smtp_from = Some(MailAddress::parse("landfall@id.example.org")?);
        Ok(())
    };
    let mut world = World::configured(edit).await.unwrap();
    let (ana, bert, codes) = ana_and_bert(&world).await;
    let address = MailAddress::parse("bert@example.org").unwrap();
    bert.step_up().await.unwrap();
    let added = bert.client().add_address(&address).await.unwrap();
    world.until("the code", |_| !smtp.mails_to("bert@example.org").is_empty()).await;
    let text = smtp.mails_to("bert@example.org")[0].text().unwrap();
    let line = text.lines().find(|line| line.contains("landfall notices confirm ")).unwrap();
    let code = line.rsplit(' ').next().unwrap();
    bert.client().confirm_address(&added.id, code).await.unwrap();
    // No device of his works any more: the mailbox is all there is.
    ana.step_up().await.unwrap();
    ana.client().admin_suspend_device(&bert.name, &device("bert-laptop")).await.unwrap();
    let mailed = |subject: &str| {
        let ends = |mail: &landfall_test_support::Mail| {
            mail.field("Subject").is_some_and(|it| it.ends_with(subject))
        };
        smtp.mails_to("bert@example.org").into_iter().find(ends)
    };
    let (bare, id) = waiting(&world, "bert-new", &codes.codes[0]).await;
    let heard = "SELECT COUNT(*) FROM recovery_waits WHERE leg_ends_at IS NOT NULL";
    world.until("the mail", |world| world.number(heard).unwrap() == 1).await;
    let mail = mailed("Waiting to be let in: bert-new").unwrap().text().unwrap();
    assert!(mail.contains("after 3 days it is, unless you say no"), "{mail}");
    assert!(mail.contains("landfall recovery stop ID"), "{mail}");
    for (hours, subject) in [
        (LEGS[0], "Still waiting to be let in: bert-new"),
        (LEGS[1], "Let in within a day: bert-new"),
    ] {
        world.pass(Seconds::hours(hours)).await.unwrap();
        world.until(subject, |_| mailed(subject).is_some()).await;
        world.until("heard", |world| world.number(heard).unwrap() == 1).await;
    }
    world.pass(Seconds::hours(LEGS[2])).await.unwrap();
    let done = bare.complete(&id, "bert-new", Some(&new_code())).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_wait_never_come_in_by_time_and_an_administrator_decides() {
    let mut world = World::configured(three_days).await.unwrap();
    let (ana, bert, codes) = ana_and_bert(&world).await;
    let (owner, theirs) = waiting(&world, "bert-new", &codes.codes[0]).await;
    look(&bert).await;
    world.pass(Seconds::hours(30)).await.unwrap();
    let (thief, other) = waiting(&world, "thief", &codes.codes[1]).await;
    assert_eq!(count(&world, "wait-contested"), 2);
    look(&bert).await;
    world.pass(Seconds::days(4)).await.unwrap();
    for (bare, id) in [(&owner, &theirs), (&thief, &other)] {
        assert_eq!(bare.show(id).await.unwrap().state, RecoveryStateName::Contested);
        let refused = bare.complete(id, "x", Some(&new_code())).await.unwrap();
        assert_eq!(refused.code(), ErrorCode::RecoveryContested);
        // Asked again, it stays what it is.
        assert_eq!(ask_for_wait(bare, id).await.unwrap().state, RecoveryStateName::Contested);
    }
    ana.step_up().await.unwrap();
    ana.client().admin_refuse_recovery(&other).await.unwrap();
    assert_eq!(owner.show(&theirs).await.unwrap().state, RecoveryStateName::Contested);
    let reason = Reason::parse("he sat in front of me").unwrap();
    let check = owner.check_code(&theirs);
    ana.client().admin_approve_recovery(&theirs, &check, reason, &ana.shell).await.unwrap();
    // As always with an approval while a device could object.
    assert_eq!(owner.show(&theirs).await.unwrap().state, RecoveryStateName::Held);
    world.pass(Seconds::hours(1)).await.unwrap();
    let done = owner.complete(&theirs, "bert-new", Some(&new_code())).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_takes_a_person_and_ends_it_up_to_the_last_second() {
    let mut world = World::configured(three_days).await.unwrap();
    let (ana, bert, codes) = ana_and_bert(&world).await;
    let (bare, id) = waiting(&world, "thief", &codes.codes[0]).await;
    to_the_last_day(&mut world, &bert).await;
    world.pass(Seconds(24 * 3600 - 1)).await.unwrap();
    // A laptop alone, or one that is cut off, says nothing: a stolen one would, for ever.
    let refused = bert.client().stop_recovery(&id).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::StepUpRequired);
    bert.step_up().await.unwrap();
    ana.step_up().await.unwrap();
    ana.client().admin_suspend_device(&bert.name, &device("bert-laptop")).await.unwrap();
    let refused = bert.client().stop_recovery(&id).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::DeviceSuspended);
    ana.client().admin_resume_device(&bert.name, &device("bert-laptop")).await.unwrap();
    bert.step_up().await.unwrap();
    let stopped = bert.client().stop_recovery(&id).await.unwrap();
    assert_eq!(stopped.state, RecoveryStateName::Stopped);
    world.clock.advance(Seconds(1));
    let over = bare.complete(&id, "thief", Some(&new_code())).await.unwrap();
    assert_eq!(over.code(), ErrorCode::RecoveryStopped);
    assert_eq!(count(&world, "recovery-stopped"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_very_end_either_the_no_or_the_machine_wins() {
    let mut world = World::configured(three_days).await.unwrap();
    let (_ana, bert, codes) = ana_and_bert(&world).await;
    let (bare, id) = waiting(&world, "bert-new", &codes.codes[0]).await;
    to_the_last_day(&mut world, &bert).await;
    world.pass(Seconds::hours(LEGS[2])).await.unwrap();
    bert.step_up().await.unwrap();
    let next = new_code();
    let (done, stopped) =
        tokio::join!(bare.complete(&id, "bert-new", Some(&next)), bert.client().stop_recovery(&id));
    let done = done.unwrap();
    match stopped {
        Ok(_) => assert_eq!(done.code(), ErrorCode::RecoveryStopped),
        Err(failure) => {
            assert_eq!((failure.code(), done.status), (ErrorCode::RecoveryOver, 200));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_no_of_a_day_is_for_administrators() {
    let mut world = World::configured(three_days).await.unwrap();
    let (_ana, bert, codes) = ana_and_bert(&world).await;
    let said = async |id: &RecoveryId| {
        bert.step_up().await.unwrap();
        bert.client().stop_recovery(id).await.unwrap().state
    };
    let (_, first) = waiting(&world, "n1", &codes.codes[0]).await;
    assert_eq!(said(&first).await, RecoveryStateName::Stopped);
    world.pass(Seconds::hours(23)).await.unwrap();
    let (bare, second) = waiting(&world, "n2", &codes.codes[0]).await;
    look(&bert).await;
    for _ in 0..2 {
        assert_eq!(said(&second).await, RecoveryStateName::Contested);
    }
    assert_eq!(count(&world, "wait-contested"), 1);
    world.pass(Seconds::days(4)).await.unwrap();
    let refused = bare.complete(&second, "n2", Some(&new_code())).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryContested);
    // On another day it is one no again.
    assert_eq!(said(&second).await, RecoveryStateName::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_whom_operator_and_user_do_not_let() {
    let mut world = World::new().await.unwrap();
    let (_ana, bert) = {
        let ana = world.admin("ana").await.unwrap();
        let bert = world.invited(&ana, "bert").await.unwrap();
        (ana, bert)
    };
    let codes = codes_of(&bert).await;
    let refused = async |world: &World, user: &str| {
        let bare = Bare::new(world).unwrap();
        let id = bare.begin(user, "new").await.unwrap().recovery_id;
        let _ = bare.prove(&id, &codes.codes[0]).await.unwrap();
        let shown = bare.show(&id).await.unwrap();
        assert_eq!(shown.may_wait_days, None);
        ask_for_wait(&bare, &id).await.err()
    };
    bert.client().set_waiting(true, &bert.shell).await.unwrap();
    let none = Some(ErrorCode::RecoveryUnproved);
    assert_eq!(refused(&world, "bert").await, none, "the operator does not");
    bert.client().set_waiting(false, &bert.shell).await.unwrap();
    world.restart_with(three_days).await.unwrap();
    assert_eq!(refused(&world, "bert").await, none, "Bert does not");
    assert_eq!(refused(&world, "nobody").await, none, "there is nobody");
    bert.client().set_waiting(true, &bert.shell).await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "new").await.unwrap().recovery_id;
    assert_eq!(ask_for_wait(&bare, &id).await.err(), none, "nothing was shown");

    // Taken back while somebody waits, it is over, also when it is allowed again.
    let (bare, id) = waiting(&world, "bert-new", &codes.codes[0]).await;
    look(&bert).await;
    bert.client().set_waiting(false, &bert.shell).await.unwrap();
    assert_eq!(bare.show(&id).await.unwrap().state, RecoveryStateName::Unproved);
    bert.client().set_waiting(true, &bert.shell).await.unwrap();
    world.pass(Seconds::days(4)).await.unwrap();
    let refused = bare.complete(&id, "bert-new", Some(&new_code())).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
}

#[tokio::test(flavor = "multi_thread")]
async fn allowing_it_takes_a_touch_for_that_and_a_passkey_that_is_not_new() {
    let world = World::configured(three_days).await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let raw = Raw::of(&ana.machine).unwrap();
    let weak = raw.session().await.unwrap().token;
    let strong = ana.client().step_up(None, None, &ana.shell).await.unwrap().token;
    let off = BoundActBody::SetWaiting { allowed: false };
    let other = ana.client().step_up(Some(off), None, &ana.shell).await.unwrap().token;
    for (token, code) in [
        (&weak, ErrorCode::StepUpRequired),
        (&strong, ErrorCode::StepUpRequired),
        (&other, ErrorCode::StepUpForAnotherAct),
    ] {
        let refused = raw.send(Method::POST, paths::WAITING, Some(token), None).await.unwrap();
        assert_eq!(refused.code(), code);
    }
    world.clock.advance(Seconds::minutes(1));
    // A passkey that somebody got added opens no further way in.
    ana.register(Attachment::Platform).await.unwrap();
    let act = BoundActBody::SetWaiting { allowed: true };
    let young = Some(Attachment::Platform);
    let refused = ana.client().step_up(Some(act), young, &ana.shell).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::Probation);
    assert_eq!(ana.client().waiting().await.unwrap().allowed_at, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_belongs_to_its_key_and_each_message_is_taken_once() {
    let world = World::configured(three_days).await.unwrap();
    let (_ana, _bert, codes) = ana_and_bert(&world).await;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    bare.prove(&id, &codes.codes[0]).await.unwrap();
    let thief = Bare::new(&world).unwrap();
    assert_eq!(ask_for_wait(&thief, &id).await.err(), Some(ErrorCode::SignatureInvalid));
    let body = json!({ "recovery_id": id });
    let message = bare.message(paths::RECOVERY_WAIT, &body).unwrap();
    assert_eq!(bare.send(&message).await.unwrap().status, 200);
    assert_eq!(bare.send(&message).await.unwrap().code(), ErrorCode::SignatureInvalid);
    assert_eq!(count(&world, "wait-begun"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_ends_no_wait_until_it_is_confirmed() {
    let mut world = World::configured(three_days).await.unwrap();
    let (_ana, bert, codes) = ana_and_bert(&world).await;
    let (bare, id) = waiting(&world, "thief", &codes.codes[0]).await;
    to_the_last_day(&mut world, &bert).await;
    world.clock.advance(Seconds::days(2));
    let jumped = "SELECT COUNT(*) FROM audit_events WHERE action = 'clock-jumped'";
    world.until("the jump is seen", |world| world.number(jumped).unwrap() == 1).await;
    for restarted in [false, true] {
        if restarted {
            world.restart().await.unwrap();
        }
        let refused = bare.complete(&id, "thief", Some(&new_code())).await.unwrap();
        assert_eq!(refused.code(), ErrorCode::ClockJumped, "restarted: {restarted}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stolen_laptop_costs_a_waiter_one_wait_and_not_the_second() {
    let mut world = World::configured(three_days).await.unwrap();
    let (_ana, bert, codes) = ana_and_bert(&world).await;
    let (bare, id) = waiting(&world, "n1", &codes.codes[0]).await;
    to_the_last_day(&mut world, &bert).await;
    // Whoever has the laptop stops everything at the last moment; it takes no passkey.
    bert.client().freeze().await.unwrap();
    world.pass(Seconds::hours(LEGS[2])).await.unwrap();
    let refused = bare.complete(&id, "n1", Some(&new_code())).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::AccountFrozen);
    world.clock.advance(Seconds(1));
    // What is begun after the freeze is not in its reach; freezing again changes nothing.
    let (bare, id) = waiting(&world, "n2", &codes.codes[0]).await;
    to_the_last_day(&mut world, &bert).await;
    bert.client().freeze().await.unwrap();
    world.pass(Seconds::hours(LEGS[2])).await.unwrap();
    let done = bare.complete(&id, "n2", Some(&new_code())).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
}
