//! Door secrets: what a token, a code or a link carries.
//!
//! Every door secret S is made by the client that creates the door. Two halves are derived from it:
//! `auth`, which the server may see when the door is used, and `vault`, which it never sees. The
//! server keeps only SHA-256(`auth`), so that neither its database nor its logs open anything.

use crate::ambient::Random;
use crate::secret::{Secret32, SecretText, hkdf_sha256, hmac_sha256, sha256};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes of a door secret, and of each half.
pub const DOOR_SECRET_LENGTH: usize = 32;

const AUTH_INFO: &str = "landfall/auth/v1";
const VAULT_INFO: &str = "landfall/vault/v1";

/// The text is not 32 bytes in base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not 32 bytes in base64url")]
pub struct DoorError;

/// The secret S: 256 random bits.
#[derive(Clone)]
pub struct DoorSecret(Secret32);

impl DoorSecret {
    /// A new one.
    pub fn generate(random: &dyn Random) -> Self {
        Self(Secret32::new(random.array()))
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        Secret32::from_slice(bytes).map(Self)
    }

    pub(crate) fn expose(&self) -> &[u8; DOOR_SECRET_LENGTH] {
        self.0.expose()
    }

    /// The half that is shown to the server when the door is used.
    pub fn auth(&self) -> AuthHalf {
        AuthHalf::of(self.0.expose())
    }

    /// The half that opens the vault. It never leaves the client.
    pub fn vault(&self) -> Secret32 {
        vault_of(self.0.expose())
    }
}

/// The vault half of any door's secret.
pub(crate) fn vault_of(secret: &[u8]) -> Secret32 {
    hkdf_sha256(secret, &[], VAULT_INFO)
}

/// The half of a door secret that authorises.
#[derive(Clone)]
pub struct AuthHalf(Secret32);

impl AuthHalf {
    /// The half of any door's secret.
    pub(crate) fn of(secret: &[u8]) -> Self {
        Self(hkdf_sha256(secret, &[], AUTH_INFO))
    }

    /// Reads what a client sent.
    ///
    /// # Errors
    /// [`DoorError`] when it is not 32 bytes in base64url.
    pub fn parse(text: &str) -> Result<Self, DoorError> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| DoorError)?;
        let bytes = Zeroizing::new(bytes);
        Secret32::from_slice(&bytes).map(Self).ok_or(DoorError)
    }

    /// What a client sends.
    pub fn to_text(&self) -> SecretText {
        SecretText::new(BASE64URL_NOPAD.encode(self.0.expose()))
    }

    /// What the server keeps.
    pub fn hash(&self) -> AuthHash {
        AuthHash(sha256(self.0.expose()))
    }

    /// Whether the server's keyed record is of this half, in constant time.
    pub fn matches_keyed(&self, key: &Secret32, stored: &AuthHash) -> bool {
        self.hash().keyed(key).0.ct_eq(&stored.0).into()
    }

    /// Whether the server's record is of this half, in constant time.
    pub fn matches(&self, stored: &AuthHash) -> bool {
        self.hash().0.ct_eq(&stored.0).into()
    }
}

/// SHA-256 of an [`AuthHalf`]. Not secret: 256 random bits cannot be found from their hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AuthHash([u8; 32]);

impl AuthHash {
    /// The hash as read from a row.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What the server keeps of a half whose secret is shorter than 256 bits: a copy of the database
    /// is worth nothing without the key. Made of the hash, since that is all that a client sends when
    /// it makes the door.
    #[must_use]
    pub fn keyed(&self, key: &Secret32) -> Self {
        Self(hmac_sha256(key.expose(), &self.0))
    }

    /// The bytes, for a row.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads the base64url form.
    ///
    /// # Errors
    /// [`DoorError`] when it is not 32 bytes in base64url.
    pub fn parse(text: &str) -> Result<Self, DoorError> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| DoorError)?;
        bytes.as_slice().try_into().map(Self).map_err(|_| DoorError)
    }
}

impl fmt::Display for AuthHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

impl TryFrom<String> for AuthHash {
    type Error = DoorError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<AuthHash> for String {
    fn from(hash: AuthHash) -> String {
        hash.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemRandom;

    #[test]
    fn the_server_recognises_the_right_half_only() {
        let secret = DoorSecret::generate(&SystemRandom);
        let other = DoorSecret::generate(&SystemRandom);
        let stored = AuthHash::parse(&secret.auth().hash().to_string()).unwrap();
        let sent = AuthHalf::parse(&secret.auth().to_text()).unwrap();
        assert!(sent.matches(&stored));
        assert!(!other.auth().matches(&stored));
        assert!(!secret.vault().ct_eq(secret.auth().0.expose()), "the halves are independent");
        assert!(!secret.auth().0.ct_eq(secret.expose()));
    }

    #[test]
    fn other_texts_are_refused() {
        let text = BASE64URL_NOPAD.encode(&[1; 31]);
        for bad in ["", text.as_str(), "not base64url!"] {
            assert!(AuthHalf::parse(bad).is_err());
            assert!(AuthHash::parse(bad).is_err());
        }
    }
}
