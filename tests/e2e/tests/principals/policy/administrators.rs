//! Whoever counts as an administrator could set other rules: rules from before they were one, or from before they had
//! the device that they have now, are no way around the guard of the last one.

use super::shut_out::{NO_MEMBER, set};
use landfall_client::MintRequest;
use landfall_client::words::Role;
use landfall_identity::passkey::Attachment;
use landfall_identity::session::CERT_ONLY_TTL;
use landfall_identity::token::TokenKind;
use landfall_identity::{DeviceName, Seconds, UserName};
use landfall_protocol::ErrorCode;
use landfall_test_support::world::told;
use landfall_test_support::{Person, PocketKey, World};
use std::time::{Duration, Instant};

const NOT_EVE: &str = "@id(\"x\") forbid (principal is Landfall::Human, action, resource) when { \
                       context.spiffe_id like \"*/user/eve/*\" };";
const NOT_HER_PHONE: &str = "@id(\"x\") forbid (principal is Landfall::Human, action, resource) when { \
                             context.spiffe_id like \"*/user/eve/device/eve-phone\" };";

fn device(name: &str) -> DeviceName {
    DeviceName::parse(name).unwrap()
}

/// How often somebody was asked to touch a key.
fn touches(world: &World) -> i64 {
    world.number("SELECT COUNT(*) FROM ceremonies").unwrap()
}

async fn can_act(admin: &Person) -> (u32, u32, bool) {
    let ready = admin.client().admins_readiness().await.unwrap();
    (ready.admins, ready.acting, ready.safe)
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_from_before_keep_a_member_from_becoming_an_administrator() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited(&ana, "eve").await.unwrap();
    set(&ana, NOT_EVE).await.unwrap();
    world.pass(Seconds::hours(25)).await.unwrap();
    let asked = touches(&world);
    let no = ana.client().admin_set_role(&eve.name, Role::Admin, &ana.shell).await.unwrap_err();
    assert_eq!(no.code(), ErrorCode::InvalidField);
    let why = &no.problem().detail;
    assert!(why.contains("rules keep eve from begin-step-up"), "{why}");
    assert!(why.contains("landfall admin policy show"), "{why}");
    assert_eq!(touches(&world), asked, "nobody touches for it");
    // Any other role is none of the guard's business, and without the rule she may be one.
    ana.client().admin_set_role(&eve.name, Role::Auditor, &ana.shell).await.unwrap();
    set(&ana, "").await.unwrap();
    ana.client().admin_set_role(&eve.name, Role::Admin, &ana.shell).await.unwrap();
    assert_eq!(can_act(&ana).await, (2, 2, false), "neither could lose anything");
    // Now a rule about her is refused, and either of them may go.
    assert_eq!(set(&ana, NOT_EVE).await.unwrap_err().code(), ErrorCode::InvalidField);
    ana.client().admin_set_role(&ana.name, Role::Member, &ana.shell).await.unwrap();
    assert_eq!(can_act(&eve).await, (1, 1, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_came_later_and_is_shut_out_leaves_nobody_to_act() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    // She has a laptop: the rule is about one machine, which is not even there.
    set(&ana, NOT_HER_PHONE).await.unwrap();
    let phone = world.machine("eve-phone").unwrap();
    phone.enroll(&eve.device_token("eve-phone").await.unwrap(), None, None).await.unwrap();
    world.pass(Seconds::hours(25)).await.unwrap();
    assert_eq!(can_act(&ana).await, (2, 2, false));
    ana.client().admin_revoke_device(&eve.name, &device("eve-laptop"), &ana.shell).await.unwrap();
    // The phone is all that she has now, and it may do nothing. Ana has to stay.
    assert_eq!(can_act(&ana).await, (2, 1, false));
    let asked = touches(&world);
    let no = ana.client().admin_set_role(&ana.name, Role::Member, &ana.shell).await.unwrap_err();
    assert_eq!(no.code(), ErrorCode::LastAdmin);
    assert!(no.problem().detail.contains("rules may keep them from acting"), "{no:?}");
    let desktop = device("ana-desktop");
    let no = ana.client().revoke_device(&desktop, &ana.shell).await.err().unwrap();
    assert_eq!(no.code(), ErrorCode::LastAdmin);
    assert_eq!(touches(&world), asked, "nobody touches for it");
    let no = ana.client().suspend_device(&desktop).await.err().unwrap();
    assert_eq!(no.code(), ErrorCode::LastAdmin);
    // The rule cannot be kept among others any more; without it Ana may go.
    assert_eq!(set(&ana, NOT_HER_PHONE).await.unwrap_err().code(), ErrorCode::InvalidField);
    set(&ana, "").await.unwrap();
    assert_eq!(can_act(&ana).await, (2, 2, false));
    ana.client().suspend_device(&desktop).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_names_no_administrator_whom_rules_shut_out() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = UserName::parse("eve").unwrap();
    let invite = |role| {
        let (kind, user) = (TokenKind::Invite, eve.clone());
        ana.client().mint(MintRequest { kind, user, device: None, role, ttl: None }, &ana.shell)
    };
    let early = invite(Role::Admin).await.map_err(told).unwrap();
    set(&ana, NOT_EVE).await.unwrap();
    let asked = touches(&world);
    let no = invite(Role::Admin).await.err().unwrap();
    assert!(told(no).to_string().contains("rules keep eve from"));
    assert_eq!(touches(&world), asked, "nobody touches for it");
    // One from before the rule lets her in: no rule shuts a door. She is nobody to hand over to.
    let machine = world.machine("eve-laptop").unwrap();
    machine.enroll(&early.text, None, Some("eve-laptop")).await.unwrap();
    assert_eq!(can_act(&ana).await, (2, 1, false));
    let no = ana.client().suspend_device(&device("ana-desktop")).await.err().unwrap();
    assert_eq!(no.code(), ErrorCode::LastAdmin);
    // As a member she could come at any time.
    let zoe = UserName::parse("zoe").unwrap();
    ana.mint(TokenKind::Invite, &zoe, None).await.unwrap();
}

/// Who registers no passkey after coming back could not act, whatever else they may.
#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_may_register_a_passkey_a_new_administrator_is_nobody_yet() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    set(
        &ana,
        "@id(\"x\") forbid (principal is Landfall::Human, action == Landfall::Action::\"register-passkey\", \
         resource);",
    )
    .await
    .unwrap();
    let bob = UserName::parse("bob").unwrap();
    let minted = ana
        .client()
        .mint(
            MintRequest {
                kind: TokenKind::Invite,
                user: bob.clone(),
                device: None,
                role: Role::Admin,
                ttl: None,
            },
            &ana.shell,
        )
        .await
        .map_err(told)
        .unwrap();
    let machine = world.machine("bob-laptop").unwrap();
    machine.enroll(&minted.text, None, Some("bob-laptop")).await.unwrap();
    world.clock.advance(Seconds(1));
    let bob = Person { name: bob, machine, shell: PocketKey::new().unwrap() };
    assert!(bob.register(Attachment::Roaming).await.is_err());
    let no = ana.client().suspend_device(&device("ana-desktop")).await.err().unwrap();
    assert_eq!(no.code(), ErrorCode::LastAdmin);
    set(&ana, "").await.unwrap();
    bob.register(Attachment::Roaming).await.unwrap();
    ana.client().suspend_device(&device("ana-desktop")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_give_no_word_is_not_counted_on() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let counted_on = async || {
        bert.step_up().await.unwrap();
        let ready = bert.client().readiness().await.unwrap();
        let details = ready.details.unwrap();
        let needs = details.ways_in.into_iter().flat_map(|way| way.needs);
        let mut names: Vec<_> = needs.flat_map(|need| need.of).map(|thing| thing.name).collect();
        names.extend(details.idle.into_iter().map(|thing| thing.name));
        names
    };
    let before = counted_on().await;
    assert!(before.contains(&"eve".to_owned()) && before.contains(&"bert-laptop".to_owned()));
    set(
        &ana,
        "@id(\"x\") forbid (principal is Landfall::Human, action == Landfall::Action::\"admin-approve-recovery\", \
         resource) when { context.spiffe_id like \"*/user/eve/*\" };",
    )
    .await
    .unwrap();
    let after = counted_on().await;
    assert!(!after.contains(&"eve".to_owned()) && after.contains(&"ana".to_owned()), "{after:?}");
    assert!(eve.client().admin_policies().await.is_ok(), "she acts as ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_whatever_rules_say_and_leads_to_nothing_but_a_stop() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    set(&ana, NO_MEMBER).await.unwrap();
    // His certificate has ended by then, and he comes for the next one.
    world.pass(Seconds::hours(25)).await.unwrap();
    world.clock.advance(CERT_ONLY_TTL);
    assert_eq!(bert.client().whoami().await.unwrap_err().code(), ErrorCode::Forbidden);
    bert.client().freeze().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_code_says_when_rules_would_shut_its_holder_out() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    set(&ana, NOT_EVE).await.unwrap();
    let said = world.operator(&["break-glass", "eve", "--new"]).unwrap();
    assert!(said.contains("rules keep eve from begin-step-up"), "{said}");
    assert!(said.contains("landfall-server policy clear"), "{said}");
    let said = world.operator(&["break-glass", "ana", "--device", "ana-new"]).unwrap();
    assert!(!said.contains("rules"), "{said}");
}

/// Another node has set rules, and this one has not heard of it yet.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_made_or_loses_an_administrator_by_rules_that_are_over() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let elsewhere =
        "INSERT INTO policies (tenant, generation, text, set_at) VALUES ('home', 1, '', 0)";
    world.database().unwrap().execute(elsewhere, []).unwrap();
    let no = ana.client().admin_set_role(&bert.name, Role::Admin, &ana.shell).await.unwrap_err();
    assert_eq!(no.code(), ErrorCode::Busy);
    let no = ana.client().suspend_device(&device("ana-desktop")).await.err().unwrap();
    assert_eq!(no.code(), ErrorCode::Busy);
    // A member's acts wait for nobody.
    bert.client().suspend_device(&device("bert-laptop")).await.unwrap();
    // Once it has heard of them, it goes by them.
    let database = world.database().unwrap();
    database.execute("UPDATE policies SET text = $1", [NOT_EVE]).unwrap();
    let heard = "INSERT INTO changes (thumbprint, node, at) VALUES ('policy home', 'another', 0)";
    database.execute(heard, []).unwrap();
    let patience = Instant::now() + Duration::from_secs(30);
    let no = loop {
        let no = ana.client().suspend_device(&device("ana-desktop")).await.err().unwrap();
        if no.code() != ErrorCode::Busy {
            break no;
        }
        assert!(Instant::now() < patience, "it never heard of them");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(no.code(), ErrorCode::LastAdmin);
    assert_eq!(eve.client().whoami().await.unwrap_err().code(), ErrorCode::Forbidden);
}
