//! What lets somebody back in: the tenant's plan, and what they have made stricter for themselves.

use super::last_admin::LastAdmin;
use super::readiness::own_row;
use super::readiness_facts::{Holdings, on_top, plan_of, vouchers, wanted};
use super::{RequestContext, Service, Turn};
use crate::doors::leads_in;
use crate::failure::Failure;
use crate::store::recovery_plans::{self, OwnPlan};
use crate::store::{Tx, passkeys};
use landfall_identity::authorize::Object;
use landfall_identity::notice::Happening;
use landfall_identity::recovery::Plan;
use landfall_identity::{BoundAction, Refusal};
use landfall_protocol::readiness::{RecoveryPlanInfo, RecoveryPlanRequest};

/// The longest line of a plan: every way of two plans, at length.
const WORDS_MAX: usize = 8 * 1024;

impl Service {
    /// What lets the caller back in.
    ///
    /// # Errors
    /// A refusal.
    pub async fn show_recovery_plan(
        &self,
        request: RequestContext,
    ) -> Result<RecoveryPlanInfo, Failure> {
        let plan = self.settings.recovery_plan.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            shown(tx, turn, &plan).await
        })
        .await
    }

    /// Makes the caller's plan stricter than the tenant's, after they have approved exactly this one.
    /// A young passkey changes nothing here.
    ///
    /// # Errors
    /// A plan that cannot be chosen; [`Refusal::PlanLocksOut`]; [`Refusal::Probation`].
    pub async fn set_recovery_plan(
        &self,
        request: RequestContext,
        body: RecoveryPlanRequest,
    ) -> Result<RecoveryPlanInfo, Failure> {
        let plan = self.settings.recovery_plan.clone();
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about("one's own recovery plan");
            turn.refuse_strangers_first()?;
            let chosen = chosen(&body)?;
            service.change_plan(tx, turn, &plan, Some(chosen)).await
        })
        .await
    }

    /// Goes back to the tenant's plan.
    ///
    /// # Errors
    /// A refusal; [`Refusal::Probation`] for a passkey that is younger than the plan.
    pub async fn clear_recovery_plan(
        &self,
        request: RequestContext,
    ) -> Result<RecoveryPlanInfo, Failure> {
        let plan = self.settings.recovery_plan.clone();
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about("one's own recovery plan");
            turn.refuse_strangers_first()?;
            service.change_plan(tx, turn, &plan, None).await
        })
        .await
    }

    async fn change_plan(
        &self,
        tx: &mut Tx<'_>,
        turn: &Turn,
        tenant_plan: &Plan,
        chosen: Option<Plan>,
    ) -> Result<RecoveryPlanInfo, Failure> {
        let user = own_row(tx, turn).await?;
        let base = tenant_plan.for_role(user.role);
        let current = plan_of(tx, tenant_plan, &user, turn.now).await?;
        let own = chosen.as_ref().map(|plan| plan.for_role(user.role));
        if let Some(own) = &own {
            own.check_choice(&base, leads_in)
                .map_err(|error| Failure::invalid("plan", format!("{error}.")))?;
        }
        let next = own.as_ref().map_or(base.clone(), |own| on_top(&base, own));
        let ways = next.words().map_err(Failure::internal)?;
        turn.about(format!("one's own recovery plan: {ways}"));
        let held = wanted(tx, &user, next).await?;
        let object = object(tx, turn, held.check(&current).is_err()).await?;
        turn.authorize(tx, &object, Some(&BoundAction::SetRecoveryPlan { ways })).await?;
        let view = self.view();
        let vouchers = vouchers(tx, &view, turn.tenant(), turn.now).await?;
        let holdings = Holdings::of(tx, &view, &user, &vouchers, turn.now).await?;
        if holdings.come_back_by(&current) && !holdings.come_back_by(&held) {
            return Err(Refusal::PlanLocksOut.into());
        }
        let (tenant, name) = (turn.tenant(), turn.user()?);
        let guard = LastAdmin::before(tx, &view, tenant, name, turn.now).await?;
        match &chosen {
            Some(plan) => recovery_plans::set(tx, tenant, name, plan, turn.now).await?,
            None => recovery_plans::clear(tx, tenant, name).await?,
        }
        guard.after(tx, &view).await?;
        if held != current {
            self.tell(tx, turn.news(name, Happening::RecoveryPlanChanged)?).await?;
        }
        shown(tx, turn, tenant_plan).await
    }
}

/// What a change of plan takes away. A looser one lets a thief in, and takes a passkey that is no
/// younger than the plan. A stricter one could keep the owner out: like the end of a freeze it takes the
/// account's oldest passkey, or one that has grown old.
async fn object(tx: &mut Tx<'_>, turn: &Turn, loosens: bool) -> Result<Object, Failure> {
    let (tenant, user) = (turn.tenant(), turn.user()?);
    let oldest = passkeys::all_of(tx, tenant, user).await?.into_iter().next();
    let oldest = oldest.map_or(turn.now, |row| row.kept.registered_at);
    let own = recovery_plans::find(tx, tenant, user).await?;
    let since = own.filter(|_| loosens).map_or(oldest, |own| own.set_at.min(oldest));
    Ok(Object::Plan { since })
}

/// As [`object`], before the act is there: only its words are known.
///
/// # Errors
/// The database.
pub(super) async fn foreseen(
    tx: &mut Tx<'_>,
    turn: &Turn,
    tenant_plan: &Plan,
    ways: &str,
) -> Result<Object, Failure> {
    // It is shown to a person, and only what `Plan::words` writes is ever approved by it.
    let plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if ways.len() > WORDS_MAX || !ways.bytes().all(plain) {
        return Err(Failure::invalid("ways", "Send the line that the plan comes to."));
    }
    let user = own_row(tx, turn).await?;
    let base = tenant_plan.for_role(user.role).words().map_err(Failure::internal)?;
    object(tx, turn, ways == base).await
}

fn chosen(body: &RecoveryPlanRequest) -> Result<Plan, Failure> {
    match (&body.preset, &body.plan) {
        (Some(preset), None) => Ok(preset.plan()),
        (None, Some(plan)) => Ok(plan.clone()),
        _ => Err(Failure::invalid("plan", "Name a preset, or send a plan, and not both.")),
    }
}

async fn shown(
    tx: &mut Tx<'_>,
    turn: &Turn,
    tenant_plan: &Plan,
) -> Result<RecoveryPlanInfo, Failure> {
    let user = own_row(tx, turn).await?;
    let words = |plan: &Plan| plan.words().map_err(Failure::internal);
    let own = recovery_plans::find(tx, &user.tenant, &user.name).await?;
    let own_words = |own: &OwnPlan| words(&own.plan.for_role(user.role));
    Ok(RecoveryPlanInfo {
        tenant: words(&tenant_plan.for_role(user.role))?,
        own: own.as_ref().map(own_words).transpose()?,
        own_since_at: own.as_ref().map(|own| own.set_at.into()),
        holds: words(&plan_of(tx, tenant_plan, &user, turn.now).await?)?,
    })
}
