//! The guardians' side: who wants their word, and giving it. A guardian learns of the recoveries of those
//! alone who chose them, and only once they have accepted.

use super::guardians::guardian_info;
use super::recovery_queue::{is_no_link, judged, load};
use super::recovery_standing::Standing;
use super::{RequestContext, Service, Turn, page};
use crate::failure::Failure;
use crate::store::guardians::{self, Guardian};
use crate::store::recoveries::{self, ProofRow, Recovery};
use crate::store::{Tx, meta};
use landfall_identity::authorize::Object;
use landfall_identity::id::RecoveryId;
use landfall_identity::notice::Happening;
use landfall_identity::recovery::Door;
use landfall_identity::refusal::Young;
use landfall_identity::{BoundAction, Refusal, UserName};
use landfall_protocol::guardian::GuardianInfo;
use landfall_protocol::recovery::RecoveryInfo;
use landfall_protocol::{Page, PageQuery};

impl Service {
    /// Whose guardian the caller is, or is asked to be, by name.
    ///
    /// # Errors
    /// A refusal.
    pub async fn list_wards(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<GuardianInfo>, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let limit = page::limit(query.limit)?;
            let [after] = page::read_text_cursor::<1>(query.after.as_deref())?;
            let rows = guardians::wards(tx, turn.tenant(), turn.user()?, &after, limit + 1).await?;
            let next = |row: &Guardian| page::text_cursor(&[row.user.as_str()]);
            Ok(page::cut(rows, limit, next, guardian_info))
        })
        .await
    }

    /// The caller accepts to be somebody's guardian. Again, it changes nothing.
    ///
    /// # Errors
    /// A refusal; [`Refusal::NotFound`] when that user has not asked.
    pub async fn accept_ward(
        &self,
        request: RequestContext,
        ward: UserName,
    ) -> Result<GuardianInfo, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(format!("guardian of {ward}"));
            turn.authorize(tx, &turn.own()?, None).await?;
            let (tenant, own) = (turn.tenant(), turn.user()?);
            if guardians::accept(tx, tenant, &ward, own, turn.now).await? {
                let what = Happening::GuardianAccepted { guardian: own.clone() };
                service.tell(tx, turn.news_of_both(&ward, what)?).await?;
            }
            let named = guardians::find(tx, tenant, &ward, own).await?;
            Ok(guardian_info(&named.ok_or(Refusal::NotFound)?))
        })
        .await
    }

    /// The caller declines, or is no longer available; whoever chose them hears of it.
    ///
    /// # Errors
    /// A refusal; [`Refusal::NotFound`] when that user has not asked.
    pub async fn leave_ward(&self, request: RequestContext, ward: UserName) -> Result<(), Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(format!("guardian of {ward}"));
            turn.authorize(tx, &turn.own()?, None).await?;
            let (tenant, own) = (turn.tenant(), turn.user()?);
            guardians::find(tx, tenant, &ward, own).await?.ok_or(Refusal::NotFound)?;
            guardians::end(tx, tenant, &ward, own, turn.now).await?;
            let what = Happening::GuardianLeft { guardian: own.clone() };
            service.tell(tx, turn.news_of_both(&ward, what)?).await
        })
        .await
    }

    /// Recoveries, under way, of those whose guardian the caller is; newest first.
    ///
    /// # Errors
    /// A refusal.
    pub async fn list_ward_recoveries(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<RecoveryInfo>, Failure> {
        let plan = self.settings.recovery_plan.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let limit = page::limit(query.limit)?;
            let before = page::time_cursor(query.after.as_deref())?;
            let before = (before.0, before.1.as_str());
            let (tenant, own) = (turn.tenant(), turn.user()?);
            let rows = recoveries::list_of_wards(tx, tenant, own, before, turn.now, limit + 1);
            let next = |row: &Recovery| page::time_cursor_text(row.begun_at, row.id.as_str());
            let page = page::cut(rows.await?, limit, next, Clone::clone);
            let mut items = Vec::with_capacity(page.items.len());
            for row in page.items {
                items.push(for_a_guardian(Standing::of(tx, &plan, row, turn.now).await?.info()));
            }
            Ok(Page { items, next: page.next })
        })
        .await
    }

    /// Vouches for somebody who chose the caller, after the caller has approved exactly this recovery.
    /// The same guardian again changes nothing.
    ///
    /// # Errors
    /// A refusal; [`Refusal::NotFound`] for a recovery of anybody else; [`Refusal::Probation`] while the
    /// guardian was chosen too lately; [`Refusal::RecoveryOver`].
    pub async fn vouch_for_ward(
        &self,
        request: RequestContext,
        id: RecoveryId,
    ) -> Result<RecoveryInfo, Failure> {
        let (plan, service) = (self.settings.recovery_plan.clone(), self.clone());
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let row = load(tx, turn, &id).await?;
            let act = BoundAction::VouchForRecovery {
                recovery: row.id.clone(),
                user: row.user.clone(),
                thumbprint: row.thumbprint.clone(),
            };
            let (object, _) = ward_object(tx, turn, &row.user).await?;
            turn.authorize(tx, &object, Some(&act)).await?;
            may_vouch(tx, turn, &row).await?;
            let proof = ProofRow {
                door: Door::Guardian,
                by: turn.user()?.to_string(),
                thing: turn.caller.enrollment.to_string(),
                reason: None,
                at: turn.now,
            };
            if recoveries::add_proof(tx, &id, &proof).await? {
                let what = Happening::RecoveryApproved { device: row.device.clone() };
                service.tell(tx, turn.news_of_both(&row.user, what)?).await?;
            }
            judged(tx, turn, &plan, &id).await.map(for_a_guardian)
        })
        .await
    }
}

/// A recovery of `user` as an object of `authorize`, for the caller as their guardian, and whether the
/// caller is one. Of anybody else it is not the caller's, and not found.
///
/// # Errors
/// The database.
pub(super) async fn ward_object(
    tx: &mut Tx<'_>,
    turn: &Turn,
    user: &UserName,
) -> Result<(Object, bool), Failure> {
    let tenant = turn.tenant().clone();
    let found = guardians::find(tx, &tenant, user, turn.user()?).await?;
    let accepted = found.filter(|guardian| guardian.since.accepted_at.is_some());
    Ok(match accepted {
        Some(guardian) => (Object::Ward { tenant, guardian: guardian.guardian }, true),
        None => (Object::Owned { tenant, user: user.clone() }, false),
    })
}

/// Whether the caller's word would count: their guardian for long enough, somebody else's recovery, and
/// it is open. Growing old as a guardian is waiting, so a clock that jumped makes nobody one.
///
/// # Errors
/// The refusal.
pub(super) async fn may_vouch(tx: &mut Tx<'_>, turn: &Turn, row: &Recovery) -> Result<(), Failure> {
    is_no_link(tx, row).await?;
    let found = guardians::find(tx, &row.tenant, &row.user, turn.user()?).await?;
    let from = found.and_then(|guardian| guardian.since.counts_from()).ok_or(Refusal::NotFound)?;
    let waited = meta::waits_stand_at(tx).await?.unwrap_or(turn.now);
    if !from.is_over(turn.now) {
        return Err(Refusal::Probation { until: from, what: Young::Vouch }.into());
    }
    if !from.is_over(waited) {
        return Err(Refusal::ClockJumped.into());
    }
    match row.state.is_open(row.expires_at, turn.now) {
        true => Ok(()),
        false => Err(Refusal::RecoveryOver.into()),
    }
}

/// What a guardian sees: not who else vouched, nor which codes were shown.
fn for_a_guardian(info: RecoveryInfo) -> RecoveryInfo {
    RecoveryInfo { proofs: Vec::new(), ..info }
}
