//! Keys that end with the process.

use crate::{KEYS_MAX, KeyHandle, KeyStore, KeyStoreError, Purpose};
use landfall_crypto::aauth::{AgentKey, AgentKeyPair, AgentSignature, Algorithm};
use landfall_crypto::{KeyPair, PublicKey, Signature, Signer};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A store in memory, for short-lived clients.
#[derive(Default)]
pub struct MemoryKeyStore {
    keys: Mutex<BTreeMap<KeyHandle, AgentKeyPair>>,
}

impl MemoryKeyStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A store with one key that was made elsewhere: for as long as that key is needed, and no longer.
    pub fn holding(handle: KeyHandle, key: KeyPair) -> Self {
        Self { keys: Mutex::new(BTreeMap::from([(handle, AgentKeyPair::Es256(key))])) }
    }

    /// The map is never left half changed, so a panic elsewhere does not spoil it.
    fn keys(&self) -> MutexGuard<'_, BTreeMap<KeyHandle, AgentKeyPair>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyStore for MemoryKeyStore {
    fn create(&self, handle: &KeyHandle) -> Result<PublicKey, KeyStoreError> {
        let key = self.create_agent(handle, Algorithm::Es256)?;
        key.as_p256().ok_or(KeyStoreError::Library)
    }

    fn create_agent(
        &self,
        handle: &KeyHandle,
        algorithm: Algorithm,
    ) -> Result<AgentKey, KeyStoreError> {
        let mut keys = self.keys();
        if keys.contains_key(handle) {
            return Err(KeyStoreError::Exists(handle.clone()));
        }
        if keys.len() >= KEYS_MAX {
            return Err(KeyStoreError::Full);
        }
        let key = AgentKeyPair::generate(algorithm).map_err(|_| KeyStoreError::Library)?;
        let public = key.public_key();
        keys.insert(handle.clone(), key);
        Ok(public)
    }

    fn public(&self, handle: &KeyHandle) -> Result<PublicKey, KeyStoreError> {
        let key = self.agent_public(handle)?;
        key.as_p256().ok_or_else(|| KeyStoreError::AgentOnly(handle.clone()))
    }

    fn agent_public(&self, handle: &KeyHandle) -> Result<AgentKey, KeyStoreError> {
        let keys = self.keys();
        let key = keys.get(handle).ok_or_else(|| KeyStoreError::NotFound(handle.clone()))?;
        Ok(key.public_key())
    }

    fn sign(
        &self,
        handle: &KeyHandle,
        purpose: Purpose,
        message: &[u8],
    ) -> Result<Signature, KeyStoreError> {
        purpose.check(message)?;
        let keys = self.keys();
        match keys.get(handle) {
            Some(AgentKeyPair::Es256(key)) => key.sign(message).map_err(|_| KeyStoreError::Library),
            Some(AgentKeyPair::Ed25519(_)) => Err(KeyStoreError::AgentOnly(handle.clone())),
            None => Err(KeyStoreError::NotFound(handle.clone())),
        }
    }

    fn sign_agent(
        &self,
        handle: &KeyHandle,
        purpose: Purpose,
        message: &[u8],
    ) -> Result<AgentSignature, KeyStoreError> {
        purpose.check(message)?;
        let keys = self.keys();
        let key = keys.get(handle).ok_or_else(|| KeyStoreError::NotFound(handle.clone()))?;
        key.sign(message).map_err(|_| KeyStoreError::Library)
    }

    fn delete(&self, handle: &KeyHandle) -> Result<(), KeyStoreError> {
        let removed = self.keys().remove(handle);
        removed.map(drop).ok_or_else(|| KeyStoreError::NotFound(handle.clone()))
    }

    fn list(&self) -> Result<Vec<KeyHandle>, KeyStoreError> {
        Ok(self.keys().keys().cloned().collect())
    }

    fn probe_writable(&self) -> Result<(), KeyStoreError> {
        if self.keys().len() < KEYS_MAX { Ok(()) } else { Err(KeyStoreError::Full) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_contract() {
        crate::testing::contract_suite(|| Box::new(MemoryKeyStore::new()));
    }
}
