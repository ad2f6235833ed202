//! One key of a store, for one purpose, as the [`Signer`] that the makers of requests and HTTP
//! signatures take.

use crate::{KeyHandle, KeyStore, KeyStoreError, Purpose};
use landfall_crypto::aauth::{AgentKey, AgentSignature, AgentSigner, Signs};
use landfall_crypto::{PublicKey, Signature, Signer, SignerError};
use std::sync::Arc;

/// A key in its store, and what it is to sign.
pub struct StoredKey<'a> {
    store: &'a dyn KeyStore,
    handle: KeyHandle,
    purpose: Purpose,
    public: PublicKey,
}

impl<'a> StoredKey<'a> {
    /// Finds the key.
    ///
    /// # Errors
    /// As [`KeyStore::public`].
    pub fn find(
        store: &'a dyn KeyStore,
        handle: &KeyHandle,
        purpose: Purpose,
    ) -> Result<Self, KeyStoreError> {
        let public = store.public(handle)?;
        Ok(Self { store, handle: handle.clone(), purpose, public })
    }
}

impl Signer for StoredKey<'_> {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        self.store
            .sign(&self.handle, self.purpose, message)
            .map_err(|error| SignerError(Box::new(error)))
    }
}

/// An agent's key in its store: what it signs is told with each message, and checked by the store.
#[derive(Clone)]
pub struct StoredAgentKey {
    store: Arc<dyn KeyStore>,
    handle: KeyHandle,
    public: AgentKey,
}

impl StoredAgentKey {
    /// Finds the key.
    ///
    /// # Errors
    /// As [`KeyStore::agent_public`].
    pub fn find(store: Arc<dyn KeyStore>, handle: &KeyHandle) -> Result<Self, KeyStoreError> {
        let public = store.agent_public(handle)?;
        Ok(Self { store, handle: handle.clone(), public })
    }
}

impl AgentSigner for StoredAgentKey {
    fn agent_key(&self) -> AgentKey {
        self.public
    }

    fn sign_as(&self, what: Signs, message: &[u8]) -> Result<AgentSignature, SignerError> {
        let purpose = match what {
            Signs::Request => Purpose::HttpSignature,
            Signs::NamingJwt | Signs::AgentToken => Purpose::Jwt(what),
        };
        self.store
            .sign_agent(&self.handle, purpose, message)
            .map_err(|error| SignerError(Box::new(error)))
    }
}
