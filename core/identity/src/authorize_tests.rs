use super::*;
use crate::caller::Role;
use crate::grant::EnrollmentGrant;
use crate::id::{GrantId, PasskeyId, SessionId};
use crate::name::DeviceName;
use crate::refusal::Young;
use crate::session::Factor;
use crate::spiffe::{Principal, SpiffeId, TrustDomain};

const HOUR: i64 = 3600;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_000_000 + seconds)
}

fn tenant(name: &str) -> TenantName {
    TenantName::parse(name).unwrap()
}

fn user(name: &str) -> UserName {
    UserName::parse(name).unwrap()
}

fn enrollment(n: u8) -> EnrollmentId {
    EnrollmentId::from_bits([n; 16])
}

fn session(strength: AuthStrength) -> SessionFacts {
    let factor = (strength == AuthStrength::CertHuman).then(|| Factor {
        passkey: PasskeyId::from_bits([9; 16]),
        registered_at: at(-100 * HOUR),
        lives_on: None,
    });
    SessionFacts {
        id: SessionId::from_bits([1; 16]),
        strength,
        auth_time: at(0),
        expires_at: at(600),
        factor,
        bound_to: None,
    }
}

fn bert(session: Option<SessionFacts>) -> Caller {
    let principal = Principal::Human {
        tenant: tenant("home"),
        user: user("bert"),
        device: DeviceName::parse("laptop").unwrap(),
    };
    Caller {
        spiffe_id: SpiffeId::new(TrustDomain::parse("td").unwrap(), principal),
        role: Role::Member,
        machine: None,
        parents: Vec::new(),
        enrollment: enrollment(1),
        enrolled_at: at(-200 * HOUR),
        device: DeviceState::Active,
        account: AccountState::Active,
        session,
        grant: None,
    }
}

fn phone_of(owner: &str, since: Timestamp) -> Object {
    Object::Device { tenant: tenant("home"), user: user(owner), enrollment: enrollment(2), since }
}

fn is_for_people(action: Action) -> bool {
    action.demand().kinds.contains(&crate::spiffe::PrincipalKind::Human)
}

fn revoke_phone() -> BoundAction {
    BoundAction::RevokeDevice { user: user("bert"), device: DeviceName::parse("phone").unwrap() }
}

#[test]
fn a_revoked_or_suspended_device_may_do_nothing_at_all() {
    for action in Action::ALL.iter().filter(|action| is_for_people(**action)) {
        let mut caller = bert(Some(session(AuthStrength::CertHuman)));
        caller.role = Role::Admin;
        caller.device = DeviceState::Revoked { at: at(0) };
        assert_eq!(
            authorize(*action, &caller, &Object::Own, None, at(1)),
            Err(Refusal::DeviceRevoked),
            "{action:?}"
        );
        caller.device = DeviceState::Suspended { at: at(0) };
        assert_eq!(
            authorize(*action, &caller, &Object::Own, None, at(1)),
            Err(Refusal::DeviceSuspended),
            "{action:?}"
        );
    }
}

#[test]
fn a_session_is_demanded_wherever_the_table_says_so() {
    for action in Action::ALL.iter().filter(|action| is_for_people(**action)) {
        if let Entry::Session(_) = action.demand().entry {
            assert_eq!(
                authorize(*action, &bert(None), &Object::Own, None, at(1)),
                Err(Refusal::SessionRequired),
                "{action:?}"
            );
        }
    }
}

#[test]
fn cert_only_never_does_what_takes_a_human() {
    for action in Action::ALL {
        if action.demand().entry == Entry::Session(AuthStrength::CertHuman) {
            let mut caller = bert(Some(session(AuthStrength::CertOnly)));
            caller.role = Role::Admin;
            assert!(
                matches!(
                    authorize(*action, &caller, &Object::Own, None, at(1)),
                    Err(Refusal::StepUpRequired { .. })
                ),
                "{action:?}"
            );
        }
    }
}

#[test]
fn a_foreign_object_is_not_found_whatever_the_strength() {
    let caller = bert(Some(session(AuthStrength::CertHuman)));
    let foreign = phone_of("ana", at(0));
    for action in [Action::SuspendDevice, Action::RevokeDevice, Action::ReadSecret] {
        assert_eq!(authorize(action, &caller, &foreign, None, at(1)), Err(Refusal::NotFound));
    }
}

#[test]
fn a_role_reaches_what_the_table_gives_it_and_nothing_else() {
    for action in Action::ALL {
        let Scope::Tenant(roles) = action.demand().scope else { continue };
        assert!(roles.contains(&Role::Admin), "{action:?} is kept from administrators");
        assert!(!roles.contains(&Role::Member), "{action:?} is open to all");
        for role in Role::ALL {
            let mut caller = bert(Some(session(AuthStrength::CertHuman)));
            caller.role = role;
            let refused = authorize(*action, &caller, &Object::Own, None, at(1)).err();
            let may = roles.contains(&role) || action.demand().delegable.contains(&role);
            assert_eq!(refused == Some(Refusal::Forbidden), !may, "{action:?} as {role:?}");
        }
    }
}

#[test]
fn auditors_and_operators_change_nothing_of_the_tenant() {
    for action in Action::ALL {
        if let Scope::Tenant(roles) = action.demand().scope
            && roles.contains(&Role::Auditor)
        {
            let demand = action.demand();
            assert_eq!(demand.entry, Entry::Session(AuthStrength::CertOnly), "{action:?}");
            assert!(!demand.evicts && demand.binding == Binding::Unbound, "{action:?}");
        }
    }
}

#[test]
fn an_admin_of_one_tenant_does_not_see_another() {
    let mut caller = bert(Some(session(AuthStrength::CertHuman)));
    caller.role = Role::Admin;
    let elsewhere = Object::Owned { tenant: tenant("work"), user: user("bert") };
    assert_eq!(
        authorize(Action::AdminUnfreezeUser, &caller, &elsewhere, None, at(1)),
        Err(Refusal::NotFound)
    );
}

#[test]
fn freshness_ends_to_the_second() {
    let caller = bert(Some(session(AuthStrength::CertHuman)));
    assert_eq!(authorize(Action::DeleteSecret, &caller, &Object::Own, None, at(599)), Ok(()));
    assert!(authorize(Action::DeleteSecret, &caller, &Object::Own, None, at(600)).is_err());
}

#[test]
fn a_bound_session_serves_its_own_act_only() {
    let mut facts = session(AuthStrength::CertHuman);
    facts.bound_to = Some(revoke_phone().canonical());
    let caller = bert(Some(facts));
    let phone = phone_of("bert", at(0));
    let act = revoke_phone();
    assert_eq!(authorize(Action::RevokeDevice, &caller, &phone, Some(&act), at(1)), Ok(()));
    let other = BoundAction::RevokeDevice {
        user: user("bert"),
        device: DeviceName::parse("tablet").unwrap(),
    };
    for (action, act) in [
        (Action::RevokeDevice, Some(&other)),
        (Action::DeleteSecret, None),
        (Action::ReadSecret, None),
        (Action::IssueToken, None),
    ] {
        assert_eq!(
            authorize(action, &caller, &Object::Own, act, at(1)),
            Err(Refusal::StepUpForAnotherAct),
            "{action:?}"
        );
    }
}

#[test]
fn an_unbound_session_never_serves_a_bound_act() {
    let caller = bert(Some(session(AuthStrength::CertHuman)));
    assert_eq!(
        authorize(
            Action::RevokeDevice,
            &caller,
            &phone_of("bert", at(0)),
            Some(&revoke_phone()),
            at(1)
        ),
        Err(Refusal::StepUpRequired { needs: AuthStrength::CertHuman, bound: true })
    );
}

#[test]
fn a_first_passkey_needs_a_grant_that_this_device_holds() {
    let mut caller = bert(Some(session(AuthStrength::CertOnly)));
    let try_it =
        |caller: &Caller, now| authorize(Action::RegisterPasskey, caller, &Object::Own, None, now);
    assert!(try_it(&caller, at(1)).is_err(), "no grant");
    let grant =
        |held_by| EnrollmentGrant { id: GrantId::from_bits([3; 16]), held_by, expires_at: at(60) };
    caller.grant = Some(grant(enrollment(2)));
    assert!(try_it(&caller, at(1)).is_err(), "another device's grant");
    caller.grant = Some(grant(enrollment(1)));
    assert_eq!(try_it(&caller, at(59)), Ok(()));
    assert!(try_it(&caller, at(60)).is_err(), "over at its instant");
}

#[test]
fn probation_lets_a_young_passkey_evict_nothing_older() {
    let mut facts = session(AuthStrength::CertHuman);
    facts.bound_to = Some(revoke_phone().canonical());
    facts.factor.as_mut().unwrap().registered_at = at(-HOUR);
    let caller = bert(Some(facts));
    let act = revoke_phone();
    let revoke = |since| {
        authorize(Action::RevokeDevice, &caller, &phone_of("bert", since), Some(&act), at(1))
    };
    let (until, what) = (at(23 * HOUR), Young::RevokeDevice);
    assert_eq!(revoke(at(-2 * HOUR)), Err(Refusal::Probation { until, what }));
    assert_eq!(revoke(at(0)), Ok(()), "what is younger still may go");
}

#[test]
fn a_young_passkey_replaces_no_older_codes_and_makes_first_ones() {
    let mut facts = session(AuthStrength::CertHuman);
    let act = BoundAction::MakeRecoveryCodes { codes_hash: "hash".into() };
    facts.bound_to = Some(act.canonical());
    facts.factor.as_mut().unwrap().registered_at = at(-HOUR);
    let caller = bert(Some(facts));
    let make = |since| {
        let codes = Object::Codes { since };
        authorize(Action::MakeRecoveryCodes, &caller, &codes, Some(&act), at(1))
    };
    let (until, what) = (at(23 * HOUR), Young::ReplaceCodes);
    assert_eq!(make(at(-2 * HOUR)), Err(Refusal::Probation { until, what }));
    assert_eq!(make(at(0)), Ok(()));
}

#[test]
fn while_the_clock_is_in_doubt_nobody_grows_older() {
    let mut facts = session(AuthStrength::CertHuman);
    facts.bound_to = Some(revoke_phone().canonical());
    facts.factor.as_mut().unwrap().registered_at = at(-24 * HOUR);
    let caller = bert(Some(facts));
    let act = revoke_phone();
    let phone = phone_of("bert", at(-25 * HOUR));
    let revoke = |waited| {
        let moment = Moment { now: at(1), waited };
        authorize(Action::RevokeDevice, &caller, &phone, Some(&act), moment)
    };
    assert_eq!(revoke(at(1)), Ok(()), "by a clock that is believed");
    assert_eq!(revoke(at(0)), Ok(()), "it had ripened by the time of the jump");
    assert_eq!(revoke(at(-1)), Err(Refusal::ClockJumped));
    assert_eq!(revoke(at(HOUR)), Ok(()), "a clock that was set back takes no age away");
}

#[test]
fn a_passkey_that_lives_on_the_target_does_not_suspend_it() {
    let mut facts = session(AuthStrength::CertHuman);
    facts.factor.as_mut().unwrap().lives_on = Some(enrollment(2));
    let caller = bert(Some(facts));
    assert_eq!(
        authorize(Action::SuspendDevice, &caller, &phone_of("bert", at(0)), None, at(1)),
        Err(Refusal::FactorOnTarget)
    );
}

#[test]
fn a_frozen_account_keeps_its_doors_and_nothing_else() {
    let mut caller = bert(Some(session(AuthStrength::CertHuman)));
    caller.account = AccountState::Frozen;
    let act = |action| authorize(action, &caller, &Object::Own, None, at(1));
    for open in
        [Action::OpenSession, Action::ReadSelf, Action::BeginStepUp, Action::UnfreezeAccount]
    {
        assert_eq!(act(open), Ok(()), "{open:?}");
    }
    for closed in [Action::ReadSecret, Action::RenameDevice, Action::IssueToken, Action::ReadAudit]
    {
        assert_eq!(act(closed), Err(Refusal::AccountFrozen), "{closed:?}");
    }
}

#[test]
fn a_machine_is_within_reach_of_its_tenants_operators_alone() {
    let machine = |home: &str| Object::Machine { tenant: tenant(home), since: at(-300 * HOUR) };
    let by = |role: Role, action: Action, object: &Object| {
        let caller = Caller { role, ..bert(Some(session(AuthStrength::CertHuman))) };
        authorize(action, &caller, object, None, at(1))
    };
    for action in [Action::DisableKey, Action::EnableKey] {
        assert_eq!(by(Role::Operator, action, &machine("home")), Ok(()));
        assert_eq!(by(Role::Admin, action, &machine("home")), Ok(()));
        assert_eq!(by(Role::Operator, action, &machine("elsewhere")), Err(Refusal::NotFound));
        for role in [Role::Member, Role::Auditor] {
            assert_eq!(by(role, action, &machine("home")), Err(Refusal::Forbidden));
        }
    }
    // Nobody's own: what reaches one's own things alone does not reach it.
    assert_eq!(by(Role::Admin, Action::ListDevices, &machine("home")), Err(Refusal::NotFound));
}

#[test]
fn a_machine_does_what_machines_do_and_nothing_of_peoples() {
    let (home, device) = (tenant("home"), DeviceName::parse("build-7").unwrap());
    let principal = Principal::ProvisionedDevice { tenant: home, device };
    let machine = Caller {
        spiffe_id: SpiffeId::new(TrustDomain::parse("td").unwrap(), principal),
        machine: Some(crate::machine::MachineRole::parse("server").unwrap()),
        ..bert(Some(session(AuthStrength::CertOnly)))
    };
    for action in Action::ALL {
        let allowed =
            authorize(*action, &machine, &Object::Own, None, at(1)) != Err(Refusal::OtherKind);
        let theirs =
            action.demand().kinds.contains(&crate::spiffe::PrincipalKind::ProvisionedDevice);
        assert_eq!(allowed, theirs, "{action:?}");
    }
}
