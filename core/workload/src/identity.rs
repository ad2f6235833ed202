//! What is held of a workload's identity.

use landfall_client::Failure;
use landfall_crypto::KeyPair;
use landfall_crypto::key_set::KeySet;
use landfall_crypto::secret::SecretBytes;
use landfall_identity::{SpiffeId, Timestamp, TrustDomain};
use landfall_protocol::ErrorCode;
use landfall_protocol::workload::WorkloadIssued;
use serde_json::{Value, json};

/// What the server calls keys for JWT-SVIDs in its bundle.
const SVID_USE: &str = "jwt-svid";

/// An X.509-SVID with its key, and what to believe others by.
pub struct Identity {
    /// Who the workload is.
    pub spiffe_id: SpiffeId,
    /// The trust domain.
    pub trust_domain: TrustDomain,
    /// The certificate and its issuer, DER, one after the other, leaf first.
    pub chain: Vec<u8>,
    /// The key, PKCS#8.
    pub key: SecretBytes,
    /// The root certificates, DER, one after the other.
    pub roots: Vec<u8>,
    /// The keys of JWT-SVIDs, as a JWK set.
    pub jwt_keys: Vec<u8>,
    /// Since when it is held; tells one from the next.
    pub renew_at: Timestamp,
    /// When it ends.
    pub not_after: Timestamp,
}

impl Identity {
    /// Puts together what the server answered.
    ///
    /// # Errors
    /// `answer-unreadable`.
    pub(crate) fn of(
        issued: WorkloadIssued,
        key: &KeyPair,
        bundle: &[u8],
    ) -> Result<Self, Failure> {
        let chain = issued.certificate_chain.as_deref().map(der_of).unwrap_or_default();
        let (roots, jwt_keys) = (der_of(&issued.trust_bundle), jwt_keys_of(bundle)?);
        if chain.is_empty() || roots.is_empty() || KeySet::of_bundle(&jwt_keys).is_err() {
            return Err(unreadable());
        }
        let key = key.to_pkcs8().map_err(|_| unreadable())?;
        Ok(Self {
            spiffe_id: issued.spiffe_id,
            trust_domain: issued.trust_domain,
            chain,
            key,
            roots,
            jwt_keys,
            renew_at: issued.renew_at.0,
            not_after: issued.not_after.0,
        })
    }

    /// The trust domain as clients name it.
    pub(crate) fn trust_domain_id(&self) -> String {
        format!("spiffe://{}", self.trust_domain)
    }
}

fn der_of(pem: &str) -> Vec<u8> {
    let blocks = pem::parse_many(pem).unwrap_or_default();
    blocks.into_iter().flat_map(pem::Pem::into_contents).collect()
}

/// Of a trust bundle those keys alone that JWT-SVIDs are checked by: who asks for them takes every key of
/// the answer for one.
fn jwt_keys_of(bundle: &[u8]) -> Result<Vec<u8>, Failure> {
    let bundle: Value = serde_json::from_slice(bundle).map_err(|_| unreadable())?;
    let all = bundle["keys"].as_array().ok_or_else(unreadable)?;
    let keys: Vec<&Value> = all.iter().filter(|key| key["use"] == SVID_USE).collect();
    Ok(json!({ "keys": keys }).to_string().into_bytes())
}

fn unreadable() -> Failure {
    let why = "The answer is not one that this version of Landfall understands. Update Landfall.";
    Failure::new(ErrorCode::AnswerUnreadable, why)
}
