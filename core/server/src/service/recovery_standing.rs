//! How a recovery stands: what was proved, what of it counts now, and what the plan says.

use super::readiness_facts::{is_acting_admin, plan_of};
use crate::doors::leads_in;
use crate::store::recoveries::{self, ProofRow, Recovery};
use crate::store::users::User;
use crate::store::{StoreError, Tx, enrollments, meta, recovery_codes, users};
use landfall_identity::id::EnrollmentId;
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
        let plan = match &user {
            Some(user) => plan_of(tx, plan, user).await?,
            None => plan.for_role(Role::Member),
        };
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
        let completion = row.state.complete(row.expires_at, &plan, &evidence, moment);
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
    pub(super) fn status(&self, now: Timestamp) -> RecoveryStatus {
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
            (_, Some(reason)) => format!("{} {by} (\"{reason}\")", door.as_str()),
            (_, None) => format!("{} {by}", door.as_str()),
        }
    }
}

/// Whether a proof counts as the rows are now: a code that still works, an administrator who could still
/// act on the device that the approval was given on.
async fn counts(
    tx: &mut Tx<'_>,
    recovery: &Recovery,
    proof: &ProofRow,
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
            let admin = is_acting_admin(tx, &recovery.tenant, &name).await?;
            let device = enrollments::by_id(tx, &device).await?;
            let acts = device.is_some_and(|device| device.state == DeviceState::Active);
            Ok(admin && acts && name != recovery.user)
        }
        Door::Device | Door::Passkey | Door::MailedCode | Door::Guardian => Ok(false),
    }
}
