//! The end of a recovery: a bare machine becomes a device.
//!
//! One transaction makes the device, its certificate and the right to register a passkey, burns the code
//! that was used, keeps its successor, suspends the lost device if that was asked for, and writes one
//! audit row that names every proof.

use super::key_holders::may_be_devices;
use super::perform::{note, recorder};
use super::recovery::{SignedMessage, keep_refused, news_of, notes_of, reload, take_of};
use super::recovery_codes::Kept;
use super::recovery_standing::{Standing, stop_answered};
use super::{RequestContext, Service};
use crate::failure::Failure;
use crate::pki;
use crate::store::enrollments::{Enrollment, StoredCertificate};
use crate::store::passkeys::{self, PasskeyRow};
use crate::store::recoveries::{self, Recovery};
use crate::store::{
    Lane, Tx, changes, enrollments, links, meta, recovery_codes, recovery_mails, sessions,
    suspensions, users,
};
use landfall_crypto::ca::IssuedCertificate;
use landfall_crypto::key::PublicKey;
use landfall_identity::device::{PROBATION, may_evict};
use landfall_identity::grant::{EnrollmentGrant, GRANT_TTL};
use landfall_identity::id::{EnrollmentId, GrantId, NodeId, PasskeyId};
use landfall_identity::notice::{By, Happening};
use landfall_identity::recovery::{CodeName, Completion, Door, Plan};
use landfall_identity::refusal::Young;
use landfall_identity::spiffe::{Principal, SpiffeId};
use landfall_identity::{DeviceName, DeviceState, Refusal, Timestamp};
use landfall_protocol::enroll::{CertIssued, GrantInfo};
use landfall_protocol::recovery::{Recovered, RecoveryCompleteRequest};
use std::sync::Arc;

/// A link makes what was approved and nothing else, neither then nor later.
const LINK_CUTS_NOTHING: &str = "A link cuts nothing off. Do that on the device that approved it.";

/// Everything that the write needs, made before it.
struct Candidate {
    recovery: Recovery,
    body: RecoveryCompleteRequest,
    successor: Option<Kept>,
    plan: Plan,
    enrollment: EnrollmentId,
    grant: EnrollmentGrant,
    certificate: IssuedCertificate,
    node: NodeId,
}

/// What came of it.
struct Done {
    enrollment: Enrollment,
    certificate: StoredCertificate,
    grant: Option<EnrollmentGrant>,
    suspended: Option<Enrollment>,
    /// Whether that was done now, and not before.
    suspends: bool,
    unfrozen: bool,
    /// Each proof, as the audit names it.
    proofs: Vec<String>,
    /// Codes that work after one was used.
    codes_left: Option<u32>,
    /// The device that let this one in, when it is a new link's.
    linked_by: Option<DeviceName>,
}

impl Service {
    /// Completes a recovery whose plan is satisfied. The same key again is answered with the same
    /// certificate for a while.
    ///
    /// # Errors
    /// What is missing: [`Refusal::RecoveryUnproved`], [`Refusal::RecoveryHeld`]; why it is over; a
    /// device name that was given before.
    pub async fn complete_recovery(
        &self,
        request: RequestContext,
        message: SignedMessage<'_>,
        body: RecoveryCompleteRequest,
    ) -> Result<Recovered, Failure> {
        let now = self.ambient.now();
        let (row, digest) = self.recovery_of(&body.recovery_id, &message, now)?;
        // Who has not proved enough makes nobody sign or write for it.
        let plan = self.settings.recovery_plan.clone();
        let look = row.clone();
        let read = async |tx: &mut Tx<'_>| {
            let standing = Standing::of(tx, &plan, look, now).await?;
            // These reads are no one moment: what ended it in between took its proofs along, and the row
            // says so by now.
            match recoveries::find(tx, &row.id).await? {
                Some(now_row) if standing.refusal(now).is_some() => {
                    Standing::of(tx, &plan, now_row, now).await
                }
                _ => Ok(standing),
            }
        };
        let standing = self.store.read(read).await?;
        if let Some(refusal) = standing.refusal(now) {
            return self.refuse_message(&row, digest, refusal, now).await;
        }
        let notes = notes_of(&row);
        let source = request.personal.source.clone();
        let (asked, candidate) = (row.clone(), self.candidate(row, body, now)?);
        let audit = recorder(self.ambient.clone(), request, Arc::clone(&notes), now);
        let record = async move |tx: &mut Tx<'_>, result: &Result<Done, Failure>| {
            if result.is_err() {
                keep_refused(tx, &asked, &digest, now).await?;
            }
            audit(tx, result).await
        };
        let service = self.clone();
        let work = async move |tx: &mut Tx<'_>| {
            take_of(tx, &candidate.recovery, &digest, now).await?;
            let done = complete(tx, &candidate, now).await?;
            let mut row = candidate.recovery.clone();
            row.device = done.enrollment.device.clone();
            for what in done.news() {
                let mut news = news_of(&row, what, source.clone(), now);
                if let Some(device) = done.linked_by.clone() {
                    news.by = By::Device { device };
                }
                service.tell(tx, news).await?;
            }
            if let Some(lost) = done.suspended.as_ref().filter(|_| done.suspends) {
                let (id, device) = (&candidate.recovery.id, &done.enrollment.device);
                service.will_revoke(tx, lost, id, device, now).await?;
            }
            note(&notes, |seen| {
                seen.actor = Some(service.spiffe_id_of(&done.enrollment));
                seen.target = done.text(&seen.target);
            });
            Ok(done)
        };
        let done = self.store.write(Lane::Known, work, record).await?;
        if let Some(lost) = &done.suspended {
            self.cutter.cut(&lost.thumbprint);
        }
        Ok(self.recovered(done))
    }

    /// Reads what was sent, and signs: a certificate that is not needed is dropped.
    fn candidate(
        &self,
        recovery: Recovery,
        body: RecoveryCompleteRequest,
        now: Timestamp,
    ) -> Result<Candidate, Failure> {
        let code_key = self.pki.recovery_code_key();
        let successor = body.successor.as_ref();
        let successor = successor.map(|new| Kept::of(new, &code_key, "successor")).transpose()?;
        let principal = Principal::Human {
            tenant: recovery.tenant.clone(),
            user: recovery.user.clone(),
            device: body.device.clone(),
        };
        let spiffe_id = SpiffeId::new(self.pki.trust_domain().clone(), principal);
        let key = PublicKey::from_spki(&recovery.spki).map_err(Failure::internal)?;
        let certificate = self.pki.issue(&spiffe_id, &key)?;
        let enrollment = EnrollmentId::from_bits(self.ambient.row_bits());
        let grant = EnrollmentGrant {
            id: GrantId::from_bits(self.ambient.row_bits()),
            held_by: enrollment.clone(),
            expires_at: now + GRANT_TTL,
        };
        let (plan, node) = (self.settings.recovery_plan.clone(), self.node.clone());
        Ok(Candidate { recovery, body, successor, plan, enrollment, grant, certificate, node })
    }

    fn recovered(&self, done: Done) -> Recovered {
        let Done { enrollment, certificate, grant, suspended, unfrozen, .. } = done;
        let issued = CertIssued {
            spiffe_id: self.spiffe_id_of(&enrollment),
            trust_domain: self.pki.trust_domain().clone(),
            certificate_chain: self.pki.chain_pem(&certificate.der),
            trust_bundle: self.pki.trust_bundle_pem(),
            not_after: certificate.not_after.into(),
            renew_at: self.pki.renew_at(certificate.issued_at).into(),
            grant: grant
                .map(|grant| GrantInfo { id: grant.id, expires_at: grant.expires_at.into() }),
            server_time: self.ambient.now().into(),
        };
        Recovered { issued, suspended: suspended.map(|lost| lost.device), unfrozen }
    }
}

impl Done {
    fn text(&self, recovery: &str) -> String {
        let mut text = match self.proofs.is_empty() {
            true => format!("{recovery}: the same certificate again"),
            false => format!("{recovery} by {}", self.proofs.join(" and ")),
        };
        if let Some(lost) = &self.suspended {
            text.push_str(&format!(", suspending {}", lost.device));
        }
        if self.unfrozen {
            text.push_str(", ending the freeze");
        }
        text
    }

    /// What the owner hears of: nothing, when the same certificate went out again.
    fn news(&self) -> Vec<Happening> {
        if self.proofs.is_empty() {
            return Vec::new();
        }
        let Enrollment { device, label, .. } = self.enrollment.clone();
        let mut news = vec![match self.linked_by {
            Some(_) => Happening::DeviceEnrolled { device, label },
            None => Happening::RecoveryCompleted { device },
        }];
        news.extend(self.codes_left.map(|left| Happening::RecoveryCodeUsed { left }));
        // As it was before: one that was cut off already is no news.
        let cut = self.suspended.as_ref().filter(|lost| lost.state == DeviceState::Active);
        news.extend(cut.map(|lost| Happening::DeviceSuspended {
            device: lost.device.clone(),
            label: lost.label.clone(),
        }));
        news.extend(self.unfrozen.then_some(Happening::AccountUnfrozen));
        news
    }
}

/// The write: everything that decides is read again here.
async fn complete(tx: &mut Tx<'_>, candidate: &Candidate, now: Timestamp) -> Result<Done, Failure> {
    let row = reload(tx, &candidate.recovery).await?;
    let standing = Standing::of(tx, &candidate.plan, row, now).await?;
    if let Some(refusal) = standing.refusal(now) {
        return Err(refusal.into());
    }
    match standing.completion {
        Completion::Resume => resume(tx, candidate, &standing.row, now).await,
        _ => issue(tx, candidate, &standing, now).await,
    }
}

async fn issue(
    tx: &mut Tx<'_>,
    candidate: &Candidate,
    standing: &Standing,
    now: Timestamp,
) -> Result<Done, Failure> {
    let (row, body) = (&standing.row, &candidate.body);
    let linked_by = linked_by(tx, standing, candidate).await?;
    let unfrozen = end_freeze(tx, standing, &candidate.plan, now).await?;
    may_be_devices(tx, &row.thumbprint, now).await?;
    if enrollments::find(tx, &row.tenant, &row.user, &body.device).await?.is_some() {
        return Err(Refusal::DeviceNameTaken.into());
    }
    let enrollment = Enrollment {
        id: candidate.enrollment.clone(),
        tenant: row.tenant.clone(),
        user: row.user.clone(),
        device: body.device.clone(),
        label: body.label.clone(),
        thumbprint: row.thumbprint.clone(),
        spki: row.spki.clone(),
        state: DeviceState::Active,
        enrolled_at: now,
        last_seen_at: now,
        not_after: candidate.certificate.not_after,
    };
    // The lost device first: the new one can never be named as it.
    let suspended = suspend(tx, candidate, row, now).await?;
    enrollments::insert(tx, &enrollment).await?;
    let certificate = pki::stored(&candidate.certificate, &enrollment.id, now);
    enrollments::insert_certificate(tx, &certificate, None).await?;
    enrollments::insert_grant(tx, &candidate.grant).await?;
    bind(tx, standing, &enrollment.id).await?;
    let codes_left = burn(tx, candidate, standing, now).await?;
    recovery_mails::drop_codes(tx, &row.id).await?;
    let (device, serial) = (&enrollment.device, &certificate.serial);
    if !recoveries::complete(tx, &row.id, device, &enrollment.id, serial, now).await? {
        return Err(Refusal::RecoveryOver.into());
    }
    let counted = standing.proofs.iter().filter(|proof| proof.counts);
    let proofs =
        counted.map(super::recovery_standing::Judged::text).chain(standing.waited_out()).collect();
    let grant = Some(candidate.grant.clone());
    let suspends = suspended.is_some();
    Ok(Done {
        enrollment,
        certificate,
        grant,
        suspended,
        suspends,
        unfrozen,
        proofs,
        codes_left,
        linked_by,
    })
}

/// The device that let in what a link makes. A link makes what was approved and does nothing besides:
/// under that name, and cutting nobody off.
async fn linked_by(
    tx: &mut Tx<'_>,
    standing: &Standing,
    candidate: &Candidate,
) -> Result<Option<DeviceName>, Failure> {
    let (row, body) = (&standing.row, &candidate.body);
    if links::find(tx, &row.id).await?.is_none() {
        return Ok(None);
    }
    if body.device != row.device {
        let why = "Another name was approved. Use that one, or begin again with this one.";
        return Err(Failure::invalid("device", why));
    }
    if body.suspend.is_some() {
        return Err(Failure::invalid("suspend", LINK_CUTS_NOTHING));
    }
    let by = standing.proofs.iter().find(|proof| proof.counts && proof.row.door == Door::Device);
    by.map(|proof| DeviceName::parse(proof.row.by.as_str()).map_err(Failure::internal)).transpose()
}

/// A freeze from before the recovery ends with it: the doors back in stay open. One that came
/// afterwards is the owner's answer to it, and stops it, unless an administrator has vouched after it. An
/// administrator's ends by an administrator alone.
async fn end_freeze(
    tx: &mut Tx<'_>,
    standing: &Standing,
    plan: &Plan,
    now: Timestamp,
) -> Result<bool, Failure> {
    let user = standing.user.as_ref().ok_or(Refusal::RecoveryUnproved)?;
    if let Some(refusal) = standing.frozen() {
        return Err(refusal.into());
    }
    match user.frozen_at {
        None => Ok(false),
        Some(_) => {
            may_thaw(tx, standing, now).await?;
            stop_answered(tx, plan, user, Some(&standing.row.id), now).await?;
            users::set_frozen(tx, &user.tenant, &user.name, None).await?;
            Ok(true)
        }
    }
}

/// A passkey that a thief has just added ends no freeze by this way either: with nothing else beside it,
/// it is as old as the rule for ending one demands.
async fn may_thaw(tx: &mut Tx<'_>, standing: &Standing, now: Timestamp) -> Result<(), Failure> {
    let Recovery { tenant, user, .. } = &standing.row;
    let shown: Vec<_> = standing.proofs.iter().filter(|proof| proof.counts).collect();
    if shown.iter().any(|proof| proof.row.door != Door::Passkey) {
        return Ok(());
    }
    let kept = passkeys::all_of(tx, tenant, user).await?;
    let since = |row: &PasskeyRow| row.kept.registered_at;
    let mine =
        kept.iter().filter(|row| shown.iter().any(|proof| proof.row.by == row.kept.id.as_str()));
    let (mine, oldest) = match (mine.map(since).min(), kept.first().map(since)) {
        (Some(mine), Some(oldest)) => (mine, oldest),
        _ => return Err(Refusal::RecoveryUnproved.into()),
    };
    let waited = meta::waits_stand_at(tx).await?.unwrap_or(now);
    if may_evict(mine, oldest, waited) {
        Ok(())
    } else if may_evict(mine, oldest, now) {
        Err(Refusal::ClockJumped.into())
    } else {
        Err(Refusal::Probation { until: mine + PROBATION, what: Young::Unfreeze }.into())
    }
}

/// A passkey that can leave its device, and has proved to be here, counts as registered here from now
/// on: cutting off the lost device asks about it no more.
async fn bind(
    tx: &mut Tx<'_>,
    standing: &Standing,
    enrollment: &EnrollmentId,
) -> Result<(), Failure> {
    let Recovery { tenant, user, .. } = &standing.row;
    let shown = standing.proofs.iter().filter(|proof| proof.counts);
    for proof in shown.filter(|proof| proof.row.door == Door::Passkey) {
        let id = PasskeyId::parse(proof.row.by.as_str()).map_err(Failure::internal)?;
        let found = passkeys::find(tx, tenant, user, &id).await?;
        if found.is_some_and(|row| !row.device_bound()) {
            passkeys::bind(tx, &id, enrollment).await?;
        }
    }
    Ok(())
}

/// Burns the code that was shown, and keeps the one that takes its place. Tells how many work then.
async fn burn(
    tx: &mut Tx<'_>,
    candidate: &Candidate,
    standing: &Standing,
    now: Timestamp,
) -> Result<Option<u32>, Failure> {
    let Recovery { tenant, user, .. } = &standing.row;
    let shown =
        standing.proofs.iter().find(|proof| proof.counts && proof.row.door == Door::RecoveryCode);
    let Some(shown) = shown else { return Ok(None) };
    let name = CodeName::parse(shown.row.thing.as_str()).map_err(Failure::internal)?;
    let device: &DeviceName = &candidate.body.device;
    if !recovery_codes::burn(tx, tenant, user, &name, device, now).await? {
        // Inside one writer the state was read a moment ago; on another database this is the race.
        return Err(Refusal::RecoveryUnproved.into());
    }
    let next = candidate.successor.as_ref().ok_or(Refusal::SuccessorMissing)?;
    let hash = next.auth_hash.as_bytes();
    match recovery_codes::insert(tx, tenant, user, &next.name, hash, now).await? {
        true => Ok(Some(recovery_codes::count_live(tx, tenant, user).await?)),
        false => Err(Failure::invalid("successor", "It was used before. Make a new one.")),
    }
}

/// Suspends the lost device, when one was named: its sessions end, and every node hears of it.
async fn suspend(
    tx: &mut Tx<'_>,
    candidate: &Candidate,
    row: &Recovery,
    now: Timestamp,
) -> Result<Option<Enrollment>, Failure> {
    let Some(device) = &candidate.body.suspend else { return Ok(None) };
    let lost = enrollments::find(tx, &row.tenant, &row.user, device).await?;
    let lost = lost.ok_or_else(|| {
        let why = format!(
            "None of your devices is called {device}, so nothing was cut off, and you are not in yet. Name \
             the lost one as it is called, or none."
        );
        Failure::invalid("suspend", why)
    })?;
    enrollments::set_state(tx, &lost.id, DeviceState::Suspended { at: now }).await?;
    sessions::end_of_device(tx, &lost.id, now).await?;
    changes::append(tx, &lost.thumbprint, &candidate.node, now).await?;
    Ok(Some(lost))
}

/// The same key again: the same certificate, as long as its device may act. Who only now knows which
/// device is lost names it here.
async fn resume(
    tx: &mut Tx<'_>,
    candidate: &Candidate,
    row: &Recovery,
    now: Timestamp,
) -> Result<Done, Failure> {
    let lost = || Failure::internal("a completed recovery without its device");
    let id = row.enrollment.as_ref().ok_or_else(lost)?;
    let enrollment = enrollments::by_id(tx, id).await?.ok_or_else(lost)?;
    match enrollment.state {
        DeviceState::Active => {}
        DeviceState::Suspended { .. } => return Err(Refusal::DeviceSuspended.into()),
        DeviceState::Revoked { .. } => return Err(Refusal::DeviceRevoked.into()),
    }
    let serial = row.certificate.as_deref().ok_or_else(lost)?;
    let certificate = enrollments::certificate(tx, serial).await?.ok_or_else(lost)?;
    let grant = enrollments::live_grant(tx, id, now).await?;
    let (suspended, suspends) = suspend_later(tx, candidate, row, &enrollment, now).await?;
    let (unfrozen, proofs, codes_left, linked_by) = (false, Vec::new(), None, None);
    Ok(Done {
        enrollment,
        certificate,
        grant,
        suspended,
        suspends,
        unfrozen,
        proofs,
        codes_left,
        linked_by,
    })
}

/// One device for each recovery: further ones take the new device's own passkey. The same one again
/// changes nothing.
async fn suspend_later(
    tx: &mut Tx<'_>,
    candidate: &Candidate,
    row: &Recovery,
    own: &Enrollment,
    now: Timestamp,
) -> Result<(Option<Enrollment>, bool), Failure> {
    let Some(device) = &candidate.body.suspend else { return Ok((None, false)) };
    if *device == own.device {
        return Err(Failure::invalid(
            "suspend",
            "That is the device that you have just got back in on.",
        ));
    }
    if links::find(tx, &row.id).await?.is_some() {
        return Err(Failure::invalid("suspend", LINK_CUTS_NOTHING));
    }
    let before = suspensions::of_recovery(tx, &row.id).await?;
    let named = enrollments::find(tx, &row.tenant, &row.user, device).await?;
    match named {
        Some(lost) if before.contains(&lost.id) => Ok((Some(lost), false)),
        Some(_) if !before.is_empty() => Err(Failure::invalid(
            "suspend",
            "This recovery has cut off one device already. Register a passkey, then: landfall device \
             suspend NAME.",
        )),
        _ => Ok((suspend(tx, candidate, row, now).await?, true)),
    }
}
