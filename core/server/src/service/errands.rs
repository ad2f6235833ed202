//! What a tenant's rules would let a person do who does not ask now: whoever is to set other rules one day, or to give
//! their word for somebody.
//!
//! What people hold is worth nothing where a rule keeps them from using it: *a rule from before somebody became an
//! administrator, and then the others leave.* So the guard of the last administrator, readiness, and the acts
//! that make administrators ask here.

use super::Service;
use crate::policy::{Approval, Question, Rules};
use landfall_identity::action::{Binding, Entry};
use landfall_identity::spiffe::{Principal, PrincipalKind, SpiffeId, TrustDomain};
use landfall_identity::{Action, AuthStrength, DeviceName, Role, TenantName, UserName};
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// How old a proof is by the time that somebody has read what they approve, in seconds.
const READING_TIME: i64 = 30;
/// Between these ages any proof must do where rules look at its age: *else they leave one second open, for show.*
const ANY_AGE: RangeInclusive<i64> = 5..=READING_TIME;

/// One thing that is asked on the way.
#[derive(Clone, Copy)]
struct Step {
    action: Action,
    /// Whether the account stands still meanwhile.
    frozen: bool,
    /// Whether by the right to register a first passkey.
    grant: bool,
}

impl Step {
    fn question(self, who: &SpiffeId, role: Role, age: i64) -> Question {
        let demand = self.action.demand();
        let by_person = demand.freshness.is_some() && !self.grant;
        let strength = match demand.entry {
            Entry::Session(_) if by_person => Some(AuthStrength::CertHuman),
            Entry::Session(_) => Some(AuthStrength::CertOnly),
            _ => None,
        };
        let tenant = who.principal.tenant().to_string();
        Question {
            action: demand.code.to_owned(),
            spiffe_id: who.to_string(),
            kind: PrincipalKind::Human,
            tenant: tenant.clone(),
            role,
            machine_role: String::new(),
            parents: Vec::new(),
            strength,
            proof_age_seconds: strength.map_or(0, |_| age),
            approval: match demand.binding {
                Binding::Unbound => Approval::None,
                Binding::Bound | Binding::BoundOrGrant if by_person => Approval::ThisAct,
                Binding::Bound | Binding::BoundOrGrant => Approval::None,
            },
            grant: self.grant,
            device: "active".to_owned(),
            frozen: self.frozen,
            object_tenant: tenant,
            own: !matches!(self.action, Action::AdminApproveRecovery),
            proven: true,
            issuer: String::new(),
        }
    }
}

/// What takes a person to an act that they touch for.
const STEPS_UP: [Action; 4] =
    [Action::RenewCertificate, Action::OpenSession, Action::BeginStepUp, Action::RedeemStepUp];

/// What somebody is to do, from a device of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    /// Set other rules, also after a freeze: what an administrator can do who can mend everything else.
    SetRules,
    /// Approve somebody's recovery, as an administrator.
    ApproveRecovery,
    /// Vouch for somebody, as their guardian.
    VouchForWard,
    /// Make a code for another device of their own.
    MintToken,
    /// Let another device of theirs in that shows a code.
    ApproveLink,
    /// Register a first passkey.
    FirstPasskey,
}

impl Errand {
    /// What is asked on the way to it, and there.
    fn steps(self) -> Vec<Step> {
        let acts: &[Action] = match self {
            Self::SetRules => {
                &[Action::AdminReadPolicies, Action::AdminTryPolicy, Action::AdminSetPolicy]
            }
            Self::ApproveRecovery => &[Action::AdminApproveRecovery],
            Self::VouchForWard => &[Action::VouchForWard],
            Self::MintToken => &[Action::IssueToken],
            Self::ApproveLink => &[
                Action::FindLink,
                Action::ClaimLink,
                Action::WatchLink,
                Action::RevealLink,
                Action::ApproveLink,
            ],
            Self::FirstPasskey => {
                let step = |action| Step { action, frozen: false, grant: true };
                return [Action::OpenSession, Action::RegisterPasskey, Action::RedeemPasskey]
                    .map(step)
                    .into();
            }
        };
        let step = |frozen| move |action: &Action| Step { action: *action, frozen, grant: false };
        let mut steps: Vec<_> = STEPS_UP.iter().chain(acts).map(step(false)).collect();
        if self == Self::SetRules {
            // A freeze is never refused, since its owner ends it.
            steps.extend(STEPS_UP.iter().chain(&[Action::UnfreezeAccount]).map(step(true)));
        }
        steps
    }
}

/// What rules keep somebody from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// What.
    pub action: Action,
    /// Whether only while their account stands still.
    pub frozen: bool,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.action.code())?;
        if self.frozen { f.write_str(" while the account is frozen") } else { Ok(()) }
    }
}

/// What `rules` keep somebody from, of an errand of theirs.
pub(super) fn missing(
    rules: &Rules,
    errand: Errand,
    who: &SpiffeId,
    role: Role,
) -> Option<Missing> {
    if rules.are_as_shipped() {
        return None;
    }
    let ages = match rules.text().contains("proof_age_seconds") {
        true => ANY_AGE,
        false => READING_TIME..=READING_TIME,
    };
    let allowed =
        |step: &Step| ages.clone().all(|age| rules.decide(&step.question(who, role, age)).allowed);
    errand
        .steps()
        .into_iter()
        .find(|step| !allowed(step))
        .map(|step| Missing { action: step.action, frozen: step.frozen })
}

impl Service {
    /// Rules, to be put to people of this tenant.
    pub(super) fn under(&self, rules: Arc<Rules>) -> UnderRules {
        UnderRules {
            rules,
            trust_domain: self.pki.trust_domain().clone(),
            tenant: self.settings.tenant.clone(),
            next: DeviceName::from_bits(self.ambient.random()),
        }
    }
}

/// A tenant's rules, to be put to its people.
#[derive(Clone)]
pub(super) struct UnderRules {
    /// The rules.
    pub rules: Arc<Rules>,
    /// The server's.
    pub trust_domain: TrustDomain,
    /// Whose rules they are.
    pub tenant: TenantName,
    /// What nobody's device is called, as the next one of anybody's could be.
    pub next: DeviceName,
}

impl UnderRules {
    /// How often the rules were changed.
    pub fn generation(&self) -> i64 {
        self.rules.generation()
    }

    /// Whether they let somebody do an errand from a device of theirs.
    pub fn let_do(&self, errand: Errand, who: (&UserName, Role), device: &DeviceName) -> bool {
        self.missing(errand, who, device).is_none()
    }

    /// What they keep somebody from on a device of theirs, of an errand.
    pub fn missing(
        &self,
        errand: Errand,
        (user, role): (&UserName, Role),
        device: &DeviceName,
    ) -> Option<Missing> {
        let (tenant, user, device) = (self.tenant.clone(), user.clone(), device.clone());
        let principal = Principal::Human { tenant, user, device };
        let who = SpiffeId::new(self.trust_domain.clone(), principal);
        missing(&self.rules, errand, &who, role)
    }

    /// As [`Self::missing`], on a device that somebody gets next: of any name, or of one like those that they
    /// had. *Rules may know machines by how they are called.*
    pub fn missing_on_the_next(
        &self,
        errand: Errand,
        who: (&UserName, Role),
        had: &[DeviceName],
    ) -> Option<Missing> {
        let like =
            had.iter().filter_map(|had| DeviceName::parse(format!("{had}-{}", self.next)).ok());
        let missing = self.missing(errand, who, &self.next)?;
        let gets_by = |next: DeviceName| self.let_do(errand, who, &next);
        (!like.into_iter().any(gets_by)).then_some(missing)
    }
}
