//! Ceremonies, the browser half: what the page shows, and the touch.
//!
//! Whoever holds the secret of the page's address may read the question and answer it once. To
//! everybody else all ceremonies look alike: over. The page has no authority: what it yields can be
//! redeemed only by the key that began.

use super::perform::{Notes, note, recorder};
use super::{RequestContext, Service};
use crate::ceremony::{
    Assertion, Attested, COMPLETION_TTL, Completion, Purpose, Rejected, ReturnTo, credential_id_of,
};
use crate::failure::Failure;
use crate::store::ceremonies::{self, BegunBy, CeremonyRow, Proved, State};
use crate::store::passkeys::{self, PasskeyRow};
use crate::store::{Lane, Tx};
use data_encoding::BASE64URL_NOPAD;
use landfall_crypto::secret::{ct_eq, sha256};
use landfall_identity::id::{CeremonyId, PasskeyId};
use landfall_identity::passkey::{Suspicion, check_report};
use landfall_identity::spiffe::Principal;
use landfall_identity::{DeviceName, Label, Refusal, Timestamp};
use landfall_protocol::ceremony::{
    BoundActBody, CeremonyFinishRequest, CeremonyFinished, CeremonyOptions, CeremonyOptionsRequest,
    CeremonyPurpose,
};
use serde_json::Value;
use std::sync::Arc;
use zeroize::Zeroizing;

/// An answer that WebAuthn and we ourselves find good; the rows have the last word.
enum Judged {
    New(Attested),
    Touched(Assertion),
    /// On a machine that is nobody's yet.
    Found(Assertion),
}

impl Service {
    /// What the page shows, and what it asks the authenticator.
    ///
    /// # Errors
    /// [`Refusal::CeremonyOver`], whatever is wrong.
    pub async fn ceremony_options(
        &self,
        request: RequestContext,
        purpose: CeremonyPurpose,
        body: CeremonyOptionsRequest,
    ) -> Result<CeremonyOptions, Failure> {
        let now = self.ambient.now();
        let row = self.ceremony_of(purpose, &body.ceremony_id, body.secret).await?;
        let (notes, lane) = (notes_of(&row), lane_of(&row));
        let record = recorder(self.ambient.clone(), request, notes, now);
        let work = async move |tx: &mut Tx<'_>| {
            let row = waiting(tx, &row.id, now).await?;
            options_of(tx, &row, purpose).await
        };
        self.store.write(lane, work, record).await
    }

    /// Takes the authenticator's answer, once: a refused one ends the ceremony too.
    ///
    /// # Errors
    /// [`Refusal::CeremonyOver`] to who does not hold the secret; else why the answer was refused.
    pub async fn ceremony_finish(
        &self,
        request: RequestContext,
        purpose: CeremonyPurpose,
        body: CeremonyFinishRequest,
    ) -> Result<CeremonyFinished, Failure> {
        let now = self.ambient.now();
        let row = self.ceremony_of(purpose, &body.ceremony_id, body.secret).await?;
        let judged = self.judge(&row, &body.credential).await?;
        let completion = Completion::generate(&row.return_to, self.ambient.random.as_ref());
        let completion_hash = completion.hash(&row.id);
        let next = match &row.return_to {
            ReturnTo::Loopback(loopback) => {
                CeremonyFinished::Redirect { url: completion.redirect(loopback) }
            }
            ReturnTo::Typed => {
                CeremonyFinished::Show { code: completion.to_text().as_str().to_owned() }
            }
        };
        let (notes, lane) = (notes_of(&row), lane_of(&row));
        let audit = recorder(self.ambient.clone(), request, Arc::clone(&notes), now);
        let id = row.id.clone();
        let record = async move |tx: &mut Tx<'_>, result: &Result<(), Failure>| {
            if result.is_err() {
                ceremonies::fail(tx, &id).await?;
            }
            audit(tx, result).await
        };
        let work = async move |tx: &mut Tx<'_>| {
            let row = waiting(tx, &row.id, now).await?;
            let settled = match &judged {
                Ok(judged) => settle(tx, &row, judged, now).await?,
                Err(rejected) => Err(rejected.clone()),
            };
            let (passkey, proof) = settled.map_err(|Rejected { refusal, why }| {
                note(&notes, |seen| seen.target = format!("{}: {why}", seen.target));
                refusal
            })?;
            let completion_hash = completion_hash.to_vec();
            let proved = Proved { at: now, completion_hash, passkey, proof };
            match ceremonies::prove(tx, &row.id, &proved, now + COMPLETION_TTL).await? {
                true => Ok(()),
                false => Err(Refusal::CeremonyOver.into()),
            }
        };
        self.store.write(lane, work, record).await?;
        Ok(next)
    }

    /// The ceremony that the request holds the secret of. An unknown name and a wrong secret look
    /// alike, and cost alike: something is hashed and compared either way.
    async fn ceremony_of(
        &self,
        purpose: CeremonyPurpose,
        id: &CeremonyId,
        secret: String,
    ) -> Result<CeremonyRow, Failure> {
        let secret = Zeroizing::new(secret);
        let found = self.store.read(async |tx: &mut Tx<'_>| ceremonies::find(tx, id).await).await?;
        let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(secret.as_bytes()).unwrap_or_default());
        let kept = found.as_ref().map_or([0; 32].as_slice(), |row| row.secret_hash.as_slice());
        let holds = ct_eq(&sha256(&bytes), kept);
        found
            .filter(|row| holds && row.purpose == purpose_of(purpose))
            .ok_or_else(|| Refusal::CeremonyOver.into())
    }

    async fn judge(
        &self,
        row: &CeremonyRow,
        answer: &Value,
    ) -> Result<Result<Judged, Rejected>, Failure> {
        let party = self.settings.relying_party.as_ref().ok_or(Refusal::PasskeysUnavailable)?;
        let CeremonyRow { expectation, attachment, resident, .. } = row;
        Ok(match (row.purpose, &row.by) {
            (Purpose::Register, _) => party
                .judge_registration(expectation, *attachment, *resident, answer)
                .map(Judged::New),
            (Purpose::StepUp, BegunBy::Device { handle, .. }) => {
                party.judge_step_up(expectation, *attachment, handle, answer).map(Judged::Touched)
            }
            (Purpose::StepUp, BegunBy::Bare { .. }) => {
                return Err(Failure::internal("a step-up of no device"));
            }
            (Purpose::Recover, _) => {
                let credential_id = credential_id_of(answer);
                let look = async |tx: &mut Tx<'_>| {
                    passkeys::by_credential(tx, &row.tenant, &credential_id).await
                };
                match self.store.read(look).await? {
                    Some(owned) => party
                        .judge_recovery(
                            expectation,
                            &owned.passkey.kept.credential,
                            &owned.handle,
                            answer,
                        )
                        .map(Judged::Found),
                    None => Err(unknown()),
                }
            }
        })
    }
}

/// One answer to a passkey of nobody, and to one of somebody else.
fn unknown() -> Rejected {
    let why = "a passkey that does not open this account";
    Rejected { refusal: Refusal::PasskeyRefused, why }
}

/// A bare machine is a stranger, however well it keeps its secret.
fn lane_of(row: &CeremonyRow) -> Lane {
    match row.by {
        BegunBy::Device { .. } => Lane::Known,
        BegunBy::Bare { .. } => Lane::Stranger,
    }
}

fn purpose_of(purpose: CeremonyPurpose) -> Purpose {
    match purpose {
        CeremonyPurpose::Register => Purpose::Register,
        CeremonyPurpose::StepUp => Purpose::StepUp,
        CeremonyPurpose::Recover => Purpose::Recover,
    }
}

/// The audit row of the browser half speaks of the principal that began.
fn notes_of(row: &CeremonyRow) -> Notes {
    let notes = Notes::default();
    note(&notes, |seen| {
        seen.tenant = Some(row.tenant.clone());
        seen.target = format!("{} ceremony {}", row.purpose.as_str(), row.id);
        match &row.by {
            BegunBy::Device { actor, .. } => seen.actor = Some(actor.clone()),
            BegunBy::Bare { recovery, .. } => {
                seen.target.push_str(&format!(", recovery {recovery} of {}", row.user));
            }
        }
    });
    notes
}

/// The ceremony, if it still waits for the touch.
async fn waiting(tx: &mut Tx<'_>, id: &CeremonyId, now: Timestamp) -> Result<CeremonyRow, Failure> {
    ceremonies::find(tx, id)
        .await?
        .filter(|row| row.state == State::Begun && !row.expires_at.is_over(now))
        .ok_or_else(|| Refusal::CeremonyOver.into())
}

async fn options_of(
    tx: &mut Tx<'_>,
    row: &CeremonyRow,
    purpose: CeremonyPurpose,
) -> Result<CeremonyOptions, Failure> {
    let (device, device_label) = asker(row)?;
    let act = row.act.as_deref().map(serde_json::from_str).transpose();
    let act = act.map_err(Failure::internal)?;
    // People know a passkey by its label; they sign for its id.
    let removed = match &act {
        Some(BoundActBody::RemovePasskey { passkey } | BoundActBody::BindPasskey { passkey }) => {
            passkeys::find(tx, &row.tenant, &row.user, passkey).await?
        }
        _ => None,
    };
    Ok(CeremonyOptions {
        purpose,
        tenant: row.tenant.clone(),
        user: row.user.clone(),
        device,
        device_label: device_label.map(ToString::to_string),
        act,
        passkey_label: removed.map(|found| found.kept.label.to_string()),
        match_number: row.match_number.clone(),
        typed: row.return_to == ReturnTo::Typed,
        expires_at: row.expires_at.into(),
        public_key: serde_json::from_str(&row.options).map_err(Failure::internal)?,
    })
}

/// The machine that asks, and what its owner calls it.
fn asker(row: &CeremonyRow) -> Result<(DeviceName, Option<&Label>), Failure> {
    match &row.by {
        BegunBy::Bare { device, .. } => Ok((device.clone(), None)),
        BegunBy::Device { actor, label, .. } => match &actor.principal {
            Principal::Human { device, .. } => Ok((device.clone(), label.as_ref())),
            _ => Err(Failure::internal("a ceremony of no person")),
        },
    }
}

/// What the rows say to a good answer: the passkey of a step-up, or the proof of a registration.
type Settled = Result<(Option<PasskeyId>, Option<String>), Rejected>;

async fn settle(
    tx: &mut Tx<'_>,
    row: &CeremonyRow,
    judged: &Judged,
    now: Timestamp,
) -> Result<Settled, Failure> {
    match judged {
        Judged::New(attested) => {
            if passkeys::is_registered(tx, &attested.credential_id).await? {
                let why = "the credential is registered";
                return Ok(Err(Rejected { refusal: Refusal::PasskeyRegistered, why }));
            }
            let proof = serde_json::to_string(attested).map_err(Failure::internal)?;
            Ok(Ok((None, Some(proof))))
        }
        Judged::Touched(assertion) => touched(tx, row, assertion, now).await,
        Judged::Found(assertion) => {
            // Whoever recovers learns of no account but the one that the passkey opens.
            let owned = passkeys::by_credential(tx, &row.tenant, &assertion.credential_id).await?;
            if owned.is_none_or(|owned| owned.user != row.user) {
                return Ok(Err(unknown()));
            }
            let settled = touched(tx, row, assertion, now).await?;
            if let Ok((Some(passkey), _)) = &settled {
                passkeys::found_by_itself(tx, passkey).await?;
            }
            Ok(settled)
        }
    }
}

/// The passkey may have been removed, its device suspended, its counter moved on since the ceremony
/// began: the rows are asked again, and take note of what was reported.
async fn touched(
    tx: &mut Tx<'_>,
    row: &CeremonyRow,
    assertion: &Assertion,
    now: Timestamp,
) -> Result<Settled, Failure> {
    let kept = passkeys::all_of(tx, &row.tenant, &row.user)
        .await?
        .into_iter()
        .find(|kept| kept.kept.credential_id == assertion.credential_id);
    let Some(kept) = kept.filter(PasskeyRow::usable) else {
        let why = "the passkey cannot be used any more";
        return Ok(Err(Rejected { refusal: Refusal::PasskeyRefused, why }));
    };
    if let Err(suspicion) = check_report(kept.kept.reported, assertion.reported) {
        let why = match suspicion {
            Suspicion::CounterFell => "the signature counter did not rise",
            Suspicion::EligibilityChanged => "backup eligibility changed",
            Suspicion::BackedUpButNotEligible => "backed up, and not eligible for backup",
        };
        return Ok(Err(Rejected { refusal: Refusal::PasskeySuspicious, why }));
    }
    passkeys::used(tx, &kept.kept.id, assertion.reported, now).await?;
    Ok(Ok((Some(kept.kept.id), None)))
}
