//! What breaks in between, and what is too much.

use super::post::{ANA, ana_with_mail, until_subject, with_subject};
use landfall_client::words::DeviceName;
use landfall_identity::Seconds;
use landfall_identity::notice::delivery::{AGE_MAX, BURST_MAX, BURST_WITHIN, FIRST_WAIT};
use landfall_test_support::{Mail, World};
use std::time::{Duration, Instant};

const FROZEN: &str = "Your account is frozen";

fn attempts(world: &World) -> i64 {
    world.number("SELECT MAX(attempts) FROM outbox WHERE kind = 'account-frozen'").unwrap()
}

/// Attempts that have ended: nothing is on its way.
async fn until_attempts(world: &World, count: i64) {
    let waits =
        "SELECT COUNT(*) FROM outbox WHERE kind = 'account-frozen' AND leased_by IS NOT NULL";
    let settled = |world: &World| attempts(world) == count && world.number(waits).unwrap() == 0;
    world.until("an attempt", settled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_is_down_is_asked_again_by_the_clock() {
    let (mut smtp, world, ana) = ana_with_mail().await;
    smtp.down().await;
    ana.client().freeze().await.unwrap();
    until_attempts(&world, 1).await;
    // Within the first half of the wait nobody asks.
    let due = world.number("SELECT due_at FROM outbox WHERE kind = 'account-frozen'").unwrap();
    let made = world.number("SELECT made_at FROM outbox WHERE kind = 'account-frozen'").unwrap();
    let first = i64::try_from(FIRST_WAIT.0).unwrap() * 1000;
    assert!((first / 2..=first).contains(&(due - made)), "{}", due - made);
    world.clock.advance(FIRST_WAIT);
    until_attempts(&world, 2).await;
    smtp.up().await.unwrap();
    world.clock.advance(Seconds(2 * FIRST_WAIT.0));
    let mails = until_subject(&world, &smtp, ANA, FROZEN, 1).await;
    assert_eq!(mails.len(), 1);
    until_attempts(&world, 3).await;
    let ended =
        "SELECT COUNT(*) FROM outbox WHERE kind = 'account-frozen' AND outcome = 'delivered'";
    assert_eq!(world.number(ended).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_receipt_was_lost_comes_again_under_the_same_name() {
    let (smtp, world, ana) = ana_with_mail().await;
    smtp.swallow_next(1);
    ana.client().freeze().await.unwrap();
    until_attempts(&world, 1).await;
    assert_eq!(with_subject(&smtp, ANA, FROZEN).len(), 1);
    world.clock.advance(FIRST_WAIT);
    let mails = until_subject(&world, &smtp, ANA, FROZEN, 2).await;
    let id = |mail: &Mail| mail.field("Message-ID").unwrap();
    assert_eq!(id(&mails[0]), id(&mails[1]), "a reader can tell that it is the same");
    assert_eq!(mails[0].data, mails[1].data, "to the byte");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_node_carries_is_left_to_it_until_its_lease_ends() {
    let (smtp, world, ana) = ana_with_mail().await;
    smtp.refuse_next(1);
    ana.client().freeze().await.unwrap();
    until_attempts(&world, 1).await;
    let database = world.database().unwrap();
    let until = world.clock.as_ref();
    let until = landfall_crypto::ambient::Clock::now(until) + Seconds(200);
    let sql = "UPDATE outbox SET leased_by = 'another', leased_until = ?1, due_at = 0
               WHERE kind = 'account-frozen'";
    database.execute(sql, [until.millis()]).unwrap();
    // Another mail, made later, goes out: so the node has looked.
    world.clock.advance(Seconds(100));
    ana.step_up().await.unwrap();
    ana.client().unfreeze().await.unwrap();
    until_subject(&world, &smtp, ANA, "Your account works again", 1).await;
    assert_eq!(attempts(&world), 1, "the leased one was left alone");
    world.clock.advance(Seconds(100));
    until_subject(&world, &smtp, ANA, FROZEN, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_mail_server_holds_up_no_shutdown_and_loses_no_mail() {
    let (smtp, mut world, ana) = ana_with_mail().await;
    smtp.hold(true);
    let calls = smtp.calls();
    ana.client().freeze().await.unwrap();
    world.until("the attempt", |_| smtp.calls() > calls).await;
    // That call is left waiting; the next one is not.
    smtp.hold(false);
    let began = Instant::now();
    world.restart().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let mails = until_subject(&world, &smtp, ANA, FROZEN, 1).await;
    assert_eq!(mails.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_takes_for_days_is_given_up_on_record() {
    let (mut smtp, mut world, ana) = ana_with_mail().await;
    smtp.down().await;
    ana.client().freeze().await.unwrap();
    until_attempts(&world, 1).await;
    world.pass(AGE_MAX).await.unwrap();
    let given_up = "SELECT COUNT(*) FROM outbox WHERE outcome = 'given-up' AND fault IS NOT NULL";
    world.until("giving up", |world| world.number(given_up).unwrap() == 1).await;
    let row = "SELECT COUNT(*) FROM audit_events
               WHERE action = 'give-up-notice' AND outcome = 'error' AND target LIKE '%of ana%'";
    assert_eq!(world.number(row).unwrap(), 1);
    // The devices have it all the same.
    let told = ana.client().notices(200, None).await.unwrap();
    assert!(told.items.iter().any(|notice| notice.kind == "account-frozen"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_makes_it_happen_over_and_over_fills_no_mailbox() {
    let (smtp, mut world, ana) = ana_with_mail().await;
    let phone = world.machine("ana-phone").unwrap();
    let token = ana.device_token("ana-phone").await.unwrap();
    phone.enroll(&token, None, None).await.unwrap();
    let name = DeviceName::parse("ana-phone").unwrap();
    ana.step_up().await.unwrap();
    let rounds = BURST_MAX + 4;
    for _ in 0..rounds {
        world.clock.advance(Seconds(1));
        ana.client().suspend_device(&name).await.unwrap();
        ana.client().resume_device(&name).await.unwrap();
    }
    let suspended = "Device suspended: ana-phone";
    let single = usize::try_from(BURST_MAX).unwrap();
    assert_eq!(until_subject(&world, &smtp, ANA, suspended, single).await.len(), single);
    until_subject(&world, &smtp, ANA, "Device works again: ana-phone", single).await;
    // Another kind is not held up by it.
    ana.client().freeze().await.unwrap();
    until_subject(&world, &smtp, ANA, FROZEN, 1).await;
    assert_eq!(with_subject(&smtp, ANA, suspended).len(), single);

    world.pass(BURST_WITHIN).await.unwrap();
    let more = "(4 times more)";
    let summaries = until_subject(&world, &smtp, ANA, more, 2).await;
    assert_eq!(summaries.len(), 2, "one for each kind");
    let text: String = summaries.iter().map(|mail| mail.text().unwrap()).collect();
    assert!(text.contains("was cut off for now") && text.contains("was let back in"), "{text}");
    let all = "SELECT COUNT(*) FROM notices WHERE kind = 'device-suspended'";
    assert_eq!(world.number(all).unwrap(), i64::from(rounds), "the devices see each");
    assert_eq!(with_subject(&smtp, ANA, suspended).len(), single);
}
