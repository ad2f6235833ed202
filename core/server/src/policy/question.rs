//! What policy is asked: everything that a rule may look at, and nothing else.

use landfall_identity::action::Entry;
use landfall_identity::authorize::Object;
use landfall_identity::caller::AccountState;
use landfall_identity::spiffe::{Principal, PrincipalKind, SpiffeId};
use landfall_identity::{
    Action, AuthStrength, BoundAction, Caller, DeviceState, Role, TenantName, Timestamp,
};
use serde::{Deserialize, Serialize};

/// What stands in the place of a person's name, and their device's, where a question is kept.
const SOMEBODY: &str = "-";

/// Whether a session was opened for one act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// It was opened for no act in particular, or there is none.
    None,
    /// For this very act.
    ThisAct,
    /// For another one.
    AnotherAct,
}

impl Approval {
    /// Its word in a rule.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ThisAct => "this-act",
            Self::AnotherAct => "another-act",
        }
    }
}

/// One question: who wants to do what, and how they stand.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Question {
    /// The action's code.
    pub action: String,
    /// Who asks: a SPIFFE ID.
    pub spiffe_id: String,
    /// Their kind.
    pub kind: PrincipalKind,
    /// Their tenant.
    pub tenant: String,
    /// A person's role.
    pub role: Role,
    /// What a provisioned device stands for; empty for anybody else.
    pub machine_role: String,
    /// On whose behalf, nearest first.
    pub parents: Vec<String>,
    /// The session's strength, when there is a session.
    pub strength: Option<AuthStrength>,
    /// Seconds since the proof of the session; nothing counts without a session.
    pub proof_age_seconds: i64,
    /// Whether the session was opened for one act.
    pub approval: Approval,
    /// Whether the caller holds the right to register a first passkey.
    pub grant: bool,
    /// The device's state: `active`, `suspended` or `revoked`.
    pub device: String,
    /// Whether the account is frozen.
    pub frozen: bool,
    /// The tenant of what the act is about.
    pub object_tenant: String,
    /// Whether that is the caller's own.
    pub own: bool,
    /// Whether the caller has proved to be who it says: all but agents whose key has not signed yet.
    #[serde(default = "yes")]
    pub proven: bool,
    /// The name of the platform by whose word a workload comes; empty for anybody else.
    #[serde(default)]
    pub issuer: String,
}

/// Somebody who acts without a session, as laws and rows have it.
#[derive(Debug, Clone, Copy)]
pub struct Itself<'a> {
    /// Who asks.
    pub spiffe_id: &'a SpiffeId,
    /// On whose behalf, nearest first.
    pub parents: &'a [SpiffeId],
    /// Whether they have proved it.
    pub proven: bool,
    /// The platform by whose word a workload comes; empty for anybody else.
    pub issuer: &'a str,
}

/// What was kept before agents were asked about was asked of who had proved it.
const fn yes() -> bool {
    true
}

impl Question {
    /// The question that a request comes to.
    pub fn of(
        action: Action,
        caller: &Caller,
        object: &Object,
        act: Option<&BoundAction>,
        now: Timestamp,
    ) -> Self {
        let principal = &caller.spiffe_id.principal;
        let (object_tenant, own) = object_of(principal, object);
        let session = caller.session.as_ref();
        let holds = |grant: &landfall_identity::grant::EnrollmentGrant| {
            grant.serves(&caller.enrollment, now)
        };
        Self {
            action: action.code().to_owned(),
            spiffe_id: caller.spiffe_id.to_string(),
            kind: principal.kind(),
            tenant: principal.tenant().to_string(),
            role: caller.role,
            machine_role: caller.machine.as_ref().map(ToString::to_string).unwrap_or_default(),
            parents: caller.parents.iter().map(ToString::to_string).collect(),
            strength: session.map(|session| session.strength),
            proof_age_seconds: session.map_or(0, |session| age(session.auth_time, now)),
            approval: match session.and_then(|session| session.bound_to.as_ref()) {
                None => Approval::None,
                Some(approved) if act.is_some_and(|act| act.canonical() == *approved) => {
                    Approval::ThisAct
                }
                Some(_) => Approval::AnotherAct,
            },
            grant: caller.grant.as_ref().is_some_and(holds),
            device: match caller.device {
                DeviceState::Active => "active",
                DeviceState::Suspended { .. } => "suspended",
                DeviceState::Revoked { .. } => "revoked",
            }
            .to_owned(),
            frozen: caller.account == AccountState::Frozen,
            object_tenant: object_tenant.to_string(),
            own,
            proven: true,
            issuer: String::new(),
        }
    }

    /// The question that an agent's or a workload's request comes to. Whether they may act at all was decided
    /// by laws of their own.
    pub fn of_itself(action: Action, who: &Itself<'_>) -> Self {
        let principal = &who.spiffe_id.principal;
        Self {
            action: action.code().to_owned(),
            spiffe_id: who.spiffe_id.to_string(),
            kind: principal.kind(),
            tenant: principal.tenant().to_string(),
            role: Role::Member,
            machine_role: String::new(),
            parents: who.parents.iter().map(ToString::to_string).collect(),
            strength: None,
            proof_age_seconds: 0,
            approval: Approval::None,
            grant: false,
            device: "active".to_owned(),
            frozen: false,
            object_tenant: principal.tenant().to_string(),
            own: true,
            proven: who.proven,
            issuer: who.issuer.to_owned(),
        }
    }

    /// Whether what is shipped decides alone, whatever a tenant's rules say.
    pub fn is_beyond_rules(&self) -> bool {
        let is_one_of = |actions: &[Action]| actions.iter().any(|one| one.code() == self.action);
        self.kind == PrincipalKind::Human
            && (is_one_of(&STOPS)
                || self.role == Role::Admin
                    && (is_one_of(&MENDS) || self.grant && is_one_of(&FIRST_PASSKEY)))
    }

    /// The question as it would be right after a step-up, for this very act where it must be.
    #[must_use]
    pub fn after_step_up(&self, bound: bool) -> Self {
        Self {
            strength: Some(AuthStrength::CertHuman),
            proof_age_seconds: 0,
            approval: if bound { Approval::ThisAct } else { Approval::None },
            ..self.clone()
        }
    }

    /// The question as it is kept for later tries: without the names of people and their devices, and
    /// with its age in whole minutes (in fives where no person proved anything), so that a few rows stand
    /// for many requests.
    #[must_use]
    pub fn to_keep(&self) -> Self {
        let mut kept = self.clone();
        kept.spiffe_id = match self.proven {
            true => nameless(&self.spiffe_id),
            false => unproven(&self.spiffe_id),
        };
        kept.parents = self.parents.iter().map(|parent| nameless(parent)).collect();
        let span = if self.strength == Some(AuthStrength::CertHuman) { 60 } else { 300 };
        kept.proof_age_seconds -= kept.proof_age_seconds.rem_euclid(span);
        kept
    }
}

/// Whether policy is asked about an action: wherever a caller is in sight, be it one who has proved
/// nothing yet. It is not asked about what is public, nor about people's doors: no rule shuts a way back in.
pub fn is_asked(action: Action) -> bool {
    match action.demand().entry {
        Entry::EnrolledKey
        | Entry::Connection
        | Entry::Session(_)
        | Entry::AgentKey
        | Entry::PlatformToken => true,
        Entry::Anyone
        | Entry::DoorSecret
        | Entry::RecoveryKey
        | Entry::CeremonySecret
        | Entry::MailedSecret => false,
    }
}

/// What a person stops their own account and this device with, and the session and the certificate that it
/// takes, which alone do nothing here. No rule of a tenant's is asked about it: *one who keeps an owner from
/// stopping their account, while a thief acts in it, needs nothing else.*
pub const STOPS: [Action; 4] = [
    Action::RenewCertificate,
    Action::OpenSession,
    Action::FreezeAccount,
    Action::SuspendThisDevice,
];

/// What an administrator sets other rules with, also after a freeze of their own. No rule of a tenant's is asked
/// about it: *one that keeps every administrator from it could never be taken back, and what a rule keeps from
/// whom cannot be known from outside; it may look at any second of a proof's age.*
pub const MENDS: [Action; 6] = [
    Action::BeginStepUp,
    Action::RedeemStepUp,
    Action::UnfreezeAccount,
    Action::AdminReadPolicies,
    Action::AdminTryPolicy,
    Action::AdminSetPolicy,
];

/// What an administrator needs for it who has just come in: under the right to a first passkey alone.
pub const FIRST_PASSKEY: [Action; 2] = [Action::RegisterPasskey, Action::RedeemPasskey];

/// All that rules of a tenant's are not asked about, or not always.
pub fn beyond_rules() -> Vec<Action> {
    [STOPS.as_slice(), &MENDS, &FIRST_PASSKEY].concat()
}

/// Whole seconds, rounded down: a window of so many seconds ends at the same instant here and there.
fn age(since: Timestamp, now: Timestamp) -> i64 {
    now.millis().saturating_sub(since.millis()).div_euclid(1000)
}

fn nameless(spiffe_id: &str) -> String {
    match SpiffeId::parse(spiffe_id).map(|id| (id.trust_domain, id.principal)) {
        Ok((domain, Principal::Human { tenant, .. })) => {
            format!("spiffe://{domain}/tenant/{tenant}/user/{SOMEBODY}/device/{SOMEBODY}")
        }
        _ => spiffe_id.to_owned(),
    }
}

/// Without the name that somebody only claims to have: of strangers who invent names one row is kept.
fn unproven(spiffe_id: &str) -> String {
    match SpiffeId::parse(spiffe_id).map(|id| (id.trust_domain, id.principal)) {
        Ok((domain, Principal::Agent { tenant, .. })) => {
            format!("spiffe://{domain}/tenant/{tenant}/agent/{SOMEBODY}/instance/{SOMEBODY}")
        }
        _ => nameless(spiffe_id),
    }
}

/// The tenant of an object, and whether it is the caller's own.
fn object_of<'a>(principal: &'a Principal, object: &'a Object) -> (&'a TenantName, bool) {
    let (tenant, user) = match object {
        Object::Own
        | Object::Freeze { .. }
        | Object::Codes { .. }
        | Object::Waiting { .. }
        | Object::Plan { .. }
        | Object::Guardian { .. } => return (principal.tenant(), true),
        Object::Machine { tenant, .. } => return (tenant, false),
        Object::Ward { tenant, guardian } => (tenant, guardian),
        Object::Owned { tenant, user }
        | Object::Role { tenant, user, .. }
        | Object::Account { tenant, user, .. }
        | Object::Device { tenant, user, .. }
        | Object::Address { tenant, user, .. }
        | Object::Passkey { tenant, user, .. } => (tenant, user),
    };
    (tenant, principal.tenant() == tenant && principal.user() == Some(user))
}
