//! Roles are given by a touch for exactly that, hold with the next request, and leave an administrator.

use landfall_client::words::Role;
use landfall_identity::token::TokenKind;
use landfall_identity::{Seconds, UserName};
use landfall_protocol::ErrorCode;
use landfall_protocol::ceremony::BoundActBody;
use landfall_test_support::{Person, Raw, World};
use reqwest::Method;
use serde_json::json;

async fn refused(person: &Person, user: &str, role: Role) -> ErrorCode {
    let user = UserName::parse(user).unwrap();
    person.client().admin_set_role(&user, role, &person.shell).await.unwrap_err().code()
}

async fn give(admin: &Person, to: &Person, role: Role) {
    let user = admin.client().admin_set_role(&to.name, role, &admin.shell).await.unwrap();
    assert_eq!((user.name, user.role), (to.name.clone(), role));
    assert_eq!(to.client().whoami().await.unwrap().role, role, "with the next request");
}

/// What each reads of the tenant: users, devices, audit, readiness.
async fn reads(person: &Person) -> [bool; 4] {
    let client = person.client();
    [
        client.admin_users().await.is_ok(),
        client.admin_devices(None).await.is_ok(),
        client.admin_audit(&Default::default()).await.is_ok(),
        client.admin_readiness(None).await.is_ok(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_given_by_a_touch_and_reaches_what_it_says() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let tom = world.invited_as(&ana, "tom", Role::Operator).await.unwrap();
    assert_eq!(tom.client().whoami().await.unwrap().role, Role::Operator);
    for (role, read) in [
        (Role::Member, [false; 4]),
        (Role::Auditor, [true; 4]),
        (Role::Operator, [false, true, false, false]),
        (Role::Admin, [true; 4]),
        (Role::Member, [false; 4]),
    ] {
        if bert.client().whoami().await.unwrap().role != role {
            give(&ana, &bert, role).await;
        }
        assert_eq!(reads(&bert).await, read, "as {role:?}");
        if role != Role::Admin {
            let other = UserName::parse("eve").unwrap();
            let invite = bert.mint(TokenKind::Invite, &other, None).await.unwrap_err();
            assert!(invite.to_string().contains("role"), "{role:?} invites: {invite}");
            assert_eq!(refused(&bert, "bert", Role::Admin).await, ErrorCode::Forbidden, "{role:?}");
            bert.step_up().await.unwrap();
            let cut = bert.client().admin_suspend_device(&tom.name, &tom_laptop()).await;
            assert_eq!(cut.unwrap_err().code(), ErrorCode::Forbidden, "{role:?}");
        }
    }
    // Told to whom it happened, and on record with both ends.
    let told = bert.client().notices(200, None).await.unwrap().items;
    let told: Vec<_> = told.iter().filter(|notice| notice.kind == "role-changed").collect();
    assert_eq!(told.len(), 4, "{told:?}");
    let said = "You were made an auditor, by the administrator ana.";
    assert!(told.iter().any(|notice| notice.text == said), "{told:?}");
    let rows = "SELECT COUNT(*) FROM audit_events WHERE action = 'admin-set-role' AND outcome = \
                'allow' AND target = 'role of bert: member to auditor'";
    assert_eq!(world.number(rows).unwrap(), 1);
}

fn tom_laptop() -> landfall_identity::DeviceName {
    landfall_identity::DeviceName::parse("tom-laptop").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_touch_for_another_role_or_user_does_not_serve() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    world.invited(&ana, "eve").await.unwrap();
    let act = BoundActBody::SetRole { user: bert.name.clone(), role: Role::Auditor };
    let session = ana.client().step_up(Some(act), None, &ana.shell).await.unwrap();
    let raw = Raw::of(&ana.machine).unwrap();
    let set = async |user: &str, role: &str| {
        let path = format!("/admin/users/{user}/role");
        let body = json!({ "role": role });
        let answer =
            raw.send(Method::POST, &path, Some(&session.token), Some(&body)).await.unwrap();
        (answer.status, (answer.status >= 400).then(|| answer.code()))
    };
    let another = Some(ErrorCode::StepUpForAnotherAct);
    assert_eq!(set("bert", "admin").await.1, another);
    assert_eq!(set("eve", "auditor").await.1, another);
    assert_eq!(set("nobody", "auditor").await.1, Some(ErrorCode::NotFound));
    assert_eq!(set("bert", "emperor").await.1, Some(ErrorCode::InvalidField));
    assert_eq!(set("bert", "auditor").await.0, 200);
    assert_eq!(set("bert", "auditor").await.1, Some(ErrorCode::StepUpSpent), "once");
    // A plain step-up is none.
    let plain = ana.client().step_up(None, None, &ana.shell).await.unwrap();
    let body = json!({ "role": "admin" });
    let answer = raw
        .send(Method::POST, "/admin/users/bert/role", Some(&plain.token), Some(&body))
        .await
        .unwrap();
    assert_eq!(answer.code(), ErrorCode::StepUpRequired);
    assert_eq!(bert.client().whoami().await.unwrap().role, Role::Auditor);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_stays_one() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    world.invited(&ana, "bert").await.unwrap();
    assert_eq!(refused(&ana, "ana", Role::Operator).await, ErrorCode::LastAdmin);
    // Another one who can act makes room.
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    give(&ana, &ana, Role::Operator).await;
    // Eve's passkey is a moment younger than her account: for a day it changes nothing of it.
    assert_eq!(refused(&eve, "eve", Role::Member).await, ErrorCode::Probation);
    world.clock.advance(Seconds::hours(24));
    assert_eq!(refused(&eve, "eve", Role::Member).await, ErrorCode::LastAdmin);
    assert_eq!(refused(&ana, "ana", Role::Admin).await, ErrorCode::Forbidden, "no way back alone");
    // Nobody can claim the server again.
    let admins = "SELECT COUNT(*) FROM users WHERE role = 'admin'";
    assert_eq!(world.number(admins).unwrap(), 1);
}
