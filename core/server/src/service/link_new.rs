//! Linking, as the new device sees it: a recovery that begins with a code to show and ends as any other.
//!
//! Nobody is told that it began. A stranger can name anybody, and whoever could make phones ring would;
//! the approver comes and gets it.

use super::perform::{Notes, note, recorder};
use super::recovery::{
    SignedMessage, begun_before, keep_refused, place_of, reload, still_open, take, take_of,
};
use super::recovery_standing::Standing;
use super::{RequestContext, Service, enroll::csr_refusal};
use crate::failure::Failure;
use crate::store::recoveries::{self, Recovery};
use crate::store::{Lane, StoreError, Tx, enrollments, links};
use landfall_crypto::csr;
use landfall_crypto::link::{parse_word, word_text};
use landfall_crypto::recovery_code::device_check;
use landfall_identity::id::RecoveryId;
use landfall_identity::recovery::link::{
    LINK_TTL, LINKS_PER_ACCOUNT, LINKS_PER_TENANT, Step, StepError, Word,
};
use landfall_identity::recovery::{Plan, RecoveryState, TRIES_MAX};
use landfall_identity::{Refusal, Timestamp};
use landfall_protocol::link::{
    LinkAnswerRequest, LinkApprover, LinkBeginRequest, LinkShowRequest, LinkStatus,
};

impl Service {
    /// Begins a link. The same key for the same user again finds what it began.
    ///
    /// # Errors
    /// [`Refusal::PlaceBusy`] for a place that begins too many; a request or a key that cannot be used.
    pub async fn begin_link(
        &self,
        request: RequestContext,
        message: SignedMessage<'_>,
        body: LinkBeginRequest,
    ) -> Result<LinkStatus, Failure> {
        let now = self.ambient.now();
        let key = csr::public_key_of(body.csr.as_bytes()).map_err(csr_refusal)?;
        let digest = message.verify(&key, now)?;
        let new = Recovery {
            id: RecoveryId::from_bits(self.ambient.row_bits()),
            tenant: self.settings.tenant.clone(),
            user: body.user,
            device: body.device,
            thumbprint: key.thumbprint().to_string(),
            spki: key.spki(),
            place: place_of(&request),
            state: RecoveryState::Open,
            begun_at: now,
            expires_at: now + LINK_TTL,
            tries_left: TRIES_MAX,
            enrollment: None,
            certificate: None,
        };
        let record = recorder(self.ambient.clone(), request, notes_of(&new), now);
        let plan = self.settings.recovery_plan.clone();
        let work = async move |tx: &mut Tx<'_>| {
            take(tx, &digest, now).await?;
            let row = begin(tx, &new, now).await?;
            recoveries::count_message(tx, &row.id, now).await?;
            status(tx, &plan, row, now).await
        };
        self.store.write(Lane::Stranger, work, record).await
    }

    /// How a link stands, for the key that began it.
    ///
    /// # Errors
    /// [`Refusal::RecoveryOver`] for one that never was.
    pub async fn show_link(
        &self,
        message: SignedMessage<'_>,
        body: LinkShowRequest,
    ) -> Result<LinkStatus, Failure> {
        let now = self.ambient.now();
        let (row, digest) = self.recovery_of(&body.link_id, &message, now)?;
        let plan = self.settings.recovery_plan.clone();
        let work = async move |tx: &mut Tx<'_>| {
            take_of(tx, &row, &digest, now).await?;
            let row = reload(tx, &row).await?;
            status(tx, &plan, row, now).await
        };
        // Who waits asks again and again, and learns what others' rows say: no row of its own.
        let no_row = async |_: &mut Tx<'_>, _: &Result<_, Failure>| Ok::<_, StoreError>(());
        self.store.write(Lane::Stranger, work, no_row).await
    }

    /// Answers the approver's commitment: that one, once.
    ///
    /// # Errors
    /// [`Refusal::LinkOutOfTurn`] for another commitment, or another answer to it; why it is over.
    pub async fn answer_link(
        &self,
        request: RequestContext,
        message: SignedMessage<'_>,
        body: LinkAnswerRequest,
    ) -> Result<LinkStatus, Failure> {
        let now = self.ambient.now();
        let (row, digest) = self.recovery_of(&body.link_id, &message, now)?;
        still_open(&row, now)?;
        let commitment = read_word("commitment", &body.commitment)?;
        let nonce = read_word("nonce", &body.nonce)?;
        let audit = recorder(self.ambient.clone(), request, notes_of(&row), now);
        let asked = row.clone();
        let record = async move |tx: &mut Tx<'_>, result: &Result<LinkStatus, Failure>| {
            if result.is_err() {
                keep_refused(tx, &asked, &digest, now).await?;
            }
            audit(tx, result).await
        };
        let plan = self.settings.recovery_plan.clone();
        let work = async move |tx: &mut Tx<'_>| {
            take_of(tx, &row, &digest, now).await?;
            let row = reload(tx, &row).await?;
            still_open(&row, now)?;
            let exchange = links::find(tx, &row.id).await?.ok_or(Refusal::RecoveryOver)?;
            match exchange.answer_with(&commitment, &nonce) {
                Ok(Step::Take(next)) => {
                    if !links::step(tx, &row.id, &exchange, &next).await? {
                        return Err(Refusal::LinkOutOfTurn.into());
                    }
                }
                Ok(Step::Again) => {}
                Err(StepError::Taken | StepError::OutOfTurn) => {
                    return Err(Refusal::LinkOutOfTurn.into());
                }
            }
            status(tx, &plan, row, now).await
        };
        self.store.write(Lane::Stranger, work, record).await
    }
}

/// A word of the exchange, as it was sent.
pub(super) fn read_word(field: &'static str, text: &str) -> Result<Word, Failure> {
    let why = "It must be 32 bytes in base64url without padding.";
    parse_word(text).map_err(|_| Failure::invalid(field, why))
}

fn notes_of(row: &Recovery) -> Notes {
    let notes = Notes::default();
    note(&notes, |seen| {
        seen.tenant = Some(row.tenant.clone());
        seen.target = format!("link {} of {} as {}", row.id, row.user, row.device);
    });
    notes
}

async fn begin(tx: &mut Tx<'_>, new: &Recovery, now: Timestamp) -> Result<Recovery, Failure> {
    if let Some(begun) = begun_before(tx, new, now).await? {
        return match links::find(tx, &begun.id).await? {
            Some(_) => Ok(begun),
            // The key has another kind of recovery under way.
            None => Err(Refusal::KeyInUse.into()),
        };
    }
    let (tenant, user) = (&new.tenant, &new.user);
    links::make_room(tx, tenant, Some(user), LINKS_PER_ACCOUNT - 1, now).await?;
    links::make_room(tx, tenant, None, LINKS_PER_TENANT - 1, now).await?;
    recoveries::insert(tx, new).await?;
    let code = device_check(&new.id, &new.thumbprint);
    links::insert(tx, &new.id, &code, new.expires_at).await?;
    Ok(new.clone())
}

async fn status(
    tx: &mut Tx<'_>,
    plan: &Plan,
    row: Recovery,
    now: Timestamp,
) -> Result<LinkStatus, Failure> {
    let exchange = links::find(tx, &row.id).await?.ok_or(Refusal::RecoveryOver)?;
    let mut approver = None;
    if let (Some(by), Some(commitment)) = (exchange.claimed_by(), exchange.commitment()) {
        let lost = || Failure::internal("a link that no device has taken on");
        let device = enrollments::by_id(tx, by).await?.ok_or_else(lost)?;
        approver = Some(LinkApprover {
            device: device.device,
            thumbprint: device.thumbprint,
            commitment: word_text(commitment),
            nonce: exchange.reveal().map(word_text),
        });
    }
    let recovery = Standing::of(tx, plan, row, now).await?.status(now, false);
    Ok(LinkStatus { recovery, approver })
}
