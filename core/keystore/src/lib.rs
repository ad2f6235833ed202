//! Where device keys live: one contract, several stores.
//!
//! A [`KeyStore`] makes P-256 keys (and Ed25519 keys, for agents), tells their public halves, and signs. The private half never
//! comes out. Nothing signs raw bytes that a caller chose: every call names a [`Purpose`], and the
//! store itself checks that the bytes have that purpose's shape, so that a signature made for one
//! protocol can never be shown in another.
//!
//! [`MemoryKeyStore`] forgets, [`FileKeyStore`] keeps PKCS#8 files in a private folder. Hardware
//! (TPM, PKCS#11, Secure Enclave, Android, Windows) implements the same trait and runs the same
//! contract suite, `testing::contract_suite`.

mod file;
mod handle;
mod memory;
mod purpose;
mod signer;
#[cfg(test)]
mod testing;

pub use file::FileKeyStore;
pub use handle::{HANDLE_MAX, HandleError, KeyHandle};
pub use memory::MemoryKeyStore;
pub use purpose::{OwnFormat, Purpose};
pub use signer::{StoredAgentKey, StoredKey};

use landfall_crypto::aauth::{AgentKey, AgentSignature, Algorithm};
use landfall_crypto::{PublicKey, Signature};
use std::path::PathBuf;

/// Keys that one store may hold; a device needs a handful.
pub const KEYS_MAX: usize = 1000;

/// A home for private keys. All calls are synchronous and silent: no store asks the person anything.
pub trait KeyStore: Send + Sync {
    /// Makes a key under `handle`. It is durable when this returns.
    ///
    /// # Errors
    /// [`KeyStoreError::Exists`] when there is one already: no key is ever replaced.
    fn create(&self, handle: &KeyHandle) -> Result<PublicKey, KeyStoreError>;

    /// The public half of the key under `handle`.
    ///
    /// # Errors
    /// [`KeyStoreError::NotFound`] when there is none.
    fn public(&self, handle: &KeyHandle) -> Result<PublicKey, KeyStoreError>;

    /// Signs `message` (ES256: hashed with SHA-256) with the key under `handle`.
    ///
    /// # Errors
    /// [`KeyStoreError::WrongShape`] when the bytes are not what `purpose` signs.
    fn sign(
        &self,
        handle: &KeyHandle,
        purpose: Purpose,
        message: &[u8],
    ) -> Result<Signature, KeyStoreError>;

    /// Makes an agent's key under `handle`, as [`Self::create`] makes a device's. A store whose hardware
    /// knows P-256 alone need not write these three methods.
    ///
    /// # Errors
    /// As [`Self::create`]; [`KeyStoreError::Algorithm`] when the store makes no such keys.
    fn create_agent(
        &self,
        handle: &KeyHandle,
        algorithm: Algorithm,
    ) -> Result<AgentKey, KeyStoreError> {
        match algorithm {
            Algorithm::Es256 => self.create(handle).map(AgentKey::p256),
            Algorithm::Ed25519 => Err(KeyStoreError::Algorithm),
        }
    }

    /// The public half of an agent's key.
    ///
    /// # Errors
    /// As [`Self::public`].
    fn agent_public(&self, handle: &KeyHandle) -> Result<AgentKey, KeyStoreError> {
        self.public(handle).map(AgentKey::p256)
    }

    /// Signs `message` with an agent's key.
    ///
    /// # Errors
    /// As [`Self::sign`].
    fn sign_agent(
        &self,
        handle: &KeyHandle,
        purpose: Purpose,
        message: &[u8],
    ) -> Result<AgentSignature, KeyStoreError> {
        let signature = self.sign(handle, purpose, message)?;
        AgentSignature::from_raw(signature.fixed()).map_err(|_| KeyStoreError::Library)
    }

    /// Destroys the key under `handle`.
    ///
    /// # Errors
    /// [`KeyStoreError::NotFound`] when there is none.
    fn delete(&self, handle: &KeyHandle) -> Result<(), KeyStoreError>;

    /// Every handle in use, sorted; at most [`KEYS_MAX`].
    ///
    /// # Errors
    /// When the store cannot be read.
    fn list(&self) -> Result<Vec<KeyHandle>, KeyStoreError>;

    /// Proves that a key could be made and kept now, without leaving anything behind. Asked before
    /// a single-use token is spent.
    ///
    /// # Errors
    /// What [`Self::create`] would fail with.
    fn probe_writable(&self) -> Result<(), KeyStoreError>;
}

/// Why a key store did not do it. Each message says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// There is no such key.
    #[error("there is no key called `{0}` on this machine; enrol again with --replace")]
    NotFound(KeyHandle),
    /// There is such a key already.
    #[error(
        "a key called `{0}` exists; it is never replaced: delete it first, or use another name"
    )]
    Exists(KeyHandle),
    /// The store is full.
    #[error("this key store holds {KEYS_MAX} keys already; delete keys that are no longer used")]
    Full,
    /// The bytes do not have the purpose's shape.
    #[error("the key signs only what it is for, and this is no {0}; report this as a bug")]
    WrongShape(&'static str),
    /// The folder or a file in it cannot be used.
    #[error(
        "the key folder {path} cannot be {did}: {source}; check that it is on a disk with \
             room, and that you own it"
    )]
    Storage {
        /// Which.
        path: PathBuf,
        /// What was tried: `read`, `written`, ...
        did: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others could read the keys.
    #[error(
        "{path} can be read by other users of this machine; run `chmod {mode} {path}` and \
             consider enrolling this device again"
    )]
    Exposed {
        /// Which.
        path: PathBuf,
        /// The right permissions.
        mode: &'static str,
    },
    /// A key is there and cannot be used.
    #[error(
        "the key `{0}` is damaged; restore its file from a backup, or enrol again with \
             --replace"
    )]
    Damaged(KeyHandle),
    /// The key is an agent's, for Ed25519, and a device's was asked for.
    #[error(
        "the key `{0}` is an agent's and signs for no device; use another name for the device's"
    )]
    AgentOnly(KeyHandle),
    /// The store makes no keys for this algorithm.
    #[error("this key store makes no Ed25519 keys; ask for ES256, or keep the key in a file store")]
    Algorithm,
    /// The cryptographic library or the hardware failed.
    #[error("the cryptographic library failed; try again, and report this if it stays")]
    Library,
}
