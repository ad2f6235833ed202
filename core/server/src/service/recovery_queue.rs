//! Recoveries as others see them: the account's owner, who may object, and administrators, who vouch.

use super::recovery_standing::Standing;
use super::{RequestContext, Service, Turn, page};
use crate::failure::Failure;
use crate::store::recoveries::{self, ProofRow, Recovery};
use crate::store::{Tx, links, users};
use landfall_identity::authorize::Object;
use landfall_identity::id::RecoveryId;
use landfall_identity::notice::Happening;
use landfall_identity::recovery::{Door, Plan};
use landfall_identity::refusal::Young;
use landfall_identity::{Action, BoundAction, Reason, Refusal, Role, UserName};
use landfall_protocol::recovery::{RecoveryApproveRequest, RecoveryInfo};
use landfall_protocol::{Page, PageQuery};

impl Service {
    /// Recoveries of the caller's own account that are under way, newest first.
    ///
    /// # Errors
    /// A refusal.
    pub async fn list_recoveries(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<RecoveryInfo>, Failure> {
        let plan = self.settings.recovery_plan.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            list(tx, turn, &plan, &query, Some(turn.user()?)).await
        })
        .await
    }

    /// Everybody's in the tenant who exists, newest first.
    ///
    /// # Errors
    /// A refusal.
    pub async fn admin_list_recoveries(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<RecoveryInfo>, Failure> {
        let plan = self.settings.recovery_plan.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            list(tx, turn, &plan, &query, None).await
        })
        .await
    }

    /// "That is not me", or an administrator's no: the recovery ends. One that waits is ended by its owner
    /// once a day; after that the no leaves it to administrators, and time alone ends it no more.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] when it is not the caller's to end; [`Refusal::RecoveryOver`].
    pub async fn stop_recovery(
        &self,
        request: RequestContext,
        id: RecoveryId,
    ) -> Result<RecoveryInfo, Failure> {
        let (plan, service) = (self.settings.recovery_plan.clone(), self.clone());
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let row = load(tx, turn, &id).await?;
            turn.authorize(tx, &object(&row), None).await?;
            if !row.state.is_open(row.expires_at, turn.now) {
                return Err(Refusal::RecoveryOver.into());
            }
            let stops = match turn.is(Action::ObjectToRecovery) {
                true => service.object_to_wait(tx, turn, &row).await?,
                false => true,
            };
            if stops && !recoveries::stop(tx, &id, turn.now).await? {
                return Err(Refusal::RecoveryOver.into());
            }
            if stops {
                let what = Happening::RecoveryStopped { device: row.device.clone() };
                service.tell(tx, turn.news(&row.user, what)?).await?;
            }
            judged(tx, turn, &plan, &id).await
        })
        .await
    }

    /// Vouches for a recovery, after the administrator has approved exactly this one. The same
    /// administrator again changes nothing, unless the account was frozen in between.
    ///
    /// # Errors
    /// A refusal; [`Refusal::Forbidden`] for one's own account.
    pub async fn approve_recovery(
        &self,
        request: RequestContext,
        id: RecoveryId,
        body: RecoveryApproveRequest,
    ) -> Result<RecoveryInfo, Failure> {
        let plan = self.settings.recovery_plan.clone();
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let row = load(tx, turn, &id).await?;
            turn.about(format!("recovery {id} of {}: \"{}\"", row.user, body.reason));
            turn.authorize(tx, &object(&row), Some(&act(&row, &body.reason))).await?;
            may_approve(tx, turn, &row).await?;
            let proof = ProofRow {
                door: Door::Admin,
                by: turn.user()?.to_string(),
                thing: turn.caller.enrollment.to_string(),
                reason: Some(body.reason.clone()),
                at: turn.now,
            };
            let whose = users::find(tx, &row.tenant, &row.user).await?;
            // They vouch for it in spite of the freeze, and not before it. Its owner hears of that as of the first time.
            let again = match whose.and_then(|user| user.frozen_at) {
                Some(frozen_at) => recoveries::give_again(tx, &id, &proof, frozen_at).await?,
                None => false,
            };
            if recoveries::add_proof(tx, &id, &proof).await? || again {
                let what = Happening::RecoveryApproved { device: row.device.clone() };
                service.tell(tx, turn.news(&row.user, what)?).await?;
            }
            judged(tx, turn, &plan, &id).await
        })
        .await
    }
}

/// What an approval signs.
fn act(row: &Recovery, reason: &Reason) -> BoundAction {
    BoundAction::ApproveRecovery {
        recovery: row.id.clone(),
        user: row.user.clone(),
        thumbprint: row.thumbprint.clone(),
        reason: reason.clone(),
    }
}

/// Whether the caller can vouch for it: open, and not their own.
///
/// # Errors
/// The refusal.
pub(super) async fn may_approve(
    tx: &mut Tx<'_>,
    turn: &Turn,
    row: &Recovery,
) -> Result<(), Failure> {
    is_no_link(tx, row).await?;
    if turn.user()? == &row.user {
        return Err(Refusal::Forbidden.into());
    }
    if !row.state.is_open(row.expires_at, turn.now) {
        return Err(Refusal::RecoveryOver.into());
    }
    let whose = users::find(tx, &row.tenant, &row.user).await?;
    let mine = users::find(tx, turn.tenant(), turn.user()?).await?;
    if whose.as_ref().is_some_and(|user| user.frozen_by_admin) {
        // Or the hour in which its owner can object would pass while they can do nothing.
        return Err(Refusal::StoppedAccount.into());
    }
    let of_admin = whose.is_some_and(|user| user.role_in_recovery(row.begun_at) == Role::Admin);
    match mine.and_then(|user| user.vouches_for_admins_from()).filter(|_| of_admin) {
        Some(from) if !from.is_over(turn.now) => {
            Err(Refusal::Probation { until: from, what: Young::VouchForAdmin }.into())
        }
        _ => Ok(()),
    }
}

/// A link is approved by a device beside it, over equal digits: whoever else is read its code on the
/// telephone has compared nothing.
///
/// # Errors
/// [`Refusal::NotFound`] for a link.
pub(super) async fn is_no_link(tx: &mut Tx<'_>, row: &Recovery) -> Result<(), Failure> {
    match links::find(tx, &row.id).await? {
        None => Ok(()),
        Some(_) => Err(Refusal::NotFound.into()),
    }
}

/// A recovery as an object of `authorize`: the account's that it leads into.
pub(super) fn object(row: &Recovery) -> Object {
    Object::Owned { tenant: row.tenant.clone(), user: row.user.clone() }
}

pub(super) async fn load(
    tx: &mut Tx<'_>,
    turn: &Turn,
    id: &RecoveryId,
) -> Result<Recovery, Failure> {
    turn.about(format!("recovery {id}"));
    let found = recoveries::find(tx, id).await?;
    // One of nobody's account is none: a stranger may have named anybody.
    let exists = match &found {
        Some(row) => users::find(tx, &row.tenant, &row.user).await?.is_some(),
        None => false,
    };
    match found.filter(|_| exists) {
        Some(row) => {
            turn.about(format!("recovery {id} of {}", row.user));
            Ok(row)
        }
        // Who may not look at all is told so, whether it exists or not.
        None => {
            turn.refuse_strangers_first()?;
            Err(Refusal::NotFound.into())
        }
    }
}

pub(super) async fn judged(
    tx: &mut Tx<'_>,
    turn: &Turn,
    plan: &Plan,
    id: &RecoveryId,
) -> Result<RecoveryInfo, Failure> {
    let row = recoveries::find(tx, id).await?.ok_or(Refusal::NotFound)?;
    Ok(Standing::of(tx, plan, row, turn.now).await?.info())
}

async fn list(
    tx: &mut Tx<'_>,
    turn: &Turn,
    plan: &Plan,
    query: &PageQuery,
    user: Option<&UserName>,
) -> Result<Page<RecoveryInfo>, Failure> {
    let limit = page::limit(query.limit)?;
    let before = page::time_cursor(query.after.as_deref())?;
    let before = (before.0, before.1.as_str());
    let rows = recoveries::list_open(tx, turn.tenant(), user, before, turn.now, limit + 1).await?;
    let next = |row: &Recovery| page::time_cursor_text(row.begun_at, row.id.as_str());
    let page = page::cut(rows, limit, next, Clone::clone);
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        items.push(Standing::of(tx, plan, row, turn.now).await?.info());
    }
    Ok(Page { items, next: page.next })
}
