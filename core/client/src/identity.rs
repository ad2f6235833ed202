//! How a machine comes by an identity, whichever flow leads to it: its key, its request, its profile.

use crate::client::{Client, key_handle};
use crate::failure::Failure;
use crate::renew::check_issued;
use crate::state::{Profile, ProfileName};
use crate::texts;
use landfall_crypto::csr::build_csr;
use landfall_crypto::token::Trust;
use landfall_flows::KeyRef;
use landfall_keystore::{KeyStoreError, Purpose, StoredKey};
use landfall_protocol::ErrorCode;
use landfall_protocol::enroll::CertIssued;
use std::fs::File;
use url::Url;

impl Client {
    /// Proves that there is room for an identity, and keeps other processes from making one meanwhile.
    pub(crate) fn prepare_identity(&self) -> Result<File, Failure> {
        self.home().probe_writable()?;
        self.keys().probe_writable()?;
        self.home().lock()
    }

    /// An identity that still serves is replaced only by a person who says so.
    pub(crate) fn refuse_to_replace(&self, server: &Url) -> Result<(), Failure> {
        let existing = self.home().profile(&ProfileName::of(server))?;
        match existing {
            Some(profile) if profile.ended.is_none() => {
                Err(Failure::new(ErrorCode::ProfileExists, texts::PROFILE_EXISTS))
            }
            _ => Ok(()),
        }
    }

    /// Makes a key, or finds it when it was made before.
    pub(crate) fn create_key(&self, name: &str) -> Result<KeyRef, Failure> {
        let handle = key_handle(name)?;
        let keys = self.keys();
        let public = match keys.public(&handle) {
            Err(KeyStoreError::NotFound(_)) => keys.create(&handle),
            found => found,
        };
        Ok(KeyRef { handle: handle.to_string(), thumbprint: public?.thumbprint().to_string() })
    }

    /// A key's certificate request, PEM.
    pub(crate) fn build_csr(&self, key: &KeyRef) -> Result<String, Failure> {
        let handle = key_handle(&key.handle)?;
        let signer = StoredKey::find(self.keys().as_ref(), &handle, Purpose::Csr)?;
        let der = build_csr(&signer)
            .map_err(|_| Failure::new(ErrorCode::KeyUnavailable, texts::KEY_UNAVAILABLE))?;
        Ok(pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", der)))
    }

    /// Puts the new identity in its place; only then is the key of the one before destroyed.
    pub(crate) fn keep_identity(
        &self,
        server: &Url,
        trust: Trust,
        key: KeyRef,
        issued: CertIssued,
    ) -> Result<(), Failure> {
        check_issued(&issued, &key)?;
        let home = self.home();
        let name = ProfileName::of(server);
        let before = home.profile(&name).ok().flatten();
        let profile = Profile::new(server.clone(), trust, key.clone(), issued);
        home.save_profile(&name, &profile)?;
        home.save_sessions(&name, &crate::sessions::Sessions::default())?;
        home.set_default(&name)?;
        if let Some(old) = before.filter(|old| old.key.handle != key.handle) {
            self.delete_key(&old.key.handle);
        }
        Ok(())
    }

    /// Destroys a key, unless a profile lives on it.
    pub(crate) fn delete_key_unless_used(&self, handle: &str) {
        let home = self.home();
        let names = home.profiles().unwrap_or_default();
        let used = names.iter().any(|name| match home.profile(name) {
            Ok(profile) => profile.is_some_and(|profile| profile.key.handle == handle),
            // When in doubt, no key is destroyed.
            Err(_) => true,
        });
        if !used {
            self.delete_key(handle);
        }
    }

    fn delete_key(&self, handle: &str) {
        if let Ok(handle) = key_handle(handle) {
            // A key that stays behind is useless without a certificate.
            let _ = self.keys().delete(&handle);
        }
    }
}
