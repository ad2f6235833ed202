//! A passkey on a machine that is nobody's yet: the app half.
//!
//! It is begun, and redeemed, by messages of the recovery's own key, each taken once. The browser half
//! names nobody to the authenticator; what answers is looked up by itself, and opens the account that it
//! belongs to or none. Who sends the page to somebody else gets nothing: the completion goes to the
//! machine where the touch was. One that was typed proves less, for people read numbers out; see
//! `landfall_identity::recovery::witnessed`.

use super::ceremonies::{Seeds, yielded};
use super::perform::{Notes, note, recorder};
use super::recovery::{
    SignedMessage, keep_refused, news_of, notes_of, reload, still_open, take_of,
};
use super::recovery_standing::Standing;
use super::{RequestContext, Service};
use crate::ceremony::{Asked, CEREMONY_TTL, COMPLETION_TRIES, Purpose, Question, ReturnTo};
use crate::failure::Failure;
use crate::store::ceremonies::{self, Beginner, BegunBy, NewCeremony};
use crate::store::recoveries::{self, ProofRow, Recovery};
use crate::store::{Lane, StoreError, Tx};
use landfall_identity::notice::Happening;
use landfall_identity::recovery::{Carried, Door};
use landfall_identity::{Refusal, Timestamp};
use landfall_protocol::ceremony::{CeremonyBegun, RecoverBeginRequest, RecoverRedeemRequest};
use landfall_protocol::recovery::RecoveryStatus;
use std::sync::Arc;

impl Service {
    /// Begins to prove a recovery with a passkey.
    ///
    /// # Errors
    /// [`Refusal::PasskeysUnavailable`] where browsers cannot use passkeys; why the recovery is over.
    pub async fn begin_recover(
        &self,
        request: RequestContext,
        message: SignedMessage<'_>,
        body: RecoverBeginRequest,
    ) -> Result<CeremonyBegun, Failure> {
        let now = self.ambient.now();
        let (row, digest) = self.recovery_of(&body.recovery_id, &message, now)?;
        still_open(&row, now)?;
        let party = self.settings.relying_party.as_ref().ok_or(Refusal::PasskeysUnavailable)?;
        let seeds = self.seeds(Purpose::Recover, row.thumbprint.clone(), body.return_path);
        let asked = Asked { nonce: &seeds.nonce, act: &bytes_of(&row) };
        let question = party.ask_to_recover(&asked).map_err(Failure::internal)?;
        let page_url = seeds.page_url.clone().ok_or(Refusal::PasskeysUnavailable)?;
        let new = new_ceremony(&row, seeds, question, now)?;
        let begun = CeremonyBegun {
            ceremony_id: new.id.clone(),
            page_url,
            match_number: new.match_number.clone(),
            expires_at: new.expires_at.into(),
        };
        let notes = about(&row, &new.id.to_string());
        let audit = recorder(self.ambient.clone(), request, notes, now);
        let asked_by = row.clone();
        let record = async move |tx: &mut Tx<'_>, result: &Result<CeremonyBegun, Failure>| {
            if result.is_err() {
                keep_refused(tx, &asked_by, &digest, now).await?;
            }
            audit(tx, result).await
        };
        let work = async move |tx: &mut Tx<'_>| {
            take_of(tx, &row, &digest, now).await?;
            let row = reload(tx, &row).await?;
            still_open(&row, now)?;
            ceremonies::begin(tx, &row.tenant, &new).await?;
            Ok(begun.clone())
        };
        self.store.write(Lane::Stranger, work, record).await
    }

    /// Redeems the touch: a proof of the recovery.
    ///
    /// # Errors
    /// As a step-up's; why the recovery is over.
    pub async fn redeem_recover(
        &self,
        request: RequestContext,
        message: SignedMessage<'_>,
        body: RecoverRedeemRequest,
    ) -> Result<RecoveryStatus, Failure> {
        let now = self.ambient.now();
        let (row, digest) = self.recovery_of(&body.recovery_id, &message, now)?;
        still_open(&row, now)?;
        let paid = self.pay_for(&row, &digest, &body, now).await?;
        let notes = about(&row, body.ceremony_id.as_str());
        let (source, service) = (request.personal.source.clone(), self.clone());
        let record = recorder(self.ambient.clone(), request, notes, now);
        let (plan, by_mail) = (self.settings.recovery_plan.clone(), self.takes_mailed_codes());
        let work = async move |tx: &mut Tx<'_>| {
            let row = reload(tx, &row).await?;
            still_open(&row, now)?;
            let proof = redeemed(tx, &row, &body, paid, now).await?;
            let worse = shown_better(tx, &row, &proof).await?;
            if !worse && recoveries::add_proof(tx, &row.id, &proof).await? {
                let what = Happening::RecoveryBegun { device: row.device.clone() };
                service.tell(tx, news_of(&row, what, source.clone(), now)).await?;
            }
            Ok(Standing::of(tx, &plan, row, now).await?.status(now, by_mail))
        };
        self.store.write(Lane::Stranger, work, record).await
    }

    /// Takes the message, and pays a try of the completion with it: a message that is sent again pays
    /// for nothing.
    async fn pay_for(
        &self,
        row: &Recovery,
        digest: &[u8; 32],
        body: &RecoverRedeemRequest,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let (row, digest, id) = (row.clone(), *digest, body.ceremony_id.clone());
        let pay = async move |tx: &mut Tx<'_>| {
            take_of(tx, &row, &digest, now).await?;
            Ok(ceremonies::pay_try(tx, &id, &row.thumbprint).await?)
        };
        // The redemption that follows writes the audit row.
        let nothing = async |_: &mut Tx<'_>, _: &Result<bool, Failure>| Ok::<(), StoreError>(());
        self.store.write(Lane::Stranger, pay, nothing).await
    }
}

/// What the passkey signs for: this recovery, of this account, by this key.
fn bytes_of(row: &Recovery) -> Vec<u8> {
    let Recovery { id, tenant, user, thumbprint, .. } = row;
    [id.as_str(), tenant.as_str(), user.as_str(), thumbprint].join("\0").into_bytes()
}

fn new_ceremony(
    row: &Recovery,
    seeds: Seeds,
    question: Question,
    now: Timestamp,
) -> Result<NewCeremony, Failure> {
    Ok(NewCeremony {
        return_to: seeds.return_to()?,
        id: seeds.id,
        purpose: seeds.purpose,
        by: Beginner::Bare { recovery: row.id.clone() },
        thumbprint: seeds.thumbprint,
        secret_hash: seeds.secret_hash,
        act: None,
        nonce: seeds.nonce,
        attachment: None,
        label: None,
        resident: false,
        match_number: seeds.match_number,
        options: question.options,
        expectation: question.expectation,
        grant: None,
        begun_at: now,
        expires_at: row.expires_at.min(now + CEREMONY_TTL),
        tries: COMPLETION_TRIES,
    })
}

fn about(row: &Recovery, ceremony: &str) -> Notes {
    let notes = notes_of(row);
    note(&notes, |seen| seen.target = format!("{}: passkey ceremony {ceremony}", seen.target));
    Arc::clone(&notes)
}

/// Takes what the touch yielded, once, for the recovery that it was begun for.
async fn redeemed(
    tx: &mut Tx<'_>,
    row: &Recovery,
    body: &RecoverRedeemRequest,
    paid: bool,
    now: Timestamp,
) -> Result<ProofRow, Failure> {
    let own = |by: &BegunBy| matches!(by, BegunBy::Bare { recovery, .. } if *recovery == row.id);
    let ceremony = ceremonies::find(tx, &body.ceremony_id)
        .await?
        .filter(|found| own(&found.by) && found.purpose == Purpose::Recover)
        .ok_or(Refusal::CeremonyOver)?;
    let proved = yielded(&ceremony, &body.completion, paid, now)?;
    if !ceremonies::redeem(tx, &ceremony.id, &row.thumbprint, now).await? {
        return Err(Refusal::CeremonyOver.into());
    }
    let carried = match ceremony.return_to {
        ReturnTo::Loopback(_) => Carried::Sent,
        ReturnTo::Typed => Carried::Typed,
    };
    Ok(ProofRow {
        door: Door::Passkey,
        by: proved.passkey.ok_or(Refusal::CeremonyOver)?.to_string(),
        thing: carried.as_str().to_owned(),
        reason: None,
        at: proved.at,
    })
}

/// Whether the same passkey was shown before, and in the way that proves more.
async fn shown_better(
    tx: &mut Tx<'_>,
    row: &Recovery,
    proof: &ProofRow,
) -> Result<bool, StoreError> {
    let same = |before: &ProofRow| {
        (before.door, &before.by) == (proof.door, &proof.by)
            && before.thing == Carried::Sent.as_str()
    };
    Ok(recoveries::proofs(tx, &row.id).await?.iter().any(same))
}
