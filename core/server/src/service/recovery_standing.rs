//! How a recovery stands: what was proved, what of it counts now, and what the plan says.

use crate::store::recoveries::{self, ProofRow, Recovery};
use crate::store::users::User;
use crate::store::{StoreError, Tx, addresses, enrollments, meta, recovery_codes, users};
use landfall_identity::caller::AccountState;
use landfall_identity::id::{AddressId, EnrollmentId};
use landfall_identity::recovery::{
    CodeName, CodeState, Completion, Door, Evidence, Plan, Proof, RecoveryState,
};
use landfall_identity::{DeviceState, Moment, Refusal, Role, Timestamp, UserName};
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
        let role = user.as_ref().map_or(Role::Member, |user| user.role);
        let device_lives = enrollments::count_active(tx, &row.tenant, &row.user).await? > 0;
        let mut proofs = Vec::new();
        for proof in recoveries::proofs(tx, &row.id).await? {
            let counts = counts(tx, &row, &proof).await?;
            proofs.push(Judged { row: proof, counts });
        }
        let given = proofs.iter().filter(|proof| proof.counts).map(|proof| Proof {
            door: proof.row.door,
            by: proof.row.by.clone(),
            at: proof.row.at,
        });
        let evidence = Evidence { proofs: given.collect(), device_lives };
        let waited = meta::waits_stand_at(tx).await?.unwrap_or(now);
        let moment = Moment { now, waited };
        let completion =
            row.state.complete(row.expires_at, &plan.for_role(role), &evidence, moment);
        Ok(Self { row, user, proofs, completion })
    }

    /// Why it cannot be completed now, if it cannot.
    pub(super) fn refusal(&self, now: Timestamp) -> Option<Refusal> {
        Some(match self.completion {
            Completion::Issue | Completion::Resume => return None,
            Completion::Unproved => Refusal::RecoveryUnproved,
            Completion::Held { until } => Refusal::RecoveryHeld { until, left: until.since(now) },
            Completion::ClockJumped => Refusal::ClockJumped,
            Completion::Stopped { at } => Refusal::RecoveryStopped { at },
            Completion::Over => Refusal::RecoveryOver,
        })
    }

    /// For the key that began it. Says nothing that somebody without a proof could learn from.
    /// `by_mail`: whether a mailed code is a proof on this server.
    pub(super) fn status(&self, now: Timestamp, by_mail: bool) -> RecoveryStatus {
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
            by_mail,
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

impl Judged {
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
            (Door::MailedCode, _) => format!("code mailed to address {thing}"),
            (_, Some(reason)) => format!("{} {by} (\"{reason}\")", door.as_str()),
            (_, None) => format!("{} {by}", door.as_str()),
        }
    }
}

/// Whether a proof counts as the rows are now: a code that still works, an address that is still the
/// user's, an administrator who could still act on the device that the approval was given on, a device
/// of the user that may still act.
async fn counts(
    tx: &mut Tx<'_>,
    recovery: &Recovery,
    proof: &ProofRow,
) -> Result<bool, StoreError> {
    let shape = |column| StoreError::Shape { column };
    match proof.door {
        Door::RecoveryCode => {
            let name = CodeName::parse(proof.thing.as_str()).map_err(|_| shape(2))?;
            let found = recovery_codes::find(tx, &recovery.tenant, &recovery.user, &name).await?;
            Ok(found.is_some_and(|code| code.state == CodeState::Live))
        }
        Door::Admin => {
            let name = UserName::parse(proof.by.as_str()).map_err(|_| shape(1))?;
            let device = EnrollmentId::parse(proof.thing.as_str()).map_err(|_| shape(2))?;
            let admin = users::find(tx, &recovery.tenant, &name).await?.is_some_and(|user| {
                user.role == Role::Admin && user.account() == AccountState::Active
            });
            let device = enrollments::by_id(tx, &device).await?;
            let acts = device.is_some_and(|device| device.state == DeviceState::Active);
            Ok(admin && acts && name != recovery.user)
        }
        Door::Device => {
            let device = EnrollmentId::parse(proof.thing.as_str()).map_err(|_| shape(2))?;
            let Some(device) = enrollments::by_id(tx, &device).await? else { return Ok(false) };
            let owner = users::find(tx, &device.tenant, &device.user).await?;
            let acts = owner.is_some_and(|owner| owner.account() == AccountState::Active)
                && device.state == DeviceState::Active;
            Ok(acts && (&device.tenant, &device.user) == (&recovery.tenant, &recovery.user))
        }
        Door::MailedCode => {
            let id = AddressId::parse(proof.thing.as_str()).map_err(|_| shape(2))?;
            Ok(addresses::find(tx, &id).await?.is_some_and(|address| {
                address.confirmed_at.is_some()
                    && (&address.tenant, &address.user) == (&recovery.tenant, &recovery.user)
            }))
        }
        Door::Passkey | Door::Guardian => Ok(false),
    }
}
