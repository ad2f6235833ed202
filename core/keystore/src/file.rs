//! Keys in files: one PKCS#8 file each, in a folder that only its owner can enter.
//!
//! A key that was answered for is on the disk: the file is written under a temporary name, synced,
//! linked into place without replacing anything, and the folder is synced. A crash leaves the old
//! state or the new one.

use crate::{KEYS_MAX, KeyHandle, KeyStore, KeyStoreError, Purpose};
use landfall_crypto::aauth::{AgentKey, AgentKeyPair, AgentSignature, Algorithm};
use landfall_crypto::{PublicKey, SecretBytes, Signature, Signer};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// What key files are called: `<handle>.p8`.
const EXTENSION: &str = "p8";
/// A P-256 PKCS#8 file is 138 bytes or fewer; more than this is none.
const FILE_MAX: u64 = 1024;

/// A store in a folder of its own.
pub struct FileKeyStore {
    folder: PathBuf,
}

impl FileKeyStore {
    /// Opens the store in `folder`. A folder that is missing is made with the first key.
    ///
    /// # Errors
    /// [`KeyStoreError::Exposed`] when others can enter the folder, [`KeyStoreError::Storage`] when
    /// it cannot be looked at.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, KeyStoreError> {
        let store = Self { folder: folder.into() };
        match fs::metadata(&store.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(store),
            found => check_private(&store.folder, found, "700").map(|()| store),
        }
    }

    /// Makes the folder when it is missing, and sees to it that it is private.
    fn make_folder(&self) -> Result<(), KeyStoreError> {
        make_private_folder(&self.folder)
            .map_err(|source| storage(&self.folder, "made", source))?;
        check_private(&self.folder, fs::metadata(&self.folder), "700")
    }

    fn path(&self, handle: &KeyHandle) -> PathBuf {
        self.folder.join(format!("{handle}.{EXTENSION}"))
    }

    fn load(&self, handle: &KeyHandle) -> Result<AgentKeyPair, KeyStoreError> {
        let path = self.path(handle);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(KeyStoreError::NotFound(handle.clone()));
            }
            Err(error) => return Err(storage(&path, "read", error)),
        };
        check_private(&path, file.metadata(), "600")?;
        // The room is taken at once: a growing buffer would leave copies of the key behind.
        let mut bytes = Vec::with_capacity(FILE_MAX as usize + 1);
        let read = file.take(FILE_MAX + 1).read_to_end(&mut bytes);
        let bytes = SecretBytes::new(bytes);
        read.map_err(|error| storage(&path, "read", error))?;
        AgentKeyPair::from_pkcs8(bytes.expose()).map_err(|_| KeyStoreError::Damaged(handle.clone()))
    }

    /// Writes `bytes` to a synced file that has no lasting name yet. It vanishes when dropped.
    fn write_unnamed(&self, bytes: &[u8]) -> io::Result<NamedTempFile> {
        // `tempfile` makes files with mode 0600.
        let mut file = NamedTempFile::with_prefix_in(".new-", &self.folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(file)
    }
}

impl KeyStore for FileKeyStore {
    fn create(&self, handle: &KeyHandle) -> Result<PublicKey, KeyStoreError> {
        let key = self.create_agent(handle, Algorithm::Es256)?;
        key.as_p256().ok_or(KeyStoreError::Library)
    }

    fn create_agent(
        &self,
        handle: &KeyHandle,
        algorithm: Algorithm,
    ) -> Result<AgentKey, KeyStoreError> {
        self.make_folder()?;
        let path = self.path(handle);
        if path.try_exists().map_err(|error| storage(&path, "read", error))? {
            return Err(KeyStoreError::Exists(handle.clone()));
        }
        if self.list()?.len() >= KEYS_MAX {
            return Err(KeyStoreError::Full);
        }
        let key = AgentKeyPair::generate(algorithm).map_err(|_| KeyStoreError::Library)?;
        let der = key.to_pkcs8().map_err(|_| KeyStoreError::Library)?;
        let file = self
            .write_unnamed(der.expose())
            .map_err(|error| storage(&self.folder, "written", error))?;
        // Fails when the name was taken in the meantime: two processes cannot both win.
        match file.persist_noclobber(&path) {
            Ok(_) => {}
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(KeyStoreError::Exists(handle.clone()));
            }
            Err(error) => return Err(storage(&path, "written", error.error)),
        }
        sync_folder(&self.folder).map_err(|error| storage(&self.folder, "synced", error))?;
        Ok(key.public_key())
    }

    fn public(&self, handle: &KeyHandle) -> Result<PublicKey, KeyStoreError> {
        let key = self.agent_public(handle)?;
        key.as_p256().ok_or_else(|| KeyStoreError::AgentOnly(handle.clone()))
    }

    fn agent_public(&self, handle: &KeyHandle) -> Result<AgentKey, KeyStoreError> {
        Ok(self.load(handle)?.public_key())
    }

    fn sign(
        &self,
        handle: &KeyHandle,
        purpose: Purpose,
        message: &[u8],
    ) -> Result<Signature, KeyStoreError> {
        purpose.check(message)?;
        match self.load(handle)? {
            AgentKeyPair::Es256(key) => key.sign(message).map_err(|_| KeyStoreError::Library),
            AgentKeyPair::Ed25519(_) => Err(KeyStoreError::AgentOnly(handle.clone())),
        }
    }

    fn sign_agent(
        &self,
        handle: &KeyHandle,
        purpose: Purpose,
        message: &[u8],
    ) -> Result<AgentSignature, KeyStoreError> {
        purpose.check(message)?;
        self.load(handle)?.sign(message).map_err(|_| KeyStoreError::Library)
    }

    fn delete(&self, handle: &KeyHandle) -> Result<(), KeyStoreError> {
        let path = self.path(handle);
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(KeyStoreError::NotFound(handle.clone()));
            }
            Err(error) => return Err(storage(&path, "deleted", error)),
        }
        sync_folder(&self.folder).map_err(|error| storage(&self.folder, "synced", error))
    }

    fn list(&self) -> Result<Vec<KeyHandle>, KeyStoreError> {
        let unreadable = |error| storage(&self.folder, "read", error);
        let mut handles = Vec::new();
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(handles),
            found => found.map_err(unreadable)?,
        };
        for entry in entries {
            let path = entry.map_err(unreadable)?.path();
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let is_key = path.extension().is_some_and(|extension| extension == EXTENSION);
            if let (true, Ok(handle)) = (is_key, KeyHandle::parse(name)) {
                handles.push(handle);
            }
        }
        handles.sort();
        Ok(handles)
    }

    fn probe_writable(&self) -> Result<(), KeyStoreError> {
        self.make_folder()?;
        if self.list()?.len() >= KEYS_MAX {
            return Err(KeyStoreError::Full);
        }
        // As much as a key takes, so that a full disk shows itself too.
        let probe = self.write_unnamed(&[0; FILE_MAX as usize]);
        probe
            .and_then(NamedTempFile::close)
            .and_then(|()| sync_folder(&self.folder))
            .map_err(|error| storage(&self.folder, "written", error))
    }
}

fn storage(path: &Path, did: &'static str, source: io::Error) -> KeyStoreError {
    KeyStoreError::Storage { path: path.to_path_buf(), did, source }
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    // A folder in the user's profile inherits an access list for that user alone.
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn check_private(
    path: &Path,
    metadata: io::Result<fs::Metadata>,
    mode: &'static str,
) -> Result<(), KeyStoreError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = metadata.map_err(|error| storage(path, "read", error))?;
    if metadata.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(KeyStoreError::Exposed { path: path.to_path_buf(), mode })
}

#[cfg(not(unix))]
fn check_private(
    _: &Path,
    _: io::Result<fs::Metadata>,
    _: &'static str,
) -> Result<(), KeyStoreError> {
    Ok(())
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    // Folders cannot be opened for syncing; the file system's journal keeps names in order.
    Ok(())
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
