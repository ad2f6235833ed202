//! No rule of a tenant's keeps an administrator from setting others, and none keeps anybody from stopping their own
//! account. Nobody can tell from outside whom rules would keep from what: so they are not asked.

use landfall_client::words::Role;
use landfall_identity::session::CERT_ONLY_TTL;
use landfall_identity::{DeviceName, Seconds};
use landfall_protocol::ErrorCode;
use landfall_protocol::device::DeviceStateName;
use landfall_test_support::{Person, PocketKey, World};

const NOBODY: &str = "@id(\"x\") forbid (principal, action, resource);";
const NO_ADMIN: &str = "@id(\"x\") forbid (principal is Landfall::Human, action, resource) when { context.role == \
                        \"admin\" };";
const NOT_ANA: &str = "@id(\"x\") forbid (principal is Landfall::Human, action, resource) when { \
                       context.spiffe_id like \"*/user/ana/*\" };";
/// At no time at which anybody could ask: once before a touch, as if it had been given, and once after it.
const TOO_YOUNG: &str =
    "@id(\"x\") forbid (principal, action, resource) when { context.proof_age_seconds < 5 };";
const TOO_OLD: &str = "@id(\"x\") forbid (principal, action, resource) when { \
                       context[\"proof\\u{5f}age_seconds\"] != 30 };";
const FROZEN: &str = "@id(\"x\") forbid (principal, action, resource) when { context.frozen };";
/// One that errs wherever it is asked: any such error is a deny.
const BROKEN: &str = "@id(\"x\") forbid (principal, action, resource) when { \
                      (context.proof_age_seconds + 2) * 9223372036854775807 == 0 };";
pub(super) const NO_MEMBER: &str = "@id(\"nobody\") forbid (principal is Landfall::Human, action, resource) when { \
                                    context.role == \"member\" };";

pub(super) async fn set(admin: &Person, text: &str) -> Result<(), landfall_client::Failure> {
    let known = admin.client().admin_policies().await.unwrap();
    admin.client().admin_set_policy(text, known.generation, &admin.shell).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_rules_say_an_administrator_sets_others() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    for text in [NOBODY, NO_ADMIN, NOT_ANA, TOO_YOUNG, TOO_OLD, FROZEN, BROKEN] {
        set(&eve, text).await.unwrap();
        world.clock.advance(Seconds(1));
        // A freeze is never refused, since its owner ends it: also then.
        ana.client().freeze().await.unwrap();
        world.clock.advance(Seconds(1));
        ana.step_up().await.unwrap();
        ana.client().unfreeze().await.unwrap_or_else(|no| panic!("{text}: {no:?}"));
        set(&ana, "").await.unwrap_or_else(|no| panic!("{text}: {no:?}"));
        world.clock.advance(Seconds(1));
    }
    // The rest is for rules, and whoever can change them is told so.
    set(&eve, NOT_ANA).await.unwrap();
    let no = ana.client().whoami().await.unwrap_err();
    assert_eq!(no.code(), ErrorCode::Forbidden);
    assert!(no.problem().detail.contains("landfall admin policy set"), "{no:?}");
    // What nobody is asked about leads to nothing else.
    let no = ana.device_token("ana-new").await.unwrap_err();
    assert!(no.to_string().contains("rules do not let you"), "{no}");
    // She has heard of every change, and by whom.
    set(&ana, "").await.unwrap();
    let heard = ana.client().notices(50, None).await.unwrap().items;
    let of_rules = heard.iter().filter(|notice| notice.kind == "rules-changed");
    let by = |who: &str| of_rules.clone().filter(|notice| notice.text.contains(who)).count();
    // Her own, too: somebody may have her machine and her key.
    assert_eq!(
        (by("by the administrator eve"), by("by your device ana-desktop")),
        (8, 8),
        "{heard:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_gains_by_it() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let audrey = world.invited_as(&ana, "audrey", Role::Auditor).await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    assert!(audrey.client().admin_policies().await.is_ok());
    set(&ana, NOBODY).await.unwrap();
    for person in [&audrey, &bert] {
        assert_eq!(
            person.client().admin_policies().await.unwrap_err().code(),
            ErrorCode::Forbidden
        );
        let no = person.step_up().await.unwrap_err();
        assert!(no.to_string().contains("rules do not let you"), "{no}");
    }
}

/// Whoever becomes an administrator under such a rule, and has only just come in.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_administrator_registers_a_first_passkey_and_sets_rules() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    set(&ana, NOBODY).await.unwrap();
    let code = world.break_glass("rescue", None).await.unwrap();
    let machine = world.machine("rescue").unwrap();
    machine.enroll(code.trim(), None, Some("rescue-desk")).await.unwrap();
    let name = "rescue".parse().unwrap();
    let rescue = Person { name, machine, shell: PocketKey::new().unwrap() };
    rescue.register(landfall_identity::passkey::Attachment::Roaming).await.unwrap();
    world.clock.advance(Seconds(1));
    set(&rescue, "").await.unwrap();
    assert_eq!(rescue.client().admin_users().await.unwrap().len(), 2);
    // A second one is no first one: that is for rules again.
    set(&rescue, NOBODY).await.unwrap();
    let no = rescue.register(landfall_identity::passkey::Attachment::Roaming).await;
    assert!(no.unwrap_err().to_string().contains("rules do not let you"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_rule_keeps_anybody_from_stopping_their_own_account() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let cleo = world.invited(&ana, "cleo").await.unwrap();
    set(&ana, NO_MEMBER).await.unwrap();
    // With a session that is new, and a certificate: what there was before the rules is over by then.
    world.pass(Seconds::hours(25)).await.unwrap();
    world.clock.advance(CERT_ONLY_TTL);
    assert_eq!(bert.client().whoami().await.unwrap_err().code(), ErrorCode::Forbidden);
    bert.client().freeze().await.unwrap();
    let filter = landfall_client::AuditFilter {
        action: Some("freeze-account".into()),
        ..Default::default()
    };
    let row = ana.client().admin_audit(&filter).await.unwrap().items.remove(0);
    assert_eq!((row.outcome.as_str(), row.rule.as_deref()), ("allow", Some("default/own")));
    // Nor from cutting off the machine at hand.
    let cut = cleo.client().suspend_device(&DeviceName::parse("cleo-laptop").unwrap()).await;
    assert_eq!(cut.unwrap().device.state, DeviceStateName::Suspended);
}
