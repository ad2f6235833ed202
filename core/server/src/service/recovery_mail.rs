//! The mailed-code door: a machine that recovers an account has a code mailed to the account's confirmed
//! addresses, and types it (NIST SP 800-63B-4, section 4.2.1.2).
//!
//! The request only notes that somebody asks, for whomever. Whether there is anybody to mail to is
//! looked at by the postman, afterwards: so a user, nobody, and a user without an address are answered
//! alike and cost alike. The code is made when the mail goes out, and counts for the recovery that
//! asked, typed by its key.

use super::perform::{note, recorder};
use super::recovery::{
    SignedMessage, keep_refused, notes_of, place_of, reload, still_open, take_of,
};
use super::recovery_standing::Standing;
use super::{RequestContext, Service};
use crate::failure::Failure;
use crate::store::outbox::{self, Parcel, Purpose, Recipient};
use crate::store::recoveries::{self, ProofRow};
use crate::store::recovery_mails::{self, Asked, KeptCode};
use crate::store::{Lane, StoreError, Tx, addresses, notices, users};
use landfall_crypto::Secret32;
use landfall_crypto::crockford::TypedCode;
use landfall_crypto::door::AuthHash;
use landfall_crypto::secret::{ct_eq, sha256_of};
use landfall_identity::address::ADDRESSES_PER_USER;
use landfall_identity::id::{AddressId, NoticeId, ParcelId, RecoveryId, RecoveryMailId};
use landfall_identity::notice::{By, Happening, Notice};
use landfall_identity::recovery::{Door, MAILED_CODE_TTL, MailShare};
use landfall_identity::{Refusal, Seconds, Timestamp};
use landfall_protocol::recovery::{RecoveryMailProveRequest, RecoveryMailRequest, RecoveryStatus};

/// All addresses of a user are one proof: whoever reads one mailbox often reads the other.
const MAILBOX: &str = "mailbox";
/// The kind of mails that carry such a code.
const CODE_KIND: &str = "recovery-code-mailed";
/// Requests that are looked at in one go.
const AT_ONCE: u32 = 16;

impl Service {
    /// Whether a mailed code is a proof here.
    pub(super) fn takes_mailed_codes(&self) -> bool {
        self.settings.mail && self.settings.recovery_plan.names(Door::MailedCode)
    }

    /// Asks for a code to be mailed. Answered alike for everybody.
    ///
    /// # Errors
    /// [`Refusal::MailUnavailable`] where no mail is sent or none counts; [`Refusal::RateLimited`].
    pub async fn mail_recovery_code(
        &self,
        request: RequestContext,
        message: SignedMessage<'_>,
        body: RecoveryMailRequest,
    ) -> Result<RecoveryStatus, Failure> {
        let now = self.ambient.now();
        let (row, digest) = self.recovery_of(&body.recovery_id, &message, now)?;
        still_open(&row, now)?;
        if !self.takes_mailed_codes() {
            return Err(Refusal::MailUnavailable.into());
        }
        let asked = Asked {
            id: RecoveryMailId::from_bits(self.ambient.row_bits()),
            recovery: row.id.clone(),
            tenant: row.tenant.clone(),
            user: row.user.clone(),
            place: place_of(&request),
            source: request.personal.source.clone(),
            shown: None,
            share: MailShare::Open,
            at: now,
        };
        // Who asks too often makes nobody write for it, neither here nor in the audit.
        let plan = self.settings.recovery_plan.clone();
        let (look, mut wish) = (row.clone(), asked.clone());
        let share = self
            .store
            .read(async |tx: &mut Tx<'_>| {
                wish.shown = shown_by(&Standing::of(tx, &plan, look, now).await?);
                share_of(tx, &wish).await
            })
            .await?;
        if let Err(wait) = share {
            return self.refuse_message(&row, digest, too_often(wait), now).await;
        }
        let audit = recorder(self.ambient.clone(), request, notes_of(&row), now);
        let sent = row.clone();
        let record = async move |tx: &mut Tx<'_>, result: &Result<RecoveryStatus, Failure>| {
            if result.is_err() {
                keep_refused(tx, &sent, &digest, now).await?;
            }
            audit(tx, result).await
        };
        let work = async move |tx: &mut Tx<'_>| {
            take_of(tx, &row, &digest, now).await?;
            let row = reload(tx, &row).await?;
            still_open(&row, now)?;
            let standing = Standing::of(tx, &plan, row, now).await?;
            let mut asked = Asked { shown: shown_by(&standing), ..asked.clone() };
            asked.share = share_of(tx, &asked).await?.map_err(too_often)?;
            recovery_mails::insert(tx, &asked).await?;
            Ok(standing.status(now, true))
        };
        self.store.write(Lane::Stranger, work, record).await
    }

    /// Takes the code that was mailed for this very recovery.
    ///
    /// # Errors
    /// [`Refusal::MailedCodeWrong`] for everything that is not it.
    pub async fn prove_recovery_by_mail(
        &self,
        request: RequestContext,
        message: SignedMessage<'_>,
        body: RecoveryMailProveRequest,
    ) -> Result<RecoveryStatus, Failure> {
        let now = self.ambient.now();
        let (row, digest) = self.recovery_of(&body.recovery_id, &message, now)?;
        still_open(&row, now)?;
        let notes = notes_of(&row);
        note(&notes, |seen| seen.target.push_str(": a mailed code"));
        let audit = recorder(self.ambient.clone(), request, notes, now);
        let sent = row.clone();
        let record = async move |tx: &mut Tx<'_>, result: &Result<RecoveryStatus, Failure>| {
            if result.is_err() {
                keep_refused(tx, &sent, &digest, now).await?;
            }
            if let Err(Failure::Refused(Refusal::MailedCodeWrong)) = result {
                recoveries::count_try(tx, &sent.id).await?;
            }
            audit(tx, result).await
        };
        let (plan, key) = (self.settings.recovery_plan.clone(), self.pki.recovery_code_key());
        let by_mail = self.takes_mailed_codes();
        let typed = TypedCode::parse(&body.code).ok();
        let work = async move |tx: &mut Tx<'_>| {
            take_of(tx, &row, &digest, now).await?;
            let row = reload(tx, &row).await?;
            still_open(&row, now)?;
            let kept = recovery_mails::live_codes(tx, &row.id, now).await?;
            let address = right_address(&row.id, &kept, typed.as_ref(), &key);
            let proof = ProofRow {
                door: Door::MailedCode,
                by: MAILBOX.to_owned(),
                thing: address.ok_or(Refusal::MailedCodeWrong)?.to_string(),
                reason: None,
                at: now,
            };
            // Its owner heard of it by the very mail that carried the code.
            recoveries::add_proof(tx, &row.id, &proof).await?;
            Ok(Standing::of(tx, &plan, row, now).await?.status(now, by_mail))
        };
        self.store.write(Lane::Stranger, work, record).await
    }

    /// Looks at what was asked for: a mail to each confirmed address of an account that is there, and a
    /// notice on its devices. For nobody, nothing.
    pub(super) async fn sort_recovery_mails(&self) -> Result<(), Failure> {
        if !self.store.read(recovery_mails::any_waiting).await? {
            return Ok(());
        }
        let (service, now) = (self.clone(), self.now());
        let work = async move |tx: &mut Tx<'_>| {
            for asked in recovery_mails::take_waiting(tx, now, AT_ONCE).await? {
                service.put_recovery_mail(tx, &asked, now).await?;
            }
            Ok(())
        };
        let no_row = async |_: &mut Tx<'_>, _: &Result<(), Failure>| Ok(());
        self.store.write(Lane::Known, work, no_row).await
    }

    async fn put_recovery_mail(
        &self,
        tx: &mut Tx<'_>,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let (tenant, user) = (&asked.tenant, &asked.user);
        let open = recoveries::find(tx, &asked.recovery).await?;
        let Some(open) = open.filter(|row| row.state.is_open(row.expires_at, now)) else {
            return Ok(());
        };
        if users::find(tx, tenant, user).await?.is_none() {
            return Ok(());
        }
        let start = (Timestamp::from_millis(i64::MIN), "");
        let all = addresses::list(tx, tenant, user, start, ADDRESSES_PER_USER).await?;
        let confirmed = all.into_iter().filter(|address| address.confirmed_at.is_some());
        let mut any = false;
        for address in confirmed {
            any = true;
            let parcel = Parcel {
                id: ParcelId::from_bits(self.ambient.row_bits()),
                tenant: tenant.clone(),
                user: user.clone(),
                purpose: Purpose::RecoveryCode { asked: asked.id.clone(), address: address.id },
                kind: CODE_KIND.to_owned(),
                recipient: Recipient::Mail(address.address),
                made_at: asked.at,
                due_at: now,
                attempts: 0,
            };
            outbox::put(tx, &parcel).await?;
        }
        if !any {
            return Ok(());
        }
        // The mail is itself the notice; this one is for the devices.
        let device = open.device;
        let notice = Notice {
            id: NoticeId::from_bits(self.ambient.row_bits()),
            tenant: tenant.clone(),
            user: user.clone(),
            at: asked.at,
            what: Happening::RecoveryCodeMailed { device: device.clone() },
            by: By::Recovery { device },
            source: asked.source.clone(),
        };
        notices::insert(tx, &notice).await?;
        self.post_notice(tx, &notice).await
    }

    /// A new code for this recovery and this address, kept as a hash before anybody sees it; none when
    /// nobody waits for it any more.
    pub(super) async fn new_recovery_code(
        &self,
        asked: &Asked,
        address: &AddressId,
    ) -> Result<Option<TypedCode>, Failure> {
        let code = TypedCode::generate(self.ambient.random.as_ref());
        let key = self.pki.recovery_code_key();
        let hash = hash(&asked.recovery, address, &code, &key);
        let kept = KeptCode { address: address.clone(), hash };
        let (recovery, now) = (asked.recovery.clone(), self.now());
        let work = async move |tx: &mut Tx<'_>| {
            let until = now + MAILED_CODE_TTL;
            Ok(recovery_mails::keep_code(tx, &recovery, &kept, until, now).await?)
        };
        let no_row = async |_: &mut Tx<'_>, _: &Result<bool, Failure>| Ok(());
        let waits = self.store.write(Lane::Known, work, no_row).await?;
        Ok(waits.then_some(code))
    }
}

/// What it has shown first that is not a mailed code, when it has shown anything.
fn shown_by(standing: &Standing) -> Option<String> {
    let others = standing.proofs.iter().filter(|proof| proof.row.door != Door::MailedCode);
    others.filter(|proof| proof.counts).min_by_key(|proof| proof.row.at).map(|proof| {
        let ProofRow { door, by, thing, .. } = &proof.row;
        // Of a sheet each code is one's own: whoever found one has not found the others.
        let which = if *door == Door::RecoveryCode { thing } else { by };
        format!("{} {which}", door.as_str())
    })
}

/// Out of what of the account's mails it may have one; when out of none, how long to wait at most.
async fn share_of(
    tx: &mut Tx<'_>,
    asked: &Asked,
) -> Result<Result<MailShare, Seconds>, StoreError> {
    let before = recovery_mails::asked_before(tx, asked).await?;
    Ok(before.one_more(asked.shown.is_some()))
}

fn too_often(retry_after: Seconds) -> Refusal {
    Refusal::RateLimited { retry_after }
}

/// The address whose code was typed. A code that nobody could have sent is compared as well, so that
/// one answer also takes one time.
fn right_address(
    recovery: &RecoveryId,
    kept: &[KeptCode],
    typed: Option<&TypedCode>,
    key: &Secret32,
) -> Option<AddressId> {
    let typed = typed?;
    let nowhere = KeptCode { address: AddressId::from_bits([0; 16]), hash: [0; 32] };
    let mut right = None;
    for index in 0..ADDRESSES_PER_USER as usize {
        let code = kept.get(index).unwrap_or(&nowhere);
        let fits = ct_eq(&hash(recovery, &code.address, typed, key), &code.hash);
        if fits && index < kept.len() {
            right = Some(code.address.clone());
        }
    }
    right
}

/// What is kept of a code: bound to the recovery and the address, and under the server's key, because 40
/// bits can be found from a plain hash.
fn hash(recovery: &RecoveryId, address: &AddressId, code: &TypedCode, key: &Secret32) -> [u8; 32] {
    let (recovery, address) = (recovery.as_str().as_bytes(), address.as_str().as_bytes());
    let plain =
        sha256_of(&[b"landfall/recovery-mail/v1\0", recovery, b"\0", address, code.expose()]);
    *AuthHash::from_bytes(plain).keyed(key).as_bytes()
}
