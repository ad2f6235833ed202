//! P-256 keys and ES256 signatures, in one form each.
//!
//! A [`PublicKey`] is always a point on the curve. A [`Signature`] is the fixed 64 bytes `r || s`
//! (RFC 7518 section 3.4); X.509 and TLS want it as DER, so it prints itself as that too.

use crate::secret::SecretBytes;
use crate::thumbprint::{Jwk, Thumbprint};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::KeyPair as _;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey,
};
use data_encoding::BASE64URL_NOPAD;
use std::fmt;

/// Bytes of an uncompressed P-256 point: `0x04 || x || y` (SEC 1, section 2.3.3).
pub const POINT_LENGTH: usize = 65;
/// Bytes of a fixed-size ES256 signature.
pub const SIGNATURE_LENGTH: usize = 64;

/// SubjectPublicKeyInfo of every uncompressed P-256 key, up to its point (RFC 5480).
const SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Why bytes are not a key that we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Another algorithm, curve or encoding.
    #[error("it is not an uncompressed P-256 key")]
    Unsupported,
    /// The coordinates satisfy no curve equation: an attack, or damage.
    #[error("its point is not on the curve P-256")]
    NotOnCurve,
    /// The private key cannot be read.
    #[error("it is not a PKCS#8 private key for P-256")]
    Private,
    /// The library failed to make or write a key.
    #[error("the cryptographic library failed")]
    Library,
}

/// A public P-256 key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; POINT_LENGTH]);

impl PublicKey {
    /// Reads an uncompressed point.
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] for another form, [`KeyError::NotOnCurve`] for a false point.
    pub fn from_point(bytes: &[u8]) -> Result<Self, KeyError> {
        let point: [u8; POINT_LENGTH] = bytes.try_into().map_err(|_| KeyError::Unsupported)?;
        if point[0] != 0x04 {
            return Err(KeyError::Unsupported);
        }
        p256::PublicKey::from_sec1_bytes(&point).map_err(|_| KeyError::NotOnCurve)?;
        Ok(Self(point))
    }

    /// Reads a DER SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// As [`Self::from_point`].
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        let point = der.strip_prefix(&SPKI_PREFIX).ok_or(KeyError::Unsupported)?;
        Self::from_point(point)
    }

    /// The uncompressed point.
    pub fn point(&self) -> &[u8; POINT_LENGTH] {
        &self.0
    }

    /// The key as a DER SubjectPublicKeyInfo.
    pub fn spki(&self) -> Vec<u8> {
        [&SPKI_PREFIX[..], &self.0].concat()
    }

    /// Its public name.
    pub fn thumbprint(&self) -> Thumbprint {
        self.jwk().thumbprint()
    }

    /// The key as a JSON Web Key.
    pub fn jwk(&self) -> Jwk {
        let (x, y) = self.0[1..].split_at(32);
        Jwk::p256(BASE64URL_NOPAD.encode(x), BASE64URL_NOPAD.encode(y))
    }

    /// Whether this key made `signature` over `message` (ES256: the message is hashed with
    /// SHA-256).
    ///
    /// # Errors
    /// [`BadSignature`] when it did not.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.0)
            .verify(message, &signature.0)
            .map_err(|_| BadSignature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.thumbprint())
    }
}

/// The signature does not belong to the message and the key, or is no signature at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// An ES256 signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; SIGNATURE_LENGTH]);

impl Signature {
    /// Reads `r || s`, each in range.
    ///
    /// # Errors
    /// [`BadSignature`] for another length, or a zero or too large half.
    pub fn from_fixed(bytes: &[u8]) -> Result<Self, BadSignature> {
        let signature = p256::ecdsa::Signature::from_slice(bytes).map_err(|_| BadSignature)?;
        Ok(Self(signature.to_bytes().into()))
    }

    /// Reads the DER form.
    ///
    /// # Errors
    /// [`BadSignature`] when it is not exactly one `ECDSA-Sig-Value`.
    pub fn from_der(bytes: &[u8]) -> Result<Self, BadSignature> {
        let signature = p256::ecdsa::Signature::from_der(bytes).map_err(|_| BadSignature)?;
        Ok(Self(signature.to_bytes().into()))
    }

    /// `r || s`.
    pub fn fixed(&self) -> &[u8; SIGNATURE_LENGTH] {
        &self.0
    }

    /// `r || s` with the smaller of the two `s` that verify alike: one text for one signature, for
    /// telling whether it was seen before.
    pub fn canonical(&self) -> [u8; SIGNATURE_LENGTH] {
        p256::ecdsa::Signature::from_slice(&self.0)
            .map_or(self.0, |signature| signature.normalize_s().to_bytes().into())
    }

    /// The DER `ECDSA-Sig-Value` that X.509 and TLS carry (RFC 3279 section 2.2.3).
    pub fn to_der(&self) -> Vec<u8> {
        // Every constructor has checked both halves, so the reading cannot fail.
        p256::ecdsa::Signature::from_slice(&self.0)
            .map(|signature| signature.to_der().as_bytes().to_vec())
            .unwrap_or_default()
    }
}

/// A key that can sign, wherever it lives: in memory, in a file, in hardware.
pub trait Signer: Send + Sync {
    /// Its public half.
    fn public_key(&self) -> PublicKey;

    /// Signs `message` (hashed with SHA-256).
    ///
    /// # Errors
    /// [`SignerError`] when the key's home refuses or fails.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError>;
}

/// The key's home did not sign; the cause is the home's own error.
#[derive(Debug, thiserror::Error)]
#[error("the key did not sign: {0}")]
pub struct SignerError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// A private key in memory: the server's own keys, and those of the software key stores.
pub struct KeyPair {
    inner: EcdsaKeyPair,
    public: PublicKey,
}

impl KeyPair {
    /// A new key, from the library's own generator.
    ///
    /// # Errors
    /// [`KeyError::Library`] when the library fails.
    pub fn generate() -> Result<Self, KeyError> {
        let inner = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_| KeyError::Library)?;
        Self::of(inner)
    }

    /// Reads a PKCS#8 key.
    ///
    /// # Errors
    /// [`KeyError::Private`] when it is not one for P-256.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let inner = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
            .map_err(|_| KeyError::Private)?;
        Self::of(inner)
    }

    fn of(inner: EcdsaKeyPair) -> Result<Self, KeyError> {
        let public = PublicKey::from_point(inner.public_key().as_ref())?;
        Ok(Self { inner, public })
    }

    /// The private key as PKCS#8, to be sealed or stored.
    ///
    /// # Errors
    /// [`KeyError::Library`] when the library fails.
    pub fn to_pkcs8(&self) -> Result<SecretBytes, KeyError> {
        let document = self.inner.to_pkcs8v1().map_err(|_| KeyError::Library)?;
        Ok(SecretBytes::new(document.as_ref().to_vec()))
    }
}

impl Signer for KeyPair {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        let failed = |cause: KeyError| SignerError(Box::new(cause));
        let signature = self
            .inner
            .sign(&SystemRandom::new(), message)
            .map_err(|_| failed(KeyError::Library))?;
        Signature::from_fixed(signature.as_ref()).map_err(|_| failed(KeyError::Library))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_signatures_survive_their_encodings() {
        let pair = KeyPair::generate().unwrap();
        let again = KeyPair::from_pkcs8(pair.to_pkcs8().unwrap().expose()).unwrap();
        assert_eq!(pair.public_key(), again.public_key());
        assert_eq!(PublicKey::from_spki(&pair.public_key().spki()), Ok(pair.public_key()));

        let signature = again.sign(b"message").unwrap();
        assert_eq!(Signature::from_der(&signature.to_der()), Ok(signature));
        assert_eq!(pair.public_key().verify(b"message", &signature), Ok(()));
        assert_eq!(pair.public_key().verify(b"massage", &signature), Err(BadSignature));
    }

    #[test]
    fn a_false_point_is_no_key() {
        let mut point = *KeyPair::generate().unwrap().public_key().point();
        point[64] ^= 1;
        assert_eq!(PublicKey::from_point(&point), Err(KeyError::NotOnCurve));
        point[0] = 0x02;
        assert_eq!(PublicKey::from_point(&point), Err(KeyError::Unsupported));
        assert_eq!(PublicKey::from_point(&point[..33]), Err(KeyError::Unsupported));
    }

    #[test]
    fn a_signature_out_of_range_is_none() {
        assert_eq!(Signature::from_fixed(&[0; 64]), Err(BadSignature));
        assert_eq!(Signature::from_fixed(&[0xFF; 64]), Err(BadSignature));
        assert_eq!(Signature::from_fixed(&[1; 63]), Err(BadSignature));
        assert_eq!(Signature::from_der(&[1; 64]), Err(BadSignature));
    }
}
