use super::question::{FIRST_PASSKEY, MENDS};
use super::*;
use landfall_identity::action::Binding;
use landfall_identity::spiffe::PrincipalKind;
use landfall_identity::{AuthStrength, Role};

/// A person with a session of their own, who asks for `action`.
fn ask(action: &str, role: Role) -> Question {
    Question {
        action: action.into(),
        spiffe_id: "spiffe://td/tenant/home/user/bert/device/laptop".into(),
        kind: PrincipalKind::Human,
        tenant: "home".into(),
        role,
        machine_role: String::new(),
        parents: Vec::new(),
        strength: Some(AuthStrength::CertHuman),
        proof_age_seconds: 3,
        approval: Approval::None,
        grant: false,
        device: "active".into(),
        frozen: false,
        object_tenant: "home".into(),
        own: true,
        proven: true,
        issuer: String::new(),
    }
}

fn decide(text: &str, question: &Question) -> Decision {
    Rules::with(text, 1).unwrap().decide(question)
}

#[test]
fn what_is_shipped_is_valid_and_lets_people_have_their_own() {
    let said = decide("", &ask("read-secret", Role::Member));
    assert_eq!(said, Decision { allowed: true, rule: "default/own".into() });
    let said = decide("", &ask("admin-list-users", Role::Member));
    assert_eq!((said.allowed, said.rule.starts_with("floor/role/")), (false, true), "{said:?}");
    let said = decide("", &ask("admin-list-users", Role::Admin));
    assert_eq!(said.rule, "default/administrators");
    let said = decide("", &ask("admin-list-users", Role::Operator));
    assert_eq!(said, Decision { allowed: false, rule: NO_RULE.into() });
}

#[test]
fn a_tenant_forbids_what_it_likes_and_permits_what_is_delegable() {
    let forbid = "@id(\"no-secrets\") forbid (principal, action == \
                  Landfall::Action::\"read-secret\", resource) when { context.role == \"member\" };";
    let said = decide(forbid, &ask("read-secret", Role::Member));
    assert_eq!(said, Decision { allowed: false, rule: "tenant/no-secrets".into() });
    assert!(decide(forbid, &ask("read-secret", Role::Admin)).allowed);
    let permit = "@id(\"help-desk\") permit (principal is Landfall::Human, action in \
                  [Landfall::Action::\"admin-list-users\", Landfall::Action::\"admin-suspend-device\"], \
                  resource) when { context.role == \"operator\" };";
    let said = decide(permit, &ask("admin-list-users", Role::Operator));
    assert_eq!(said, Decision { allowed: true, rule: "tenant/help-desk".into() });
    // Whatever it permits, floors stand.
    let wide = permit.replace("when { context.role == \"operator\" }", "");
    let said = decide(&wide, &ask("admin-list-users", Role::Member));
    assert!(said.rule.starts_with("floor/role/"), "{said:?}");
}

#[test]
fn what_is_no_rule_is_refused_with_its_reason() {
    let id = "@id(\"a\") ";
    for (text, why) in [
        ("forbid (principal", "end of input"),
        ("forbid (principal, action, resource);", "a name"),
        ("@id(\"A b\") forbid (principal, action, resource);", "lower-case"),
        ("@id(\"floor/device\") forbid (principal, action, resource);", "lower-case"),
        (
            "@id(\"a\") forbid (principal, action, resource);\
             @id(\"a\") forbid (principal, action, resource);",
            "called a",
        ),
        (&format!("{id}permit (principal, action, resource);"), "delegat"),
        (
            &format!("{id}permit (principal, action in Landfall::Action::\"own\", resource);"),
            "delegat",
        ),
        (
            &format!(
                "{id}permit (principal, action == Landfall::Action::\"issue-invite\", resource);"
            ),
            "delegat",
        ),
        (
            &format!("{id}forbid (principal, action == Landfall::Action::\"no-such\", resource);"),
            "no-such",
        ),
        (
            &format!("{id}forbid (principal, action == Landfall::Action::\"enroll\", resource);"),
            "enroll",
        ),
        (
            &format!("{id}forbid (principal, action, resource) when {{ context.rol == \"x\" }};"),
            "rol",
        ),
        (
            &format!("{id}forbid (principal, action, resource) when {{ context.role == 1 }};"),
            "type",
        ),
        (&format!("{id}forbid (principal == ?principal, action, resource);"), "template"),
        (&format!("{id}forbid (principal, action, resource) when {{ false }};"), "impossible"),
        (&"x".repeat(TEXT_MAX + 1), "longer"),
    ] {
        let error = Rules::with(text, 1).err().unwrap_or_else(|| panic!("taken: {text:.80}"));
        assert!(error.to_string().contains(why), "{text:.80}: {error}");
    }
}

#[test]
fn an_error_of_evaluation_is_a_deny_also_of_a_forbid() {
    // 3 s times the largest number overflows; Cedar would skip the rule and allow.
    let text = "@id(\"broken\") forbid (principal, action == Landfall::Action::\"read-secret\", \
                resource) when { context.proof_age_seconds * 9223372036854775807 == 0 };";
    let said = decide(text, &ask("read-secret", Role::Member));
    assert_eq!(said, Decision { allowed: false, rule: "error/tenant/broken".into() });
    let mut young = ask("read-secret", Role::Member);
    young.proof_age_seconds = 0;
    assert_eq!(decide(text, &young).rule, "tenant/broken");
    assert!(decide(text, &ask("list-secrets", Role::Member)).allowed, "others are untouched");
}

#[test]
fn no_rule_keeps_a_person_from_stopping_their_own_account() {
    // One that takes everything away, and one that errs wherever it is asked.
    let all = "@id(\"all\") forbid (principal, action, resource);";
    let broken = "@id(\"broken\") forbid (principal, action, resource) when { \
                  (context.proof_age_seconds + 2) * 9223372036854775807 == 0 };";
    for rules in
        [Rules::with(all, 1).unwrap(), Rules::with(broken, 1).unwrap(), Rules::unreadable(7)]
    {
        for action in ["renew-certificate", "open-session", "freeze-account", "suspend-this-device"]
        {
            let mut question = ask(action, Role::Member);
            question.strength = Some(AuthStrength::CertOnly);
            let said = rules.decide(&question);
            assert_eq!(said, Decision { allowed: true, rule: "default/own".into() }, "{action}");
            // The floors stand: somebody else's account is none of theirs.
            question.own = false;
            assert_eq!(rules.decide(&question).rule, "floor/own", "{action}");
        }
        // An administrator sets other rules, by a first passkey if need be.
        for action in MENDS.into_iter().chain(FIRST_PASSKEY) {
            let mut question = ask(action.demand().code, Role::Admin);
            question.grant = FIRST_PASSKEY.contains(&action);
            question = question.after_step_up(action.demand().binding != Binding::Unbound);
            let said = rules.decide(&question);
            assert!(said.allowed && said.rule.starts_with("default/"), "{action:?}: {said:?}");
            question.role = Role::Auditor;
            assert!(!rules.decide(&question).allowed, "{action:?}");
        }
        let mut second = ask("register-passkey", Role::Admin).after_step_up(true);
        second.grant = false;
        assert!(!rules.decide(&second).allowed);
        // Whatever else a session could do stays refused, and a machine's session is asked about.
        assert!(!rules.decide(&ask("unfreeze-account", Role::Member)).allowed);
        let mut machine = ask("open-session", Role::Member);
        machine.kind = PrincipalKind::ProvisionedDevice;
        assert!(!rules.decide(&machine).allowed);
    }
}

#[test]
fn rules_that_cannot_be_read_allow_nothing() {
    let said = Rules::unreadable(7).decide(&ask("read-self", Role::Admin));
    assert_eq!(said, Decision { allowed: false, rule: UNREADABLE.into() });
}

#[test]
fn what_is_kept_of_a_question_names_no_person() {
    let mut question = ask("read-secret", Role::Member);
    question.proof_age_seconds = 130;
    question.parents = vec!["spiffe://td/tenant/home/user/anna/device/phone".into()];
    let kept = question.to_keep();
    let text = serde_json::to_string(&kept).unwrap();
    for name in ["bert", "anna", "laptop", "phone"] {
        assert!(!text.contains(name), "{text}");
    }
    assert_eq!(kept.proof_age_seconds, 120);
    assert_eq!(serde_json::from_str::<Question>(&text).unwrap(), kept);
    question.spiffe_id = "spiffe://td/tenant/home/workload/ci/ns/x/cluster/y".into();
    assert_eq!(question.to_keep().spiffe_id, question.spiffe_id, "machines keep their names");
}
