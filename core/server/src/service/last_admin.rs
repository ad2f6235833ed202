//! No act leaves a tenant without an administrator who can act or come back.
//!
//! The guard looks before an act and after it, in the act's own transaction: what was so before is no
//! reason to refuse, and what the act brings about is undone with it. A freeze is never refused: it ends
//! by what the owner holds, and a thief must be stopped at once.
//!
//! A tenant's rules keep no administrator from setting others (ADR 37), so none is asked about here. They
//! may keep others from giving their word in ways that nobody foresees, so where there are any, no word counts.

use super::Turn;
use super::readiness_facts::{ADMINS_MAX, Holdings, View, plan_of, vouchers};
use super::roles::is_not_the_only_admin;
use crate::failure::Failure;
use crate::store::users::User;
use crate::store::{StoreError, Tx, holdings as held, policies, users};
use landfall_identity::id::PasskeyId;
use landfall_identity::recovery::{Plan, Thing, ThingKind};
use landfall_identity::{DeviceName, Refusal, Role, TenantName, Timestamp, UserName};

/// Whether an administrator can act now, or come back.
pub(super) fn stands(plan: &Plan, holdings: &Holdings) -> bool {
    holdings.act() || holdings.come_back_by(plan)
}

/// How firmly a tenant has an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Footing {
    /// There is nobody.
    Nobody,
    /// Somebody was enrolled a moment ago, and has ten minutes to register a passkey. *An administrator who hands
    /// over to them, and leaves, leaves nobody when they do not.*
    OneRegisters,
    /// Somebody can act, or come back.
    OneStands,
}

async fn footing(
    tx: &mut Tx<'_>,
    view: &View,
    tenant: &TenantName,
    now: Timestamp,
) -> Result<Footing, StoreError> {
    let judge = Judge::new(tx, view, tenant, now).await?;
    let mut found = Footing::Nobody;
    for admin in those_who_count(tx, tenant).await? {
        let (plan, holdings) = judge.look(tx, &admin).await?;
        if stands(&plan, &holdings) {
            return Ok(Footing::OneStands);
        }
        let granted = held::with_a_grant(tx, tenant, &admin.name, now).await?;
        if granted.iter().any(|device| holdings.devices.contains(device)) {
            found = Footing::OneRegisters;
        }
    }
    Ok(found)
}

/// Looks at what administrators hold, and counts what counts here.
struct Judge<'a> {
    view: &'a View,
    vouchers: Vec<UserName>,
    /// Whether anybody's word counts: not where the tenant has rules.
    words: bool,
    now: Timestamp,
}

impl<'a> Judge<'a> {
    async fn new(
        tx: &mut Tx<'_>,
        view: &'a View,
        tenant: &TenantName,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        // As the database has them: they may have been set a moment ago.
        let rules = policies::current(tx, tenant).await?;
        let words = rules.is_none_or(|rules| rules.text.is_empty());
        Ok(Self { view, vouchers: vouchers(tx, view, tenant, now).await?, words, now })
    }

    async fn look(&self, tx: &mut Tx<'_>, admin: &User) -> Result<(Plan, Holdings), StoreError> {
        let plan = plan_of(tx, &self.view.plan, admin, self.now).await?;
        let holdings = Holdings::of(tx, self.view, admin, &self.vouchers, self.now).await?;
        Ok((plan, if self.words { holdings } else { holdings.without_words() }))
    }
}

/// The administrators who count: who was stopped by another one comes back by another one alone.
async fn those_who_count(tx: &mut Tx<'_>, tenant: &TenantName) -> Result<Vec<User>, StoreError> {
    let mut admins = users::admins(tx, tenant, ADMINS_MAX).await?;
    admins.retain(|admin| !admin.frozen_by_admin);
    Ok(admins)
}

/// What an act would take from a user.
pub(super) enum Loss<'a> {
    /// A device.
    Device(&'a DeviceName),
    /// A passkey.
    Passkey(&'a PasskeyId),
    /// Their being an administrator.
    Role,
}

/// Before a person is asked to touch for it: whether the loss would leave nobody. What comes of the act
/// itself is decided by [`LastAdmin`].
///
/// # Errors
/// [`Refusal::LastAdmin`].
pub(super) async fn foreseen(
    tx: &mut Tx<'_>,
    turn: &Turn,
    view: &View,
    user: &UserName,
    loss: &Loss<'_>,
) -> Result<(), Failure> {
    let (tenant, now) = (turn.tenant(), turn.now);
    let Some(found) = users::find(tx, tenant, user).await? else { return Ok(()) };
    if found.role != Role::Admin {
        return Ok(());
    }
    if matches!(loss, Loss::Role) {
        is_not_the_only_admin(tx, &found).await?;
    }
    // Somebody who takes a way to act from themselves, or has it taken, vouches for nobody afterwards.
    let mut judge = Judge::new(tx, view, tenant, now).await?;
    judge.vouchers.retain(|voucher| voucher != user);
    for other in those_who_count(tx, tenant).await?.into_iter().filter(|other| other.name != *user)
    {
        let (plan, holdings) = judge.look(tx, &other).await?;
        if stands(&plan, &holdings) {
            return Ok(());
        }
    }
    let (plan, mut holdings) = judge.look(tx, &found).await?;
    if found.frozen_by_admin || !stands(&plan, &holdings) {
        // What was so before is no reason.
        return Ok(());
    }
    match loss {
        Loss::Device(device) => {
            let is_it =
                |thing: &Thing| thing.kind == ThingKind::Device && thing.name == device.as_str();
            holdings.things.retain(|thing| !is_it(thing));
            holdings.devices.retain(|there| there != *device);
            holdings.passkeys.retain(|held| held.bound_to.as_ref() != Some(*device));
        }
        Loss::Passkey(passkey) => holdings.passkeys.retain(|held| held.id != **passkey),
        Loss::Role => return Err(Refusal::LastAdmin.into()),
    }
    match stands(&plan, &holdings) {
        true => Ok(()),
        false => Err(Refusal::LastAdmin.into()),
    }
}

/// Watches over an act against one user.
pub(super) struct LastAdmin {
    /// How it was before; nobody where the act could not bring it about at all.
    before: Footing,
    tenant: TenantName,
    now: Timestamp,
}

impl LastAdmin {
    /// Before the act.
    ///
    /// # Errors
    /// The database.
    pub(super) async fn before(
        tx: &mut Tx<'_>,
        view: &View,
        tenant: &TenantName,
        user: &UserName,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let found = users::find(tx, tenant, user).await?;
        let admin = found.is_some_and(|user| user.role == Role::Admin);
        let before = match admin {
            true => footing(tx, view, tenant, now).await?,
            false => Footing::Nobody,
        };
        Ok(Self { before, tenant: tenant.clone(), now })
    }

    /// After it.
    ///
    /// # Errors
    /// [`Refusal::LastAdmin`]; the act is undone.
    pub(super) async fn after(self, tx: &mut Tx<'_>, view: &View) -> Result<(), Failure> {
        let before = self.before;
        if before == Footing::Nobody || footing(tx, view, &self.tenant, self.now).await? >= before {
            return Ok(());
        }
        Err(Refusal::LastAdmin.into())
    }
}
