//! Bytes that must not be seen: no `Debug`, wiped on drop, compared in constant time. And the hash
//! functions that everything else here is made of.

use aws_lc_rs::{digest, hkdf, hmac};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A secret of any length. Copies are made only by asking for one.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes `bytes` over; they are wiped when this is dropped.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, for the moment of use.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether both hold the same bytes, in time that depends on the length alone.
    pub fn ct_eq(&self, other: &[u8]) -> bool {
        self.0.ct_eq(other).into()
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

/// A secret of 32 bytes.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret32([u8; 32]);

impl Secret32 {
    /// Takes a copy of `bytes`; it is wiped when this is dropped.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret that `bytes` are, when they are 32.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, for the moment of use.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both hold the same bytes, in constant time.
    pub fn ct_eq(&self, other: &[u8; 32]) -> bool {
        self.0.ct_eq(other).into()
    }
}

/// A text that holds a secret, wiped on drop. It derefs to `String`, and has `String`'s `Debug`:
/// show it to a person, never to a log.
pub type SecretText = Zeroizing<String>;

/// Whether two byte strings are equal, in time that depends on their lengths alone.
pub fn ct_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// SHA-256 (FIPS 180-4).
pub fn sha256(data: &[u8]) -> [u8; 32] {
    sha256_of(&[data])
}

/// SHA-256 of the parts, one after the other.
pub fn sha256_of(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    copy32(context.finish().as_ref())
}

/// HMAC-SHA-256 (RFC 2104).
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    copy32(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data).as_ref())
}

/// HKDF-SHA-256 (RFC 5869), extract then expand, to 32 bytes. An empty salt is the RFC's default.
#[allow(clippy::expect_used, reason = "HKDF-SHA-256 yields up to 8160 bytes; 32 always fit")]
pub fn hkdf_sha256(secret: &[u8], salt: &[u8], info: &str) -> Secret32 {
    let mut out = [0; 32];
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(secret)
        .expand(&[info.as_bytes()], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut out))
        .expect("32 bytes are within HKDF's reach");
    let secret = Secret32(out);
    out.zeroize();
    secret
}

fn copy32(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(bytes);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    #[test]
    fn sha256_and_hmac_agree_with_their_standards() {
        assert_eq!(
            HEXLOWER.encode(&sha256(b"abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(sha256(b"abc"), sha256_of(&[b"a", b"", b"bc"]));
        // RFC 4231, test case 2.
        assert_eq!(
            HEXLOWER.encode(&hmac_sha256(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn hkdf_agrees_with_rfc_5869() {
        // Appendix A.3: no salt, no info; the first 32 of its 42 bytes.
        let okm = hkdf_sha256(&[0x0b; 22], &[], "");
        assert_eq!(
            HEXLOWER.encode(okm.expose()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
        );
    }

    #[test]
    fn equality_sees_every_byte() {
        let secret = Secret32::new([7; 32]);
        let mut other = [7; 32];
        assert!(secret.ct_eq(&other));
        other[31] ^= 1;
        assert!(!secret.ct_eq(&other));
        assert!(!SecretBytes::new(vec![1, 2]).ct_eq(&[1, 2, 3]));
    }
}
