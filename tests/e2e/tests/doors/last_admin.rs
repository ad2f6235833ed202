//! No act leaves a tenant that nobody can administer; and what whoever runs the server does when it has
//! come to that all the same.

use landfall_client::MintRequest;
use landfall_identity::caller::Role;
use landfall_identity::passkey::Attachment;
use landfall_identity::token::TokenKind;
use landfall_identity::{DeviceName, Seconds, UserName};
use landfall_protocol::ErrorCode;
use landfall_protocol::device::DeviceStateName;
use landfall_test_support::world::told;
use landfall_test_support::{Person, PocketKey, World};
use std::os::unix::fs::MetadataExt;

fn device(name: &str) -> DeviceName {
    DeviceName::parse(name).unwrap()
}

fn active(world: &World, user: &str) -> i64 {
    let sql =
        format!("SELECT COUNT(*) FROM enrollments WHERE user_name = '{user}' AND state = 'active'");
    world.number(&sql).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_admin_cannot_cut_off_their_only_way_to_act() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let only = device("ana-desktop");
    let refused = ana.client().suspend_device(&only).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::LastAdmin);
    assert!(refused.problem().detail.contains("break-glass"), "{refused:?}");
    let refused = ana.client().revoke_device(&only, &ana.shell).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::LastAdmin);
    ana.step_up().await.unwrap();
    let refused = ana.client().admin_suspend_device(&ana.name, &only).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::LastAdmin);
    let passkey = ana.client().passkeys().await.unwrap()[0].id.clone();
    let refused = ana.client().remove_passkey(&passkey, true, &ana.shell).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::LastAdmin);
    // All of it was undone, and is on record.
    assert_eq!(active(&world, "ana"), 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM passkeys").unwrap(), 1);
    let heard =
        "SELECT COUNT(*) FROM notices WHERE kind IN ('device-suspended', 'passkey-removed')";
    assert_eq!(world.number(heard).unwrap(), 0);
    let denied = "SELECT COUNT(*) FROM audit_events WHERE reason = 'last-admin'";
    assert_eq!(world.number(denied).unwrap(), 4);
    // A thief is stopped all the same: a freeze is never refused, and what she holds ends it.
    ana.client().freeze().await.unwrap();
    world.clock.advance(Seconds(1));
    ana.step_up().await.unwrap();
    ana.client().unfreeze().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_device_a_second_admin_or_a_member_change_that() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    // A member may do to themselves what they like.
    let cut = bert.client().suspend_device(&device("bert-laptop")).await.unwrap();
    assert_eq!(cut.device.state, DeviceStateName::Suspended);
    // With another device of her own Ana may cut the first one off, and then not the second.
    let phone = world.machine("ana-phone").unwrap();
    phone.enroll(&ana.device_token("ana-phone").await.unwrap(), None, None).await.unwrap();
    let phone = Person { name: ana.name.clone(), machine: phone, shell: ana.shell.clone() };
    phone.step_up().await.unwrap();
    phone.client().suspend_device(&device("ana-desktop")).await.unwrap();
    let refused = phone.client().suspend_device(&device("ana-phone")).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::LastAdmin);
    // Eve can act: now anybody may go.
    let eve = world.invited_admin(&phone, "eve").await.unwrap();
    phone.client().suspend_device(&device("ana-phone")).await.unwrap();
    assert_eq!(active(&world, "ana"), 0);
    // And Eve is the last one.
    let refused = eve.client().suspend_device(&device("eve-laptop")).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::LastAdmin);
}

/// Handing over: whoever comes next has ten minutes for a passkey, and may let them pass. Nobody leaves meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn an_admin_stays_until_the_next_one_can_act() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bob = UserName::parse("bob").unwrap();
    let invite = |role| MintRequest {
        kind: TokenKind::Invite,
        user: bob.clone(),
        device: None,
        role,
        ttl: None,
    };
    let minted = ana.client().mint(invite(Role::Admin), &ana.shell).await.map_err(told).unwrap();
    let machine = world.machine("bob-laptop").unwrap();
    machine.enroll(&minted.text, None, Some("bob-laptop")).await.unwrap();
    let refused = ana.client().admin_set_role(&ana.name, Role::Member, &ana.shell).await;
    assert_eq!(refused.err().unwrap().code(), ErrorCode::LastAdmin);
    let refused = ana.client().suspend_device(&device("ana-desktop")).await;
    assert_eq!(refused.err().unwrap().code(), ErrorCode::LastAdmin);
    // Ana hears of him, and once he can act she may go.
    let heard = ana.client().notices(50, None).await.unwrap().items;
    assert!(heard.iter().any(|notice| notice.title == "bob is an administrator now"), "{heard:?}");
    world.clock.advance(Seconds(1));
    let bob = Person { name: bob, machine, shell: PocketKey::new().unwrap() };
    bob.register(Attachment::Roaming).await.unwrap();
    ana.client().admin_set_role(&ana.name, Role::Member, &ana.shell).await.unwrap();
}

/// An invitation is as good as who made it.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_admin_any_more_comes_back_by_no_invitation_of_theirs() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    let mallory = UserName::parse("mallory").unwrap();
    let ttl = Some(Seconds::days(7));
    let (kind, role) = (TokenKind::Invite, Role::Admin);
    let request = MintRequest { kind, user: mallory, device: None, role, ttl };
    let minted = eve.client().mint(request, &eve.shell).await.map_err(told).unwrap();
    world.pass(Seconds::hours(25)).await.unwrap();
    ana.client().admin_set_role(&eve.name, Role::Member, &ana.shell).await.unwrap();
    let machine = world.machine("sock").unwrap();
    let refused = machine.try_enroll(&minted.text, None, Some("sock")).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::TokenCancelled);
    assert_eq!(world.number("SELECT COUNT(*) FROM users WHERE role = 'admin'").unwrap(), 1);
    // Nobody has withdrawn it, and whoever holds it learns neither who made it nor why that is so.
    let said = refused.problem();
    assert_eq!(said.title, "This code cannot be used now");
    for untrue in ["withdrawn", " eve", "frozen", "role"] {
        assert!(!said.detail.contains(untrue), "{untrue}: {}", said.detail);
    }
    assert!(said.detail.contains("can invite nobody now"), "{}", said.detail);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_rests_while_its_maker_is_frozen_and_works_again_afterwards() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let minted =
        ana.mint(TokenKind::Invite, &UserName::parse("bert").unwrap(), None).await.unwrap();
    ana.client().freeze().await.unwrap();
    let machine = world.machine("bert-laptop").unwrap();
    let refused = machine.try_enroll(&minted, None, Some("bert-laptop")).await.err().unwrap();
    assert!(refused.problem().detail.contains("can invite nobody now"), "{refused:?}");
    world.clock.advance(Seconds(1));
    ana.step_up().await.unwrap();
    ana.client().unfreeze().await.unwrap();
    machine.enroll(&minted, None, Some("bert-laptop")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_admins_who_cut_each_other_off_at_once_leave_one() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    ana.step_up().await.unwrap();
    eve.step_up().await.unwrap();
    let (laptop, desktop) = (device("eve-laptop"), device("ana-desktop"));
    let (one, other) = tokio::join!(
        ana.client().admin_suspend_device(&eve.name, &laptop),
        eve.client().admin_suspend_device(&ana.name, &desktop),
    );
    assert!(one.is_ok() != other.is_ok(), "{:?} {:?}", one.err(), other.err());
    assert_eq!(active(&world, "ana") + active(&world, "eve"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn break_glass_lets_an_administrator_in_who_lost_everything_and_is_heard_by_all() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    let said = world.operator(&["break-glass", "ana", "--device", "ana-new"]).unwrap();
    assert!(said.contains("60 minutes") && !said.contains("lf1."), "into a file: {said}");
    let file = world.data_dir().join("break-glass-ana.txt");
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);

    // Loudly: its own action in the audit, and every administrator's notices.
    let rows = "SELECT COUNT(*) FROM audit_events WHERE action = 'break-glass'";
    assert_eq!(world.number(rows).unwrap(), 1);
    for admin in [&ana, &eve] {
        let newest = &admin.client().notices(1, None).await.unwrap().items[0];
        assert_eq!(newest.kind, "break-glass");
        assert!(
            newest.text.contains("ana") && newest.text.contains("runs the server"),
            "{newest:?}"
        );
    }
    // A newer one takes its place.
    let code = world.break_glass("ana", Some("ana-new")).await.unwrap();
    let newer = world.break_glass("ana", Some("ana-newer")).await.unwrap();
    let machine = world.machine("ana-new").unwrap();
    let refused = machine.try_enroll(code.trim(), None, None).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::TokenCancelled);
    machine.enroll(&newer, None, None).await.unwrap();
    let new = Person { name: ana.name.clone(), machine, shell: PocketKey::new().unwrap() };
    new.register(Attachment::Roaming).await.unwrap();
    new.step_up().await.unwrap();
    assert_eq!(new.client().admin_users().await.unwrap().len(), 2);
    // Once.
    let other = world.machine("other").unwrap();
    let refused = other.try_enroll(&newer, None, None).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::TokenUsed);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_code_is_never_written_over_another_one() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    world.invited_admin(&ana, "eve").await.unwrap();
    let made = |user: &str| {
        let device = format!("{user}-new");
        world.operator(&["break-glass", user, "--device", &device]).unwrap();
    };
    let read = |name: &str| std::fs::read_to_string(world.data_dir().join(name)).unwrap();
    made("ana");
    let anas = read("break-glass-ana.txt");
    made("eve");
    assert_eq!(read("break-glass-ana.txt"), anas, "eve has a file of her own");
    made("ana");
    assert_eq!(read("break-glass-ana.txt"), anas);
    assert_ne!(read("break-glass-ana-2.txt"), anas);
    let machine = world.machine("eve-new").unwrap();
    machine.enroll(read("break-glass-eve.txt").trim(), None, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_code_ends_a_freeze_from_before_it_and_not_one_that_answers_it() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    ana.client().freeze().await.unwrap();
    world.clock.advance(Seconds(1));
    let code = world.break_glass("ana", Some("ana-new")).await.unwrap();
    let machine = world.machine("ana-new").unwrap();
    // Somebody who heard of it stops everything once more: the code is good for nothing then.
    let later = "UPDATE users SET frozen_at = 9000000000000";
    world.database().unwrap().execute(later, []).unwrap();
    let refused = machine.try_enroll(code.trim(), None, None).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::AccountFrozen);
    world.database().unwrap().execute("UPDATE users SET frozen_at = 1", []).unwrap();
    machine.enroll(code.trim(), None, None).await.unwrap();
    let new = Person { name: ana.name.clone(), machine, shell: PocketKey::new().unwrap() };
    new.register(Attachment::Roaming).await.unwrap();
    new.step_up().await.unwrap();
    let heard = new.client().notices(9, None).await.unwrap().items;
    let unfrozen = heard.iter().find(|notice| notice.kind == "account-unfrozen").unwrap();
    assert!(unfrozen.text.contains("runs the server"), "{unfrozen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn break_glass_makes_a_new_administrator_for_an_hour_and_nobody_else() {
    let world = World::new().await.unwrap();
    let early = world.operator(&["break-glass", "rescue", "--new"]).unwrap_err().to_string();
    assert!(early.contains("claim-token"), "{early}");
    let ana = world.admin("ana").await.unwrap();
    world.invited(&ana, "bert").await.unwrap();
    for (words, says) in [
        (&["break-glass", "bert", "--device", "x"][..], "no administrator"),
        (&["break-glass", "nobody", "--device", "x"], "no administrator"),
        (&["break-glass", "ana", "--device", "ana-desktop"], "given before"),
        (&["break-glass", "ana", "--new"], "exists"),
    ] {
        let refused = world.operator(words).unwrap_err().to_string();
        assert!(refused.contains(says), "{words:?}: {refused}");
    }
    assert!(
        world.operator(&["break-glass", "ana"]).is_err(),
        "say which device, or that it is new"
    );
    let none = "SELECT COUNT(*) FROM audit_events WHERE action = 'break-glass'";
    assert_eq!(world.number(none).unwrap(), 0);

    let code = world.break_glass("rescue", None).await.unwrap();
    let machine = world.machine("rescue").unwrap();
    machine.enroll(code.trim(), None, Some("rescue-desk")).await.unwrap();
    let rescue =
        Person { name: "rescue".parse().unwrap(), machine, shell: PocketKey::new().unwrap() };
    rescue.register(Attachment::Roaming).await.unwrap();
    assert_eq!(rescue.client().admin_users().await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_code_lasts_an_hour() {
    let mut world = World::new().await.unwrap();
    world.admin("ana").await.unwrap();
    let code = world.break_glass("ana", Some("ana-new")).await.unwrap();
    let lasts =
        "SELECT expires_at - issued_at FROM tokens WHERE issued_by IS NULL AND state = 'issued'";
    assert_eq!(world.number(lasts).unwrap(), 3_600_000);
    world.pass(Seconds::hours(1)).await.unwrap();
    let late = world.machine("late").unwrap();
    let refused = late.try_enroll(&code, None, None).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::TokenExpired);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cuts_off_a_device_of_a_stopped_account_is_told_that_it_is_stopped() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    ana.step_up().await.unwrap();
    let laptop = device("bert-laptop");
    for (by_admin, stopped) in [("FALSE", false), ("TRUE", true)] {
        let frozen = format!(
            "UPDATE users SET frozen_at = 1, frozen_by_admin = {by_admin} WHERE name = 'bert'"
        );
        world.database().unwrap().execute(&frozen, []).unwrap();
        let cut = ana.client().admin_suspend_device(&bert.name, &laptop).await.unwrap();
        assert_eq!(cut.account_stopped, stopped);
    }
}
