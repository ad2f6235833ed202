//! Getting back in with no device at all: a bare machine begins, proves, waits, and becomes a device.
//!
//! Every message is signed by the key that begins, and is taken once. Who holds no proof learns nothing:
//! a user, nobody, and a user without codes are answered alike and cost alike. What was proved is judged
//! anew at the end, by the rows as they are then.

use super::key_holders::may_be_devices;
use super::notices::News;
use super::perform::{Notes, note, recorder};
use super::recovery_standing::Standing;
use super::{RequestContext, Service, enroll::csr_refusal};
use crate::failure::Failure;
use crate::store::recoveries::{self, ProofRow, Recovery};
use crate::store::recovery_codes::{self, Code};
use crate::store::{Lane, StoreError, Tx};
use crate::strangers::prefix;
use landfall_crypto::Secret32;
use landfall_crypto::csr;
use landfall_crypto::door::{AuthHalf, AuthHash};
use landfall_crypto::httpsig::{self, Profile, RECOVERY, SignatureFields, VerifyError};
use landfall_crypto::key::PublicKey;
use landfall_crypto::secret::sha256;
use landfall_identity::id::RecoveryId;
use landfall_identity::notice::{By, Happening};
use landfall_identity::recovery::{
    BEGUN_PER_PLACE, BEGUN_WINDOW, CodeState, Door, MESSAGES_MAX, MESSAGES_WINDOW,
    OPEN_PER_ACCOUNT, RECOVERY_TTL, RecoveryState, TRIES_MAX,
};
use landfall_identity::{Refusal, Timestamp};
use landfall_protocol::recovery::{
    RecoveryBeginRequest, RecoveryProveRequest, RecoveryShowRequest, RecoveryStatus,
};
use std::net::IpAddr;
use std::sync::Arc;

/// All codes of a user are one proof: a whole sheet is found in one drawer.
const SHEET: &str = "sheet";

/// A message as it came: what was signed, and by which fields.
pub struct SignedMessage<'a> {
    /// What the signature covers.
    pub request: httpsig::Request<'a>,
    /// The signature.
    pub fields: &'a SignatureFields,
}

impl SignedMessage<'_> {
    /// Checks the signature; its digest, by which the message is taken once.
    ///
    /// # Errors
    /// [`Refusal::SignatureInvalid`]; [`Refusal::ClockSkew`] to who holds the key.
    pub(super) fn verify(&self, key: &PublicKey, now: Timestamp) -> Result<[u8; 32], Refusal> {
        self.verify_as(&RECOVERY, key, now)
    }

    /// As [`Self::verify`], for a signature of this profile and no other.
    pub(super) fn verify_as(
        &self,
        profile: &'static Profile,
        key: &PublicKey,
        now: Timestamp,
    ) -> Result<[u8; 32], Refusal> {
        let parsed = httpsig::read(profile, &self.request, self.fields)
            .map_err(|_| Refusal::SignatureInvalid)?;
        match parsed.verify(key, now) {
            Ok(verified) => Ok(sha256(&verified.signature.canonical())),
            Err(VerifyError::ClockSkew { server_time, .. }) => {
                Err(Refusal::ClockSkew { server_time })
            }
            Err(VerifyError::Signature(_)) => Err(Refusal::SignatureInvalid),
        }
    }
}

impl Service {
    /// Begins a recovery. The same key for the same user again finds what it began.
    ///
    /// # Errors
    /// [`Refusal::PlaceBusy`] for a place that begins too many; a request or a key that cannot be used.
    pub async fn begin_recovery(
        &self,
        request: RequestContext,
        message: SignedMessage<'_>,
        body: RecoveryBeginRequest,
    ) -> Result<RecoveryStatus, Failure> {
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
            expires_at: now + RECOVERY_TTL,
            tries_left: TRIES_MAX,
            enrollment: None,
            certificate: None,
        };
        let record = recorder(self.ambient.clone(), request, notes_of(&new), now);
        let (plan, by_mail) = (self.settings.recovery_plan.clone(), self.takes_mailed_codes());
        let work = async move |tx: &mut Tx<'_>| {
            take(tx, &digest, now).await?;
            let row = begin(tx, &new, now).await?;
            recoveries::count_message(tx, &row.id, now).await?;
            Ok(Standing::of(tx, &plan, row, now).await?.status(now, by_mail))
        };
        self.store.write(Lane::Stranger, work, record).await
    }

    /// How a recovery stands, for the key that began it.
    ///
    /// # Errors
    /// [`Refusal::RecoveryOver`] for one that never was.
    pub async fn show_recovery(
        &self,
        message: SignedMessage<'_>,
        body: RecoveryShowRequest,
    ) -> Result<RecoveryStatus, Failure> {
        let now = self.ambient.now();
        let (row, digest) = self.recovery_of(&body.recovery_id, &message, now)?;
        let (plan, by_mail) = (self.settings.recovery_plan.clone(), self.takes_mailed_codes());
        let work = async move |tx: &mut Tx<'_>| {
            take_of(tx, &row, &digest, now).await?;
            let row = reload(tx, &row).await?;
            Ok(Standing::of(tx, &plan, row, now).await?.status(now, by_mail))
        };
        // Who waits asks again and again, and learns only what they did themselves: no row of its own.
        let no_row = async |_: &mut Tx<'_>, _: &Result<_, Failure>| Ok::<_, StoreError>(());
        self.store.write(Lane::Stranger, work, no_row).await
    }

    /// Shows a recovery code. It is checked here, and burnt only when it made a device.
    ///
    /// # Errors
    /// [`Refusal::RecoveryCodeWrong`] to whoever does not hold a code of this user; to who does, the true
    /// reason.
    pub async fn prove_recovery(
        &self,
        request: RequestContext,
        message: SignedMessage<'_>,
        body: RecoveryProveRequest,
    ) -> Result<RecoveryStatus, Failure> {
        let now = self.ambient.now();
        let (row, digest) = self.recovery_of(&body.recovery_id, &message, now)?;
        // Nothing more is written for one that takes no more proofs.
        still_open(&row, now)?;
        let notes = notes_of(&row);
        note(&notes, |seen| seen.target = format!("{}: code {}", seen.target, body.code));
        let source = request.personal.source.clone();
        let audit = recorder(self.ambient.clone(), request, notes, now);
        let asked = row.clone();
        let record = async move |tx: &mut Tx<'_>, result: &Result<RecoveryStatus, Failure>| {
            if result.is_err() {
                keep_refused(tx, &asked, &digest, now).await?;
            }
            if let Err(Failure::Refused(Refusal::RecoveryCodeWrong)) = result {
                recoveries::count_try(tx, &asked.id).await?;
            }
            audit(tx, result).await
        };
        let (plan, key) = (self.settings.recovery_plan.clone(), self.pki.recovery_code_key());
        let service = self.clone();
        let by_mail = self.takes_mailed_codes();
        let work = async move |tx: &mut Tx<'_>| {
            take_of(tx, &row, &digest, now).await?;
            let row = reload(tx, &row).await?;
            still_open(&row, now)?;
            let found = recovery_codes::find(tx, &row.tenant, &row.user, &body.code).await?;
            let code = right_code(found, &body.auth, &key)?;
            let proof = ProofRow {
                door: Door::RecoveryCode,
                by: SHEET.to_owned(),
                thing: code.name.to_string(),
                reason: None,
                at: now,
            };
            // Only whoever has shown something is worth a word; more codes of one sheet are not more.
            if recoveries::add_proof(tx, &row.id, &proof).await? {
                let what = Happening::RecoveryBegun { device: row.device.clone() };
                service.tell(tx, news_of(&row, what, source.clone(), now)).await?;
            }
            Ok(Standing::of(tx, &plan, row, now).await?.status(now, by_mail))
        };
        self.store.write(Lane::Stranger, work, record).await
    }

    /// The recovery of that name, if its key has signed the message and has not asked too often.
    ///
    /// *How long answers take, measured often enough, could tell what they do not say.* They leave in even steps
    /// (`http::pace`), and here is how often is enough.
    pub(super) fn recovery_of(
        &self,
        id: &RecoveryId,
        message: &SignedMessage<'_>,
        now: Timestamp,
    ) -> Result<(Recovery, [u8; 32]), Failure> {
        let (row, messages) = self.store.glance(async |tx: &mut Tx<'_>| {
            Ok((recoveries::find(tx, id).await?, recoveries::messages(tx, id, now).await?))
        })?;
        let row = row.ok_or(Refusal::RecoveryOver)?;
        let key = PublicKey::from_spki(&row.spki).map_err(Failure::internal)?;
        let digest = message.verify(&key, now)?;
        if messages >= MESSAGES_MAX {
            return Err(Refusal::RateLimited { retry_after: MESSAGES_WINDOW }.into());
        }
        Ok((row, digest))
    }

    /// A refusal that needs no work. The message counts as every other.
    pub(super) async fn refuse_message<T: Send + 'static>(
        &self,
        row: &Recovery,
        digest: [u8; 32],
        refusal: Refusal,
        now: Timestamp,
    ) -> Result<T, Failure> {
        let row = row.clone();
        let work = async move |tx: &mut Tx<'_>| take_of(tx, &row, &digest, now).await;
        let no_row = async |_: &mut Tx<'_>, _: &Result<(), Failure>| Ok::<_, StoreError>(());
        self.store.write(Lane::Stranger, work, no_row).await?;
        Err(refusal.into())
    }
}

/// Takes a message, once.
pub(super) async fn take(
    tx: &mut Tx<'_>,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<(), Failure> {
    match recoveries::take_message(tx, digest, now).await? {
        true => Ok(()),
        false => Err(Refusal::SignatureInvalid.into()),
    }
}

/// Takes a message of a recovery, once, and counts it.
pub(super) async fn take_of(
    tx: &mut Tx<'_>,
    row: &Recovery,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<(), Failure> {
    take(tx, digest, now).await?;
    Ok(recoveries::count_message(tx, &row.id, now).await?)
}

/// Keeps that a message was sent which is refused: what it did was undone, and with it that it was taken.
pub(super) async fn keep_refused(
    tx: &mut Tx<'_>,
    row: &Recovery,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<(), StoreError> {
    recoveries::take_message(tx, digest, now).await?;
    recoveries::count_message(tx, &row.id, now).await
}

/// The row as it is inside the transaction.
pub(super) async fn reload(tx: &mut Tx<'_>, row: &Recovery) -> Result<Recovery, Failure> {
    Ok(recoveries::find(tx, &row.id).await?.ok_or(Refusal::RecoveryOver)?)
}

/// What the audit says of a stranger's message.
pub(super) fn notes_of(row: &Recovery) -> Notes {
    let notes = Notes::default();
    note(&notes, |seen| {
        seen.tenant = Some(row.tenant.clone());
        seen.target = format!("recovery {} of {} as {}", row.id, row.user, row.device);
    });
    Arc::clone(&notes)
}

/// What the owner hears of a machine that is on its way in.
pub(super) fn news_of(
    row: &Recovery,
    what: Happening,
    source: Option<String>,
    now: Timestamp,
) -> News {
    News {
        tenant: row.tenant.clone(),
        user: row.user.clone(),
        at: now,
        what,
        by: By::Recovery { device: row.device.clone() },
        source,
    }
}

async fn begin(tx: &mut Tx<'_>, new: &Recovery, now: Timestamp) -> Result<Recovery, Failure> {
    if let Some(begun) = begun_before(tx, new, now).await? {
        return Ok(begun);
    }
    recoveries::make_room(tx, &new.tenant, &new.user, OPEN_PER_ACCOUNT - 1, now).await?;
    recoveries::insert(tx, new).await?;
    Ok(new.clone())
}

/// What this key has under way for this user; if it has nothing, whether it may begin at all.
pub(super) async fn begun_before(
    tx: &mut Tx<'_>,
    new: &Recovery,
    now: Timestamp,
) -> Result<Option<Recovery>, Failure> {
    may_be_devices(tx, &new.thumbprint, now).await?;
    let begun = recoveries::open_of_key(tx, &new.tenant, &new.user, &new.thumbprint).await?;
    match begun {
        Some(row) if row.state.is_open(row.expires_at, now) => return Ok(Some(row)),
        Some(over) => {
            recoveries::stop(tx, &over.id, now).await?;
        }
        None => {}
    }
    if recoveries::begun_from(tx, &new.place, now - BEGUN_WINDOW).await? >= BEGUN_PER_PLACE {
        return Err(Refusal::PlaceBusy { retry_after: BEGUN_WINDOW }.into());
    }
    Ok(None)
}

/// Whether it takes proofs.
pub(super) fn still_open(row: &Recovery, now: Timestamp) -> Result<(), Refusal> {
    match row.state {
        RecoveryState::Stopped { at } => Err(Refusal::RecoveryStopped { at }),
        state if state.is_open(row.expires_at, now) && row.tries_left > 0 => Ok(()),
        _ => Err(Refusal::RecoveryOver),
    }
}

/// The code, if its secret is shown and it works. The hash is computed and compared whether there is
/// such a code or not.
pub(super) fn right_code(found: Option<Code>, auth: &str, key: &Secret32) -> Result<Code, Refusal> {
    let stored = found.as_ref().map_or([0; 32], |code| code.auth_hash);
    let holds = AuthHalf::parse(auth)
        .is_ok_and(|auth| auth.matches_keyed(key, &AuthHash::from_bytes(stored)));
    let code = found.filter(|_| holds).ok_or(Refusal::RecoveryCodeWrong)?;
    let at = code.ended_at.unwrap_or(code.made_at);
    match code.state {
        CodeState::Live => Ok(code),
        CodeState::Replaced => Err(Refusal::RecoveryCodeReplaced { at }),
        CodeState::Used => {
            let device = code.used_by.map(|device| device.to_string()).unwrap_or_default();
            Err(Refusal::RecoveryCodeUsed { at, device })
        }
    }
}

/// Where a request came from: an address, or the network of one customer.
pub(super) fn place_of(request: &RequestContext) -> String {
    let source = request.personal.source.as_deref().unwrap_or_default();
    source.parse::<IpAddr>().map_or_else(|_| "unknown".to_owned(), prefix)
}
