//! The floors as rules say what `identity::authorize` says, for whoever asks whatever.

use super::*;
use landfall_identity::action::{Entry, Scope};
use landfall_identity::authorize::Object;
use landfall_identity::caller::AccountState;
use landfall_identity::grant::EnrollmentGrant;
use landfall_identity::id::{EnrollmentId, GrantId, PasskeyId, SessionId};
use landfall_identity::session::{Factor, SessionFacts};
use landfall_identity::spiffe::{Principal, Segment, SpiffeId, TrustDomain};
use landfall_identity::{
    Action, AuthStrength, BoundAction, Caller, DeviceName, DeviceState, Refusal, Role, Timestamp,
    UserName, authorize,
};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn act(device: &str) -> BoundAction {
    let (user, device) = (UserName::parse("bert").unwrap(), DeviceName::parse(device).unwrap());
    BoundAction::RevokeDevice { user, device }
}

fn principal() -> impl Strategy<Value = Principal> {
    let tenant = TenantName::parse("home").unwrap();
    let device = DeviceName::parse("laptop").unwrap();
    let segment = |text: &str| Segment::parse(text).unwrap();
    prop_oneof![
        4 => Just(Principal::Human {
            tenant: tenant.clone(),
            user: UserName::parse("bert").unwrap(),
            device: device.clone(),
        }),
        1 => Just(Principal::ProvisionedDevice { tenant: tenant.clone(), device }),
        1 => Just(Principal::Workload {
            tenant: tenant.clone(),
            service_account: segment("ci"),
            namespace: segment("n"),
            cluster: segment("c"),
        }),
        1 => Just(Principal::Agent { tenant, name: segment("a"), instance: segment("1") }),
    ]
}

fn session() -> impl Strategy<Value = Option<SessionFacts>> {
    let bound = prop_oneof![
        Just(None),
        Just(Some(act("phone").canonical())),
        Just(Some(act("tablet").canonical()))
    ];
    let ages = prop_oneof![
        -2_000_i64..2_000,
        118_000_i64..122_000,
        598_000_i64..602_000,
        0_i64..2_000_000
    ];
    let facts = (any::<bool>(), ages, bound).prop_map(|(person, age, bound_to)| {
        let factor = person.then(|| Factor {
            passkey: PasskeyId::from_bits([9; 16]),
            registered_at: Timestamp::from_seconds(0),
            lives_on: None,
        });
        SessionFacts {
            id: SessionId::from_bits([1; 16]),
            strength: if person { AuthStrength::CertHuman } else { AuthStrength::CertOnly },
            auth_time: Timestamp::from_millis(NOW.millis() - age),
            expires_at: NOW,
            factor,
            bound_to,
        }
    });
    proptest::option::weighted(0.9, facts)
}

fn caller() -> impl Strategy<Value = Caller> {
    let device = prop_oneof![
        6 => Just(DeviceState::Active),
        1 => Just(DeviceState::Suspended { at: NOW }),
        1 => Just(DeviceState::Revoked { at: NOW }),
    ];
    let account = prop_oneof![3 => Just(AccountState::Active), 1 => Just(AccountState::Frozen)];
    let role = proptest::sample::select(Role::ALL.to_vec());
    let grant = proptest::option::of((any::<bool>(), -2_i64..2));
    (principal(), role, device, account, session(), grant).prop_map(
        |(principal, role, device, account, session, grant)| Caller {
            spiffe_id: SpiffeId::new(TrustDomain::parse("td").unwrap(), principal),
            role,
            machine: None,
            parents: Vec::new(),
            enrollment: EnrollmentId::from_bits([1; 16]),
            enrolled_at: Timestamp::from_seconds(0),
            device,
            account,
            session,
            grant: grant.map(|(own, ends)| EnrollmentGrant {
                id: GrantId::from_bits([3; 16]),
                held_by: EnrollmentId::from_bits([if own { 1 } else { 2 }; 16]),
                expires_at: Timestamp::from_millis(NOW.millis() + ends * 1000),
            }),
        },
    )
}

fn object() -> impl Strategy<Value = Object> {
    let names = (any::<bool>(), any::<bool>()).prop_map(|(here, own)| {
        let tenant = TenantName::parse(if here { "home" } else { "work" }).unwrap();
        (tenant, UserName::parse(if own { "bert" } else { "anna" }).unwrap())
    });
    prop_oneof![
        Just(Object::Own),
        names.clone().prop_map(|(tenant, user)| Object::Owned { tenant, user }),
        names.clone().prop_map(|(tenant, guardian)| Object::Ward { tenant, guardian }),
        names.prop_map(|(tenant, user)| Object::Device {
            tenant,
            user,
            enrollment: EnrollmentId::from_bits([2; 16]),
            since: NOW,
        }),
    ]
}

/// Refusals that are no floor of policy's: how old a factor is, and where it lives.
fn is_a_law(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Probation { .. } | Refusal::FactorOnTarget | Refusal::ClockJumped)
}

/// What policy is asked about.
fn asked() -> Vec<Action> {
    let by = |action: &Action| {
        matches!(
            action.demand().entry,
            Entry::EnrolledKey
                | Entry::Connection
                | Entry::Session(_)
                | Entry::AgentKey
                | Entry::PlatformToken
        )
    };
    Action::ALL.iter().copied().filter(by).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    /// Both ways: what a floor refuses no rule allows, and floors refuse nothing else.
    #[test]
    fn policy_never_allows_what_a_floor_forbids(
        action in proptest::sample::select(asked()),
        caller in caller(),
        object in object(),
        with_act in any::<bool>(),
    ) {
        let act = with_act.then(|| act("phone"));
        let law = authorize(action, &caller, &object, act.as_ref(), NOW);
        let question = Question::of(action, &caller, &object, act.as_ref(), NOW);
        // A tenant that permits whatever it can.
        let said = generous().decide(&question);
        match law {
            Err(refusal) if is_a_law(&refusal) => {}
            Err(refusal) => {
                prop_assert!(!said.allowed, "{refusal:?} and {said:?}");
                prop_assert!(said.rule.starts_with("floor/"), "{refusal:?} and {said:?}");
            }
            Ok(()) => {
                prop_assert!(!said.rule.starts_with("floor/"), "{said:?} refuses more than the law");
                let Scope::Tenant(roles) = action.demand().scope else {
                    prop_assert!(said.allowed, "{said:?}");
                    return Ok(());
                };
                let delegated = action.demand().delegable.contains(&caller.role);
                prop_assert_eq!(said.allowed, roles.contains(&caller.role) || delegated);
            }
        }
    }
}

fn generous() -> &'static Rules {
    static RULES: std::sync::LazyLock<Rules> = std::sync::LazyLock::new(|| {
        let text = "@id(\"all\") permit (principal, action in Landfall::Action::\"delegable\", \
                    resource);";
        Rules::with(text, 1).unwrap()
    });
    &RULES
}

#[test]
fn every_route_is_refused_to_every_kind_and_role_that_it_is_not_for() {
    use landfall_identity::spiffe::PrincipalKind;
    let mut refused = 0;
    for route in crate::http::routes() {
        let demand = route.action.demand();
        for kind in PrincipalKind::ALL {
            for role in Role::ALL {
                let question = Question {
                    action: route.action.code().into(),
                    spiffe_id: "spiffe://td/tenant/home/x".into(),
                    kind,
                    tenant: "home".into(),
                    role,
                    machine_role: String::new(),
                    parents: Vec::new(),
                    strength: Some(AuthStrength::CertHuman),
                    proof_age_seconds: 0,
                    approval: Approval::ThisAct,
                    grant: true,
                    device: "active".into(),
                    frozen: false,
                    object_tenant: "home".into(),
                    own: true,
                    proven: true,
                    issuer: String::new(),
                };
                let open = demand.kinds.contains(&kind) && demand.is_open_to(role);
                if !open {
                    let said = generous().decide(&question);
                    assert!(!said.allowed, "{route:?} for {kind:?}, {role:?}: {said:?}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 1000, "only {refused} were refused");
}
