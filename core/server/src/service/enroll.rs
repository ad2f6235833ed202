//! A first certificate, by a token.
//!
//! Load: the token, by its public name. Decide: the secret, the names, the state. Sign, outside the
//! writer. Apply: one conditional UPDATE, the enrolment, the certificate and the audit row, together.
//! A loser's certificate is dropped.

use super::break_glass::is_emergency;
use super::key_holders::may_be_devices;
use super::notices::News;
use super::perform::{Notes, note, recorder};
use super::readiness_facts::is_acting_admin;
use super::{RequestContext, Service, roles, tokens::used};
use crate::failure::Failure;
use crate::pki;
use crate::store::enrollments::{Enrollment, StoredCertificate};
use crate::store::tokens::Token;
use crate::store::users::User;
use crate::store::{Lane, Tx, enrollments, tokens, users};
use landfall_crypto::ca::IssuedCertificate;
use landfall_crypto::csr;
use landfall_crypto::door::{AuthHalf, AuthHash};
use landfall_crypto::key::PublicKey;
use landfall_identity::caller::Role;
use landfall_identity::grant::{EnrollmentGrant, GRANT_TTL};
use landfall_identity::id::{EnrollmentId, GrantId};
use landfall_identity::notice::{By, Happening};
use landfall_identity::spiffe::{Principal, SpiffeId};
use landfall_identity::token::{Redemption, RedemptionRefusal, TokenKind};
use landfall_identity::{DeviceName, DeviceState, Label, Refusal, TenantName, Timestamp, UserName};
use landfall_protocol::enroll::{CertIssueRequest, CertIssued, GrantInfo};
use std::sync::Arc;

/// Whose certificate it will be: the token's names, and the request's where the token leaves them
/// open.
#[derive(Clone)]
struct Names {
    user: UserName,
    device: DeviceName,
}

/// Everything that the write needs, made before it.
struct Candidate {
    token: Token,
    names: Names,
    label: Option<Label>,
    key: PublicKey,
    enrollment: EnrollmentId,
    grant: EnrollmentGrant,
    certificate: IssuedCertificate,
    webauthn_handle: [u8; 16],
}

/// What a redemption yielded.
struct Enrolled {
    spiffe_id: SpiffeId,
    certificate: StoredCertificate,
    grant: Option<EnrollmentGrant>,
    /// Whether it is the same one again, for the same key.
    again: bool,
}

impl Service {
    /// Consumes a token: one certificate for one user on one device. The same key again, within the
    /// token's lifetime, gets the same certificate; any other key gets nothing.
    ///
    /// # Errors
    /// To strangers one answer, [`Refusal::TokenInvalid`]; to who holds the secret the true reason.
    pub async fn enroll(
        &self,
        request: RequestContext,
        body: CertIssueRequest,
    ) -> Result<CertIssued, Failure> {
        let key = csr::public_key_of(body.csr.as_bytes()).map_err(csr_refusal)?;
        let now = self.ambient.now();
        let token = self.token_of(&body)?;
        let notes = Notes::default();
        note(&notes, |seen| {
            seen.tenant = Some(token.tenant.clone());
            seen.target = format!("{} token {}", token.kind.as_str(), token.id);
        });
        let source = request.personal.source.clone();
        let record = recorder(self.ambient.clone(), request, Arc::clone(&notes), now);
        let service = self.clone();
        // A refusal that is decided here is written down like any other, by the same job.
        let prepared = match self.prepare(token, &body, key, now) {
            Ok(candidate) => Ok(candidate),
            Err(Failure::Refused(refusal)) => Err(refusal),
            Err(fault) => return Err(fault),
        };
        let trust_domain = self.pki.trust_domain().clone();
        let work = async move |tx: &mut Tx<'_>| match &prepared {
            Ok(candidate) => {
                let principal = Principal::Human {
                    tenant: candidate.token.tenant.clone(),
                    user: candidate.names.user.clone(),
                    device: candidate.names.device.clone(),
                };
                let spiffe_id = SpiffeId::new(trust_domain.clone(), principal);
                let enrolled = redeem(tx, candidate, spiffe_id, now).await?;
                if !enrolled.again {
                    let (token, names) = (&candidate.token, &candidate.names);
                    if is_emergency(token) {
                        service
                            .glass_is_broken(tx, token, &names.user, source.clone(), now)
                            .await?;
                    }
                    let news = news(candidate, source.clone(), now);
                    if token.kind == TokenKind::Invite && token.role == Role::Admin {
                        let what = Happening::AdminAdded { user: names.user.clone() };
                        service.tell_other_admins(tx, News { what, ..news.clone() }).await?;
                    }
                    service.tell(tx, news).await?;
                }
                note(&notes, |seen| seen.actor = Some(enrolled.spiffe_id.clone()));
                Ok(enrolled)
            }
            Err(refusal) => Err(refusal.clone().into()),
        };
        let enrolled = self.store.write(Lane::Known, work, record).await?;
        self.report(enrolled)
    }

    /// The token that the request holds the secret of. Unknown name and wrong secret look alike, and
    /// cost alike: the hash is computed and compared either way.
    fn token_of(&self, body: &CertIssueRequest) -> Result<Token, Failure> {
        let id = body.token_id.clone();
        let found = self.store.glance(async |tx: &mut Tx<'_>| tokens::find(tx, &id).await)?;
        let auth = AuthHalf::parse(&body.auth);
        let stored = found.as_ref().map_or([0; 32], |token| token.auth_hash);
        let holds = auth.is_ok_and(|auth| auth.matches(&AuthHash::from_bytes(stored)));
        match found {
            Some(token) if holds => Ok(token),
            Some(token) => {
                self.count_token_refusal(token.id);
                Err(Refusal::TokenInvalid.into())
            }
            None => Err(Refusal::TokenInvalid.into()),
        }
    }

    /// Counts a refused try in the strangers' lane, for the owner to see. It waits for nobody, and a
    /// full lane drops it.
    fn count_token_refusal(&self, id: landfall_identity::id::TokenId) {
        let store = self.store.clone();
        tokio::spawn(async move {
            let work = async move |tx: &mut Tx<'_>| Ok(tokens::count_refusal(tx, &id).await?);
            let nothing = async |_: &mut Tx<'_>, _: &Result<(), Failure>| Ok(());
            let _ = store.write(Lane::Stranger, work, nothing).await;
        });
    }

    /// Decides what can be decided before the write, and signs.
    fn prepare(
        &self,
        token: Token,
        body: &CertIssueRequest,
        key: PublicKey,
        now: Timestamp,
    ) -> Result<Candidate, Failure> {
        let names = names_of(&token, body)?;
        let principal = Principal::Human {
            tenant: token.tenant.clone(),
            user: names.user.clone(),
            device: names.device.clone(),
        };
        let spiffe_id = SpiffeId::new(self.pki.trust_domain().clone(), principal);
        let certificate = self.pki.issue(&spiffe_id, &key)?;
        let enrollment = EnrollmentId::from_bits(self.ambient.row_bits());
        let grant = EnrollmentGrant {
            id: GrantId::from_bits(self.ambient.row_bits()),
            held_by: enrollment.clone(),
            expires_at: now + GRANT_TTL,
        };
        let webauthn_handle =
            *uuid::Builder::from_random_bytes(self.ambient.random()).into_uuid().as_bytes();
        Ok(Candidate {
            token,
            names,
            label: body.label.clone(),
            key,
            enrollment,
            grant,
            certificate,
            webauthn_handle,
        })
    }

    fn report(&self, enrolled: Enrolled) -> Result<CertIssued, Failure> {
        Ok(CertIssued {
            spiffe_id: enrolled.spiffe_id,
            trust_domain: self.pki.trust_domain().clone(),
            certificate_chain: self.pki.chain_pem(&enrolled.certificate.der),
            trust_bundle: self.pki.trust_bundle_pem(),
            not_after: enrolled.certificate.not_after.into(),
            renew_at: self.pki.renew_at(enrolled.certificate.issued_at).into(),
            grant: enrolled
                .grant
                .map(|grant| GrantInfo { id: grant.id, expires_at: grant.expires_at.into() }),
            server_time: self.ambient.now().into(),
        })
    }
}

/// What the owner hears: a device was added, with a code of theirs or of an administrator's.
fn news(candidate: &Candidate, source: Option<String>, now: Timestamp) -> News {
    let Candidate { token, names, label, .. } = candidate;
    let maker = token.issued_by.as_ref().and_then(|text| text.parse::<SpiffeId>().ok());
    let (made_by, made_on) = match maker.map(|maker| maker.principal) {
        Some(Principal::Human { user, device, .. }) => (Some(user), Some(device)),
        _ => (None, None),
    };
    News {
        tenant: token.tenant.clone(),
        user: names.user.clone(),
        at: now,
        what: Happening::DeviceEnrolled { device: names.device.clone(), label: label.clone() },
        by: By::Code { made_by, made_on },
        source,
    }
}

pub(super) fn csr_refusal(error: csr::CsrError) -> Failure {
    match error {
        csr::CsrError::Signature => Refusal::CsrSignature,
        csr::CsrError::Key => Refusal::KeyUnsupported,
        _ => Refusal::CsrMalformed,
    }
    .into()
}

/// The names of the certificate. A token that names a user or a device is for no other.
fn names_of(token: &Token, body: &CertIssueRequest) -> Result<Names, Refusal> {
    fn settle<T: Clone + PartialEq>(
        fixed: Option<&T>,
        asked: Option<&T>,
        field: &'static str,
    ) -> Result<T, Refusal> {
        match (fixed, asked) {
            (Some(fixed), Some(asked)) if fixed != asked => Err(Refusal::TokenNamesAnother),
            (Some(name), _) | (None, Some(name)) => Ok(name.clone()),
            (None, None) => Err(Refusal::NameMissing { field }),
        }
    }
    Ok(Names {
        user: settle(token.user.as_ref(), body.user.as_ref(), "user")?,
        device: settle(token.device.as_ref(), body.device.as_ref(), "device")?,
    })
}

/// The write: what decides is read again here.
async fn redeem(
    tx: &mut Tx<'_>,
    candidate: &Candidate,
    spiffe_id: SpiffeId,
    now: Timestamp,
) -> Result<Enrolled, Failure> {
    let token = tokens::find(tx, &candidate.token.id).await?.ok_or(Refusal::TokenInvalid)?;
    let thumbprint = candidate.key.thumbprint();
    match token.state.redeem(thumbprint.as_str(), token.expires_at, now) {
        Redemption::Issue => first_use(tx, candidate, spiffe_id, now).await,
        Redemption::Resume => resume(tx, &token, spiffe_id, now).await,
        Redemption::Refuse(RedemptionRefusal::Expired { at }) => {
            Err(Refusal::TokenExpired { at }.into())
        }
        Redemption::Refuse(RedemptionRefusal::Used { at }) => Err(used(&token, at).into()),
        Redemption::Refuse(RedemptionRefusal::Cancelled { at }) => {
            Err(Refusal::TokenCancelled { at }.into())
        }
    }
}

async fn first_use(
    tx: &mut Tx<'_>,
    candidate: &Candidate,
    spiffe_id: SpiffeId,
    now: Timestamp,
) -> Result<Enrolled, Failure> {
    let Candidate { token, names, key, .. } = candidate;
    let thumbprint = key.thumbprint().as_str().to_owned();
    may_be_devices(tx, &thumbprint, now).await?;
    settle_user(tx, candidate, now).await?;
    if enrollments::find(tx, &token.tenant, &names.user, &names.device).await?.is_some() {
        return Err(Refusal::DeviceNameTaken.into());
    }
    let enrollment = Enrollment {
        id: candidate.enrollment.clone(),
        tenant: token.tenant.clone(),
        user: names.user.clone(),
        device: names.device.clone(),
        label: candidate.label.clone(),
        thumbprint: thumbprint.clone(),
        spki: key.spki(),
        state: DeviceState::Active,
        enrolled_at: now,
        last_seen_at: now,
        not_after: candidate.certificate.not_after,
    };
    enrollments::insert(tx, &enrollment).await?;
    let certificate = pki::stored(&candidate.certificate, &enrollment.id, now);
    enrollments::insert_certificate(tx, &certificate, None).await?;
    let won = tokens::consume(tx, &token.id, &thumbprint, &enrollment.id, &certificate.serial, now)
        .await?;
    if !won {
        // Inside one writer the state was read a moment ago; on another database this is the race.
        return Err(Refusal::TokenInvalid.into());
    }
    enrollments::insert_grant(tx, &candidate.grant).await?;
    Ok(Enrolled { spiffe_id, certificate, grant: Some(candidate.grant.clone()), again: false })
}

/// Makes the user of a claim or an invitation; finds the user of a device token.
async fn settle_user(
    tx: &mut Tx<'_>,
    candidate: &Candidate,
    now: Timestamp,
) -> Result<(), Failure> {
    let Candidate { token, names, .. } = candidate;
    let found = users::find(tx, &token.tenant, &names.user).await?;
    let exists = found.is_some();
    match token.kind {
        TokenKind::Device if exists => return lets_in_still(token, found.as_ref()),
        TokenKind::Device => return Err(Refusal::TokenInvalid.into()),
        TokenKind::Claim if users::any_admin(tx).await? => {
            return Err(Refusal::AlreadyClaimed.into());
        }
        TokenKind::Claim | TokenKind::Invite if exists => return Err(Refusal::UserExists.into()),
        TokenKind::Claim | TokenKind::Invite => {}
    }
    if let Some(issuer) = token.issuer.as_ref().filter(|_| token.kind == TokenKind::Invite) {
        may_invite_still(tx, &token.tenant, issuer).await?;
        if token.role == Role::Admin && roles::is_full(tx, &token.tenant).await? {
            let full = "This tenant has as many administrators as it may. Your code still works: tell whoever \
                        invited you, who can take the role from somebody first.";
            return Err(Failure::invalid("role", full));
        }
    }
    let role = if token.kind == TokenKind::Claim { Role::Admin } else { token.role };
    users::ensure_tenant(tx, &token.tenant, now).await?;
    let user = User {
        tenant: token.tenant.clone(),
        name: names.user.clone(),
        role,
        admin_since: (role == Role::Admin).then_some(now),
        admin_until: None,
        frozen_by_admin: false,
        frozen_by: None,
        frozen_at: None,
        frozen_again_at: None,
        webauthn_handle: candidate.webauthn_handle.to_vec(),
        created_at: now,
    };
    users::insert(tx, &user).await?;
    // Other invitations of this user, and other claims of this server, die with the first used one;
    // the one in hand is consumed below.
    tokens::cancel_others(tx, &token.tenant, token.kind, token.user.as_ref(), &token.id, now)
        .await?;
    Ok(())
}

/// A freeze keeps out what a code from before it would let in: whoever made one in ten stolen minutes would be in when it
/// ends. The server's own are for just that; see [`super::break_glass`].
fn lets_in_still(token: &Token, user: Option<&User>) -> Result<(), Failure> {
    let frozen = user.filter(|user| user.frozen_at.is_some() && !is_emergency(token));
    match frozen {
        Some(user) if user.frozen_by_admin => Err(Refusal::FrozenByAdmin.into()),
        Some(_) => Err(Refusal::AccountFrozen.into()),
        None => Ok(()),
    }
}

/// An invitation is as good as who made it. *An administrator whose role was taken would come back by one that was
/// made before.*
async fn may_invite_still(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    issuer: &UserName,
) -> Result<(), Failure> {
    match is_acting_admin(tx, tenant, issuer).await? {
        true => Ok(()),
        false => Err(Refusal::InviterOut.into()),
    }
}

/// The same key again: the same certificate, as long as its device may act.
async fn resume(
    tx: &mut Tx<'_>,
    token: &Token,
    spiffe_id: SpiffeId,
    now: Timestamp,
) -> Result<Enrolled, Failure> {
    let lost = || Failure::internal("a consumed token without its enrolment");
    let id = token.enrollment.as_ref().ok_or_else(lost)?;
    let enrollment = enrollments::by_id(tx, id).await?.ok_or_else(lost)?;
    match enrollment.state {
        DeviceState::Active => {}
        DeviceState::Suspended { .. } => return Err(Refusal::DeviceSuspended.into()),
        DeviceState::Revoked { .. } => return Err(Refusal::DeviceRevoked.into()),
    }
    let Principal::Human { user, device, .. } = &spiffe_id.principal else { return Err(lost()) };
    if enrollment.user != *user || enrollment.device != *device {
        return Err(Refusal::TokenNamesAnother.into());
    }
    let serial = token.certificate.as_deref().ok_or_else(lost)?;
    let certificate = enrollments::certificate(tx, serial).await?.ok_or_else(lost)?;
    let grant = enrollments::live_grant(tx, id, now).await?;
    Ok(Enrolled { spiffe_id, certificate, grant, again: true })
}
