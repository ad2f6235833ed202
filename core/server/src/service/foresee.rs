//! What would be refused in any case is refused before a person is asked to touch for it: people who
//! touch for nothing learn to touch for everything.

use super::last_admin::{self, Loss};
use super::readiness_facts::View;
use super::{
    Turn, approvals, guardians, links, me, pairings, provisioned, recovery_codes, recovery_plan,
    recovery_queue, roles, tokens, waits, wards,
};
use crate::failure::Failure;
use crate::store::passkeys::{self, PasskeyRow};
use crate::store::{self, Tx, enrollments, meta, recoveries};
use landfall_identity::authorize::Object;
use landfall_identity::id::PasskeyId;
use landfall_identity::recovery::Plan;
use landfall_identity::session::{Factor, SessionFacts};
use landfall_identity::time::Moment;
use landfall_identity::token::TokenKind;
use landfall_identity::{
    Action, AuthStrength, BoundAction, DeviceName, Refusal, Role, TenantName, UserName,
};

/// Whether `act` could be done by the caller once the oldest of `usable` has approved it.
///
/// # Errors
/// The refusal that the act itself would meet.
pub(super) async fn foresee(
    tx: &mut Tx<'_>,
    turn: &Turn,
    view: &View,
    act: &BoundAction,
    usable: &[PasskeyRow],
) -> Result<(), Failure> {
    let Aim { action, object, there } = aim(tx, turn, &view.plan, act).await?;
    let oldest = usable.iter().min_by_key(|row| row.kept.registered_at);
    let oldest = oldest.ok_or(Refusal::NoPasskey)?;
    let mut caller = turn.caller.clone();
    let own = caller.session.as_ref().ok_or(Refusal::SessionRequired)?;
    caller.session = Some(SessionFacts {
        id: own.id.clone(),
        strength: AuthStrength::CertHuman,
        auth_time: turn.now,
        expires_at: own.expires_at,
        factor: Some(Factor {
            passkey: oldest.kept.id.clone(),
            registered_at: oldest.kept.registered_at,
            lives_on: None,
        }),
        bound_to: Some(act.canonical()),
    });
    let waited = meta::waits_stand_at(tx).await?.unwrap_or(turn.now);
    let moment = Moment { now: turn.now, waited };
    match landfall_identity::authorize(action, &caller, &object, Some(act), moment) {
        // Nobody waits a day to be told that what they name is not there.
        Err(Refusal::Probation { .. }) if !there => return Err(Refusal::NotFound.into()),
        decided => decided?,
    };
    turn.foresee_rules(action, &caller, &object, Some(act))?;
    match act {
        BoundAction::IssueToken { kind, user, device, role, ttl, .. } => {
            tokens::lives_as_long(*kind, *ttl, view.code_ttl_max)?;
            tokens::names_are_free(tx, turn, *kind, user, device.as_ref()).await?;
            roles::has_room(tx, turn.tenant(), *role).await
        }
        _ if !there => Err(Refusal::NotFound.into()),
        BoundAction::IssueAgentCode { ttl, .. } => {
            Ok(tokens::lives_as_long(TokenKind::Device, *ttl, view.code_ttl_max)?)
        }
        BoundAction::RevokeDevice { user, device } => {
            last_admin::foreseen(tx, turn, view, user, &Loss::Device(device)).await
        }
        BoundAction::RemovePasskey { passkey } => {
            last_admin::foreseen(tx, turn, view, turn.user()?, &Loss::Passkey(passkey)).await
        }
        BoundAction::ApproveRecovery { recovery, .. } => {
            let found = recoveries::find(tx, recovery).await?.ok_or(Refusal::NotFound)?;
            recovery_queue::may_approve(tx, turn, &found).await
        }
        BoundAction::ApproveLink { link, .. } => links::foresee(tx, turn, link, act).await,
        BoundAction::PairAgent { pairing, .. } => pairings::foresee(tx, turn, pairing, act).await,
        BoundAction::GrantScope { approval, .. } => {
            approvals::foresee(tx, turn, approval, act).await
        }
        BoundAction::VouchForRecovery { recovery, .. } => {
            let found = recoveries::find(tx, recovery).await?.ok_or(Refusal::NotFound)?;
            wards::may_vouch(tx, turn, &found).await
        }
        BoundAction::NameGuardian { guardian } => guardians::may_name(tx, turn, guardian).await,
        BoundAction::ProvisionCredential { .. } | BoundAction::ApproveProvision { .. } => {
            provisioned::foreseen(tx, turn, &view.machine_roles, act).await
        }
        BoundAction::FreezeUser { user } if turn.user()? == user => {
            Err(Refusal::FreezeOneself.into())
        }
        BoundAction::SetRole { role: role @ Role::Admin, .. } => {
            roles::has_room(tx, turn.tenant(), *role).await
        }
        BoundAction::SetRole { user, .. } => {
            last_admin::foreseen(tx, turn, view, user, &Loss::Role).await
        }
        _ => Ok(()),
    }
}

/// What an act will ask for, about what, and whether that is there.
struct Aim {
    action: Action,
    object: Object,
    there: bool,
}

/// A passkey of the caller's own.
async fn own_passkey(
    tx: &mut Tx<'_>,
    turn: &Turn,
    passkey: &PasskeyId,
) -> Result<(PasskeyRow, Object), Failure> {
    let (tenant, user) = (turn.tenant().clone(), turn.user()?.clone());
    let found = passkeys::find(tx, &tenant, &user, passkey).await?.ok_or(Refusal::NotFound)?;
    let since = found.kept.registered_at;
    Ok((found, Object::Passkey { tenant, user, since }))
}

/// Who may not look at all learns nothing of what exists.
fn nothing_of(tenant: TenantName, user: &UserName) -> Object {
    Object::Owned { tenant, user: user.clone() }
}

async fn aim(tx: &mut Tx<'_>, turn: &Turn, plan: &Plan, act: &BoundAction) -> Result<Aim, Failure> {
    let tenant = turn.tenant().clone();
    let mut there = true;
    let (action, object) = match act {
        BoundAction::IssueToken { kind, user, .. } => {
            let action = match kind {
                TokenKind::Invite => Action::IssueInvite,
                TokenKind::Device | TokenKind::Claim => Action::IssueToken,
            };
            (action, Object::Owned { tenant, user: user.clone() })
        }
        BoundAction::AddPasskey { .. } => (Action::RegisterPasskey, Object::Own),
        BoundAction::RemovePasskey { passkey } => {
            let (_, object) = own_passkey(tx, turn, passkey).await?;
            (Action::RemovePasskey, object)
        }
        BoundAction::BindPasskey { passkey } => {
            let (found, object) = own_passkey(tx, turn, passkey).await?;
            super::passkeys::can_move(&found)?;
            (Action::BindPasskey, object)
        }
        BoundAction::RevokeDevice { user, device } => {
            return device_aim(tx, turn, user, device).await;
        }
        BoundAction::MakeRecoveryCodes { .. } => {
            (Action::MakeRecoveryCodes, recovery_codes::object(tx, turn).await?)
        }
        BoundAction::ApproveRecovery { user, .. } => {
            (Action::AdminApproveRecovery, owned(tenant, user))
        }
        BoundAction::ApproveLink { user, .. } => (Action::ApproveLink, owned(tenant, user)),
        BoundAction::SetWaiting { allowed: true } => {
            (Action::AllowWaiting, waits::plan_object(tx, turn).await?)
        }
        BoundAction::SetWaiting { allowed: false } => (Action::ForbidWaiting, turn.own()?),
        BoundAction::NameGuardian { .. } => {
            (Action::NameGuardian, waits::plan_object(tx, turn).await?)
        }
        BoundAction::RemoveGuardian { guardian } => {
            let found = store::guardians::find(tx, &tenant, turn.user()?, guardian).await?;
            let found = found.ok_or(Refusal::NotFound)?;
            (Action::RemoveGuardian, guardians::object(&found))
        }
        BoundAction::VouchForRecovery { user, .. } => {
            let (object, known) = wards::ward_object(tx, turn, user).await?;
            there = known;
            (Action::VouchForWard, object)
        }
        BoundAction::SetRecoveryPlan { ways } => {
            (Action::SetRecoveryPlan, recovery_plan::foreseen(tx, turn, plan, ways).await?)
        }
        BoundAction::DrillPasskey => (Action::DrillPasskey, Object::Own),
        BoundAction::IssueAgentCode { .. } => (Action::IssueAgentCode, turn.own()?),
        BoundAction::PairAgent { user, .. } => (Action::ApproveAgentPairing, owned(tenant, user)),
        BoundAction::GrantScope { .. } => (Action::GrantApproval, turn.own()?),
        BoundAction::ProvisionCredential { device, .. }
        | BoundAction::ApproveProvision { device, .. }
        | BoundAction::RevokeMachine { device } => {
            return machine_aim(tx, turn, act, device).await;
        }
        BoundAction::FreezeUser { user }
        | BoundAction::UnfreezeUser { user }
        | BoundAction::SetRole { user, .. } => return account_aim(tx, turn, act, user).await,
        BoundAction::SetPolicy { .. } => (Action::AdminSetPolicy, Object::Own),
    };
    Ok(Aim { action, object, there })
}

async fn account_aim(
    tx: &mut Tx<'_>,
    turn: &Turn,
    act: &BoundAction,
    user: &UserName,
) -> Result<Aim, Failure> {
    let action = match act {
        BoundAction::FreezeUser { .. } => Action::AdminFreezeUser,
        BoundAction::UnfreezeUser { .. } => Action::AdminUnfreezeUser,
        _ => {
            let found = roles::object(tx, turn.tenant(), user).await?;
            let there = found.is_some();
            let object = found.unwrap_or(nothing_of(turn.tenant().clone(), user));
            return Ok(Aim { action: Action::AdminSetRole, object, there });
        }
    };
    let found = store::users::find(tx, turn.tenant(), user).await?;
    let object = me::account_object(turn, user, found.as_ref());
    Ok(Aim { action, object, there: found.is_some() })
}

async fn device_aim(
    tx: &mut Tx<'_>,
    turn: &Turn,
    user: &UserName,
    device: &DeviceName,
) -> Result<Aim, Failure> {
    let action = match turn.user()? == user {
        true => Action::RevokeDevice,
        false => Action::AdminRevokeDevice,
    };
    let found = enrollments::find(tx, turn.tenant(), user, device).await?;
    let there = found.is_some();
    let object = found.map_or(nothing_of(turn.tenant().clone(), user), |row| row.object());
    Ok(Aim { action, object, there })
}

async fn machine_aim(
    tx: &mut Tx<'_>,
    turn: &Turn,
    act: &BoundAction,
    device: &DeviceName,
) -> Result<Aim, Failure> {
    let found = store::provisioned::machine(tx, turn.tenant(), device).await?;
    let object = provisioned::object_of(turn, found.as_ref());
    let (action, there) = match act {
        BoundAction::ProvisionCredential { .. } => (Action::ProvisionCredential, true),
        BoundAction::ApproveProvision { .. } => (Action::ApproveProvision, true),
        _ => (Action::AdminRevokeDevice, found.is_some()),
    };
    Ok(Aim { action, object, there })
}

fn owned(tenant: TenantName, user: &UserName) -> Object {
    Object::Owned { tenant, user: user.clone() }
}
