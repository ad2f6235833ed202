//! The public name of a key.

use crate::secret::sha256;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Characters of a thumbprint: 32 bytes in base64url without padding.
pub const THUMBPRINT_LENGTH: usize = 43;

/// The SHA-256 JWK thumbprint of a key (RFC 7638), in base64url. The same in the TLS index, in
/// `keyid`, in `cnf.jkt` and in the enrolment rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Thumbprint(String);

/// The text is not a thumbprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a key's thumbprint: 43 characters of base64url")]
pub struct ThumbprintError;

impl Thumbprint {
    /// Reads the text form. Only the one canonical spelling of 32 bytes is taken.
    ///
    /// # Errors
    /// [`ThumbprintError`] for any other text.
    pub fn parse(text: impl Into<String>) -> Result<Self, ThumbprintError> {
        let text = text.into();
        match BASE64URL_NOPAD.decode(text.as_bytes()) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(text)),
            _ => Err(ThumbprintError),
        }
    }

    /// The name that is this SHA-256 over a key's canonical JSON.
    pub(crate) fn of_digest(digest: [u8; 32]) -> Self {
        Self(BASE64URL_NOPAD.encode(&digest))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Thumbprint {
    type Err = ThumbprintError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Thumbprint {
    type Error = ThumbprintError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(text)
    }
}

impl From<Thumbprint> for String {
    fn from(thumbprint: Thumbprint) -> String {
        thumbprint.0
    }
}

/// A public P-256 key as JSON (RFC 7517). Only [`crate::key::PublicKey::jwk`] makes one, so its
/// coordinates are those of a point on the curve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwk {
    kty: &'static str,
    crv: &'static str,
    x: String,
    y: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<&'static str>,
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    purpose: Option<&'static str>,
}

impl Jwk {
    pub(crate) fn p256(x: String, y: String) -> Self {
        Self { kty: "EC", crv: "P-256", x, y, kid: None, alg: None, purpose: None }
    }

    /// The key as an entry of `jwks.json`: with its thumbprint as `kid`, for ES256 signatures.
    pub fn for_signatures(mut self) -> Self {
        self.kid = Some(self.thumbprint().0);
        self.alg = Some("ES256");
        self.purpose = Some("sig");
        self
    }

    /// The key as an entry of a trust bundle, for JWT-SVIDs (SPIFFE JWT-SVID, section 6.2).
    pub fn for_jwt_svids(mut self) -> Self {
        self.kid = Some(self.thumbprint().0);
        self.purpose = Some("jwt-svid");
        self
    }

    /// Its thumbprint: SHA-256 over the required members in their order (RFC 7638 section 3).
    pub fn thumbprint(&self) -> Thumbprint {
        let Self { kty, crv, x, y, .. } = self;
        let canonical = format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}","y":"{y}"}}"#);
        Thumbprint::of_digest(sha256(canonical.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_taken() {
        let good = BASE64URL_NOPAD.encode(&[0xAB; 32]);
        assert_eq!(Thumbprint::parse(good.as_str()).unwrap().as_str(), good);
        let mut loose = good.clone();
        loose.pop();
        // The last character carries four bits; another one with the same four is another spelling.
        loose.push(if good.ends_with('s') { 't' } else { '-' });
        for bad in ["", &good[..42], &format!("{good}="), &loose, &good.replace('q', "+")] {
            assert!(Thumbprint::parse(bad).is_err(), "{bad}");
        }
    }
}
