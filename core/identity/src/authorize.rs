//! The one seam of authorisation: the only reader of the action table.
//!
//! What it refuses stays refused whatever a policy says; what it lets pass, a policy may still refuse.

use crate::action::{Action, Binding, Demand, Entry, Scope};
use crate::bound::BoundAction;
use crate::caller::{AccountState, Caller};
use crate::device::{DeviceState, PROBATION, may_evict};
use crate::id::EnrollmentId;
use crate::name::{TenantName, UserName};
use crate::refusal::{Refusal, Young};
use crate::session::{AuthStrength, SessionFacts};
use crate::spiffe::PrincipalKind;
use crate::time::{Moment, Timestamp};

/// What an act is about, as read from rows in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// The caller's own account as a whole, or nothing in particular.
    Own,
    /// The freeze of the caller's own account.
    Freeze {
        /// Since when the account's oldest passkey exists, usable or not.
        since: Timestamp,
    },
    /// A thing that some user owns.
    Owned {
        /// Its tenant.
        tenant: TenantName,
        /// Its owner.
        user: UserName,
    },
    /// A device, which may be suspended or evicted.
    Device {
        /// Its tenant.
        tenant: TenantName,
        /// Its owner.
        user: UserName,
        /// The enrolment that is acted on.
        enrollment: EnrollmentId,
        /// Since when it has existed.
        since: Timestamp,
    },
    /// An address that notices are mailed to, which may be evicted.
    Address {
        /// Its tenant.
        tenant: TenantName,
        /// Its owner.
        user: UserName,
        /// Since when it has existed.
        since: Timestamp,
    },
    /// The caller's own recovery codes, which may be replaced.
    Codes {
        /// Since when the oldest that works has existed.
        since: Timestamp,
    },
    /// Whether a wait may stand in for a proof of the caller's, which would be a further way in.
    Waiting {
        /// Since when the account's oldest passkey exists, usable or not.
        since: Timestamp,
    },
    /// A guardian of the caller's, who may be evicted.
    Guardian {
        /// Since when the user has named them.
        since: Timestamp,
    },
    /// Somebody's way back in, in which they have asked a guardian to vouch.
    Ward {
        /// Its tenant.
        tenant: TenantName,
        /// Whom they asked.
        guardian: UserName,
    },
    /// The caller's own recovery plan.
    Plan {
        /// Since when what would be changed has stood: a looser plan lets a thief in, a stricter one keeps
        /// the owner out.
        since: Timestamp,
    },
    /// Somebody's role, which may be taken from them.
    Role {
        /// Their tenant.
        tenant: TenantName,
        /// Whose.
        user: UserName,
        /// Since when they exist.
        since: Timestamp,
    },
    /// Somebody's account as a whole, which an administrator may stop, or let go.
    Account {
        /// Its tenant.
        tenant: TenantName,
        /// Whose.
        user: UserName,
        /// Since when it exists.
        since: Timestamp,
    },
    /// A machine that stands for itself, which may be suspended or evicted.
    Machine {
        /// Its tenant.
        tenant: TenantName,
        /// Since when it has existed.
        since: Timestamp,
    },
    /// A passkey, which may be evicted.
    Passkey {
        /// Its tenant.
        tenant: TenantName,
        /// Its owner.
        user: UserName,
        /// Since when it has existed.
        since: Timestamp,
    },
}

/// Decides whether `caller` may do `action` to `object` at `moment`. `act` is the act in full, where
/// the action takes an approval that names it.
///
/// The order is the answer's meaning: who you are, what you may never do, what you may do after a
/// step-up. A foreign object is "not found", so that nobody learns what exists.
///
/// # Errors
/// The [`Refusal`] to answer with, and to audit.
pub fn authorize(
    action: Action,
    caller: &Caller,
    object: &Object,
    act: Option<&BoundAction>,
    moment: impl Into<Moment>,
) -> Result<(), Refusal> {
    let moment = moment.into();
    let now = moment.now;
    let demand = action.demand();
    if !demand.kinds.contains(&caller.spiffe_id.principal.kind()) {
        return Err(Refusal::OtherKind);
    }
    standing(&demand, caller)?;
    let Entry::Session(needs) = demand.entry else {
        return reach(&demand, caller, object);
    };
    let session = caller.session.as_ref().ok_or(Refusal::SessionRequired)?;
    reach(&demand, caller, object)?;
    if demand.binding == Binding::BoundOrGrant && has_grant(caller, now) {
        return Ok(());
    }
    strength(&demand, needs, session, act, now)?;
    if matches!(action, Action::SuspendDevice) {
        factor_is_elsewhere(session, object)?;
    }
    if demand.evicts { probation(session, object, moment) } else { Ok(()) }
}

/// Whether the device and the account may act at all.
fn standing(demand: &Demand, caller: &Caller) -> Result<(), Refusal> {
    let is_machine = caller.spiffe_id.principal.kind() == PrincipalKind::ProvisionedDevice;
    match caller.device {
        // Who sits at no machine has none of a person's ways back.
        DeviceState::Revoked { .. } if is_machine => return Err(Refusal::MachineRevoked),
        DeviceState::Suspended { .. } if is_machine => return Err(Refusal::MachineSuspended),
        DeviceState::Revoked { .. } => return Err(Refusal::DeviceRevoked),
        DeviceState::Suspended { .. } => return Err(Refusal::DeviceSuspended),
        DeviceState::Active => {}
    }
    if caller.account == AccountState::Frozen && !demand.while_frozen {
        return Err(Refusal::AccountFrozen);
    }
    Ok(())
}

/// Whether the object is within the caller's reach, and the role allows that reach.
fn reach(demand: &Demand, caller: &Caller, object: &Object) -> Result<(), Refusal> {
    let tenant_wide = match demand.scope {
        Scope::Own => false,
        Scope::Tenant(_) if demand.is_open_to(caller.role) => true,
        Scope::Tenant(_) => return Err(Refusal::Forbidden),
    };
    let principal = &caller.spiffe_id.principal;
    let (tenant, user) = match object {
        // Nobody's own: within reach of whoever may reach the whole tenant.
        Object::Machine { tenant, .. } => {
            let ours = tenant_wide && principal.tenant() == tenant;
            return if ours { Ok(()) } else { Err(Refusal::NotFound) };
        }
        Object::Own
        | Object::Freeze { .. }
        | Object::Codes { .. }
        | Object::Waiting { .. }
        | Object::Plan { .. }
        | Object::Guardian { .. } => return Ok(()),
        Object::Ward { tenant, guardian } => (tenant, guardian),
        Object::Owned { tenant, user }
        | Object::Role { tenant, user, .. }
        | Object::Account { tenant, user, .. }
        | Object::Device { tenant, user, .. }
        | Object::Address { tenant, user, .. }
        | Object::Passkey { tenant, user, .. } => (tenant, user),
    };
    let ours = principal.tenant() == tenant && (tenant_wide || principal.user() == Some(user));
    if ours { Ok(()) } else { Err(Refusal::NotFound) }
}

fn has_grant(caller: &Caller, now: Timestamp) -> bool {
    caller.grant.as_ref().is_some_and(|grant| grant.serves(&caller.enrollment, now))
}

fn strength(
    demand: &Demand,
    needs: AuthStrength,
    session: &SessionFacts,
    act: Option<&BoundAction>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let bound = demand.binding != Binding::Unbound;
    let step_up = Err(Refusal::StepUpRequired { needs, bound });
    if session.strength < needs {
        return step_up;
    }
    if demand.freshness.is_some_and(|window| (session.auth_time + window).is_over(now)) {
        return step_up;
    }
    match (&session.bound_to, bound) {
        (None, false) => Ok(()),
        (None, true) => step_up,
        // A bound session serves its own act and nothing else, not even a read.
        (Some(approved), true) if act.is_some_and(|act| act.canonical() == *approved) => Ok(()),
        (Some(_), _) => Err(Refusal::StepUpForAnotherAct),
    }
}

/// The stolen laptop must not suspend its owner's phone with a passkey that lives on that phone, for
/// that proves nothing that the phone's holder did not have.
fn factor_is_elsewhere(session: &SessionFacts, object: &Object) -> Result<(), Refusal> {
    let lives_on = session.factor.as_ref().and_then(|factor| factor.lives_on.as_ref());
    match object {
        Object::Device { enrollment, .. } if lives_on == Some(enrollment) => {
            Err(Refusal::FactorOnTarget)
        }
        _ => Ok(()),
    }
}

/// A young factor may not evict what is older than itself. The device does not count as a witness: it
/// is what a thief holds. An old factor used on a young device does: that is the co-signature. Growing
/// old is waiting: a clock that jumped makes nobody older.
fn probation(session: &SessionFacts, object: &Object, moment: Moment) -> Result<(), Refusal> {
    let Some(factor) = &session.factor else {
        return Err(Refusal::StepUpRequired { needs: AuthStrength::CertHuman, bound: true });
    };
    let (theirs, what) = match object {
        Object::Device { since, .. } | Object::Machine { since, .. } => {
            (*since, Young::RevokeDevice)
        }
        Object::Passkey { since, .. } => (*since, Young::RemovePasskey),
        Object::Address { since, .. } => (*since, Young::RemoveAddress),
        // The passkey that a thief has just added was there before the freeze: that its owner noticed
        // is why there is one. Only the account's oldest needs no age of its own.
        Object::Freeze { since } => (*since, Young::Unfreeze),
        Object::Codes { since } => (*since, Young::ReplaceCodes),
        // As with a freeze: the passkey that a thief has just added opens no further way in.
        Object::Waiting { since } => (*since, Young::LoosenPlan),
        Object::Guardian { since } => (*since, Young::RemoveGuardian),
        Object::Plan { since } => (*since, Young::ChangePlan),
        Object::Role { since, .. } => (*since, Young::ChangeRole),
        Object::Account { since, .. } => (*since, Young::StopAccount),
        // Nothing is older than the account as a whole.
        Object::Own | Object::Owned { .. } | Object::Ward { .. } => {
            (Timestamp::from_millis(i64::MIN), Young::Unfreeze)
        }
    };
    let mine = factor.registered_at;
    if may_evict(mine, theirs, moment.waited) {
        Ok(())
    } else if may_evict(mine, theirs, moment.now) {
        Err(Refusal::ClockJumped)
    } else {
        Err(Refusal::Probation { until: mine + PROBATION, what })
    }
}

#[cfg(test)]
#[path = "authorize_tests.rs"]
mod tests;
