//! A machine puts a key of its own in the place of the one that was handed out.
//!
//! The connection proves the old key, the certificate request the new one. One transaction: the new key, its
//! certificate, the old key's end. Of many who hold the file one is first, and all others hear that it was used:
//! so a stolen file does not go unnoticed.

use super::enroll::csr_refusal;
use super::key_holders::may_be_devices;
use super::notices::News;
use super::{RequestContext, Service, Turn};
use crate::failure::Failure;
use crate::pki;
use crate::store::Tx;
use crate::store::enrollments::{self, StoredCertificate};
use crate::store::provisioned::{self, Key};
use landfall_crypto::csr;
use landfall_crypto::key::PublicKey;
use landfall_identity::authorize::Object;
use landfall_identity::id::EnrollmentId;
use landfall_identity::notice::{By, Happening};
use landfall_identity::{DeviceState, Refusal, SpiffeId, UserName};
use landfall_protocol::enroll::CertIssued;
use landfall_protocol::provisioned::ClaimRequest;

/// What is made before the write.
struct Candidate {
    id: EnrollmentId,
    key: PublicKey,
    certificate: StoredCertificate,
}

impl Service {
    /// Swaps the key that was handed out for one that the machine made. The old one opens nothing any more.
    ///
    /// # Errors
    /// A refusal; [`Refusal::CredentialClaimed`] when somebody was faster.
    pub async fn claim_credential(
        &self,
        request: RequestContext,
        body: ClaimRequest,
    ) -> Result<CertIssued, Failure> {
        let asked = csr::public_key_of(body.csr.as_bytes());
        // Signed before, decided inside: who is refused gets nothing of it.
        let candidate = match &asked {
            Ok(key) => self.own_candidate(&request, *key)?,
            Err(_) => None,
        };
        let error = asked.err();
        let service = self.clone();
        let (spiffe_id, certificate, thumbprint) = self
            .perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
                let old = provisioned::by_id(tx, &turn.caller.enrollment).await?;
                if let Some(old) = &old {
                    turn.about(format!("key {} of machine {}", old.id, old.machine.name));
                }
                turn.authorize(tx, &Object::Own, None).await?;
                if let Some(error) = error {
                    return Err(csr_refusal(error));
                }
                let old = old.ok_or(Refusal::Forbidden)?;
                let lost = || Failure::internal("a machine's key without its candidate");
                let new = candidate.as_ref().ok_or_else(lost)?;
                service.swap(tx, turn, &old, new).await?;
                service.tell_of_claim(tx, turn, &old).await?;
                turn.about(format!(
                    "key {} of machine {}, whose own key {} takes its place",
                    old.id, old.machine.name, new.id
                ));
                let spiffe_id = turn.caller.spiffe_id.clone();
                Ok((spiffe_id, new.certificate.clone(), old.thumbprint))
            })
            .await?;
        self.cutter.cut(&thumbprint);
        Ok(self.machine_certificate(spiffe_id, &certificate))
    }

    /// The new key with its certificate, when the connection's key is a machine's.
    fn own_candidate(
        &self,
        request: &RequestContext,
        key: PublicKey,
    ) -> Result<Option<Candidate>, Failure> {
        let Some(peer) = &request.peer else { return Ok(None) };
        let thumbprint = peer.thumbprint.clone();
        let old = self
            .store
            .glance(async |tx: &mut Tx<'_>| provisioned::by_thumbprint(tx, &thumbprint).await)?;
        let Some(old) = old else { return Ok(None) };
        let id = EnrollmentId::from_bits(self.ambient.row_bits());
        let issued = self.pki.issue(&self.id_of(&old.machine), &key)?;
        let certificate = pki::stored(&issued, &id, self.ambient.now());
        Ok(Some(Candidate { id, key, certificate }))
    }

    async fn swap(
        &self,
        tx: &mut Tx<'_>,
        turn: &Turn,
        old: &Key,
        new: &Candidate,
    ) -> Result<(), Failure> {
        if old.file_hash.is_none() {
            // The machine made this one itself: there is nothing that travelled.
            return Err(Refusal::Forbidden.into());
        }
        let thumbprint = new.key.thumbprint().to_string();
        may_be_devices(tx, &thumbprint, turn.now).await?;
        let successor = Key {
            id: new.id.clone(),
            machine: old.machine.clone(),
            thumbprint,
            spki: new.key.spki(),
            state: DeviceState::Active,
            enrolled_at: turn.now,
            last_seen_at: turn.now,
            provisioned_by: old.provisioned_by.clone(),
            approved_by: old.approved_by.clone(),
            file_hash: None,
            expires_at: None,
            claimed_at: None,
        };
        provisioned::insert_key(tx, &successor).await?;
        if !provisioned::claim(tx, &old.id, &new.id, turn.now).await? {
            // Inside one writer the state was read a moment ago; on another database this is the race.
            return Err(Refusal::CredentialClaimed { at: turn.now }.into());
        }
        let revoked = DeviceState::Revoked { at: turn.now };
        enrollments::set_state(tx, &old.id, revoked).await?;
        self.end_key(tx, turn, (&old.id, &old.thumbprint)).await?;
        enrollments::insert_certificate(tx, &new.certificate, None).await?;
        enrollments::renewed(tx, &new.id, turn.now, new.certificate.not_after).await?;
        Ok(())
    }

    /// Tells whoever had the key made, and whoever agreed: if it was not their machine that used it, they
    /// are the ones who know.
    async fn tell_of_claim(&self, tx: &mut Tx<'_>, turn: &Turn, old: &Key) -> Result<(), Failure> {
        let people = [Some(&old.provisioned_by), old.approved_by.as_ref()];
        let mut users: Vec<&UserName> =
            people.into_iter().flatten().filter_map(|id| id.principal.user()).collect();
        users.dedup();
        for user in users {
            let news = News {
                tenant: turn.tenant().clone(),
                user: user.clone(),
                at: turn.now,
                what: Happening::MachineClaimed { machine: old.machine.name.clone() },
                by: By::File,
                source: turn.source.clone(),
            };
            self.tell(tx, news).await?;
        }
        Ok(())
    }

    fn machine_certificate(
        &self,
        spiffe_id: SpiffeId,
        certificate: &StoredCertificate,
    ) -> CertIssued {
        CertIssued {
            spiffe_id,
            trust_domain: self.pki.trust_domain().clone(),
            certificate_chain: self.pki.chain_pem(&certificate.der),
            trust_bundle: self.pki.trust_bundle_pem(),
            not_after: certificate.not_after.into(),
            renew_at: self.pki.renew_at(certificate.issued_at).into(),
            grant: None,
            server_time: self.ambient.now().into(),
        }
    }
}
