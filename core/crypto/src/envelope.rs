//! Envelopes: values that the server encrypts at rest, with AES-256-GCM.
//!
//! Every version of a value has a data key of its own, wrapped under the [`MasterKey`]. Both layers
//! are bound to a context that the caller gives (tenant, user, secret, version ...): an envelope
//! that is moved to another row does not open. The master key's id stands in the envelope, so that
//! master keys can be rotated.
//!
//! ```text
//! 1   version, 0x01
//! 8   id of the master key
//! 12  nonce of the wrap      48  wrapped data key
//! 12  nonce of the value     n   ciphertext, 16 of them its tag
//! ```

use crate::ambient::Random;
use crate::secret::{Secret32, SecretBytes, hkdf_sha256, sha256_of};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use data_encoding::HEXLOWER;
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// Bytes that an envelope is longer than its value.
pub const ENVELOPE_OVERHEAD: usize = HEADER_LENGTH + TAG_LENGTH;

const VERSION: u8 = 1;
const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;
const WRAPPED_LENGTH: usize = 32 + TAG_LENGTH;
const WRAP_AT: usize = 1 + KEY_ID_LENGTH;
const VALUE_AT: usize = WRAP_AT + NONCE_LENGTH + WRAPPED_LENGTH;
const HEADER_LENGTH: usize = VALUE_AT + NONCE_LENGTH;
const KEY_ID_LENGTH: usize = 8;

/// The public name of a master key. Derived from the key, so the two cannot be mixed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MasterKeyId([u8; KEY_ID_LENGTH]);

impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// Why an envelope does not open, or was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Too short, or of a version that this program does not know.
    #[error("it is not an envelope of a known version")]
    Malformed,
    /// It was sealed under another master key.
    #[error("it was sealed under the master key {0}, which is not this one")]
    OtherMasterKey(MasterKeyId),
    /// Somebody changed it, or it belongs elsewhere.
    #[error("it was changed, or it does not belong here")]
    Forged,
    /// The cryptographic library failed.
    #[error("the cryptographic library failed")]
    Library,
}

/// The key that wraps data keys: 32 random bytes.
///
/// Nonces are random, so one key should not wrap more than 2^32 times (NIST SP 800-38D section 8.3).
#[derive(Clone)]
pub struct MasterKey {
    key: Secret32,
    id: MasterKeyId,
}

impl MasterKey {
    /// A new one.
    pub fn generate(random: &dyn Random) -> Self {
        Self::new(Secret32::new(random.array()))
    }

    /// The master key that these bytes are.
    pub fn new(key: Secret32) -> Self {
        let derived = hkdf_sha256(key.expose(), &[], "landfall/master-key-id/v1");
        let mut id = [0; KEY_ID_LENGTH];
        id.copy_from_slice(&derived.expose()[..KEY_ID_LENGTH]);
        Self { key, id: MasterKeyId(id) }
    }

    /// Its public name.
    pub fn id(&self) -> MasterKeyId {
        self.id
    }

    /// The key itself, to be sealed for keeping.
    pub fn expose(&self) -> &Secret32 {
        &self.key
    }

    /// Seals `value` under a fresh data key. It opens only with the same `context`.
    ///
    /// # Errors
    /// [`EnvelopeError::Library`] when the library fails.
    pub fn seal(
        &self,
        context: &[u8],
        value: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, EnvelopeError> {
        let data_key = Zeroizing::new(random.array::<32>());
        let mut envelope = Vec::with_capacity(value.len() + ENVELOPE_OVERHEAD);
        envelope.push(VERSION);
        envelope.extend_from_slice(&self.id.0);

        let bound = bound_to("wrap", &envelope, context);
        let nonce = random.array();
        let wrapped = seal(&self.key, nonce, &bound, &*data_key)?;
        envelope.extend_from_slice(&nonce);
        envelope.extend_from_slice(&wrapped);

        let bound = bound_to("value", &envelope, context);
        let nonce = random.array();
        let sealed = seal(&Secret32::new(*data_key), nonce, &bound, value)?;
        envelope.extend_from_slice(&nonce);
        envelope.extend_from_slice(&sealed);
        Ok(envelope)
    }

    /// Opens an envelope that was sealed with this key and `context`.
    ///
    /// # Errors
    /// [`EnvelopeError`] says why not.
    pub fn open(&self, context: &[u8], envelope: &[u8]) -> Result<SecretBytes, EnvelopeError> {
        let id = master_key_id(envelope)?;
        if id != self.id {
            return Err(EnvelopeError::OtherMasterKey(id));
        }
        let (wrapped, bound) = part(envelope, WRAP_AT, VALUE_AT, "wrap", context)?;
        let data_key = open(&self.key, wrapped, &bound)?;
        let data_key = Secret32::from_slice(data_key.expose()).ok_or(EnvelopeError::Forged)?;
        let (sealed, bound) = part(envelope, VALUE_AT, envelope.len(), "value", context)?;
        open(&data_key, sealed, &bound)
    }
}

/// The master key that an envelope was sealed under.
///
/// # Errors
/// [`EnvelopeError::Malformed`] when it is no envelope.
pub fn master_key_id(envelope: &[u8]) -> Result<MasterKeyId, EnvelopeError> {
    if envelope.first() != Some(&VERSION) || envelope.len() < ENVELOPE_OVERHEAD {
        return Err(EnvelopeError::Malformed);
    }
    let mut id = [0; KEY_ID_LENGTH];
    id.copy_from_slice(&envelope[1..WRAP_AT]);
    Ok(MasterKeyId(id))
}

/// A layer of the envelope (nonce and ciphertext), and what it is bound to.
fn part<'a>(
    envelope: &'a [u8],
    from: usize,
    to: usize,
    layer: &str,
    context: &[u8],
) -> Result<(&'a [u8], [u8; 32]), EnvelopeError> {
    let before = envelope.get(..from).ok_or(EnvelopeError::Malformed)?;
    let sealed = envelope.get(from..to).ok_or(EnvelopeError::Malformed)?;
    Ok((sealed, bound_to(layer, before, context)))
}

/// What a layer authenticates beside its content: which layer it is, all of the envelope that stands
/// before it, and the caller's context. `before` has one length per layer, so nothing can shift
/// between it and the context.
fn bound_to(layer: &str, before: &[u8], context: &[u8]) -> [u8; 32] {
    sha256_of(&[b"landfall/envelope/v1\0", layer.as_bytes(), b"\0", before, context])
}

fn cipher(key: &Secret32) -> Result<LessSafeKey, EnvelopeError> {
    let key = UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| EnvelopeError::Library)?;
    Ok(LessSafeKey::new(key))
}

fn seal(
    key: &Secret32,
    nonce: [u8; NONCE_LENGTH],
    bound: &[u8],
    value: &[u8],
) -> Result<Vec<u8>, EnvelopeError> {
    // Room for the tag at once: a growing buffer would leave a copy of the value behind.
    let mut sealed = Vec::with_capacity(value.len() + TAG_LENGTH);
    sealed.extend_from_slice(value);
    let nonce = Nonce::assume_unique_for_key(nonce);
    match cipher(key)?.seal_in_place_append_tag(nonce, Aad::from(bound), &mut sealed) {
        Ok(()) => Ok(sealed),
        Err(_) => {
            sealed.zeroize();
            Err(EnvelopeError::Library)
        }
    }
}

fn open(key: &Secret32, sealed: &[u8], bound: &[u8]) -> Result<SecretBytes, EnvelopeError> {
    let (nonce, ciphertext) =
        sealed.split_at_checked(NONCE_LENGTH).ok_or(EnvelopeError::Malformed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| EnvelopeError::Malformed)?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let value = cipher(key)?
        .open_in_place(nonce, Aad::from(bound), &mut buffer)
        .map_err(|_| EnvelopeError::Forged)?;
    Ok(SecretBytes::new(value.to_vec()))
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
