//! A tenant's own rules: set by a touch for exactly these, in force at once, named in the audit.

use landfall_client::AuditFilter;
use landfall_client::words::Role;
use landfall_crypto::SecretBytes;
use landfall_identity::Seconds;
use landfall_identity::secret::SecretName;
use landfall_protocol::ErrorCode;
use landfall_protocol::audit::AuditRow;
use landfall_protocol::ceremony::BoundActBody;
use landfall_test_support::{Person, Raw, World};
use reqwest::Method;
use serde_json::json;

const NO_SECRETS: &str = "@id(\"no-secrets-for-members\")\nforbid (principal, action == \
                          Landfall::Action::\"read-secret\", resource)\nwhen { context.role == \
                          \"member\" };\n";
const HELP_DESK: &str = "@id(\"help-desk\")\npermit (principal is Landfall::Human, action in \
                         [Landfall::Action::\"admin-list-users\", \
                         Landfall::Action::\"admin-suspend-device\"], resource)\nwhen { context.role \
                         == \"operator\" };\n";

/// Times tell rows apart.
fn later(world: &World) {
    world.clock.advance(Seconds(1));
}

async fn set(admin: &Person, text: &str) {
    let known = admin.client().admin_policies().await.unwrap();
    let set = admin.client().admin_set_policy(text, known.generation, &admin.shell).await.unwrap();
    assert_eq!((set.text.as_str(), set.generation), (text, known.generation + 1));
    assert_eq!(set.set_by.as_deref(), Some(admin.name.as_str()));
}

async fn refused(admin: &Person, text: &str) -> landfall_client::Failure {
    let known = admin.client().admin_policies().await.unwrap();
    admin.client().admin_set_policy(text, known.generation, &admin.shell).await.unwrap_err()
}

async fn with_secret(world: &World, admin: &Person, user: &str) -> (Person, SecretName) {
    let person = world.invited(admin, user).await.unwrap();
    let name = SecretName::parse("wifi").unwrap();
    person.client().set_secret(&name, &SecretBytes::new(b"hunter2".to_vec())).await.unwrap();
    (person, name)
}

/// The newest row of an action.
async fn row(admin: &Person, action: &str) -> AuditRow {
    let filter = AuditFilter { action: Some(action.into()), ..Default::default() };
    admin.client().admin_audit(&filter).await.unwrap().items.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_holds_from_the_next_request_on_and_stands_in_the_audit() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let (bert, wifi) = with_secret(&world, &ana, "bert").await;
    assert!(bert.client().get_secret(&wifi, None).await.is_ok());
    assert_eq!(row(&ana, "read-secret").await.rule.as_deref(), Some("default/own"));
    assert_eq!(row(&ana, "enroll").await.rule.as_deref(), Some("door/enroll"));
    set(&ana, NO_SECRETS).await;
    later(&world);
    let no = bert.client().get_secret(&wifi, None).await.err().unwrap();
    assert_eq!(no.code(), ErrorCode::Forbidden);
    assert!(no.problem().detail.contains("rules"), "{no:?}");
    let denied = row(&ana, "read-secret").await;
    assert_eq!(denied.rule.as_deref(), Some("tenant/no-secrets-for-members"));
    assert_eq!((denied.outcome.as_str(), denied.reason.as_deref()), ("deny", Some("forbidden")));
    // A floor is named too, and a law.
    assert!(bert.client().admin_users().await.is_err());
    let floor = row(&ana, "admin-list-users").await.rule.unwrap();
    assert!(floor.starts_with("floor/role/"), "{floor}");
    let nothing = SecretName::parse("nothing").unwrap();
    later(&world);
    assert!(ana.client().get_secret(&nothing, None).await.is_err());
    let law = row(&ana, "read-secret").await;
    assert_eq!(law.rule.as_deref(), Some("law/not-found"));
    // Taken back, it no longer holds.
    set(&ana, "").await;
    assert!(bert.client().get_secret(&wifi, None).await.is_ok());
    let rows = "SELECT COUNT(*) FROM audit_events WHERE rule IS NULL AND outcome <> 'error' AND \
                actor <> 'server'";
    assert_eq!(world.number(rows).unwrap(), 0, "every row of a caller names its rule");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_delegable_is_handed_on_and_nothing_else() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let tom = world.invited_as(&ana, "tom", Role::Operator).await.unwrap();
    let laptop = landfall_identity::DeviceName::parse("bert-laptop").unwrap();
    tom.step_up().await.unwrap();
    let cut = tom.client().admin_suspend_device(&bert.name, &laptop).await.err().unwrap();
    assert_eq!(cut.code(), ErrorCode::Forbidden);
    set(&ana, HELP_DESK).await;
    later(&world);
    assert!(tom.client().admin_users().await.is_ok());
    tom.client().admin_suspend_device(&bert.name, &laptop).await.unwrap();
    assert_eq!(row(&ana, "admin-suspend-device").await.rule.as_deref(), Some("tenant/help-desk"));
    // The same words for a member stay words.
    let eve = world.invited(&ana, "eve").await.unwrap();
    set(&ana, &HELP_DESK.replace("when { context.role == \"operator\" }", "")).await;
    assert_eq!(eve.client().admin_users().await.err().unwrap().code(), ErrorCode::Forbidden);
    for wide in [
        "@id(\"a\") permit (principal, action, resource);",
        "@id(\"a\") permit (principal, action == Landfall::Action::\"issue-invite\", resource);",
        "@id(\"a\") permit (principal, action in Landfall::Action::\"tenant-wide\", resource);",
    ] {
        let no = refused(&ana, wide).await;
        assert_eq!(no.code(), ErrorCode::InvalidField, "{wide}");
        assert!(no.problem().detail.contains("delegat"), "{no:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_set_by_who_may_with_a_touch_for_exactly_these() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let audrey = world.invited_as(&ana, "audrey", Role::Auditor).await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    assert!(audrey.client().admin_policies().await.is_ok(), "an auditor reads them");
    assert!(bert.client().admin_policies().await.is_err());
    for person in [&audrey, &bert] {
        assert!(person.client().admin_try_policy("").await.is_err());
        let no = person.client().admin_set_policy("", 0, &person.shell).await.err().unwrap();
        assert_eq!(no.code(), ErrorCode::Forbidden);
    }
    let raw = Raw::of(&ana.machine).unwrap();
    let hash = data_encoding::BASE64URL_NOPAD
        .encode(&landfall_crypto::secret::sha256(NO_SECRETS.as_bytes()));
    let act = BoundActBody::SetPolicy { policy_hash: hash };
    let session = ana.client().step_up(Some(act), None, &ana.shell).await.unwrap();
    let post = async |text: &str, generation: i64| {
        let body = json!({ "text": text, "generation": generation });
        let sent = raw.send(Method::POST, "/admin/policies", Some(&session.token), Some(&body));
        let answer = sent.await.unwrap();
        (answer.status >= 400).then(|| answer.code())
    };
    assert_eq!(post(HELP_DESK, 0).await, Some(ErrorCode::StepUpForAnotherAct));
    assert_eq!(post(NO_SECRETS, 7).await, Some(ErrorCode::InvalidField), "another generation");
    assert_eq!(post(NO_SECRETS, 0).await, None);
    assert_eq!(post(NO_SECRETS, 1).await, Some(ErrorCode::StepUpSpent));
    let no = refused(&ana, "forbid").await;
    assert!(no.problem().detail.contains("end of input"), "{no:?}");
    assert_eq!(ana.client().admin_policies().await.unwrap().text, NO_SECRETS, "as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_rules_are_tried_on_what_was_asked_and_no_name_is_kept() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let (bert, wifi) = with_secret(&world, &ana, "bert").await;
    for _ in 0..3 {
        bert.client().get_secret(&wifi, None).await.unwrap();
    }
    let tried = ana.client().admin_try_policy(NO_SECRETS).await.unwrap();
    assert!(tried.tried > 5 && tried.same == tried.tried - 1, "{tried:?}");
    assert_eq!((tried.newly_refused, tried.newly_allowed), (1, 0));
    let change = &tried.changes[0];
    assert_eq!((change.action.as_str(), change.allowed), ("read-secret", false));
    assert_eq!(change.rule_after, "tenant/no-secrets-for-members");
    assert_eq!(change.caller, "spiffe://landfall.local/tenant/home/user/-/device/-");
    let named = "SELECT COUNT(*) FROM policy_questions WHERE question LIKE '%bert%' OR question LIKE \
                 '%ana%'";
    assert_eq!(world.number(named).unwrap(), 0);
    let kept = "SELECT COUNT(*) FROM policy_questions WHERE question LIKE '%read-secret%'";
    assert_eq!(world.number(kept).unwrap(), 1, "three alike are one");
    // Of all that was asked, what takes rules back would stay, and a renewal or a session of anybody's.
    let all = "@id(\"a\") forbid (principal, action, resource);";
    let all = ana.client().admin_try_policy(all).await.unwrap();
    assert!(all.newly_refused > 1 && all.same > 5, "{all:?}");
    let beyond = ["admin-set-policy", "begin-step-up", "open-session"];
    for change in all.changes.iter().filter(|change| change.role == "admin") {
        assert!(!beyond.contains(&change.action.as_str()), "{change:?}");
    }
    // A try changes nothing.
    assert!(bert.client().get_secret(&wifi, None).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_evaluation_is_a_deny() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let (bert, wifi) = with_secret(&world, &ana, "bert").await;
    set(
        &ana,
        "@id(\"broken\") forbid (principal, action == Landfall::Action::\"read-secret\", resource) \
         when { (context.proof_age_seconds + 2) * 9223372036854775807 == 0 };",
    )
    .await;
    let no = bert.client().get_secret(&wifi, None).await.err().unwrap();
    assert_eq!(no.code(), ErrorCode::Forbidden);
    assert_eq!(row(&ana, "read-secret").await.rule.as_deref(), Some("error/tenant/broken"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_takes_rules_away_and_a_running_server_hears_of_it() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let (bert, wifi) = with_secret(&world, &ana, "bert").await;
    set(&ana, NO_SECRETS).await;
    let said = world.operator(&["policy", "clear"]).unwrap();
    assert!(said.contains("are gone"), "{said}");
    // The server polls ten times a second; a machine that is busy with other tests takes longer.
    let served = async {
        loop {
            if bert.client().get_secret(&wifi, None).await.is_ok() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), served).await.unwrap();
    assert!(world.operator(&["policy", "clear"]).unwrap().contains("Nothing was changed"));
    let rows =
        "SELECT COUNT(*) FROM audit_events WHERE action = 'policy-clear' AND actor = 'server'";
    assert_eq!(world.number(rows).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_survive_a_restart() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let (bert, wifi) = with_secret(&world, &ana, "bert").await;
    set(&ana, NO_SECRETS).await;
    world.restart().await.unwrap();
    assert!(bert.client().get_secret(&wifi, None).await.is_err());
    assert_eq!(ana.client().admin_policies().await.unwrap().generation, 1);
}
