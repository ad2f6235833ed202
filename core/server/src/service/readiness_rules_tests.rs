//! Rules for the model check of readiness, and what they say to people who really ask.

use super::errands::UnderRules;
use super::house_tests::NOON;
use crate::policy::{Question, Rules};
use landfall_identity::authorize::Object;
use landfall_identity::caller::AccountState;
use landfall_identity::id::{EnrollmentId, RecoveryId, SessionId};
use landfall_identity::recovery::{Thing, ThingKind};
use landfall_identity::session::SessionFacts;
use landfall_identity::spiffe::{Principal, SpiffeId, TrustDomain};
use landfall_identity::token::TokenKind;
use landfall_identity::{
    Action, AuthStrength, BoundAction, Caller, DeviceState, Reason, Role, Seconds, TenantName,
    UserName,
};
use std::sync::{Arc, LazyLock};

/// As shipped, and what tenants may have against people: against one who would approve, one who would vouch, one who
/// would step up at all, one of the devices, and every device by what it is called.
const TEXTS: [&str; 7] = [
    "",
    "@id(\"a\") forbid (principal is Landfall::Human, action == Landfall::Action::\"admin-approve-recovery\", resource) \
     when { context.spiffe_id like \"*/user/admin0/*\" };",
    "@id(\"a\") forbid (principal is Landfall::Human, action == Landfall::Action::\"vouch-for-ward\", resource) \
     when { context.spiffe_id like \"*/user/admin0/*\" };",
    "@id(\"a\") forbid (principal is Landfall::Human, action in [Landfall::Action::\"list-ward-recoveries\", \
     Landfall::Action::\"admin-list-recoveries\"], resource) when { context.own };",
    "@id(\"a\") forbid (principal is Landfall::Human, action == Landfall::Action::\"begin-step-up\", resource) \
     when { context.spiffe_id like \"*/user/admin1/*\" };",
    "@id(\"a\") forbid (principal is Landfall::Human, action, resource) \
     when { context.spiffe_id like \"*/user/bert/device/d0\" };",
    "@id(\"a\") forbid (principal is Landfall::Human, action, resource) \
     when { context.proof_age_seconds > 20 && context.spiffe_id like \"*/device/de*\" };",
];

static RULES: LazyLock<Vec<Arc<Rules>>> =
    LazyLock::new(|| TEXTS.iter().map(|text| Arc::new(Rules::with(text, 0).unwrap())).collect());

/// How many there are.
pub(super) const KINDS: usize = TEXTS.len();

/// One of them, put to a tenant's people.
pub(super) fn under(kind: usize, tenant: &TenantName) -> UnderRules {
    UnderRules {
        rules: Arc::clone(&RULES[kind]),
        trust_domain: TrustDomain::parse("landfall.local").unwrap(),
        tenant: tenant.clone(),
    }
}

/// Whether one of them lets these people give a proof: half a minute after a touch for it.
pub(super) fn lets_prove(kind: usize, tenant: &TenantName, bert: Role, thing: &Thing) -> bool {
    let user: UserName = "bert".parse().unwrap();
    let recovery = RecoveryId::from_bits([7; 16]);
    let thumbprint = "thumbprint".to_owned();
    let owned = Object::Owned { tenant: tenant.clone(), user: user.clone() };
    let asks = |who: &str, role, device: &str, action, act: &BoundAction, object: &Object| {
        decides(kind, caller(tenant, who, role, device), action, act, object)
    };
    match thing.kind {
        ThingKind::Device => {
            let act = BoundAction::IssueToken {
                kind: TokenKind::Device,
                user,
                device: Some("new".parse().unwrap()),
                role: Role::Member,
                ttl: Seconds::minutes(10),
                auth_hash: String::new(),
            };
            asks("bert", bert, &thing.name, Action::IssueToken, &act, &owned)
        }
        ThingKind::Admin => {
            let reason = Reason::parse("I know their voice").unwrap();
            let act = BoundAction::ApproveRecovery { recovery, user, thumbprint, reason };
            asks(&thing.name, Role::Admin, "desk", Action::AdminApproveRecovery, &act, &owned)
        }
        ThingKind::Guardian => {
            let guardian = thing.name.parse().unwrap();
            let ward = Object::Ward { tenant: tenant.clone(), guardian };
            let act = BoundAction::VouchForRecovery { recovery, user, thumbprint };
            asks(&thing.name, Role::Admin, "desk", Action::VouchForWard, &act, &ward)
        }
        _ => true,
    }
}

fn decides(
    kind: usize,
    mut caller: Caller,
    action: Action,
    act: &BoundAction,
    object: &Object,
) -> bool {
    let rules = &RULES[kind];
    let now = NOON + Seconds(30);
    let looks = match action {
        Action::AdminApproveRecovery => Action::AdminListRecoveries,
        Action::VouchForWard => Action::ListWardRecoveries,
        _ => Action::BeginStepUp,
    };
    let looks = Question::of(looks, &caller, &Object::Own, None, now);
    let begins = Question::of(Action::BeginStepUp, &caller, &Object::Own, None, now);
    if let Some(session) = &mut caller.session {
        session.strength = AuthStrength::CertHuman;
        session.bound_to = Some(act.canonical());
    }
    let acts = Question::of(action, &caller, object, Some(act), now);
    [looks, begins, acts].iter().all(|asked| rules.decide(asked).allowed)
}

fn caller(tenant: &TenantName, user: &str, role: Role, device: &str) -> Caller {
    let principal = Principal::Human {
        tenant: tenant.clone(),
        user: user.parse().unwrap(),
        device: device.parse().unwrap(),
    };
    Caller {
        spiffe_id: SpiffeId::new(TrustDomain::parse("landfall.local").unwrap(), principal),
        role,
        machine: None,
        parents: Vec::new(),
        enrollment: EnrollmentId::from_bits([7; 16]),
        enrolled_at: NOON,
        device: DeviceState::Active,
        account: AccountState::Active,
        session: Some(SessionFacts {
            id: SessionId::from_bits([7; 16]),
            strength: AuthStrength::CertOnly,
            auth_time: NOON,
            expires_at: NOON + Seconds::hours(1),
            factor: None,
            bound_to: None,
        }),
        grant: None,
    }
}
