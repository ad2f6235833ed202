//! Whoever owns an account hears of everything that leads into it: on every device, and by mail.

use landfall_client::words::RecoveryCode;
use landfall_crypto::ambient::SystemRandom;
use landfall_identity::{DeviceName, MailAddress, Reason, Seconds};
use landfall_protocol::paths;
use landfall_protocol::recovery::RecoveryStateName;
use landfall_server::Config;
use landfall_server::config::SmtpUrl;
use landfall_test_support::{Bare, Person, World, bare};
use std::path::Path;

/// A server that mails, though nobody answers there: what is mailed waits in the outbox.
fn with_mail(config: &mut Config, _: &Path) -> anyhow::Result<()> {
    config.smtp_url = Some(SmtpUrl::parse("smtp://127.0.0.1:9")?);
    config.smtp_from = Some(MailAddress::parse("landfall@example.org")?);
    Ok(())
}

fn device(name: &str) -> DeviceName {
    DeviceName::parse(name).unwrap()
}

/// The kinds of a user's notices, oldest first.
fn kinds(world: &World, user: &str) -> Vec<String> {
    let database = world.database().unwrap();
    let sql = "SELECT kind FROM notices WHERE user_name = ?1 ORDER BY rowid";
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([user], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// The kinds of the mails that wait for an address, oldest first.
fn mailed(world: &World, address: &str) -> Vec<String> {
    let database = world.database().unwrap();
    let sql = "SELECT kind FROM outbox WHERE recipient = ?1 AND purpose = 'notice' ORDER BY rowid";
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([address], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Gives somebody two confirmed addresses, as if they had proved them.
fn addresses(world: &World, user: &str, nth: u32) {
    let database = world.database().unwrap();
    for number in [1_u32, 2] {
        let sql = "INSERT INTO addresses (id, tenant, user_name, address, added_at, confirmed_at)
                   VALUES (?1, 'home', ?2, ?3, 0, 0)";
        let id = format!("{:026}", nth * 2 + number);
        database.execute(sql, (id, user, format!("{user}{number}@example.org"))).unwrap();
    }
}

async fn approve(admin: &Person, bare: &Bare, id: &landfall_identity::id::RecoveryId) {
    let (check, reason) = (bare.check_code(id), Reason::parse("sat in front of me").unwrap());
    admin.client().admin_approve_recovery(id, &check, reason, &admin.shell).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_a_recovery_is_told_once_to_every_device_and_both_addresses() {
    let mut world = World::configured(with_mail).await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    addresses(&world, "bert", 0);
    let codes = bert.client().make_recovery_codes(&bert.shell).await.unwrap().codes;
    let from = kinds(&world, "bert").len();
    assert_eq!(kinds(&world, "bert")[from - 1], "recovery-codes-remade");

    // A stranger who names Bert and proves nothing is not worth a word: anybody could flood him.
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    bare.prove(&id, &RecoveryCode::generate(&SystemRandom)).await.unwrap();
    assert_eq!(kinds(&world, "bert").len(), from);

    // A code, and the whole sheet: one word. An approval, and the same again: one word.
    world.clock.advance(Seconds(1));
    for code in &codes[..3] {
        bare.prove(&id, code).await.unwrap();
    }
    world.clock.advance(Seconds(1));
    approve(&ana, &bare, &id).await;
    approve(&ana, &bare, &id).await;
    let heard = &kinds(&world, "bert")[from..];
    assert_eq!(heard, ["recovery-begun", "recovery-approved"]);
    // The laptop that still lives hears it while it can object.
    let newest = &bert.client().notices(2, None).await.unwrap().items;
    assert!(newest[0].text.contains("bert-new") && newest[0].text.contains("ana"), "{newest:?}");
    assert!(newest[1].text.contains("by the new machine bert-new"), "{newest:?}");

    ana.step_up().await.unwrap();
    ana.client().admin_suspend_device(&bert.name, &device("bert-laptop")).await.unwrap();
    world.pass(Seconds::hours(1)).await.unwrap();
    let next = RecoveryCode::generate(&SystemRandom);
    assert_eq!(bare.complete(&id, "bert-newer", Some(&next)).await.unwrap().status, 200);
    // The same key asks again, and it is the same act.
    assert_eq!(bare.complete(&id, "bert-newer", Some(&next)).await.unwrap().status, 200);
    let heard = &kinds(&world, "bert")[from..];
    assert_eq!(
        heard[2..],
        ["device-suspended", "recovery-completed", "recovery-code-used"],
        "each once"
    );
    for address in ["bert1@example.org", "bert2@example.org"] {
        let all: Vec<_> = mailed(&world, address);
        assert_eq!(all[1..], *heard, "{address} hears what the devices hear");
    }
    let told =
        "SELECT COUNT(*) FROM notices WHERE kind = 'recovery-code-used' AND what LIKE '%10%'";
    assert_eq!(world.number(told).unwrap(), 1, "the successor counts");
}

/// What the audit says of a user's completed recovery.
fn completed_row(world: &World, user: &str) -> String {
    let sql = "SELECT target FROM audit_events WHERE action = 'complete-recovery'
               AND outcome = 'allow' AND target LIKE '%of ' || ?1 || ' as %'";
    world.database().unwrap().query_row(sql, [user], |row| row.get(0)).unwrap()
}

/// Every way in that this server has, with and without everything that can go along with it.
#[tokio::test(flavor = "multi_thread")]
async fn after_any_recovery_what_it_used_is_burnt_told_and_on_record() {
    let mut world = World::configured(with_mail).await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    for case in 0..16_u32 {
        let has = |bit: u32| case >> bit & 1 == 1;
        let (by_code, by_two, is_frozen, names_lost) = (has(0), has(1), has(2), has(3));
        world.pass(Seconds::hours(1)).await.unwrap();
        let user = format!("user{case}");
        let person = world.invited(&ana, &user).await.unwrap();
        addresses(&world, &user, case);
        let codes = person.client().make_recovery_codes(&person.shell).await.unwrap().codes;
        if is_frozen {
            person.client().freeze().await.unwrap();
        }
        world.clock.advance(Seconds(1));
        let bare = Bare::new(&world).unwrap();
        let id = bare.begin(&user, "new").await.unwrap().recovery_id;
        if by_code {
            bare.prove(&id, &codes[3]).await.unwrap();
        }
        for admin in [&ana, &eve].into_iter().take(1 + usize::from(by_two)) {
            approve(admin, &bare, &id).await;
        }
        let lost = format!("{user}-laptop");
        if !names_lost {
            ana.step_up().await.unwrap();
            ana.client().admin_suspend_device(&person.name, &device(&lost)).await.unwrap();
        }
        let next = RecoveryCode::generate(&SystemRandom);
        let mut body = bare::complete_body(&id, "new", by_code.then_some(&next)).unwrap();
        if names_lost {
            body["suspend"] = lost.clone().into();
        }
        // A code and an administrator are held as long as the laptop could object, cut off or not.
        world.pass(Seconds::hours(1)).await.unwrap();
        let before = kinds(&world, &user).len();
        let done = bare.post(paths::RECOVERY_COMPLETE, &body).await.unwrap();
        assert_eq!(done.status, 200, "{case}: {done:?}");

        let count = |sql: &str| world.number(&sql.replace("USER", &format!("'{user}'"))).unwrap();
        let state = "SELECT COUNT(*) FROM recovery_codes WHERE user_name = USER AND state = ";
        assert_eq!(count(&format!("{state}'used'")), i64::from(by_code), "{case}");
        assert_eq!(count(&format!("{state}'live'")), 10, "{case}: a successor has its place");
        let mut wanted = vec!["recovery-completed"];
        wanted.extend(by_code.then_some("recovery-code-used"));
        wanted.extend(names_lost.then_some("device-suspended"));
        wanted.extend(is_frozen.then_some("account-unfrozen"));
        wanted.extend(names_lost.then_some("device-to-be-revoked"));
        assert_eq!(kinds(&world, &user)[before..], wanted, "{case}");
        for number in [1, 2] {
            let mails = mailed(&world, &format!("{user}{number}@example.org"));
            assert_eq!(mails[mails.len() - wanted.len()..], wanted, "{case}");
        }
        let row = completed_row(&world, &user);
        let code = codes[3].name().unwrap();
        for (named, is) in [
            (code.as_str(), by_code),
            ("admin ana (\"sat in front of me\")", true),
            ("admin eve (\"sat in front of me\")", by_two),
            (&*format!("suspending {lost}"), names_lost),
            ("ending the freeze", is_frozen),
        ] {
            assert_eq!(row.contains(named), is, "{case}: {named}: {row}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_is_told_and_a_refused_completion_is_not() {
    let world = World::configured(with_mail).await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let codes = bert.client().make_recovery_codes(&bert.shell).await.unwrap().codes;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    bare.prove(&id, &codes[0]).await.unwrap();
    let before = kinds(&world, "bert");
    let next = RecoveryCode::generate(&SystemRandom);
    assert_ne!(bare.complete(&id, "bert-new", Some(&next)).await.unwrap().status, 200);
    assert_eq!(kinds(&world, "bert"), before, "nothing happened, and nothing is told");
    world.clock.advance(Seconds(1));
    bert.step_up().await.unwrap();
    let stopped = bert.client().stop_recovery(&id).await.unwrap();
    assert_eq!(stopped.state, RecoveryStateName::Stopped);
    assert_eq!(kinds(&world, "bert").last().unwrap(), "recovery-stopped");
    let notice = &bert.client().notices(1, None).await.unwrap().items[0];
    assert!(notice.text.contains("bert-new") && notice.text.contains("bert-laptop"), "{notice:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_freeze_and_of_the_lost_device_are_told_with_the_recovery() {
    let mut world = World::configured(with_mail).await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    bert.client().freeze().await.unwrap();
    world.clock.advance(Seconds(1));
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    approve(&ana, &bare, &id).await;
    ana.step_up().await.unwrap();
    ana.client().admin_suspend_device(&bert.name, &device("bert-laptop")).await.unwrap();
    world.pass(Seconds::hours(1)).await.unwrap();
    assert_eq!(bare.complete(&id, "bert-new", None).await.unwrap().status, 200);
    let heard = kinds(&world, "bert");
    let last: Vec<_> = heard.iter().rev().take(2).collect();
    assert_eq!(last, ["account-unfrozen", "recovery-completed"]);
}
