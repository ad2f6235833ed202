//! What a tenant's rules would let a person do who does not ask now: give their word for somebody, or let a device of
//! their own in. What people hold is worth nothing where a rule keeps them from using it, so readiness asks here.

use super::Service;
use crate::policy::{Approval, Question, Rules};
use landfall_identity::action::{Binding, Entry};
use landfall_identity::spiffe::{Principal, PrincipalKind, SpiffeId, TrustDomain};
use landfall_identity::{Action, AuthStrength, DeviceName, Role, TenantName, UserName};
use std::sync::Arc;

/// How old a proof is, in seconds: before anybody is asked to touch, when rules are put once as if they had; and by the
/// time that somebody has read what they approve.
const AGES: [i64; 2] = [0, 30];

/// What somebody is to do, from a device of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    /// Approve somebody's recovery, as an administrator.
    ApproveRecovery,
    /// Vouch for somebody, as their guardian.
    VouchForWard,
    /// Make a code for another device of their own.
    MintToken,
    /// Let another device of theirs in that shows a code.
    ApproveLink,
}

impl Errand {
    /// What is asked on the way to it, and there. The rest is beyond rules.
    const fn actions(self) -> &'static [Action] {
        match self {
            Self::ApproveRecovery => &[
                Action::AdminListRecoveries,
                Action::BeginStepUp,
                Action::RedeemStepUp,
                Action::AdminApproveRecovery,
            ],
            Self::VouchForWard => &[
                Action::ListWards,
                Action::ListWardRecoveries,
                Action::BeginStepUp,
                Action::RedeemStepUp,
                Action::VouchForWard,
            ],
            Self::MintToken => &[Action::BeginStepUp, Action::RedeemStepUp, Action::IssueToken],
            Self::ApproveLink => &[
                Action::BeginStepUp,
                Action::RedeemStepUp,
                Action::FindLink,
                Action::ClaimLink,
                Action::WatchLink,
                Action::RevealLink,
                Action::ApproveLink,
            ],
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
}

impl Service {
    /// The rules in force, to be put to people of this tenant.
    pub(super) fn under_rules(&self) -> UnderRules {
        let tenant = self.settings.tenant.clone();
        let trust_domain = self.pki.trust_domain().clone();
        UnderRules { rules: self.policies.of(&tenant), trust_domain, tenant }
    }
}

impl UnderRules {
    /// Whether they let somebody do an errand from a device of theirs.
    pub fn let_do(
        &self,
        errand: Errand,
        (user, role): (&UserName, Role),
        device: &DeviceName,
    ) -> bool {
        if self.rules.are_as_shipped() {
            return true;
        }
        let (tenant, user, device) = (self.tenant.clone(), user.clone(), device.clone());
        let principal = Principal::Human { tenant, user, device };
        let who = SpiffeId::new(self.trust_domain.clone(), principal);
        let allows = |action: &Action, age| self.rules.decide(&question(*action, &who, role, age));
        errand.actions().iter().all(|action| AGES.iter().all(|age| allows(action, *age).allowed))
    }
}

fn question(action: Action, who: &SpiffeId, role: Role, age: i64) -> Question {
    let demand = action.demand();
    let tenant = who.principal.tenant().to_string();
    Question {
        action: demand.code.to_owned(),
        spiffe_id: who.to_string(),
        kind: PrincipalKind::Human,
        tenant: tenant.clone(),
        role,
        machine_role: String::new(),
        parents: Vec::new(),
        strength: Some(match demand.entry {
            Entry::Session(strength) => strength,
            _ => AuthStrength::CertOnly,
        }),
        proof_age_seconds: age,
        approval: match demand.binding {
            Binding::Unbound => Approval::None,
            Binding::Bound | Binding::BoundOrGrant => Approval::ThisAct,
        },
        grant: false,
        device: "active".to_owned(),
        frozen: false,
        object_tenant: tenant,
        own: !matches!(action, Action::AdminApproveRecovery),
        proven: true,
        issuer: String::new(),
    }
}
