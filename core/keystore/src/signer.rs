//! One key of a store, for one purpose, as the [`Signer`] that the makers of requests and HTTP
//! signatures take.

use crate::{KeyHandle, KeyStore, KeyStoreError, Purpose};
use landfall_crypto::{PublicKey, Signature, Signer, SignerError};

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
