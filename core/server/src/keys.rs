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
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use zeroize::Zeroizing;

const MASTER_KEY: &str = "master.key";
const MASTER_KEY_AGE: &str = "master.key.age";
const AUDIT_KEY: &str = "audit.key";
/// Keys in the open, which nobody but their owner may read, and which are not closed in silence. What
/// rests under a passphrase is not among them.
pub const PRIVATE_FILES: [&str; 2] = [MASTER_KEY, AUDIT_KEY];
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
    /// Others can read the file.
    #[error(
        "{path} holds a key of this server and is open to other users (mode {mode:o}); run: chmod 600 \
         {path}. If somebody else may have read it meanwhile, take what it protects for known to them"
    )]
    OpenToOthers {
        /// Which one.
        path: String,
        /// How it stands.
        mode: u32,
    },
    /// The public half of the audit key is not there.
    #[error(
        "{0} is not there: it is the public key that the audit log is verified with, and nothing was verified. \
         Give a copy that was kept elsewhere with --key FILE, put it back from your backup, or restart the \
         server, which writes it anew as long as it has its audit.key"
    )]
    NoPublic(String),
    /// The file holds something else.
    #[error(
        "{0} does not hold the key that belongs there; put the right file back from your backup"
    )]
    Content(String),
    /// The database is there and a key that belongs to it is not.
    #[error(
        "{0} is missing, and the database that belongs to it is there: without it nothing in the \
         database can be opened or vouched for; put it back from your backup"
    )]
    Lost(String),
    /// The passphrase does not fit.
    #[error(
        "{file} does not open with the passphrase of master_key_passphrase_file: {source}. Put the \
         right one on the first line of that file"
    )]
    Passphrase {
        /// The sealed key.
        file: String,
        /// Why.
        source: PassphraseError,
    },
    /// The file of the passphrase begins with an empty line.
    #[error(
        "master_key_passphrase_file: {0} has nothing on its first line; put the passphrase there"
    )]
    NoPassphrase(String),
    /// The master key rests under a passphrase, and none was given.
    #[error(
        "the master key rests under a passphrase, in {0}, and none was given: set \
         master_key_passphrase_file to the file whose first line is it"
    )]
    PassphraseNeeded(String),
    /// A passphrase was given, and the master key lies open.
    #[error(
        "master_key_passphrase_file is set, and the master key lies open in {open}. Seal it with the \
         same passphrase (age --passphrase --output {sealed} {open}) and remove {open}; or leave \
         master_key_passphrase_file out"
    )]
    InTheOpen {
        /// The open key.
        open: String,
        /// Where the sealed one belongs.
        sealed: String,
    },
    /// The library.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Opens the master key, and makes it at the first start. With a passphrase it rests as an age file,
/// otherwise in a file that only its owner reads; never in both. `needed` says that the database holds
/// what only the old key opens, so that none is made anew.
///
/// # Errors
/// [`KeyFileError`].
pub fn master_key(
    directory: &DataDirectory,
    passphrase: Option<&SecretText>,
    needed: bool,
    ambient: &Ambient,
) -> Result<MasterKey, KeyFileError> {
    let (open, sealed) = (directory.file(MASTER_KEY), directory.file(MASTER_KEY_AGE));
    let path = match passphrase {
        None if sealed.exists() => {
            return Err(KeyFileError::PassphraseNeeded(sealed.display().to_string()));
        }
        Some(_) if open.exists() => {
            let (open, sealed) = (open.display().to_string(), sealed.display().to_string());
            return Err(KeyFileError::InTheOpen { open, sealed });
        }
        None => open,
        Some(_) => sealed,
    };
    let name = || path.display().to_string();
    let found = match passphrase {
        Some(_) => read(&path)?,
        None => read_private(&path)?,
    };
    if let Some(content) = found {
        let content = match passphrase {
            Some(passphrase) => passphrase::open(&content, passphrase)
                .map_err(|source| KeyFileError::Passphrase { file: name(), source })?
                .expose()
                .to_vec()
                .into(),
            None => content,
        };
        return decode(&content).ok_or_else(|| KeyFileError::Content(name()));
    }
    if needed {
        return Err(KeyFileError::Lost(name()));
    }
    let key = MasterKey::generate(ambient.random.as_ref());
    let text = Zeroizing::new(BASE64URL_NOPAD.encode(key.expose().expose()));
    match passphrase {
        Some(passphrase) => {
            let sealed = passphrase::seal(text.as_bytes(), passphrase)
                .map_err(|source| KeyFileError::Passphrase { file: name(), source })?;
            crate::directory::write_private(&path, &sealed)?;
        }
        None => crate::directory::write_private(&path, text.as_bytes())?,
    }
    Ok(key)
}

/// Opens the audit key, and makes it at the first start. `needed` says that a log exists which the old
/// key has signed, so that none is made anew.
///
/// # Errors
/// [`KeyFileError`].
pub fn audit_key(directory: &DataDirectory, needed: bool) -> Result<KeyPair, KeyFileError> {
    let path = directory.file(AUDIT_KEY);
    if let Some(content) = read_private(&path)? {
        let wrong = || KeyFileError::Content(path.display().to_string());
        let parsed = pem::parse(content.as_slice()).map_err(|_| wrong())?;
        let key = KeyPair::from_pkcs8(parsed.contents()).map_err(|_| wrong())?;
        if !directory.file(AUDIT_PUBLIC).exists() {
            write_audit_public(directory, &key)?;
        }
        return Ok(key);
    }
    if needed {
        return Err(KeyFileError::Lost(path.display().to_string()));
    }
    let key = KeyPair::generate()?;
    let private = key.to_pkcs8()?;
    let text = Zeroizing::new(pem::encode(&pem::Pem::new("PRIVATE KEY", private.expose())));
    crate::directory::write_private(&path, text.as_bytes())?;
    write_audit_public(directory, &key)?;
    Ok(key)
}

fn write_audit_public(directory: &DataDirectory, key: &KeyPair) -> Result<(), KeyFileError> {
    let public = pem::encode(&pem::Pem::new("PUBLIC KEY", key.public_key().spki()));
    Ok(crate::directory::write_private(&directory.file(AUDIT_PUBLIC), public.as_bytes())?)
}

/// Reads the public half of an audit key.
///
/// # Errors
/// [`KeyFileError`].
pub fn audit_public_key(path: &Path) -> Result<PublicKey, KeyFileError> {
    let name = || path.display().to_string();
    let content = read(path)?.ok_or_else(|| KeyFileError::NoPublic(name()))?;
    let parsed = pem::parse(content.as_slice()).map_err(|_| KeyFileError::Content(name()))?;
    PublicKey::from_spki(parsed.contents()).map_err(|_| KeyFileError::Content(name()))
}

/// Reads a passphrase: the first line of a file.
///
/// # Errors
/// [`KeyFileError::Read`]; [`KeyFileError::NoPassphrase`].
pub fn passphrase_file(path: &Path) -> Result<SecretText, KeyFileError> {
    let name = || path.display().to_string();
    let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|source| {
        KeyFileError::Read { path: format!("master_key_passphrase_file: {}", name()), source }
    })?;
    match text.lines().next().unwrap_or_default() {
        "" => Err(KeyFileError::NoPassphrase(name())),
        line => Ok(SecretText::new(line.to_owned())),
    }
}

/// Refuses key files that others can read: what was open may be known, and closing it in silence would
/// hide that. Those that are not there are fine.
///
/// # Errors
/// [`KeyFileError::OpenToOthers`].
pub fn check_modes(root: &Path) -> Result<(), KeyFileError> {
    PRIVATE_FILES.iter().try_for_each(|name| check_mode(&root.join(name)))
}

fn check_mode(path: &Path) -> Result<(), KeyFileError> {
    match path.metadata() {
        Ok(about) if about.mode() & 0o077 != 0 => Err(KeyFileError::OpenToOthers {
            path: path.display().to_string(),
            mode: about.mode() & 0o777,
        }),
        _ => Ok(()),
    }
}

/// Reads a key file that only its owner can read.
fn read_private(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, KeyFileError> {
    check_mode(path)?;
    read(path)
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
        let master = master_key(&directory, None, false, &ambient).unwrap();
        assert_eq!(master_key(&directory, None, false, &ambient).unwrap().id(), master.id());
        let audit = audit_key(&directory, false).unwrap().public_key();
        assert_eq!(audit_key(&directory, false).unwrap().public_key(), audit);
        assert_eq!(audit_public_key(&directory.file(AUDIT_PUBLIC)).unwrap(), audit);
    }

    #[test]
    fn a_lost_key_is_not_made_anew_over_a_database_that_needs_it() {
        let outer = tempfile::tempdir().unwrap();
        let directory = DataDirectory::open(&outer.path().join("data")).unwrap();
        let ambient = Ambient::system();
        let error = master_key(&directory, None, true, &ambient).err().unwrap();
        assert!(matches!(error, KeyFileError::Lost(_)), "{error}");
        let error = audit_key(&directory, true).err().unwrap();
        assert!(matches!(error, KeyFileError::Lost(_)), "{error}");
        directory.write_private(MASTER_KEY, "short").unwrap();
        let error = master_key(&directory, None, true, &ambient).err().unwrap();
        assert!(matches!(error, KeyFileError::Content(_)), "{error}");
    }
}
