//! Whom rules would shut out of setting other rules: whoever sets them, and every other administrator.
//!
//! *An administrator's rule about one name stands for what takes a touch, a notice and the guard of the last
//! administrator when it is done by role or by freeze; and then they leave.* So no rule does it.

use super::Turn;
use super::known::Known;
use super::readiness_facts::ADMINS_MAX;
use crate::policy::{Question, Rules};
use crate::store::users::User;
use crate::store::{StoreError, Tx, enrollments, users};
use landfall_identity::action::Entry;
use landfall_identity::authorize::Object;
use landfall_identity::caller::AccountState;
use landfall_identity::session::SessionFacts;
use landfall_identity::{
    Action, AuthStrength, BoundAction, Caller, DeviceState, Seconds, Timestamp, UserName,
};

/// What whoever sets rules must be able to do afterwards, or a mistake could never be taken back.
const STAYS_OPEN: [Action; 7] = [
    Action::RenewCertificate,
    Action::OpenSession,
    Action::BeginStepUp,
    Action::RedeemStepUp,
    Action::AdminReadPolicies,
    Action::AdminTryPolicy,
    Action::AdminSetPolicy,
];
/// How old a proof is by the time that somebody has read what they approve.
const READING_TIME: u64 = 30;
/// Between these ages any proof must do where rules look at its age: *else they leave one second open, for show.*
const ANY_AGE: std::ops::RangeInclusive<u64> = 5..=READING_TIME;
/// Devices of one administrator that are looked at.
const DEVICES_MAX: u32 = 256;

/// Somebody who could not set rules any more, and for want of what.
pub(super) enum ShutOut {
    /// Whoever sets these.
    Caller(Action),
    /// Another administrator.
    Other(UserName, Action),
}

impl ShutOut {
    /// Why such rules are not set, and what to do instead.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Caller(from) => format!(
                "With these rules you could never set others: they keep you from {}.",
                from.code()
            ),
            Self::Other(who, from) => format!(
                "With these rules {who}, an administrator, could never set others: they keep them from {}. If {who} \
                 should not be one, take the role away, and rules may say about {who} what they like: landfall admin \
                 role set {who} member.",
                from.code()
            ),
        }
    }
}

/// Whom `rules` would shut out: the caller on this very device, or another administrator on all of theirs.
///
/// # Errors
/// The database.
pub(super) async fn shut_out(
    tx: &mut Tx<'_>,
    rules: &Rules,
    turn: &Turn,
) -> Result<Option<ShutOut>, StoreError> {
    let Some(me) = turn.caller.spiffe_id.principal.user() else { return Ok(None) };
    if let Some(from) = missing(rules, &turn.caller, turn.now) {
        return Ok(Some(ShutOut::Caller(from)));
    }
    for admin in users::admins(tx, turn.tenant(), ADMINS_MAX).await? {
        if admin.name != *me
            && let Some(from) = missing_to(tx, rules, turn, &admin).await?
        {
            return Ok(Some(ShutOut::Other(admin.name, from)));
        }
    }
    Ok(None)
}

/// What an administrator could not do on any of their devices. Who stands still, or whose devices were all
/// suspended, is asked about as if that were over: *whoever sets rules can bring it about, and end it
/// afterwards.*
async fn missing_to(
    tx: &mut Tx<'_>,
    rules: &Rules,
    turn: &Turn,
    admin: &User,
) -> Result<Option<Action>, StoreError> {
    let mut devices = enrollments::list(tx, &admin.tenant, &admin.name, "", DEVICES_MAX).await?;
    devices.retain(|device| !matches!(device.state, DeviceState::Revoked { .. }));
    if devices.iter().any(|device| device.state == DeviceState::Active) {
        devices.retain(|device| device.state == DeviceState::Active);
    }
    let mut found = None;
    for device in devices {
        let known = Known::find(tx, turn.trust_domain(), &device.thumbprint).await?;
        let Some(known) = known else { continue };
        let mut caller = known.caller(DeviceState::Active, turn.caller.session.clone(), None);
        caller.account = AccountState::Active;
        match missing(rules, &caller, turn.now) {
            None => return Ok(None),
            from => found = from,
        }
    }
    Ok(found)
}

/// What a caller could not do any more under `rules`, of what takes them back.
fn missing(rules: &Rules, caller: &Caller, now: Timestamp) -> Option<Action> {
    let ages = match rules.text().contains("proof_age_seconds") {
        true => ANY_AGE,
        false => READING_TIME..=READING_TIME,
    };
    let allowed = |action: Action, age: u64| {
        let act = BoundAction::SetPolicy { policy_hash: String::new() };
        let caller = after_step_up(caller, action, &act, now - Seconds(age));
        let act = action.demand().freshness.is_some().then_some(&act);
        rules.decide(&Question::of(action, &caller, &Object::Own, act, now)).allowed
    };
    STAYS_OPEN.into_iter().find(|action| !ages.clone().all(|age| allowed(*action, age)))
}

/// The caller as they would be for an action: after a touch where it takes one.
fn after_step_up(caller: &Caller, action: Action, act: &BoundAction, at: Timestamp) -> Caller {
    let demand = action.demand();
    let mut caller = caller.clone();
    let person = demand.freshness.is_some();
    let session = |session: SessionFacts| SessionFacts {
        strength: if person { AuthStrength::CertHuman } else { AuthStrength::CertOnly },
        auth_time: at,
        bound_to: person.then(|| act.canonical()),
        ..session
    };
    caller.session = match demand.entry {
        Entry::EnrolledKey => None,
        _ => caller.session.map(session),
    };
    caller
}
