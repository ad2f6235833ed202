//! Keys that end with the process.

use crate::{KEYS_MAX, KeyHandle, KeyStore, KeyStoreError, Purpose};
use landfall_crypto::{KeyPair, PublicKey, Signature, Signer};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A store in memory, for short-lived clients.
#[derive(Default)]
pub struct MemoryKeyStore {
    keys: Mutex<BTreeMap<KeyHandle, KeyPair>>,
}

impl MemoryKeyStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The map is never left half changed, so a panic elsewhere does not spoil it.
    fn keys(&self) -> MutexGuard<'_, BTreeMap<KeyHandle, KeyPair>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyStore for MemoryKeyStore {
    fn create(&self, handle: &KeyHandle) -> Result<PublicKey, KeyStoreError> {
        let mut keys = self.keys();
        if keys.contains_key(handle) {
            return Err(KeyStoreError::Exists(handle.clone()));
        }
        if keys.len() >= KEYS_MAX {
            return Err(KeyStoreError::Full);
        }
        let key = KeyPair::generate().map_err(|_| KeyStoreError::Library)?;
        let public = key.public_key();
        keys.insert(handle.clone(), key);
        Ok(public)
    }

    fn public(&self, handle: &KeyHandle) -> Result<PublicKey, KeyStoreError> {
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
