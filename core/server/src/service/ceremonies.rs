//! Ceremonies, the app half: the key that begins one, and alone can redeem it.
//!
//! Nothing exists before the second half: no session, no passkey. What the browser half yields is
//! worth nothing to anybody but the key that began, so a ceremony link that is sent to a victim gives
//! its sender nothing.

use super::ceremony_words::about;
use super::foresee::foresee;
use super::{RequestContext, Service, Turn};
use crate::ceremony::{
    Asked, Attested, CEREMONY_TTL, COMPLETION_TRIES, Completion, Purpose, Registration,
    RelyingParty, ReturnTo, StepUp,
};
use crate::failure::Failure;
use crate::store::ceremonies::{self, Beginner, BegunBy, CeremonyRow, NewCeremony, Proved, State};
use crate::store::passkeys::{self, NewPasskey, PASSKEYS_PER_USER, PasskeyRow};
use crate::store::{Lane, StoreError, Tx, enrollments, meta, sessions, users};
use landfall_crypto::Secret32;
use landfall_crypto::secret::sha256;
use landfall_identity::Role;
use landfall_identity::id::{CeremonyId, EnrollmentId, PasskeyId, SessionId};
use landfall_identity::notice::Happening;
use landfall_identity::passkey::Attachment;
use landfall_identity::session::{BOUND_TTL, CERT_HUMAN_TTL, SessionFacts};
use landfall_identity::{AuthStrength, BoundAction, Label, Refusal, SpiffeId, Timestamp};
use landfall_protocol::ceremony::{
    BoundActBody, CeremonyBegun, CeremonyRedeemRequest, RegisterBeginRequest, ReturnPath,
    StepUpBeginRequest,
};
use landfall_protocol::passkey::PasskeyInfo;
use landfall_protocol::session::SessionOpened;
use std::sync::Arc;

/// What a ceremony is made of, besides what the rows say. Made before the write.
pub(super) struct Seeds {
    pub(super) id: CeremonyId,
    pub(super) purpose: Purpose,
    pub(super) secret_hash: [u8; 32],
    pub(super) nonce: [u8; 32],
    pub(super) match_number: String,
    pub(super) thumbprint: String,
    /// Or why the app cannot be called back there.
    return_to: Result<ReturnTo, String>,
    pub(super) page_url: Option<String>,
}

impl Seeds {
    /// Where the completion goes.
    pub(super) fn return_to(&self) -> Result<ReturnTo, Failure> {
        self.return_to.clone().map_err(|why| Failure::invalid("return_path", why))
    }
}

/// What the rows, and the authenticator's question, add to it.
struct Opening {
    act: Option<String>,
    attachment: Option<Attachment>,
    label: Option<Label>,
    resident: bool,
    grant: Option<landfall_identity::grant::EnrollmentGrant>,
    options: String,
    expectation: String,
}

impl Service {
    /// Begins a step-up: unbound, or for one act that the page will show.
    ///
    /// # Errors
    /// A refusal; [`Refusal::NoPasskey`] when none of the user's can be used.
    pub async fn begin_step_up(
        &self,
        request: RequestContext,
        body: StepUpBeginRequest,
    ) -> Result<CeremonyBegun, Failure> {
        let seeds = self.seeds(Purpose::StepUp, thumbprint_of(&request), body.return_path);
        let party = self.settings.relying_party.clone();
        let StepUpBeginRequest { act, attachment, .. } = body;
        let view = self.view();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let bound = act.clone().map(BoundAction::from);
            turn.about(about(&seeds, bound.as_ref()));
            turn.authorize(tx, &turn.own()?, None).await?;
            seeds.return_to()?;
            let party = party.as_ref().ok_or(Refusal::PasskeysUnavailable)?;
            let mut usable = passkeys::all_of(tx, turn.tenant(), turn.user()?).await?;
            usable.retain(|row| {
                row.usable() && bound.as_ref().is_none_or(|act| may_confirm(row, act))
            });
            if usable.is_empty() {
                return Err(Refusal::NoPasskey.into());
            }
            usable.retain(|row| attachment.is_none_or(|asked| row.kept.attachment == asked));
            if usable.is_empty() {
                return Err(Refusal::WrongAttachment.into());
            }
            if let Some(act) = &bound {
                foresee(tx, turn, &view, act, &usable).await?;
            }
            let credentials: Vec<String> =
                usable.into_iter().map(|row| row.kept.credential).collect();
            let canonical = bound.as_ref().map(BoundAction::canonical).unwrap_or_default();
            let asked = Asked { nonce: &seeds.nonce, act: &canonical };
            let step_up = StepUp { credentials: &credentials, attachment };
            let question = party.ask_to_step_up(&asked, &step_up).map_err(Failure::internal)?;
            let opening = Opening {
                act: act.as_ref().map(act_text).transpose()?,
                attachment,
                label: None,
                resident: false,
                grant: None,
                options: question.options,
                expectation: question.expectation,
            };
            begin(tx, turn, &seeds, opening).await
        })
        .await
    }

    /// Begins to register a passkey: by an enrolment grant, or by a session that was opened for this
    /// very act, which is spent here.
    ///
    /// # Errors
    /// A refusal.
    pub async fn begin_register(
        &self,
        request: RequestContext,
        body: RegisterBeginRequest,
    ) -> Result<CeremonyBegun, Failure> {
        let seeds = self.seeds(Purpose::Register, thumbprint_of(&request), body.return_path);
        let party = self.settings.relying_party.clone();
        let RegisterBeginRequest { attachment, label, resident, .. } = body;
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let act = BoundAction::AddPasskey { attachment, label: label.clone() };
            turn.about(about(&seeds, Some(&act)));
            turn.authorize(tx, &turn.own()?, Some(&act)).await?;
            seeds.return_to()?;
            let party = party.as_ref().ok_or(Refusal::PasskeysUnavailable)?;
            let kept = passkeys::all_of(tx, turn.tenant(), turn.user()?).await?;
            make_room(&kept)?;
            let user = users::find(tx, turn.tenant(), turn.user()?)
                .await?
                .ok_or_else(|| Failure::internal("a caller without a user"))?;
            let canonical = act.canonical();
            let registration = Registration {
                handle: uuid::Uuid::from_slice(&user.webauthn_handle).map_err(Failure::internal)?,
                user: user.name.as_str(),
                attachment,
                resident,
                exclude: kept.into_iter().map(|row| row.kept.credential_id).collect(),
            };
            let asked = Asked { nonce: &seeds.nonce, act: &canonical };
            let question =
                party.ask_to_register(&asked, registration).map_err(Failure::internal)?;
            let session = turn.caller.session.as_ref();
            let approved = session.is_some_and(|facts| facts.bound_to == Some(canonical.clone()));
            let opening = Opening {
                act: Some(act_text(&act.into())?),
                attachment: Some(attachment),
                label: Some(label.clone()),
                resident,
                grant: if approved { None } else { turn.caller.grant.clone() },
                options: question.options,
                expectation: question.expectation,
            };
            begin(tx, turn, &seeds, opening).await
        })
        .await
    }

    /// Redeems a step-up: a new session. The one it was asked with stays what it is.
    ///
    /// # Errors
    /// A refusal; [`Refusal::CompletionWrong`] while tries are left.
    pub async fn redeem_step_up(
        &self,
        request: RequestContext,
        body: CeremonyRedeemRequest,
    ) -> Result<SessionOpened, Failure> {
        let paid = self.pay_try(&request, &body.ceremony_id).await?;
        let thumbprint = thumbprint_of(&request);
        let id = SessionId::from_bits(self.ambient.row_bits());
        let ((spiffe_id, role), facts): ((SpiffeId, Role), SessionFacts) = self
            .perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
                let (row, proved) = take(tx, turn, Purpose::StepUp, &body, paid).await?;
                let passkey = proved.passkey.ok_or(Refusal::CeremonyOver)?;
                let kept = passkeys::find(tx, &row.tenant, &row.user, &passkey)
                    .await?
                    .filter(PasskeyRow::usable)
                    .ok_or(Refusal::NoPasskey)?;
                let act = row.act.as_deref().map(read_act).transpose()?;
                let ttl = if act.is_some() { BOUND_TTL } else { CERT_HUMAN_TTL };
                let facts = SessionFacts {
                    id: id.clone(),
                    strength: AuthStrength::CertHuman,
                    auth_time: proved.at,
                    expires_at: proved.at + ttl,
                    factor: Some(kept.factor()),
                    bound_to: act.map(|act| act.canonical()),
                };
                sessions::insert(tx, turn.tenant(), &turn.caller.enrollment, &facts).await?;
                Ok(((turn.caller.spiffe_id.clone(), turn.caller.role), facts))
            })
            .await?;
        self.opened((&spiffe_id, role), &thumbprint, &facts)
    }

    /// Redeems a registration: the passkey exists from here on, and the grant is spent.
    ///
    /// # Errors
    /// A refusal; [`Refusal::PasskeyRegistered`] when anybody holds this credential already.
    pub async fn redeem_passkey(
        &self,
        request: RequestContext,
        body: CeremonyRedeemRequest,
    ) -> Result<PasskeyInfo, Failure> {
        let paid = self.pay_try(&request, &body.ceremony_id).await?;
        let id = PasskeyId::from_bits(self.ambient.row_bits());
        let party = self.settings.relying_party.clone();
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let (row, proved) = take(tx, turn, Purpose::Register, &body, paid).await?;
            let party = party.as_ref().ok_or(Refusal::PasskeysUnavailable)?;
            fix_relying_party(tx, party).await?;
            if let Some(grant) = &row.grant
                && !enrollments::spend_grant(tx, grant, proved.at).await?
            {
                return Err(Refusal::CeremonyOver.into());
            }
            let new = new_passkey(&row, &proved, id.clone(), turn.now)?;
            if passkeys::is_registered(tx, &new.credential_id).await? {
                return Err(Refusal::PasskeyRegistered.into());
            }
            make_room(&passkeys::all_of(tx, &row.tenant, &row.user).await?)?;
            passkeys::insert(tx, &row.tenant, &row.user, &new).await?;
            let kept = passkeys::find(tx, &row.tenant, &row.user, &id).await?;
            let kept = kept.ok_or_else(|| Failure::internal("a passkey that was not kept"))?;
            let what = Happening::PasskeyRegistered { label: kept.kept.label.clone() };
            service.tell(tx, turn.news(turn.user()?, what)?).await?;
            Ok(super::passkeys::passkey_info(&kept))
        })
        .await
    }

    pub(super) fn seeds(
        &self,
        purpose: Purpose,
        thumbprint: String,
        return_path: ReturnPath,
    ) -> Seeds {
        let id = CeremonyId::from_bits(self.ambient.row_bits());
        let secret = Secret32::new(self.ambient.random());
        let [digits] = self.ambient.random::<1>();
        let party = self.settings.relying_party.as_ref();
        Seeds {
            purpose,
            secret_hash: sha256(secret.expose()),
            nonce: self.ambient.random(),
            match_number: format!("{:02}", digits % 100),
            thumbprint,
            return_to: match return_path {
                ReturnPath::Typed => Ok(ReturnTo::Typed),
                ReturnPath::Loopback { port, path } => {
                    ReturnTo::loopback(port, path).map_err(|error| error.to_string())
                }
            },
            page_url: party.map(|party| party.page_url(purpose, &id, &secret)),
            id,
        }
    }

    /// Pays a try of the completion, if this key began the ceremony and it is proved.
    async fn pay_try(&self, request: &RequestContext, id: &CeremonyId) -> Result<bool, Failure> {
        let thumbprint = thumbprint_of(request);
        let found = self.store.read(async |tx: &mut Tx<'_>| ceremonies::find(tx, id).await).await?;
        if found.is_none_or(|row| row.thumbprint != thumbprint) {
            return Ok(false);
        }
        let id = id.clone();
        let pay = async move |tx: &mut Tx<'_>| Ok(ceremonies::pay_try(tx, &id, &thumbprint).await?);
        // The redemption that follows writes the audit row.
        let nothing = async |_: &mut Tx<'_>, _: &Result<bool, Failure>| Ok::<(), StoreError>(());
        self.store.write(Lane::Known, pay, nothing).await
    }
}

fn thumbprint_of(request: &RequestContext) -> String {
    request.peer.as_ref().map(|peer| peer.thumbprint.clone()).unwrap_or_default()
}

/// Any passkey of one's own confirms an act, but for the one that says "this very passkey is here".
fn may_confirm(row: &PasskeyRow, act: &BoundAction) -> bool {
    !matches!(act, BoundAction::BindPasskey { passkey } if *passkey != row.kept.id)
}

fn make_room(kept: &[PasskeyRow]) -> Result<(), Failure> {
    if kept.len() < PASSKEYS_PER_USER as usize {
        return Ok(());
    }
    let why = format!("You have {PASSKEYS_PER_USER} passkeys. Remove one first.");
    Err(Failure::invalid("attachment", why))
}

async fn begin(
    tx: &mut Tx<'_>,
    turn: &Turn,
    seeds: &Seeds,
    opening: Opening,
) -> Result<CeremonyBegun, Failure> {
    let return_to = seeds.return_to()?;
    let latest = turn.now + CEREMONY_TTL;
    let expires_at = opening.grant.as_ref().map_or(latest, |grant| grant.expires_at.min(latest));
    let new = NewCeremony {
        id: seeds.id.clone(),
        purpose: seeds.purpose,
        by: Beginner::Device {
            user: turn.user()?.clone(),
            actor: turn.caller.spiffe_id.clone(),
            enrollment: turn.caller.enrollment.clone(),
        },
        thumbprint: seeds.thumbprint.clone(),
        secret_hash: seeds.secret_hash,
        act: opening.act,
        nonce: seeds.nonce,
        attachment: opening.attachment,
        label: opening.label,
        resident: opening.resident,
        return_to,
        match_number: seeds.match_number.clone(),
        options: opening.options,
        expectation: opening.expectation,
        grant: opening.grant.map(|grant| grant.id),
        begun_at: turn.now,
        expires_at,
        tries: COMPLETION_TRIES,
    };
    ceremonies::begin(tx, turn.tenant(), &new).await?;
    Ok(CeremonyBegun {
        ceremony_id: new.id,
        page_url: seeds.page_url.clone().ok_or(Refusal::PasskeysUnavailable)?,
        match_number: new.match_number,
        expires_at: expires_at.into(),
    })
}

/// Takes what a proved ceremony yielded, once, for the enrolment that began it and a completion that
/// was paid for.
async fn take(
    tx: &mut Tx<'_>,
    turn: &Turn,
    purpose: Purpose,
    body: &CeremonyRedeemRequest,
    paid: bool,
) -> Result<(CeremonyRow, Proved), Failure> {
    turn.about(format!("{} ceremony {}", purpose.as_str(), body.ceremony_id));
    turn.authorize(tx, &turn.own()?, None).await?;
    let row = ceremonies::find(tx, &body.ceremony_id)
        .await?
        .filter(|row| began(row, &turn.caller.enrollment) && row.purpose == purpose)
        .ok_or(Refusal::CeremonyOver)?;
    let proved = yielded(&row, &body.completion, paid, turn.now)?;
    if !ceremonies::redeem(tx, &row.id, &row.thumbprint, turn.now).await? {
        return Err(Refusal::CeremonyOver.into());
    }
    Ok((row, proved))
}

fn began(row: &CeremonyRow, enrollment: &EnrollmentId) -> bool {
    matches!(&row.by, BegunBy::Device { enrollment: own, .. } if own == enrollment)
}

/// What a ceremony has yielded, for who hands in its completion and has paid for the look.
///
/// # Errors
/// [`Refusal::CeremonyOver`], [`Refusal::CeremonyPending`], [`Refusal::CompletionWrong`].
pub(super) fn yielded(
    row: &CeremonyRow,
    completion: &str,
    paid: bool,
    now: Timestamp,
) -> Result<Proved, Refusal> {
    let proved = match row.state.clone() {
        _ if row.expires_at.is_over(now) => return Err(Refusal::CeremonyOver),
        State::Proved(proved) => proved,
        State::Begun => return Err(Refusal::CeremonyPending),
        State::Redeemed | State::Failed => return Err(Refusal::CeremonyOver),
    };
    if !paid {
        return Err(Refusal::CeremonyOver);
    }
    let right = Completion::parse(&row.return_to, completion)
        .is_ok_and(|completion| completion.matches(&row.id, &proved.completion_hash));
    match right {
        true => Ok(proved),
        false => Err(Refusal::CompletionWrong { tries_left: row.tries_left }),
    }
}

fn new_passkey(
    row: &CeremonyRow,
    proved: &Proved,
    id: PasskeyId,
    now: Timestamp,
) -> Result<NewPasskey, Failure> {
    let lost = || Failure::internal("a registration without its proof");
    let proof = proved.proof.as_deref().ok_or_else(lost)?;
    let attested: Attested = serde_json::from_str(proof).map_err(Failure::internal)?;
    let BegunBy::Device { enrollment, .. } = &row.by else { return Err(lost()) };
    Ok(NewPasskey {
        id,
        label: row.label.clone().ok_or_else(lost)?,
        attachment: row.attachment.ok_or_else(lost)?,
        enrollment: enrollment.clone(),
        reported: attested.reported(),
        credential_id: attested.credential_id,
        credential: attested.credential,
        resident: attested.resident,
        aaguid: attested.aaguid,
        transports: attested.transports,
        registered_at: now,
    })
}

/// The first passkey fixes the relying party: passkeys of one are worth nothing to another.
async fn fix_relying_party(tx: &mut Tx<'_>, party: &Arc<RelyingParty>) -> Result<(), Failure> {
    match meta::get(tx, meta::RP_ID).await? {
        None => Ok(meta::set(tx, meta::RP_ID, party.id()).await?),
        Some(fixed) if fixed == party.id() => Ok(()),
        Some(_) => Err(Refusal::PasskeysUnavailable.into()),
    }
}

fn act_text(act: &BoundActBody) -> Result<String, Failure> {
    serde_json::to_string(act).map_err(Failure::internal)
}

fn read_act(text: &str) -> Result<BoundAction, Failure> {
    let body: BoundActBody = serde_json::from_str(text).map_err(Failure::internal)?;
    Ok(body.into())
}
