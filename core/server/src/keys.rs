//! Keys that rest in files of the data directory, outside the database: the master key that opens the
//! database's sealed rows, and the key that signs the audit's checkpoints.

use crate::directory::{DataDirectory, DirectoryError};
use data_encoding::BASE64URL_NOPAD;
use landfall_crypto::ambient::Ambient;
use landfall_crypto::envelope::MasterKey;
use landfall_crypto::key::{KeyError, KeyPair, PublicKey, Signer};
use landfall_crypto::passphrase::{self, PassphraseError};
use landfall_crypto::secret::{Secret32, SecretText};
use std::io;
use std::path::Path;
use zeroize::Zeroizing;

const MASTER_KEY: &str = "master.key";
const MASTER_KEY_AGE: &str = "master.key.age";
const AUDIT_KEY: &str = "audit.key";
/// The public half, to verify the audit elsewhere.
pub const AUDIT_PUBLIC: &str = "audit.pub";

/// Why a key file cannot be used. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The file cannot be read.
    #[error("{path} cannot be read: {source}")]
    Read {
        /// Which one.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error(
        "{0} does not hold the key that belongs there; put the right file back from your backup"
    )]
    Content(String),
    /// The database is there and its master key is not.
    #[error(
        "the database is there and {0} is not: without it nothing in the database can be opened; put \
         it back from your backup"
    )]
    Lost(String),
    /// The passphrase does not fit.
    #[error("the master key does not open with this passphrase: {0}")]
    Passphrase(#[from] PassphraseError),
    /// The library.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Opens the master key, and makes it at the first start. With a passphrase it rests as an age file,
/// otherwise in a file that only its owner reads.
///
/// # Errors
/// [`KeyFileError`].
pub fn master_key(
    directory: &DataDirectory,
    passphrase: Option<&SecretText>,
    ambient: &Ambient,
) -> Result<MasterKey, KeyFileError> {
    let name = if passphrase.is_some() { MASTER_KEY_AGE } else { MASTER_KEY };
    let path = directory.file(name);
    if let Some(content) = read(&path)? {
        let content = match passphrase {
            Some(passphrase) => passphrase::open(&content, passphrase)?.expose().to_vec().into(),
            None => content,
        };
        return decode(&content).ok_or_else(|| KeyFileError::Content(name.to_owned()));
    }
    if directory.database().exists() {
        return Err(KeyFileError::Lost(name.to_owned()));
    }
    let key = MasterKey::generate(ambient.random.as_ref());
    let text = Zeroizing::new(BASE64URL_NOPAD.encode(key.expose().expose()));
    match passphrase {
        Some(passphrase) => {
            let sealed = passphrase::seal(text.as_bytes(), passphrase)?;
            crate::directory::write_private(&path, &sealed)?;
        }
        None => crate::directory::write_private(&path, text.as_bytes())?,
    }
    Ok(key)
}

/// Opens the audit key, and makes it at the first start.
///
/// # Errors
/// [`KeyFileError`].
pub fn audit_key(directory: &DataDirectory) -> Result<KeyPair, KeyFileError> {
    let path = directory.file(AUDIT_KEY);
    if let Some(content) = read(&path)? {
        let wrong = || KeyFileError::Content(AUDIT_KEY.to_owned());
        let parsed = pem::parse(content.as_slice()).map_err(|_| wrong())?;
        return KeyPair::from_pkcs8(parsed.contents()).map_err(|_| wrong());
    }
    let key = KeyPair::generate()?;
    let private = key.to_pkcs8()?;
    let text = Zeroizing::new(pem::encode(&pem::Pem::new("PRIVATE KEY", private.expose())));
    crate::directory::write_private(&path, text.as_bytes())?;
    let public = pem::encode(&pem::Pem::new("PUBLIC KEY", key.public_key().spki()));
    crate::directory::write_private(&directory.file(AUDIT_PUBLIC), public.as_bytes())?;
    Ok(key)
}

/// Reads the public half of an audit key.
///
/// # Errors
/// [`KeyFileError`].
pub fn audit_public_key(path: &Path) -> Result<PublicKey, KeyFileError> {
    let name = || path.display().to_string();
    let content = read(path)?.ok_or_else(|| KeyFileError::Read {
        path: name(),
        source: io::ErrorKind::NotFound.into(),
    })?;
    let parsed = pem::parse(content.as_slice()).map_err(|_| KeyFileError::Content(name()))?;
    PublicKey::from_spki(parsed.contents()).map_err(|_| KeyFileError::Content(name()))
}

/// Reads a passphrase: the first line of a file.
///
/// # Errors
/// [`KeyFileError::Read`].
pub fn passphrase_file(path: &Path) -> Result<SecretText, KeyFileError> {
    let text = std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|source| KeyFileError::Read { path: path.display().to_string(), source })?;
    Ok(SecretText::new(text.lines().next().unwrap_or_default().to_owned()))
}

fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, KeyFileError> {
    match std::fs::read(path) {
        Ok(content) => Ok(Some(content.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(KeyFileError::Read { path: path.display().to_string(), source }),
    }
}

fn decode(content: &[u8]) -> Option<MasterKey> {
    let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(content.trim_ascii()).ok()?);
    Secret32::from_slice(&bytes).map(MasterKey::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_as_they_were_made() {
        let outer = tempfile::tempdir().unwrap();
        let directory = DataDirectory::open(&outer.path().join("data")).unwrap();
        let ambient = Ambient::system();
        let master = master_key(&directory, None, &ambient).unwrap();
        assert_eq!(master_key(&directory, None, &ambient).unwrap().id(), master.id());
        let audit = audit_key(&directory).unwrap().public_key();
        assert_eq!(audit_key(&directory).unwrap().public_key(), audit);
        assert_eq!(audit_public_key(&directory.file(AUDIT_PUBLIC)).unwrap(), audit);
    }

    #[test]
    fn a_lost_master_key_is_not_made_anew_over_a_database() {
        let outer = tempfile::tempdir().unwrap();
        let directory = DataDirectory::open(&outer.path().join("data")).unwrap();
        std::fs::write(directory.database(), "").unwrap();
        let error = master_key(&directory, None, &Ambient::system()).err().unwrap();
        assert!(matches!(error, KeyFileError::Lost(_)), "{error}");
        std::fs::write(directory.file(MASTER_KEY), "short").unwrap();
        let error = master_key(&directory, None, &Ambient::system()).err().unwrap();
        assert!(matches!(error, KeyFileError::Content(_)), "{error}");
    }
}
