//! How a recovery stands: what was proved, what of it counts now, and what the plan says.

use super::readiness_facts::{is_acting_admin, plan_by_name, vouches_for_admins};
use crate::doors::leads_in;
use crate::store::passkeys::{self, PasskeyRow};
use crate::store::recoveries::{self, ProofRow, Recovery};
use crate::store::users::User;
use crate::store::waits::{self, Wait};
use crate::store::{
    StoreError, Tx, addresses, enrollments, guardians, holdings, meta, recovery_codes, users,
};
use landfall_identity::caller::AccountState;
use landfall_identity::id::{AddressId, EnrollmentId, PasskeyId, RecoveryId};
use landfall_identity::recovery::{
    Carried, CodeName, CodeState, Completion, Door, Evidence, Lives, Plan, Proof, RecoveryState,
    Shown, WaitClock, witnessed,
};
use landfall_identity::{DeviceState, Moment, Refusal, Role, Seconds, Timestamp, UserName};
use landfall_protocol::At;
use landfall_protocol::recovery::{
    RecoveryInfo, RecoveryProofInfo, RecoveryStateName, RecoveryStatus,
};

/// A recovery, judged.
pub(super) struct Standing {
    pub(super) row: Recovery,
    /// Whose account it is, when there is one.
    pub(super) user: Option<User>,
    pub(super) proofs: Vec<Judged>,
    pub(super) completion: Completion,
    /// The waiting period that was asked for, if one was.
    pub(super) wait: Option<Wait>,
    /// The one that could be asked for.
    pub(super) may_wait: Option<Seconds>,
    /// How much of the wait has passed, and how much is left.
    waits: Option<(Seconds, Seconds)>,
    /// Whether it is the wait that opens the door: nothing that was shown does without it.
    by_wait: bool,
    /// Whether the name that it began with is another device's already.
    name_taken: bool,
}

/// A proof, and whether it counts now.
pub(super) struct Judged {
    pub(super) row: ProofRow,
    pub(super) counts: bool,
}

impl Standing {
    /// Judges a recovery by the rows as they are now.
    ///
    /// # Errors
    /// The database.
    pub(super) async fn of(
        tx: &mut Tx<'_>,
        plan: &Plan,
        row: Recovery,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let user = users::find(tx, &row.tenant, &row.user).await?;
        let tenants_hold = plan.longest_hold();
        let role = user.as_ref().map_or(Role::Member, |user| user.role_in_recovery(row.begun_at));
        // Whether there is such a user shows in nothing, nor in how much is asked.
        let plan = plan_by_name(tx, plan, (&row.tenant, &row.user), role).await?;
        // One's own plan takes nothing from the time that the tenant's gives.
        let hold = plan.longest_hold().max(tenants_hold);
        let last_cut = holdings::last_cut(tx, &row.tenant, &row.user).await?;
        let lives = match enrollments::count_active(tx, &row.tenant, &row.user).await? {
            0 => last_cut.map_or(Lives::Never, |at| Lives::cut_at(at, hold)),
            _ => Lives::Now,
        };
        let mut proofs = Vec::new();
        for proof in recoveries::proofs(tx, &row.id).await? {
            let counts = counts(tx, &row, &proof, role).await?;
            proofs.push(Judged { row: proof, counts });
        }
        let given = proofs.iter().filter(|proof| proof.counts).map(Judged::shown);
        let evidence = Evidence { proofs: witnessed(given), lives };
        let waited = meta::waits_stand_at(tx).await?.unwrap_or(now);
        let moment = Moment { now, waited };
        let wait = waits::find(tx, &row.id).await?;
        let clock =
            wait.as_ref().map_or(WaitClock::NotBegun, |wait| wait.state.clock(wait.whole, waited));
        let completion = row.state.complete(row.expires_at, &plan, &evidence, clock, moment);
        let may_wait = match completion {
            // One that was ended is not asked for again, by this key.
            Completion::Unproved if wait.is_none() => plan.wait_for(&evidence, waited),
            _ => None,
        };
        let waits = wait.as_ref().and_then(|wait| wait.state.progress(wait.whole, waited));
        let by_wait = completion == Completion::Issue
            && row.state.complete(row.expires_at, &plan, &evidence, WaitClock::NotBegun, moment)
                != Completion::Issue;
        let named = enrollments::find(tx, &row.tenant, &row.user, &row.device).await?;
        let name_taken = row.state == RecoveryState::Open && named.is_some();
        Ok(Self { row, user, proofs, completion, wait, may_wait, waits, by_wait, name_taken })
    }

    /// Whether an administrator has vouched for it since then. *Whoever reads the owner's mail can freeze the account
    /// at each step of their way back:* somebody who has spoken with the owner meanwhile decides.
    pub(super) fn is_spoken_for_since(&self, at: Timestamp) -> bool {
        let admins = self.proofs.iter().filter(|proof| proof.row.door == Door::Admin);
        admins.filter(|proof| proof.counts).any(|proof| proof.row.at > at)
    }

    /// Why it cannot be completed now, if it cannot.
    pub(super) fn refusal(&self, now: Timestamp) -> Option<Refusal> {
        Some(match self.completion {
            Completion::Issue | Completion::Resume => return None,
            Completion::Unproved => Refusal::RecoveryUnproved,
            Completion::Held { until } => Refusal::RecoveryHeld { until, left: until.since(now) },
            Completion::Unheard => Refusal::RecoveryUnheard,
            Completion::Contested => Refusal::RecoveryContested,
            Completion::ClockJumped => Refusal::ClockJumped,
            Completion::Stopped { at } => Refusal::RecoveryStopped { at },
            Completion::Over => Refusal::RecoveryOver,
        })
    }

    /// The freeze that keeps it from making a device, if one does: an administrator's, or one that came after
    /// its beginning and after every administrator's word.
    pub(super) fn frozen(&self) -> Option<Refusal> {
        let user = self.user.as_ref().filter(|_| self.row.state == RecoveryState::Open)?;
        user.frozen_at?;
        if user.frozen_by_admin {
            return Some(Refusal::FrozenByAdmin);
        }
        self.is_answered().then_some(Refusal::FrozenSinceBegun)
    }

    /// Whether a freeze that came afterwards is an answer to it: no administrator has vouched for it in spite of that.
    pub(super) fn is_answered(&self) -> bool {
        let Some(user) = &self.user else { return false };
        let vouched = user.frozen_at.is_none_or(|at| self.is_spoken_for_since(at));
        user.was_frozen_since(self.row.begun_at) && !vouched
    }

    /// The wait, as the audit names it beside the proofs, when it stands in for one of them.
    pub(super) fn waited_out(&self) -> Option<String> {
        let wait = self.wait.as_ref().filter(|_| self.by_wait)?;
        Some(format!(
            "a wait of {} days without a no, in place of another proof",
            wait.whole.0 / 86_400
        ))
    }

    /// For the key that began it. Says nothing that somebody without a proof could learn from.
    /// `by_mail`: whether a mailed code is a proof on this server.
    pub(super) fn status(&self, now: Timestamp, by_mail: bool) -> RecoveryStatus {
        let has_proved = self.proofs.iter().any(|proof| proof.counts);
        RecoveryStatus {
            recovery_id: self.row.id.clone(),
            tenant: self.row.tenant.clone(),
            state: self.state_name(),
            proofs: self
                .proofs
                .iter()
                .filter(|proof| proof.counts)
                .map(|proof| proof.row.door)
                .collect(),
            held_until: self.held_until(),
            may_wait_days: self.may_wait.and_then(|wait| u32::try_from(wait.0 / 86_400).ok()),
            by_mail,
            device_taken: self.name_taken && has_proved,
            account_frozen: self.frozen().is_some() && has_proved,
            account_stopped: self.frozen() == Some(Refusal::FrozenByAdmin) && has_proved,
            wait_passed_seconds: self.waits.map(|(passed, _)| passed.0),
            wait_left_seconds: self.waits.map(|(_, left)| left.0),
            expires_at: self.row.expires_at.into(),
            server_time: now.into(),
        }
    }

    /// For the account's owner and for administrators.
    pub(super) fn info(&self) -> RecoveryInfo {
        RecoveryInfo {
            id: self.row.id.clone(),
            user: self.row.user.clone(),
            role: self.user.as_ref().map_or(Role::Member, |user| user.role),
            device: self.row.device.clone(),
            thumbprint: self.row.thumbprint.clone(),
            source: self.row.place.clone(),
            state: self.state_name(),
            proofs: self.proofs.iter().map(Judged::info).collect(),
            held_until: self.held_until(),
            account_frozen: self.frozen().is_some(),
            begun_at: self.row.begun_at.into(),
            expires_at: self.row.expires_at.into(),
        }
    }

    fn state_name(&self) -> RecoveryStateName {
        match (self.row.state, self.completion) {
            (RecoveryState::Completed { .. }, _) => RecoveryStateName::Completed,
            (_, Completion::Issue | Completion::Resume) => RecoveryStateName::Ready,
            (_, Completion::Unproved) => RecoveryStateName::Unproved,
            (_, Completion::Held { .. } | Completion::ClockJumped) => RecoveryStateName::Held,
            (_, Completion::Unheard) => RecoveryStateName::Unheard,
            (_, Completion::Contested) => RecoveryStateName::Contested,
            (_, Completion::Stopped { .. }) => RecoveryStateName::Stopped,
            (_, Completion::Over) => RecoveryStateName::Over,
        }
    }

    fn held_until(&self) -> Option<At> {
        match self.completion {
            Completion::Held { until } => Some(until.into()),
            _ => None,
        }
    }
}

/// Stops what a freeze has answered, when it ends. *Whoever ends it, to look after their account, would let in the very
/// machine that it kept out.* `except` is the recovery that ends it. Tells how many.
///
/// # Errors
/// The database.
pub(super) async fn stop_answered(
    tx: &mut Tx<'_>,
    plan: &Plan,
    user: &User,
    except: Option<&RecoveryId>,
    now: Timestamp,
) -> Result<u32, StoreError> {
    let Some(frozen) = user.frozen_at.max(user.frozen_again_at) else { return Ok(0) };
    let mut stopped = 0;
    let whose = (&user.tenant, &user.name);
    for row in recoveries::open_before(tx, whose, frozen, now).await? {
        if except == Some(&row.id) {
            continue;
        }
        let standing = Standing::of(tx, plan, row, now).await?;
        if standing.is_answered() && recoveries::stop(tx, &standing.row.id, now).await? {
            stopped += 1;
        }
    }
    Ok(stopped)
}

impl Judged {
    fn shown(&self) -> Shown {
        let ProofRow { door, by, thing, at, .. } = &self.row;
        let proof = Proof { door: *door, by: by.clone(), at: *at };
        let typed = *door == Door::Passkey && thing == Carried::Typed.as_str();
        Shown { proof, carried: if typed { Carried::Typed } else { Carried::Sent } }
    }

    fn info(&self) -> RecoveryProofInfo {
        let by = match self.row.door {
            Door::RecoveryCode => self.row.thing.clone(),
            _ => self.row.by.clone(),
        };
        RecoveryProofInfo {
            door: self.row.door,
            by,
            reason: self.row.reason.as_ref().map(ToString::to_string),
            counts: self.counts,
            at: self.row.at.into(),
        }
    }

    /// As the audit names it.
    pub(super) fn text(&self) -> String {
        let ProofRow { door, by, thing, reason, .. } = &self.row;
        match (door, reason) {
            (Door::RecoveryCode, _) => format!("recovery code {thing}"),
            (Door::Passkey, _) => format!("passkey {by} ({thing})"),
            (Door::MailedCode, _) => format!("code mailed to address {thing}"),
            (_, Some(reason)) => format!("{} {by} (\"{reason}\")", door.as_str()),
            (_, None) => format!("{} {by}", door.as_str()),
        }
    }
}

/// Whether a proof counts as the rows are now: a code that still works, an address that is still
/// the user's, an administrator or a guardian who
/// is one still (and has been for a day, where an administrator is let in) and could act on the device that the approval was given on, a device of
/// the user that may still act, a passkey that is still registered, is found without a user name, and does not
/// live on a device that was cut off.
async fn counts(
    tx: &mut Tx<'_>,
    recovery: &Recovery,
    proof: &ProofRow,
    role: Role,
) -> Result<bool, StoreError> {
    let shape = |column| StoreError::Shape { column };
    // What readiness promises and what counts here is one answer.
    if !leads_in(proof.door) {
        return Ok(false);
    }
    match proof.door {
        Door::RecoveryCode => {
            let name = CodeName::parse(proof.thing.as_str()).map_err(|_| shape(2))?;
            let found = recovery_codes::find(tx, &recovery.tenant, &recovery.user, &name).await?;
            Ok(found.is_some_and(|code| code.state == CodeState::Live))
        }
        Door::Admin => {
            let name = UserName::parse(proof.by.as_str()).map_err(|_| shape(1))?;
            let device = EnrollmentId::parse(proof.thing.as_str()).map_err(|_| shape(2))?;
            let admin = is_acting_admin(tx, &recovery.tenant, &name).await?
                && (role != Role::Admin
                    || vouches_for_admins(tx, &recovery.tenant, &name, proof.at).await?);
            Ok(admin && name != recovery.user && acts(tx, recovery, &name, &device).await?)
        }
        Door::Device => {
            let device = EnrollmentId::parse(proof.thing.as_str()).map_err(|_| shape(2))?;
            let Some(device) = enrollments::by_id(tx, &device).await? else { return Ok(false) };
            let owner = users::find(tx, &device.tenant, &device.user).await?;
            let acts = owner.is_some_and(|owner| owner.account() == AccountState::Active)
                && device.state == DeviceState::Active;
            Ok(acts && (&device.tenant, &device.user) == (&recovery.tenant, &recovery.user))
        }
        Door::Guardian => {
            let name = UserName::parse(proof.by.as_str()).map_err(|_| shape(1))?;
            let device = EnrollmentId::parse(proof.thing.as_str()).map_err(|_| shape(2))?;
            let chosen = guardians::find(tx, &recovery.tenant, &recovery.user, &name).await?;
            let chosen = chosen.is_some_and(|guardian| guardian.since.covers(proof.at));
            Ok(chosen && name != recovery.user && acts(tx, recovery, &name, &device).await?)
        }
        Door::Passkey => {
            let id = PasskeyId::parse(proof.by.as_str()).map_err(|_| shape(1))?;
            let found = passkeys::find(tx, &recovery.tenant, &recovery.user, &id).await?;
            let opens = |row: &PasskeyRow| row.usable() && row.kept.resident == Some(true);
            Ok(found.as_ref().is_some_and(opens))
        }
        Door::MailedCode => {
            let id = AddressId::parse(proof.thing.as_str()).map_err(|_| shape(2))?;
            Ok(addresses::find(tx, &id).await?.is_some_and(|address| {
                address.confirmed_at.is_some()
                    && (&address.tenant, &address.user) == (&recovery.tenant, &recovery.user)
            }))
        }
    }
}

/// Whether somebody who vouched could still act on the device that they did it on.
async fn acts(
    tx: &mut Tx<'_>,
    recovery: &Recovery,
    name: &UserName,
    device: &EnrollmentId,
) -> Result<bool, StoreError> {
    let active = users::find(tx, &recovery.tenant, name)
        .await?
        .is_some_and(|user| user.account() == AccountState::Active);
    let device = enrollments::by_id(tx, device).await?;
    Ok(active && device.is_some_and(|device| device.state == DeviceState::Active))
}
