//! No rule of a tenant's shuts an administrator out, and none keeps anybody from stopping their own account.

use landfall_client::AuditFilter;
use landfall_client::words::Role;
use landfall_identity::{DeviceName, Seconds};
use landfall_protocol::ErrorCode;
use landfall_protocol::device::DeviceStateName;
use landfall_test_support::{Person, World};

const NOT_ANA: &str = "@id(\"x\") forbid (principal is Landfall::Human, action, resource) when { \
                       context.spiffe_id like \"*/user/ana/*\" };";
const NOT_HER_DESKTOP: &str = "@id(\"x\") forbid (principal is Landfall::Human, action, resource) when { \
                               context.spiffe_id like \"*/user/ana/device/ana-desktop\" };";
/// A touch for these rules, or one for any, is worth something for one second of its life, for show.
const ONE_SECOND: &str = "@id(\"x\") forbid (principal is Landfall::Human, action == \
                          Landfall::Action::\"admin-set-policy\", resource) when { context.spiffe_id like \
                          \"*/user/ana/*\" && context.proof_age_seconds != 30 };";
pub(super) const NO_MEMBER: &str = "@id(\"nobody\") forbid (principal is Landfall::Human, action, resource) when { \
                                    context.role == \"member\" };";

pub(super) async fn set(admin: &Person, text: &str) -> Result<(), landfall_client::Failure> {
    let known = admin.client().admin_policies().await.unwrap();
    admin.client().admin_set_policy(text, known.generation, &admin.shell).await.map(drop)
}

/// Refused, by name and with what to do instead; and the dry run says so before a touch.
async fn shuts_ana_out(admin: &Person, text: &str) {
    let no = set(admin, text).await.unwrap_err();
    assert_eq!(no.code(), ErrorCode::InvalidField);
    let why = &no.problem().detail;
    assert!(why.contains("ana, an administrator, could never set others"), "{why}");
    assert!(why.contains("landfall admin role set ana member"), "{why}");
    let tried = admin.client().admin_try_policy(text).await.unwrap();
    assert_eq!((tried.shuts_out.as_deref(), tried.locks_you_out_of), (Some("ana"), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_shuts_another_administrator_out_is_refused() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    for text in [NOT_ANA, NOT_HER_DESKTOP, ONE_SECOND] {
        shuts_ana_out(&eve, text).await;
    }
    // Neither a freeze nor a suspension before it, which can end after it, changes that.
    ana.client().freeze().await.unwrap();
    shuts_ana_out(&eve, NOT_ANA).await;
    world.clock.advance(Seconds(1));
    ana.step_up().await.unwrap();
    ana.client().unfreeze().await.unwrap();
    eve.step_up().await.unwrap();
    let desktop = DeviceName::parse("ana-desktop").unwrap();
    eve.client().admin_suspend_device(&ana.name, &desktop).await.unwrap();
    shuts_ana_out(&eve, NOT_ANA).await;
    eve.step_up().await.unwrap();
    eve.client().admin_resume_device(&ana.name, &desktop).await.unwrap();
    // With another device of hers a rule about one machine is one about a machine.
    let phone = world.machine("ana-phone").unwrap();
    phone.enroll(&ana.device_token("ana-phone").await.unwrap(), None, None).await.unwrap();
    assert_eq!(eve.client().admin_try_policy(NOT_HER_DESKTOP).await.unwrap().shuts_out, None);
    set(&eve, NOT_HER_DESKTOP).await.unwrap();
    assert_eq!(ana.client().whoami().await.unwrap_err().code(), ErrorCode::Forbidden);
    // Hers, from the phone: it is no second way to set rules about whoever set these.
    let phone = Person { name: ana.name.clone(), machine: phone, shell: ana.shell.clone() };
    set(&phone, "").await.unwrap();
    // Taking the role comes first, and is told, and guarded. Then rules say what they like.
    world.pass(Seconds::hours(25)).await.unwrap();
    eve.client().admin_set_role(&ana.name, Role::Member, &eve.shell).await.unwrap();
    set(&eve, NOT_ANA).await.unwrap();
    assert_eq!(ana.client().whoami().await.unwrap_err().code(), ErrorCode::Forbidden);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_rule_keeps_anybody_from_stopping_their_own_account() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let cleo = world.invited(&ana, "cleo").await.unwrap();
    set(&ana, NO_MEMBER).await.unwrap();
    world.clock.advance(Seconds(1));
    // With a session that is new: what was opened before the rules is over.
    world.clock.advance(landfall_identity::session::CERT_ONLY_TTL);
    assert_eq!(bert.client().whoami().await.unwrap_err().code(), ErrorCode::Forbidden);
    bert.client().freeze().await.unwrap();
    let filter = AuditFilter { action: Some("freeze-account".into()), ..Default::default() };
    let row = ana.client().admin_audit(&filter).await.unwrap().items.remove(0);
    assert_eq!((row.outcome.as_str(), row.rule.as_deref()), ("allow", Some("default/own")));
    // Nor from cutting off the machine at hand.
    let cut = cleo.client().suspend_device(&DeviceName::parse("cleo-laptop").unwrap()).await;
    assert_eq!(cut.unwrap().device.state, DeviceStateName::Suspended);
}
