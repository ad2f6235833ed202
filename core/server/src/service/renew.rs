//! The next certificate, by the enrolled key's signature.
//!
//! It works with an expired certificate, or none on the connection at all: what counts is the row of
//! the key that signed. So a laptop that slept for a month heals by itself, and a revoked one gets
//! nothing.

use super::known::Known;
use super::perform::{Notes, note, recorder};
use super::{RequestContext, Service, Turn};
use crate::failure::Failure;
use crate::pki;
use crate::store::enrollments::{Enrollment, StoredCertificate};
use crate::store::{Lane, Tx, enrollments};
use landfall_crypto::httpsig::{self, SignatureFields, VerifyError};
use landfall_crypto::key::PublicKey;
use landfall_crypto::secret::sha256;
use landfall_identity::authorize::Object;
use landfall_identity::id::EnrollmentId;
use landfall_identity::spiffe::{Principal, SpiffeId};
use landfall_identity::{Action, Refusal, Timestamp};
use landfall_protocol::enroll::CertIssued;
use std::sync::Arc;

impl Service {
    /// Renews the certificate of the key that signed the request. The same signature again answers
    /// with the same certificate.
    ///
    /// # Errors
    /// [`Refusal::SignatureInvalid`] to everybody who does not hold an enrolled key;
    /// [`Refusal::ClockSkew`] when the signature is sound and its time is not; the device's state.
    pub async fn renew(
        &self,
        request: RequestContext,
        signed: httpsig::Request<'_>,
        fields: &SignatureFields,
    ) -> Result<CertIssued, Failure> {
        let now = self.ambient.now();
        let parsed =
            httpsig::read_renewal(&signed, fields).map_err(|_| Refusal::SignatureInvalid)?;
        let thumbprint = parsed.keyid().as_str().to_owned();
        let trust_domain = self.pki.trust_domain().clone();
        let known = self
            .store
            .glance(async |tx: &mut Tx<'_>| Known::find(tx, &trust_domain, &thumbprint).await)?
            .ok_or(Refusal::SignatureInvalid)?;
        let key = PublicKey::from_spki(&known.spki).map_err(Failure::internal)?;
        // The skew is told only to who holds the key.
        let verified = match parsed.verify(&key, now) {
            Ok(verified) => Ok(sha256(&verified.signature.canonical())),
            Err(VerifyError::ClockSkew { server_time, .. }) => {
                Err(Refusal::ClockSkew { server_time })
            }
            Err(_) => return Err(Refusal::SignatureInvalid.into()),
        };
        // From here on the caller is known, and whatever happens is in the audit.
        let spiffe_id = known.spiffe_id.clone();
        let notes = Notes::default();
        note(&notes, |seen| {
            seen.actor = Some(spiffe_id.clone());
            seen.target = format!("device {}", known.device);
        });
        let issued = self.pki.issue_until(known.ends_at(), &spiffe_id, &key)?;
        let candidate = pki::stored(&issued, &known.enrollment, now);
        let record = recorder(self.ambient.clone(), request, Arc::clone(&notes), now);
        let silence_max = self.settings.renewal_silence_max;
        let rules = self.policies.of(spiffe_id.principal.tenant());
        let named = spiffe_id.clone();
        let work = async move |tx: &mut Tx<'_>| {
            let digest = verified.clone()?;
            let known = Known::find(tx, &named.trust_domain, &thumbprint).await?;
            let known = known.ok_or(Refusal::SignatureInvalid)?;
            let (enrollment, last_seen_at) = (known.enrollment.clone(), known.last_seen_at);
            let device = known.standing(now)?;
            let caller = known.caller(device, None, None);
            let turn = Turn::new(Action::RenewCertificate, caller, None, now, Arc::clone(&rules));
            let allowed = turn.authorize(tx, &Object::Own, None).await;
            note(&notes, |seen| {
                seen.judged = turn.judged();
                seen.allowed = allowed.is_ok();
            });
            allowed?;
            if now.since(last_seen_at) > silence_max {
                return Err(Refusal::RenewalTooLate.into());
            }
            renew(tx, &enrollment, &digest, &candidate, now).await
        };
        let certificate = self.store.write(Lane::Known, work, record).await?;
        Ok(CertIssued {
            spiffe_id,
            trust_domain: self.pki.trust_domain().clone(),
            certificate_chain: self.pki.chain_pem(&certificate.der),
            trust_bundle: self.pki.trust_bundle_pem(),
            not_after: certificate.not_after.into(),
            renew_at: self.pki.renew_at(certificate.issued_at).into(),
            grant: None,
            server_time: now.into(),
        })
    }

    pub(super) fn spiffe_id_of(&self, enrollment: &Enrollment) -> SpiffeId {
        let principal = Principal::Human {
            tenant: enrollment.tenant.clone(),
            user: enrollment.user.clone(),
            device: enrollment.device.clone(),
        };
        SpiffeId::new(self.pki.trust_domain().clone(), principal)
    }
}

async fn renew(
    tx: &mut Tx<'_>,
    enrollment: &EnrollmentId,
    digest: &[u8; 32],
    candidate: &StoredCertificate,
    now: Timestamp,
) -> Result<StoredCertificate, Failure> {
    if let Some(stored) = enrollments::certificate_of_renewal(tx, digest).await? {
        return Ok(stored);
    }
    enrollments::insert_certificate(tx, candidate, Some(digest)).await?;
    enrollments::renewed(tx, enrollment, now, candidate.not_after).await?;
    Ok(candidate.clone())
}
