//! Keys of others that sign tokens (RFC 7517), and reading the tokens that they signed (RFC 7519).
//!
//! A key signs by the algorithms of its own kind and no other: a token chooses among none. So `none` and
//! HMAC, with a public key for a secret, have no key to go with; neither has what a token carries of
//! keys itself (`jwk`, `jku`, `x5c`), which nothing here looks at. Times are the reader's business.

use crate::once::Once;
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The largest token that is looked at, in bytes. One of GitLab has about 3 KiB.
pub const TOKEN_MAX: usize = 8 * 1024;
/// Keys of one set that are looked at.
pub const KEYS_MAX: usize = 64;
/// The longest name of a key, in bytes.
const KID_MAX: usize = 256;
/// What SPIFFE calls the use of keys for JWT-SVIDs (SPIFFE JWT-SVID, section 6.2).
const SVID_USE: &str = "jwt-svid";

/// Why a set of keys, or a token, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// No set of keys.
    #[error("it is no set of keys (RFC 7517)")]
    KeySet,
    /// No token, or one that asks for what is not understood.
    #[error("it is no such token")]
    Malformed,
    /// Another algorithm than its key's.
    #[error("its algorithm is not its key's")]
    Algorithm,
    /// No key of that name.
    #[error("its key is not known")]
    UnknownKey,
    /// The signature is false.
    #[error("its signature does not verify")]
    Signature,
}

/// A token that nobody has checked yet: whom to ask for the key, and for which.
pub struct UnreadToken<'a> {
    text: &'a str,
    header: Header,
    kid: String,
    issuer: Option<String>,
}

#[derive(Deserialize)]
struct Issuer {
    iss: Option<String>,
}

impl<'a> UnreadToken<'a> {
    /// Looks at the outside of a token.
    ///
    /// # Errors
    /// [`TokenFault::Malformed`]: too long, no three parts, an unknown algorithm (such as `none`), no
    /// name of a key, or something critical that is not understood (RFC 7515 section 4.1.11).
    pub fn new(text: &'a str) -> Result<Self, TokenFault> {
        if text.len() > TOKEN_MAX {
            return Err(TokenFault::Malformed);
        }
        let header = jsonwebtoken::decode_header(text).map_err(|_| TokenFault::Malformed)?;
        let kid = header.kid.clone().filter(|kid| (1..=KID_MAX).contains(&kid.len()));
        let kid = kid.ok_or(TokenFault::Malformed)?;
        let odd = ["crit", "b64"].iter().any(|name| header.extras.inner().contains_key(*name));
        if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() || odd {
            return Err(TokenFault::Malformed);
        }
        let payload = text.split('.').nth(1).unwrap_or_default();
        let payload = BASE64URL_NOPAD.decode(payload.as_bytes());
        let payload = payload.map_err(|_| TokenFault::Malformed)?;
        let said: Issuer = serde_json::from_slice(&payload).map_err(|_| TokenFault::Malformed)?;
        Ok(Self { text, header, kid, issuer: said.iss })
    }

    /// Who is said to have signed it.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The name of the key that is said to have signed it.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its type, as it says.
    pub fn typ(&self) -> Option<&str> {
        self.header.typ.as_deref()
    }
}

/// One key.
struct Key {
    kid: String,
    algorithms: &'static [Algorithm],
    key: DecodingKey,
}

/// Keys of somebody else.
pub struct KeySet(Vec<Key>);

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// The keys of a platform: those for signatures (RFC 7517 section 4.2), or for nothing in particular.
    ///
    /// # Errors
    /// [`TokenFault::KeySet`]. A key of a kind that is not known is left out.
    pub fn of_platform(document: &[u8]) -> Result<Self, TokenFault> {
        Self::read(document, |purpose| matches!(purpose, None | Some(PublicKeyUse::Signature)))
    }

    /// The keys for JWT-SVIDs in a trust bundle (SPIFFE Trust Domain and Bundle, section 4).
    ///
    /// # Errors
    /// As [`KeySet::of_platform`].
    pub fn of_bundle(document: &[u8]) -> Result<Self, TokenFault> {
        let is_for_svids = |purpose: Option<&PublicKeyUse>| matches!(purpose, Some(PublicKeyUse::Other(other)) if other == SVID_USE);
        Self::read(document, is_for_svids)
    }

    fn read(
        document: &[u8],
        is_meant: impl Fn(Option<&PublicKeyUse>) -> bool,
    ) -> Result<Self, TokenFault> {
        let document: Document =
            serde_json::from_slice(document).map_err(|_| TokenFault::KeySet)?;
        let keys = document.keys.into_iter().take(KEYS_MAX);
        let known = keys.filter_map(|value| {
            let jwk: Jwk = serde_json::from_value(value).ok()?;
            is_meant(jwk.common.public_key_use.as_ref()).then(|| key_of(&jwk))?
        });
        Ok(Self(known.collect()))
    }

    /// Whether it holds a key of that name.
    pub fn knows(&self, kid: &str) -> bool {
        self.0.iter().any(|key| key.kid == kid)
    }

    /// What a token says that one of these keys signed.
    ///
    /// # Errors
    /// [`TokenFault`] says what is wrong with it.
    pub fn verify(&self, token: &UnreadToken<'_>) -> Result<Map<String, Value>, TokenFault> {
        let algorithm = token.header.alg;
        let named: Vec<&Key> = self.0.iter().filter(|key| key.kid == token.kid).collect();
        if named.is_empty() {
            return Err(TokenFault::UnknownKey);
        }
        let key = named.into_iter().find(|key| key.algorithms.contains(&algorithm));
        let key = key.ok_or(TokenFault::Algorithm)?;
        let mut validation = Validation::new(algorithm);
        // The library would read the machine's clock, and take one audience of several.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        match jsonwebtoken::decode::<Once>(token.text, &key.key, &validation) {
            Ok(data) => match data.claims.0 {
                Value::Object(claims) => Ok(claims),
                _ => Err(TokenFault::Malformed),
            },
            Err(error) => Err(match error.kind() {
                ErrorKind::InvalidSignature => TokenFault::Signature,
                ErrorKind::InvalidAlgorithm => TokenFault::Algorithm,
                _ => TokenFault::Malformed,
            }),
        }
    }
}

/// A key of a kind that is known, with a name.
fn key_of(jwk: &Jwk) -> Option<Key> {
    let kid = jwk.common.key_id.clone().filter(|kid| (1..=KID_MAX).contains(&kid.len()))?;
    let of_kind: &'static [Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512],
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => &[Algorithm::ES256],
            EllipticCurve::P384 => &[Algorithm::ES384],
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            &[Algorithm::EdDSA]
        }
        _ => return None,
    };
    let algorithms = match jwk.common.key_algorithm {
        None => of_kind,
        // A key that says which algorithm it is for is for no other.
        Some(said) => {
            let said = Algorithm::try_from(said).ok()?;
            let at = of_kind.iter().position(|algorithm| *algorithm == said)?;
            of_kind.get(at..=at)?
        }
    };
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some(Key { kid, algorithms, key })
}

#[cfg(test)]
#[path = "key_set_tests.rs"]
mod tests;
