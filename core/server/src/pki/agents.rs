//! The keys that agents have to do with: what signs their tokens and capabilities, and which keys are never
//! theirs.

use super::{CAPABILITY_KEY, Pki, PkiError, opened};
use crate::failure::Failure;
use crate::store::meta::SealedKey;
use landfall_crypto::aauth::documents::METADATA_PATH;
use landfall_crypto::aauth::{
    AgentClaims, AgentKey, AgentKeyPair, KeySource, Request, ServerId, SignedFields, Signing,
    agent_token, sign,
};
use landfall_crypto::capability::{CapabilityClaims, CapabilityIssuer};
use landfall_crypto::certificate::CertificateFacts;
use landfall_crypto::envelope::MasterKey;
use landfall_crypto::jwt::JwtError;
use landfall_crypto::key::KeyPair;
use landfall_crypto::thumbprint::{Jwk, Thumbprint};
use landfall_identity::Timestamp;

impl Pki {
    /// Whether a key is one of the server's own.
    pub fn holds(&self, thumbprint: &str) -> bool {
        self.own.iter().any(|own| own.as_str() == thumbprint)
    }

    /// The key that signs agents' tokens.
    ///
    /// # Errors
    /// [`Failure::Internal`] beside a server that has not started since there are agents.
    pub fn agent_provider_key(&self) -> Result<AgentKey, Failure> {
        self.agent_key().map(AgentKeyPair::public_key)
    }

    /// What that key is called in its key set.
    ///
    /// # Errors
    /// As [`Self::agent_provider_key`].
    pub fn agent_provider_kid(&self) -> Result<String, Failure> {
        Ok(self.agent_provider_key()?.thumbprint().to_string())
    }

    /// Signs an agent's token.
    ///
    /// # Errors
    /// [`Failure::Internal`] when signing fails.
    pub fn sign_agent_token(&self, claims: &AgentClaims) -> Result<String, Failure> {
        let kid = self.agent_provider_kid()?;
        agent_token::mint(claims, &kid, self.agent_key()?).map_err(Failure::internal)
    }

    /// Signs a request of the provider's own, to a person server: with the key of its key set, found through
    /// its metadata.
    ///
    /// # Errors
    /// [`Failure::Internal`] when signing fails.
    pub fn sign_as_provider(
        &self,
        issuer: &ServerId,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<SignedFields, Failure> {
        let source = KeySource::JwksUri {
            id: issuer.to_string(),
            dwk: METADATA_PATH.rsplit('/').next().unwrap_or_default().to_owned(),
            kid: self.agent_provider_kid()?,
        };
        let signing = Signing { source: &source, created: now, components: &[], digest: true };
        sign(request, &signing, self.agent_key()?).map_err(Failure::internal)
    }

    /// The key that signs capabilities, for `jwks.json`.
    pub fn capability_jwk(&self) -> Option<Jwk> {
        self.capabilities.as_ref().map(CapabilityIssuer::jwk)
    }

    /// Signs a capability.
    ///
    /// # Errors
    /// [`Failure::Internal`] when signing fails.
    pub fn sign_capability(&self, claims: &CapabilityClaims) -> Result<String, Failure> {
        let missing = || Failure::internal("the key of capabilities is missing");
        let issuer = self.capabilities.as_ref().ok_or_else(missing)?;
        issuer.sign(claims).map_err(Failure::internal)
    }

    /// Reads a capability of this server's.
    ///
    /// # Errors
    /// [`JwtError`] for anything else.
    pub fn read_capability(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<CapabilityClaims, JwtError> {
        self.capabilities.as_ref().ok_or(JwtError::UnknownKey)?.read(token, now)
    }

    fn agent_key(&self) -> Result<&AgentKeyPair, Failure> {
        let missing = || Failure::internal("the key of agents' tokens is missing");
        self.agent_key.as_ref().ok_or_else(missing)
    }
}

/// Who signs capabilities; none beside a server that has not started since there are agents.
pub(super) fn capability_issuer(
    rows: &[SealedKey],
    issuer: &str,
    master: &MasterKey,
) -> Result<Option<CapabilityIssuer>, PkiError> {
    if !rows.iter().any(|row| row.name == CAPABILITY_KEY) {
        return Ok(None);
    }
    let (key, _) = opened(rows, CAPABILITY_KEY, master)?;
    Ok(Some(CapabilityIssuer::new(issuer, &KeyPair::from_pkcs8(key.expose())?)?))
}

/// The public names of the keys that these certificates are for.
pub(super) fn certified_keys(certificates: &[&[u8]]) -> Vec<Thumbprint> {
    let facts = certificates.iter().filter_map(|der| CertificateFacts::read(der).ok());
    facts.map(|facts| facts.public_key.thumbprint()).collect()
}
