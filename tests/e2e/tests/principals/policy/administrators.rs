//! Administrators among rules, and among many.

use super::shut_out::set;
use landfall_client::MintRequest;
use landfall_client::words::Role;
use landfall_identity::token::TokenKind;
use landfall_identity::{DeviceName, Seconds, UserName};
use landfall_protocol::ErrorCode;
use landfall_test_support::world::told;
use landfall_test_support::{Person, World};

const NOT_EVE: &str = "@id(\"x\") forbid (principal is Landfall::Human, action, resource) when { \
                       context.spiffe_id like \"*/user/eve/*\" };";

/// How often somebody was asked to touch a key.
fn touches(world: &World) -> i64 {
    // Ceremonies are tidied away by themselves; what was begun stays on record.
    let begun =
        "SELECT COUNT(*) FROM audit_events WHERE action = 'begin-step-up' AND outcome = 'allow'";
    world.number(begun).unwrap()
}

async fn can_act(admin: &Person) -> (u32, u32) {
    let ready = admin.client().admins_readiness().await.unwrap();
    (ready.admins, ready.acting)
}

/// A rule about a member, who becomes an administrator later; and then the others leave.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_from_before_leaves_nobody_who_could_not_mend_it() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited(&ana, "eve").await.unwrap();
    set(&ana, NOT_EVE).await.unwrap();
    world.pass(Seconds::hours(25)).await.unwrap();
    ana.client().admin_set_role(&eve.name, Role::Admin, &ana.shell).await.unwrap();
    assert_eq!(can_act(&ana).await, (2, 2));
    ana.client().admin_set_role(&ana.name, Role::Member, &ana.shell).await.unwrap();
    assert_eq!(eve.client().admin_users().await.unwrap_err().code(), ErrorCode::Forbidden);
    set(&eve, "").await.unwrap();
    assert_eq!(eve.client().admin_users().await.unwrap().len(), 2);
    // And she is the last one, as ever.
    let laptop = DeviceName::parse("eve-laptop").unwrap();
    let no = eve.client().suspend_device(&laptop).await.err().unwrap();
    assert_eq!(no.code(), ErrorCode::LastAdmin);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_give_no_word_is_not_counted_on() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    world.invited_admin(&ana, "eve").await.unwrap();
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
    // One who may never approve, one whose touch would always be too young, and one who may not look.
    for (action, when) in [
        ("admin-approve-recovery", "true"),
        ("admin-approve-recovery", "context.proof_age_seconds < 3"),
        ("admin-list-recoveries", "true"),
    ] {
        let rule = format!(
            "@id(\"x\") forbid (principal is Landfall::Human, action == Landfall::Action::\"{action}\", \
             resource) when {{ context.spiffe_id like \"*/user/eve/*\" && {when} }};"
        );
        set(&ana, &rule).await.unwrap();
        let after = counted_on().await;
        assert!(
            !after.contains(&"eve".to_owned()) && after.contains(&"ana".to_owned()),
            "{after:?}"
        );
    }
}

/// All of them are told of one another, and looked at when somebody must be left: a crowd would hide who acts.
#[tokio::test(flavor = "multi_thread")]
async fn administrators_are_no_crowd() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let zoe = world.invited(&ana, "zoe").await.unwrap();
    let invite = |name: &str| {
        let (kind, user) = (TokenKind::Invite, UserName::parse(name).unwrap());
        ana.client().mint(
            MintRequest { kind, user, device: None, role: Role::Admin, ttl: None },
            &ana.shell,
        )
    };
    let early = invite("early").await.map_err(told).unwrap();
    let crowd: String = (1..64)
        .map(|number| {
            format!(
                "INSERT INTO users (tenant, name, role, webauthn_handle, created_at, admin_since)
                 VALUES ('home', 'aa{number:02}', 'admin', randomblob(16), 0, 0);"
            )
        })
        .collect();
    world.database().unwrap().execute_batch(&crowd).unwrap();
    let asked = touches(&world);
    let no = invite("late").await.err().unwrap();
    assert!(told(no).to_string().contains("64 administrators, which is the most"));
    assert_eq!(touches(&world), asked, "nobody touches for it");
    world.pass(Seconds::hours(25)).await.unwrap();
    let asked = touches(&world);
    let no = ana.client().admin_set_role(&zoe.name, Role::Admin, &ana.shell).await.unwrap_err();
    assert_eq!(no.code(), ErrorCode::InvalidField);
    assert_eq!(touches(&world), asked, "nobody touches for it");
    let machine = world.machine("early").unwrap();
    let no = machine.try_enroll(&early.text, None, Some("early")).await.err().unwrap();
    assert!(no.problem().detail.contains("Your code still works"), "{no:?}");
    // Who acts is seen behind them all, and is the last one who does; with room again there may be another.
    assert_eq!(can_act(&ana).await, (64, 1));
    let desktop = DeviceName::parse("ana-desktop").unwrap();
    let no = ana.client().suspend_device(&desktop).await.err().unwrap();
    assert_eq!(no.code(), ErrorCode::LastAdmin);
    let one = UserName::parse("aa01").unwrap();
    ana.client().admin_set_role(&one, Role::Member, &ana.shell).await.unwrap();
    ana.client().admin_set_role(&zoe.name, Role::Admin, &ana.shell).await.unwrap();
    ana.client().suspend_device(&desktop).await.unwrap();
    // Whoever runs the server is not held up by it.
    world.break_glass("rescue", None).await.unwrap();
}

/// Devices are told apart by what they are good for, not by how they are called.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_devices_hides_nobody_who_acts() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let crowd: String = (0..150)
        .map(|number| {
            format!(
                "INSERT INTO enrollments (id, tenant, user_name, device, thumbprint, spki, state, enrolled_at,
                     last_seen_at, not_after)
                 SELECT printf('%026d', {number}), tenant, user_name, 'a{number:03}', 'a{number:03}', randomblob(16),
                     'active', enrolled_at, last_seen_at, not_after
                 FROM enrollments WHERE device = 'ana-desktop';"
            )
        })
        .collect();
    let database = world.database().unwrap();
    database.execute_batch(&crowd).unwrap();
    database
        .execute("UPDATE passkeys SET attachment = 'platform', backup_eligible = 0", [])
        .unwrap();
    assert_eq!(can_act(&ana).await, (1, 1));
    let desktop = DeviceName::parse("ana-desktop").unwrap();
    let no = ana.client().suspend_device(&desktop).await.err().unwrap();
    assert_eq!(no.code(), ErrorCode::LastAdmin);
}
