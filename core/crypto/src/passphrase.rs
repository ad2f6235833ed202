//! Secrets at rest under a passphrase, as standard age files (scrypt), so that the plain `age` tool
//! opens them too.

use crate::secret::{SecretBytes, SecretText};
use age::scrypt::{Identity, Recipient};
use age::secrecy::SecretString;

/// scrypt's cost as a power of two: 64 MiB of memory and about a third of a second. Small hosts
/// must be able to start.
pub const WORK_FACTOR: u8 = 16;
/// The cost of a file that travels: 128 MiB, and twice the time.
pub const WORK_FACTOR_OF_TRAVELLERS: u8 = 17;
/// The highest cost that is taken on to open a file: 1 GiB. A foreign file could ask for any.
pub const WORK_FACTOR_MAX: u8 = 20;
/// The largest file that is opened, in bytes.
pub const SEALED_MAX: usize = 64 * 1024;

/// Why a file was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// An empty passphrase protects nothing.
    #[error("the passphrase is empty")]
    Empty,
    /// Not an age file with a passphrase, or one that asks for too much.
    #[error("it is not an age file that a passphrase opens")]
    Malformed,
    /// Another passphrase, or a changed file.
    #[error("the passphrase is wrong, or the file was changed")]
    Wrong,
    /// The library failed.
    #[error("the encryption library failed")]
    Library,
}

/// Seals `secret` under `passphrase`. The library draws salt and file key from its own generator.
///
/// # Errors
/// [`PassphraseError::Empty`] for an empty passphrase.
pub fn seal(secret: &[u8], passphrase: &SecretText) -> Result<Vec<u8>, PassphraseError> {
    seal_at(WORK_FACTOR, secret, passphrase)
}

/// As [`seal`], at another cost.
///
/// # Errors
/// As [`seal`]; [`PassphraseError::Library`] for a cost that no machine could pay.
pub fn seal_at(
    work_factor: u8,
    secret: &[u8],
    passphrase: &SecretText,
) -> Result<Vec<u8>, PassphraseError> {
    if work_factor == 0 || work_factor > WORK_FACTOR_MAX {
        return Err(PassphraseError::Library);
    }
    let mut recipient = Recipient::new(checked(passphrase)?);
    recipient.set_work_factor(work_factor);
    age::encrypt(&recipient, secret).map_err(|_| PassphraseError::Library)
}

/// Opens what [`seal`] or the age tool sealed.
///
/// # Errors
/// [`PassphraseError`] says why not.
pub fn open(sealed: &[u8], passphrase: &SecretText) -> Result<SecretBytes, PassphraseError> {
    use age::DecryptError;
    if sealed.len() > SEALED_MAX {
        return Err(PassphraseError::Malformed);
    }
    let mut identity = Identity::new(checked(passphrase)?);
    identity.set_max_work_factor(WORK_FACTOR_MAX);
    match age::decrypt(&identity, sealed) {
        Ok(secret) => Ok(SecretBytes::new(secret)),
        Err(
            DecryptError::DecryptionFailed
            | DecryptError::KeyDecryptionFailed
            | DecryptError::InvalidMac
            | DecryptError::Io(_),
        ) => Err(PassphraseError::Wrong),
        Err(_) => Err(PassphraseError::Malformed),
    }
}

fn checked(passphrase: &SecretText) -> Result<SecretString, PassphraseError> {
    if passphrase.is_empty() {
        return Err(PassphraseError::Empty);
    }
    Ok(SecretString::from(passphrase.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_passphrase_opens_it() {
        let passphrase = SecretText::new("correct horse".into());
        let mut sealed = seal(b"key", &passphrase).unwrap();
        assert!(sealed.starts_with(b"age-encryption.org/v1\n-> scrypt "));
        assert!(open(&sealed, &passphrase).unwrap().ct_eq(b"key"));
        let wrong = open(&sealed, &SecretText::new("battery".into()));
        assert_eq!(wrong.err(), Some(PassphraseError::Wrong));
        let last = sealed.len() - 1;
        sealed[last] ^= 1;
        assert_eq!(open(&sealed, &passphrase).err(), Some(PassphraseError::Wrong));
    }

    #[test]
    fn junk_and_empty_passphrases_are_refused() {
        let (some, none) = (SecretText::new("x".into()), SecretText::default());
        assert_eq!(seal(b"key", &none).err(), Some(PassphraseError::Empty));
        for junk in [&b"junk"[..], &[0; SEALED_MAX + 1]] {
            assert_eq!(open(junk, &some).err(), Some(PassphraseError::Malformed));
        }
    }

    #[test]
    fn a_file_that_asks_for_too_much_work_is_refused() {
        let passphrase = SecretText::new("x".into());
        let sealed = seal(b"key", &passphrase).unwrap();
        let cost = format!(" {WORK_FACTOR}\n");
        let at = sealed.windows(cost.len()).position(|text| text == cost.as_bytes()).unwrap();
        let greedy = [&sealed[..at], b" 30\n", &sealed[at + cost.len()..]].concat();
        assert_eq!(open(&greedy, &passphrase).err(), Some(PassphraseError::Malformed));
    }
}
