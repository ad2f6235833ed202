//! What readiness and the last-administrator guard know of people: what they hold, who would vouch, and
//! by which plan. What the engine does not count (`crate::doors`) is not promised.

use super::errands::{Errand, UnderRules};
use super::{Service, Settings};
use crate::config::MachineRoles;
use crate::doors::leads_in;
use crate::failure::Failure;
use crate::store::passkeys::PasskeyRow;
use crate::store::users::User;
use crate::store::{
    StoreError, Tx, addresses, guardians, holdings, passkeys, recovery_codes, recovery_plans,
    users, waits,
};
use landfall_identity::address::ADDRESSES_PER_USER;
use landfall_identity::id::PasskeyId;
use landfall_identity::recovery::{
    Door, GUARDIANS_PER_USER, Plan, Readiness, Standing, Thing, ThingKind,
};
use landfall_identity::{DeviceName, Role, Seconds, TenantName, Timestamp, UserName};
use std::sync::Arc;

/// Devices of one user that are looked at: all on which a passkey was registered (64 at the most), and some more.
const DEVICES_MAX: u32 = 96;
/// Devices of one user that are counted as ways in. Nobody is readier for more.
const DOORS_MAX: usize = 32;
/// Administrators that one tenant can have. Whoever runs the server may make more.
pub(super) const ADMINISTRATORS_MAX: u32 = 64;
/// Administrators of one tenant that are looked at.
pub(super) const ADMINS_MAX: u32 = 128;

/// By what people are looked at.
#[derive(Clone)]
pub(super) struct View {
    /// The tenant's plan.
    pub plan: Plan,
    /// How long a device may be silent and still renew by itself.
    pub silence_max: Seconds,
    /// Whether this server sends mail, so that a mailbox can receive a code.
    pub mail: bool,
    /// Whether it can be shown a passkey.
    pub passkeys: bool,
    /// What machines may stand for.
    pub machine_roles: Arc<MachineRoles>,
    /// How long a code for a device or an agent may live.
    pub code_ttl_max: Seconds,
    /// The tenant's rules.
    pub rules: UnderRules,
}

impl View {
    /// The devices of a user that may act, and still can: one that was silent for too long gets no
    /// certificate any more.
    async fn devices(
        &self,
        tx: &mut Tx<'_>,
        user: &User,
        now: Timestamp,
    ) -> Result<Vec<DeviceName>, StoreError> {
        let heard = now - self.silence_max;
        holdings::active_names(tx, &user.tenant, &user.name, (now, heard), DEVICES_MAX).await
    }
}

impl Service {
    /// By what people are looked at.
    pub(super) fn view(&self) -> View {
        let plan = self.settings.recovery_plan.clone();
        let Settings {
            renewal_silence_max: silence_max,
            device_token_ttl_max: code_ttl_max,
            mail,
            ..
        } = *self.settings;
        let passkeys = self.settings.relying_party.is_some();
        let machine_roles = Arc::clone(&self.settings.machine_roles);
        let rules = self.under_rules();
        View { plan, silence_max, mail, passkeys, machine_roles, code_ttl_max, rules }
    }
}

/// What a user holds.
pub(super) struct Holdings {
    /// Everything that could be a proof, whether its door leads in or not.
    pub things: Vec<Thing>,
    /// Passkeys that can be used.
    pub passkeys: Vec<HeldPasskey>,
    /// Devices that may act, or will once the freeze is ended.
    pub devices: Vec<DeviceName>,
}

/// A passkey that can be used.
pub(super) struct HeldPasskey {
    /// Ours.
    pub id: PasskeyId,
    /// The device that it cannot leave.
    pub bound_to: Option<DeviceName>,
}

impl HeldPasskey {
    async fn all_of(
        tx: &mut Tx<'_>,
        user: &User,
    ) -> Result<(Vec<PasskeyRow>, Vec<Self>), StoreError> {
        let mut rows = passkeys::all_of(tx, &user.tenant, &user.name).await?;
        rows.retain(PasskeyRow::usable);
        let held = |row: &PasskeyRow| Self {
            id: row.kept.id.clone(),
            bound_to: row.device_bound().then(|| row.device.clone()),
        };
        let held = rows.iter().map(held).collect();
        Ok((rows, held))
    }

    fn serves_on(&self, device: &DeviceName) -> bool {
        self.bound_to.as_ref().is_none_or(|bound| bound == device)
    }
}

/// Whether somebody can step up on one of these devices.
fn steps_up(passkeys: &[HeldPasskey], devices: &[DeviceName]) -> bool {
    devices.iter().any(|device| passkeys.iter().any(|passkey| passkey.serves_on(device)))
}

impl Holdings {
    /// Looks at the rows. `vouchers` are the tenant's administrators who could vouch.
    pub(super) async fn of(
        tx: &mut Tx<'_>,
        view: &View,
        user: &User,
        vouchers: &[UserName],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let (tenant, name) = (&user.tenant, &user.name);
        let (usable, passkeys) = HeldPasskey::all_of(tx, user).await?;
        let mut devices = view.devices(tx, user, now).await?;
        if user.frozen_at.is_some() && usable.is_empty() {
            // They stand still, and their owner has nothing that ends it.
            devices.clear();
        }
        let who = (name, user.role);
        let thing = |kind, name: String| Thing { kind, name };
        let leads_in = |device: &&DeviceName| {
            [Errand::MintToken, Errand::ApproveLink]
                .into_iter()
                .any(|errand| view.rules.let_do(errand, who, device))
        };
        let doors = devices.iter().filter(leads_in).take(DOORS_MAX);
        let mut things: Vec<_> =
            doors.map(|name| thing(ThingKind::Device, name.to_string())).collect();
        for row in usable.iter().filter(|row| view.passkeys && leaves_its_device(row)) {
            let kind = match row.kept.reported.backup_eligible {
                true => ThingKind::SyncedPasskey,
                false => ThingKind::RoamingKey,
            };
            // Labels need not differ; identifiers do.
            things.push(thing(kind, format!("{} ({})", row.kept.label, row.kept.id)));
        }
        let codes = recovery_codes::count_live(tx, tenant, name).await?;
        if codes > 0 {
            things.push(thing(ThingKind::CodeSheet, format!("{codes} recovery codes on paper")));
        }
        let start = (Timestamp::from_millis(i64::MIN), "");
        let mailboxes = addresses::list(tx, tenant, name, start, ADDRESSES_PER_USER).await?;
        let confirmed =
            mailboxes.into_iter().filter(|address| view.mail && address.confirmed_at.is_some());
        things.extend(confirmed.map(|row| thing(ThingKind::Mailbox, row.address.as_str().into())));
        for admin in vouchers.iter().filter(|admin| *admin != name) {
            if user.role_in_recovery(now) != Role::Admin
                || vouches_for_admins(tx, tenant, admin, now).await?
            {
                things.push(thing(ThingKind::Admin, admin.to_string()));
            }
        }
        let guardians = guardians(tx, view, user, now).await?;
        things.extend(guardians.map(|name| thing(ThingKind::Guardian, name.to_string())));
        Ok(Self { things, passkeys, devices })
    }

    /// Whether their owner can step up now, but for a freeze.
    pub(super) fn act(&self) -> bool {
        steps_up(&self.passkeys, &self.devices)
    }

    /// Without what takes another person's word. *Rules may keep them from giving it in ways that nobody foresees.*
    pub(super) fn without_words(mut self) -> Self {
        self.things.retain(|thing| !matches!(thing.kind, ThingKind::Admin | ThingKind::Guardian));
        self
    }

    /// Whether a plan lets its user in without any device of theirs.
    pub(super) fn come_back_by(&self, plan: &Plan) -> bool {
        let elsewhere = |door| door != Door::Device && leads_in(door);
        judge(plan.within(elsewhere), &self.things)
            .is_ok_and(|readiness| readiness.standing != Standing::LockedOut)
    }
}

/// A user's guardians whose word would count now: with a device that may act, and a passkey to step up
/// with.
async fn guardians(
    tx: &mut Tx<'_>,
    view: &View,
    user: &User,
    now: Timestamp,
) -> Result<impl Iterator<Item = UserName>, StoreError> {
    let mut names = Vec::new();
    for named in guardians::list(tx, &user.tenant, &user.name, "", GUARDIANS_PER_USER).await? {
        let Some(guardian) = users::find(tx, &user.tenant, &named.guardian).await? else {
            continue;
        };
        let errand = Errand::VouchForWard;
        if named.since.covers(now) && could_vouch(tx, view, errand, &guardian, now).await? {
            names.push(guardian.name);
        }
    }
    Ok(names.into_iter())
}

/// Whether somebody could give their word now: their account may act, and so may a device of theirs, they have a
/// passkey to step up with on it, and rules let them.
async fn could_vouch(
    tx: &mut Tx<'_>,
    view: &View,
    errand: Errand,
    user: &User,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !view.passkeys || user.frozen_at.is_some() {
        return Ok(false);
    }
    let mut devices = view.devices(tx, user, now).await?;
    devices.retain(|device| view.rules.let_do(errand, (&user.name, user.role), device));
    Ok(!devices.is_empty() && steps_up(&HeldPasskey::all_of(tx, user).await?.1, &devices))
}

/// Whether a passkey can be used on another machine, and found there without a name.
pub(super) fn leaves_its_device(row: &PasskeyRow) -> bool {
    !row.device_bound() && row.kept.resident == Some(true)
}

/// How ready somebody is who holds these things.
///
/// # Errors
/// A plan that should never have been chosen.
pub(super) fn readiness(plan: &Plan, holdings: &Holdings) -> Result<Readiness, Failure> {
    judge(plan.within(leads_in), &holdings.things)
}

fn judge(plan: Option<Plan>, things: &[Thing]) -> Result<Readiness, Failure> {
    match plan {
        Some(plan) => Readiness::of(&plan.with_waits_heard(), things).map_err(Failure::internal),
        None => Ok(Readiness::shut()),
    }
}

/// The plan that holds for a user who begins to come back at `at`: the tenant's (two administrators for an administrator, and no wait in a
/// proof's place unless the user wants it), and their own on top of it. A plan of their own can
/// only ever take something away, whatever became of the tenant's since it was chosen.
///
/// # Errors
/// The database.
pub(super) async fn plan_of(
    tx: &mut Tx<'_>,
    tenant_plan: &Plan,
    user: &User,
    at: Timestamp,
) -> Result<Plan, StoreError> {
    plan_by_name(tx, tenant_plan, (&user.tenant, &user.name), user.role_in_recovery(at)).await
}

/// As [`plan_of`], of whoever has this name, and of a member whom nobody knows where nobody has it. *How long an
/// answer takes must not tell whether somebody exists,* so the same is asked for both.
///
/// # Errors
/// The database.
pub(super) async fn plan_by_name(
    tx: &mut Tx<'_>,
    tenant_plan: &Plan,
    (tenant, name): (&TenantName, &UserName),
    role: Role,
) -> Result<Plan, StoreError> {
    let waits = waits::allowed_since(tx, tenant, name).await?.is_some();
    let own = recovery_plans::find(tx, tenant, name).await?;
    let wanted = |plan: Plan| if waits { plan } else { plan.without_waits() };
    let base = wanted(tenant_plan.for_role(role));
    Ok(match own {
        Some(own) => on_top(&base, &wanted(own.plan.for_role(role))),
        None => base,
    })
}

/// What of a plan holds for a user: no wait in a proof's place unless the user has allowed it.
///
/// # Errors
/// The database.
pub(super) async fn wanted(tx: &mut Tx<'_>, user: &User, plan: Plan) -> Result<Plan, StoreError> {
    Ok(match waits::allowed_since(tx, &user.tenant, &user.name).await? {
        Some(_) => plan,
        None => plan.without_waits(),
    })
}

/// One's own plan on top of the tenant's.
pub(super) fn on_top(base: &Plan, own: &Plan) -> Plan {
    match own.check(base) {
        Ok(()) => own.clone(),
        Err(_) => base.and(own),
    }
}

/// Whether the word that somebody gave at `at` lets an administrator back in.
///
/// # Errors
/// The database.
pub(super) async fn vouches_for_admins(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    name: &UserName,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let found = users::find(tx, tenant, name).await?;
    Ok(found.and_then(|user| user.vouches_for_admins_from()).is_some_and(|from| from.is_over(at)))
}

/// Whether this user is an administrator whose account may act.
///
/// # Errors
/// The database.
pub(super) async fn is_acting_admin(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    name: &UserName,
) -> Result<bool, StoreError> {
    let found = users::find(tx, tenant, name).await?;
    Ok(found.is_some_and(|user| user.role == Role::Admin && user.frozen_at.is_none()))
}

/// Administrators who could vouch now: with a device that may act, a passkey to step up with, and rules that let
/// them.
///
/// # Errors
/// The database.
pub(super) async fn vouchers(
    tx: &mut Tx<'_>,
    view: &View,
    tenant: &TenantName,
    now: Timestamp,
) -> Result<Vec<UserName>, StoreError> {
    let mut names = Vec::new();
    for admin in users::admins(tx, tenant, ADMINS_MAX).await? {
        if could_vouch(tx, view, Errand::ApproveRecovery, &admin, now).await? {
            names.push(admin.name);
        }
    }
    Ok(names)
}
