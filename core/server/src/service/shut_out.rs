//! Whom rules would shut out of setting other rules: whoever sets them, every other administrator, and who is
//! about to be one.
//!
//! *An administrator's rule about one name stands for what takes a touch, a notice and the guard of the last
//! administrator when it is done by role or by freeze; and then they leave.* So no rule does it.

use super::Turn;
use super::errands::{Errand, Missing, UnderRules};
use super::readiness_facts::ADMINS_MAX;
use crate::failure::Failure;
use crate::store::users::User;
use crate::store::{StoreError, Tx, enrollments, users};
use landfall_identity::spiffe::Principal;
use landfall_identity::{DeviceState, Role, UserName};

/// Devices of one administrator that are looked at.
const DEVICES_MAX: u32 = 256;

/// Somebody who could not set rules any more, and for want of what.
pub(super) enum ShutOut {
    /// Whoever sets these.
    Caller(Missing),
    /// Another administrator.
    Other(UserName, Missing),
}

impl ShutOut {
    /// Why such rules are not set, and what to do instead.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Caller(from) => {
                format!("With these rules you could never set others: they keep you from {from}.")
            }
            Self::Other(who, from) => format!(
                "With these rules {who}, an administrator, could never set others: they keep them from {from}. If {who} \
                 should not be one, take the role away, and rules may say about {who} what they like: landfall admin \
                 role set {who} member."
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
    rules: &UnderRules,
    turn: &Turn,
) -> Result<Option<ShutOut>, StoreError> {
    let Principal::Human { user: me, device, .. } = &turn.caller.spiffe_id.principal else {
        return Ok(None);
    };
    if let Some(from) = rules.missing(Errand::SetRules, (me, turn.caller.role), device) {
        return Ok(Some(ShutOut::Caller(from)));
    }
    for admin in users::admins(tx, turn.tenant(), ADMINS_MAX).await? {
        if admin.name != *me
            && let Some(from) = missing_to(tx, rules, &admin).await?
        {
            return Ok(Some(ShutOut::Other(admin.name, from)));
        }
    }
    Ok(None)
}

/// Whether rules let somebody be an administrator who could set others, on some device of theirs.
///
/// # Errors
/// Which rules do not, and what to do about it.
pub(super) async fn may_administer(
    tx: &mut Tx<'_>,
    rules: &UnderRules,
    user: &User,
) -> Result<(), Failure> {
    match missing_to(tx, rules, user).await? {
        None => Ok(()),
        Some(from) => Err(no_administrator(&user.name, from)),
    }
}

/// As [`may_administer`], of somebody who is not there yet.
///
/// # Errors
/// As there.
pub(super) fn a_new_one_may_administer(rules: &UnderRules, user: &UserName) -> Result<(), Failure> {
    match rules.missing_on_the_next(Errand::SetRules, (user, Role::Admin), &[]) {
        None => Ok(()),
        Some(from) => Err(no_administrator(user, from)),
    }
}

fn no_administrator(user: &UserName, from: Missing) -> Failure {
    let why = format!(
        "The tenant's rules keep {user} from {from}, and an administrator must be able to set others. Change them \
         first: landfall admin policy show."
    );
    Failure::invalid("role", why)
}

/// What somebody could not do as an administrator on any of their devices; on the next one, where there is none.
/// Who stands still, or whose devices were all suspended, is asked about as if that were over: *whoever sets rules
/// can bring it about, and end it afterwards.*
async fn missing_to(
    tx: &mut Tx<'_>,
    rules: &UnderRules,
    user: &User,
) -> Result<Option<Missing>, StoreError> {
    let who = (&user.name, Role::Admin);
    let mut devices = enrollments::list(tx, &user.tenant, &user.name, "", DEVICES_MAX).await?;
    devices.retain(|device| !matches!(device.state, DeviceState::Revoked { .. }));
    if devices.iter().any(|device| device.state == DeviceState::Active) {
        devices.retain(|device| device.state == DeviceState::Active);
    }
    if devices.is_empty() {
        return Ok(rules.missing_on_the_next(Errand::SetRules, who, &[]));
    }
    let mut found = None;
    for device in devices {
        match rules.missing(Errand::SetRules, who, &device.device) {
            None => return Ok(None),
            from => found = from,
        }
    }
    Ok(found)
}
