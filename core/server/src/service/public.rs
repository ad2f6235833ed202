//! What anyone may read: who this server is, and what to trust it by.

use super::Service;
use crate::failure::Failure;
use crate::store::{Tx, enrollments};
use landfall_protocol::meta::{API_VERSION, WellKnown};
use serde_json::{Value, json};

/// How long a trust bundle may be kept before it is read again (SPIFFE Trust Domain and Bundle,
/// section 4.1.2).
const BUNDLE_REFRESH_SECONDS: u64 = 3600;
/// Grows with what stands in the bundle (section 4.1.1): the key of JWT-SVIDs came second.
const BUNDLE_SEQUENCE: u64 = 2;

impl Service {
    /// What this server says of itself.
    pub fn well_known(&self) -> WellKnown {
        WellKnown {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            api_min: API_VERSION,
            api_max: API_VERSION,
            url: self.settings.public_url.clone(),
            ceremony_origin: self.settings.relying_party.as_ref().map(|party| party.origin()),
            trust_domain: self.pki.trust_domain().clone(),
            trust: self.pki.trust().to_owned(),
            server_time: self.ambient.now().into(),
        }
    }

    /// The root certificates, PEM.
    pub fn trust_bundle_pem(&self) -> String {
        self.pki.trust_bundle_pem()
    }

    /// The trust bundle as a JWK set (SPIFFE Trust Domain and Bundle, section 4).
    ///
    /// # Errors
    /// [`Failure::Internal`] when our own root cannot be read.
    pub fn spiffe_bundle(&self) -> Result<Value, Failure> {
        Ok(json!({
            "keys": self.pki.bundle_keys()?,
            "spiffe_sequence": BUNDLE_SEQUENCE,
            "spiffe_refresh_hint": BUNDLE_REFRESH_SECONDS,
        }))
    }

    /// The keys that sign tokens (RFC 7517, section 5).
    pub fn jwks(&self) -> Value {
        let capabilities = self.pki.capability_jwk();
        let keys: Vec<_> =
            [Some(self.pki.session_jwk()), capabilities].into_iter().flatten().collect();
        json!({ "keys": keys })
    }

    /// The keys that sign calls of webhooks (RFC 7517, section 5): a set of their own, so that whoever
    /// believes a token believes no key that was not made for tokens.
    pub fn webhook_keys(&self) -> Value {
        json!({ "keys": self.pki.webhook_jwk().into_iter().collect::<Vec<_>>() })
    }

    /// The revocation list of people's certificates, DER.
    ///
    /// # Errors
    /// [`Failure`] from the store or the signer.
    pub async fn crl(&self) -> Result<Vec<u8>, Failure> {
        let now = self.ambient.now();
        let revoked = self
            .store
            .read(async |tx: &mut Tx<'_>| enrollments::revoked_certificates(tx, now).await)
            .await?;
        self.pki.revocation_list(&revoked)
    }
}
