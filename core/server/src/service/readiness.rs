//! Who could get in, which single loss locks out, and what to do before it happens: for oneself, and for
//! a tenant.

use super::last_admin::stands;
use super::readiness_facts::{ADMINS_MAX, Holdings, View, plan_of, readiness, vouchers};
use super::{RequestContext, Service, Turn, page};
use crate::doors::leads_in;
use crate::failure::Failure;
use crate::store::drills::{self, Drill};
use crate::store::users::User;
use crate::store::{Tx, enrollments, recovery_plans, users};
use landfall_identity::recovery::{Plan, Readiness, Remedy, Standing, Thing};
use landfall_identity::{AuthStrength, Refusal, UserName};
use landfall_protocol::Page;
use landfall_protocol::readiness::{
    AdminReadinessQuery, AdminsReadiness, DrillInfo, ReadinessDetails, ReadinessInfo, ThingInfo,
    UserReadiness, WayInInfo,
};

impl Service {
    /// How ready the caller is. Ways and names only to a person who has just stepped up.
    ///
    /// # Errors
    /// A refusal.
    pub async fn my_readiness(&self, request: RequestContext) -> Result<ReadinessInfo, Failure> {
        let view = self.view();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let user = own_row(tx, turn).await?;
            let vouchers = vouchers(tx, &view, turn.tenant(), turn.now).await?;
            let holdings = Holdings::of(tx, &view, &user, &vouchers, turn.now).await?;
            let plan = plan_of(tx, &view.plan, &user, turn.now).await?;
            let ready = readiness_of(&user, &plan, &holdings)?;
            let done = drills::of_user(tx, turn.tenant(), turn.user()?).await?;
            let grant = enrollments::live_grant(tx, &turn.caller.enrollment, turn.now).await?;
            let may_register = grant.is_some();
            Ok(ReadinessInfo {
                standing: ready.standing,
                score: ready.score(),
                losses_to_lock_out: ready.losses_to_lock_out,
                next: possible(ready.next, &holdings, may_register),
                frozen: user.frozen_at.is_some(),
                stopped_by_admin: user.frozen_by_admin,
                drills: done.iter().map(drill_info).collect(),
                details: by_person(turn).then(|| details(&ready, &holdings.things)),
            })
        })
        .await
    }

    /// How ready the tenant's people are, by name.
    ///
    /// # Errors
    /// A refusal.
    pub async fn admin_readiness(
        &self,
        request: RequestContext,
        query: AdminReadinessQuery,
    ) -> Result<Page<UserReadiness>, Failure> {
        let view = self.view();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let limit = page::limit(query.limit)?;
            let only = query.standing.as_deref().map(standing).transpose()?;
            let [after] = page::read_text_cursor::<1>(query.after.as_deref())?;
            let rows = users::list(tx, turn.tenant(), &after, limit + 1).await?;
            let next = |user: &User| page::text_cursor(&[user.name.as_str()]);
            let page = page::cut(rows, limit, next, Clone::clone);
            let vouchers = vouchers(tx, &view, turn.tenant(), turn.now).await?;
            let mut items = Vec::with_capacity(page.items.len());
            for user in page.items {
                let item = of_user(tx, turn, &view, &user, &vouchers).await?;
                if only.is_none_or(|only| item.standing == only) {
                    items.push(item);
                }
            }
            Ok(Page { items, next: page.next })
        })
        .await
    }

    /// Whether somebody will be there to administer the tenant.
    ///
    /// # Errors
    /// A refusal.
    pub async fn admins_readiness(
        &self,
        request: RequestContext,
    ) -> Result<AdminsReadiness, Failure> {
        let view = self.view();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let vouchers = vouchers(tx, &view, turn.tenant(), turn.now).await?;
            let admins = users::admins(tx, turn.tenant(), ADMINS_MAX).await?;
            let (mut acting, mut recoverable, mut standing) = (0, 0, 0);
            for admin in &admins {
                let holdings = Holdings::of(tx, &view, admin, &vouchers, turn.now).await?;
                let plan = plan_of(tx, &view.plan, admin, turn.now).await?;
                let ready = readiness_of(admin, &plan, &holdings)?.standing == Standing::Ready;
                acting += u32::from(view.passkeys && admin.frozen_at.is_none() && holdings.act());
                recoverable += u32::from(ready);
                standing += u32::from(!admin.frozen_by_admin && stands(&plan, &holdings));
            }
            Ok(AdminsReadiness {
                admins: count(admins.len()),
                acting,
                recoverable,
                safe: recoverable > 0 && standing > 1,
            })
        })
        .await
    }
}

/// What would help, if it can be done: without a passkey nothing can, except to register the first one
/// while there is a right to.
fn possible(next: Option<Remedy>, holdings: &Holdings, may_register: bool) -> Option<Remedy> {
    match holdings.passkeys.len() {
        0 => next.filter(|_| may_register).map(|_| Remedy::AddPasskey),
        _ => next,
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Whether a person, and not only their device, asks. A session's end is checked where it is loaded.
fn by_person(turn: &Turn) -> bool {
    turn.strength() == Some(AuthStrength::CertHuman)
}

/// The caller's own row.
pub(super) async fn own_row(tx: &mut Tx<'_>, turn: &Turn) -> Result<User, Failure> {
    let found = users::find(tx, turn.tenant(), turn.user()?).await?;
    Ok(found.ok_or(Refusal::NotFound)?)
}

fn standing(text: &str) -> Result<Standing, Failure> {
    let all = [Standing::LockedOut, Standing::OneLossAway, Standing::Ready];
    let found = all.into_iter().find(|standing| standing.as_str() == text);
    found.ok_or_else(|| Failure::invalid("standing", "Use locked-out, one-loss-away or ready."))
}

async fn of_user(
    tx: &mut Tx<'_>,
    turn: &Turn,
    view: &View,
    user: &User,
    vouchers: &[UserName],
) -> Result<UserReadiness, Failure> {
    let names = by_person(turn);
    let holdings = Holdings::of(tx, view, user, vouchers, turn.now).await?;
    let plan = plan_of(tx, &view.plan, user, turn.now).await?;
    let ready = readiness_of(user, &plan, &holdings)?;
    let own = recovery_plans::find(tx, &user.tenant, &user.name).await?;
    let newest = drills::of_user(tx, &user.tenant, &user.name).await?.into_iter().next();
    Ok(UserReadiness {
        user: user.name.clone(),
        role: user.role,
        standing: ready.standing,
        score: ready.score(),
        losses_to_lock_out: ready.losses_to_lock_out,
        next: possible(ready.next, &holdings, false),
        frozen: user.frozen_at.is_some(),
        stopped_by_admin: user.frozen_by_admin,
        own_plan: own.is_some(),
        single_losses: names.then(|| ready.single_losses.iter().map(ThingInfo::from).collect()),
        last_drill_at: newest.map(|drill| drill.at.into()),
    })
}

/// What gets somebody in, and nothing while an administrator has stopped their account.
fn readiness_of(user: &User, plan: &Plan, holdings: &Holdings) -> Result<Readiness, Failure> {
    match user.frozen_by_admin {
        true => Ok(Readiness::shut()),
        false => readiness(plan, holdings),
    }
}

fn details(ready: &Readiness, things: &[Thing]) -> ReadinessDetails {
    let asked_for = |thing: &Thing| {
        ready.ways_in.iter().flat_map(|way| &way.needs).any(|need| need.of.contains(thing))
    };
    ReadinessDetails {
        ways_in: ready.ways_in.iter().map(WayInInfo::from).collect(),
        single_losses: ready.single_losses.iter().map(ThingInfo::from).collect(),
        idle: things.iter().filter(|thing| !asked_for(thing)).map(ThingInfo::from).collect(),
    }
}

/// A drill as its owner sees it.
pub(super) fn drill_info(drill: &Drill) -> DrillInfo {
    DrillInfo {
        door: drill.door,
        counts: drill.counts,
        leads_in: leads_in(drill.door),
        at: drill.at.into(),
    }
}
