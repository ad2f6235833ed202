//! What would be refused in any case is refused before a person is asked to touch for it: people who
//! touch for nothing learn to touch for everything.

use super::last_admin::{self, Loss};
use super::readiness_facts::View;
use super::{
    Turn, guardians, links, recovery_codes, recovery_plan, recovery_queue, tokens, waits, wards,
};
use crate::failure::Failure;
use crate::store::passkeys::{self, PasskeyRow};
use crate::store::{self, Tx, enrollments, meta, recoveries};
use landfall_identity::authorize::Object;
use landfall_identity::recovery::Plan;
use landfall_identity::session::{Factor, SessionFacts};
use landfall_identity::time::Moment;
use landfall_identity::token::TokenKind;
use landfall_identity::{Action, AuthStrength, BoundAction, Refusal};

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
    match act {
        BoundAction::IssueToken { kind, user, device, .. } => {
            tokens::names_are_free(tx, turn, *kind, user, device.as_ref()).await
        }
        _ if !there => Err(Refusal::NotFound.into()),
        BoundAction::RevokeDevice { user, device } => {
            last_admin::foreseen(tx, turn, view, user, &Loss::Device(device)).await
        }
        BoundAction::RemovePasskey { passkey } => {
            last_admin::foreseen(tx, turn, view, turn.user()?, &Loss::Passkey(passkey)).await
        }
        BoundAction::ApproveRecovery { recovery, .. } => {
            let found = recoveries::find(tx, recovery).await?.ok_or(Refusal::NotFound)?;
            recovery_queue::may_approve(turn, &found)
        }
        BoundAction::ApproveLink { link, .. } => links::foresee(tx, turn, link, act).await,
        BoundAction::VouchForRecovery { recovery, .. } => {
            let found = recoveries::find(tx, recovery).await?.ok_or(Refusal::NotFound)?;
            wards::may_vouch(tx, turn, &found).await
        }
        BoundAction::NameGuardian { guardian } => guardians::may_name(tx, turn, guardian).await,
        _ => Ok(()),
    }
}

/// What an act will ask for, about what, and whether that is there.
struct Aim {
    action: Action,
    object: Object,
    there: bool,
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
            let user = turn.user()?.clone();
            let found = passkeys::find(tx, &tenant, &user, passkey).await?;
            let since = found.ok_or(Refusal::NotFound)?.kept.registered_at;
            (Action::RemovePasskey, Object::Passkey { tenant, user, since })
        }
        BoundAction::BindPasskey { passkey } => {
            let user = turn.user()?.clone();
            let found = passkeys::find(tx, &tenant, &user, passkey).await?;
            let found = found.ok_or(Refusal::NotFound)?;
            super::passkeys::can_move(&found)?;
            let since = found.kept.registered_at;
            (Action::BindPasskey, Object::Passkey { tenant, user, since })
        }
        BoundAction::RevokeDevice { user, device } => {
            let action = match turn.user()? == user {
                true => Action::RevokeDevice,
                false => Action::AdminRevokeDevice,
            };
            // Who may not look at all learns nothing of what exists.
            let nothing = Object::Owned { tenant: tenant.clone(), user: user.clone() };
            let found = enrollments::find(tx, &tenant, user, device).await?;
            there = found.is_some();
            (action, found.map_or(nothing, |row| row.object()))
        }
        BoundAction::MakeRecoveryCodes { .. } => {
            (Action::MakeRecoveryCodes, recovery_codes::object(tx, turn).await?)
        }
        BoundAction::ApproveRecovery { user, .. } => {
            (Action::AdminApproveRecovery, Object::Owned { tenant, user: user.clone() })
        }
        BoundAction::ApproveLink { user, .. } => {
            (Action::ApproveLink, Object::Owned { tenant, user: user.clone() })
        }
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
    };
    Ok(Aim { action, object, there })
}
