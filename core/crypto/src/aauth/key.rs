//! Keys of agents: Ed25519 and P-256, as JSON Web Keys.
//!
//! An [`AgentKey`] is always a point of its curve, and none that a stranger could sign for. Private halves
//! stay where they are: who signs is an [`AgentSigner`].

use super::fault::{FaultCode, SignatureFault};
use super::{Profile, agent_token, jws, naming};
use crate::key::{BadSignature, KeyError, KeyPair, PublicKey, Signature, Signer, SignerError};
use crate::secret::{SecretBytes, sha256};
use crate::thumbprint::Thumbprint;
use aws_lc_rs::signature::KeyPair as _;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use curve25519_dalek::edwards::CompressedEdwardsY;
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// The longest JWK that is looked at, in bytes.
pub const JWK_MAX: usize = 2048;
/// Bytes of a signature, with either algorithm.
pub const SIGNATURE_LENGTH: usize = 64;

/// Members of a JWK that are somebody's secret (RFC 7518 section 6, RFC 8037 section 2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// What an agent signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Ed25519 (RFC 8032), by its fully specified name (RFC 9864).
    Ed25519,
    /// ECDSA on P-256 with SHA-256, 64 bytes `r || s` (RFC 7518 section 3.4).
    Es256,
}

impl Algorithm {
    /// Both, the required one first.
    pub const ALL: [Self; 2] = [Self::Ed25519, Self::Es256];

    /// Its name in JWK, JWT and `Accept-Signature-Alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            Self::Es256 => "ES256",
        }
    }

    /// Its name in RFC 9421, which older clients read in `supported_algorithms`.
    pub const fn legacy_name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Es256 => "ecdsa-p256-sha256",
        }
    }

    /// The algorithm that either kind of name names.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name || one.legacy_name() == name)
    }

    /// Whether `alg` names this algorithm. `EdDSA` names a family, and is taken from older clients.
    pub(super) fn is_named(self, alg: &str, profile: Profile) -> bool {
        alg == self.name() || (self == Self::Ed25519 && alg == "EdDSA" && profile.is_compatible())
    }
}

/// Why a JWK is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// No JSON object of a public key, or too long.
    #[error("it is no JSON Web Key")]
    Malformed,
    /// It carries a private member. Whoever sent it should throw the key away.
    #[error("it carries the private half of the key")]
    Private,
    /// Neither Ed25519 nor P-256.
    #[error("only keys for Ed25519 and ES256 are taken")]
    Unsupported,
    /// `alg` is missing where it must not, or is not that of the curve.
    #[error("alg is missing, or not that of the key's curve")]
    Algorithm,
    /// Coordinates of the wrong length, of no point, or of a point that anybody can sign for.
    #[error("its coordinates are those of no usable key")]
    Point,
}

impl From<JwkError> for SignatureFault {
    fn from(error: JwkError) -> Self {
        match error {
            JwkError::Unsupported => Self::unsupported_algorithm(),
            JwkError::Malformed => Self::new(FaultCode::InvalidKey, "the key is no JSON Web Key"),
            JwkError::Private => {
                Self::new(FaultCode::InvalidKey, "the key carries its private half; replace it")
            }
            JwkError::Algorithm => {
                Self::new(FaultCode::InvalidKey, "alg is missing, or not that of the key's curve")
            }
            JwkError::Point => {
                Self::new(FaultCode::InvalidKey, "the key's coordinates are those of no usable key")
            }
        }
    }
}

/// An agent's public key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AgentKey(Point);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Point {
    Ed25519([u8; 32]),
    P256(PublicKey),
}

impl AgentKey {
    /// Reads a JWK. `kid`, `use` and `key_ops` of a signing key are let be, and not kept.
    ///
    /// # Errors
    /// [`JwkError`] says what is wrong with it.
    pub fn from_jwk(jwk: &Value, profile: Profile) -> Result<Self, JwkError> {
        let members = jwk.as_object().ok_or(JwkError::Malformed)?;
        if PRIVATE.iter().any(|name| members.contains_key(*name)) {
            return Err(JwkError::Private);
        }
        let text = |name: &str| match members.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or(JwkError::Malformed),
        };
        if text("use")?.is_some_and(|purpose| purpose != "sig") {
            return Err(JwkError::Unsupported);
        }
        let kty = text("kty")?.ok_or(JwkError::Malformed)?;
        let coordinate = |name: &str| text(name)?.ok_or(JwkError::Malformed).and_then(coordinate);
        let key = match (kty, text("crv")?) {
            ("OKP", Some("Ed25519")) if text("y")?.is_none() => Self::ed25519(&coordinate("x")?)?,
            ("EC", Some("P-256")) => {
                let point = [&[0x04][..], &coordinate("x")?, &coordinate("y")?].concat();
                Self::p256(PublicKey::from_point(&point).map_err(|_| JwkError::Point)?)
            }
            ("OKP" | "EC", None) => return Err(JwkError::Malformed),
            // A curve of the other type is a contradiction, not another algorithm.
            ("EC", Some("Ed25519")) | ("OKP", Some("Ed25519" | "P-256")) => {
                return Err(JwkError::Algorithm);
            }
            _ => return Err(JwkError::Unsupported),
        };
        match text("alg")? {
            None if profile.is_compatible() => Ok(key),
            Some(alg) if key.algorithm().is_named(alg, profile) => Ok(key),
            _ => Err(JwkError::Algorithm),
        }
    }

    /// Reads a JWK as JSON text.
    ///
    /// # Errors
    /// As [`Self::from_jwk`].
    pub fn from_jwk_text(json: &[u8], profile: Profile) -> Result<Self, JwkError> {
        if json.len() > JWK_MAX {
            return Err(JwkError::Malformed);
        }
        let jwk = serde_json::from_slice(json).map_err(|_| JwkError::Malformed)?;
        Self::from_jwk(&jwk, profile)
    }

    /// The agent's key that is this P-256 key.
    pub const fn p256(key: PublicKey) -> Self {
        Self(Point::P256(key))
    }

    /// Reads an Ed25519 key (RFC 8032 section 5.1.2): the one encoding of a point of large order.
    ///
    /// # Errors
    /// [`JwkError::Point`] for anything else: with a point of small order, signatures can be made up.
    pub fn ed25519(bytes: &[u8]) -> Result<Self, JwkError> {
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| JwkError::Point)?;
        let point = CompressedEdwardsY(bytes).decompress().ok_or(JwkError::Point)?;
        if point.is_small_order() || point.compress().0 != bytes {
            return Err(JwkError::Point);
        }
        Ok(Self(Point::Ed25519(bytes)))
    }

    /// The P-256 key that it is, if it is one.
    pub const fn as_p256(&self) -> Option<PublicKey> {
        match self.0 {
            Point::P256(key) => Some(key),
            Point::Ed25519(_) => None,
        }
    }

    /// What it signs with.
    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            Point::Ed25519(_) => Algorithm::Ed25519,
            Point::P256(_) => Algorithm::Es256,
        }
    }

    /// Its public name (RFC 7638; RFC 8037 section 2 for Ed25519).
    pub fn thumbprint(&self) -> Thumbprint {
        match &self.0 {
            Point::P256(key) => key.thumbprint(),
            Point::Ed25519(bytes) => {
                let x = BASE64URL_NOPAD.encode(bytes);
                let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
                Thumbprint::of_digest(sha256(canonical.as_bytes()))
            }
        }
    }

    /// The key as a JWK with `alg`: what `cnf.jwk` carries, and what a table keeps.
    pub fn jwk(&self) -> AgentJwk {
        let algorithm = self.algorithm();
        let (kty, crv, x, y) = match &self.0 {
            Point::Ed25519(bytes) => ("OKP", "Ed25519", BASE64URL_NOPAD.encode(bytes), None),
            Point::P256(key) => {
                let (x, y) = key.point()[1..].split_at(32);
                let y = BASE64URL_NOPAD.encode(y);
                ("EC", "P-256", BASE64URL_NOPAD.encode(x), Some(y))
            }
        };
        AgentJwk { kty, crv, x, y, alg: algorithm.name(), kid: None, purpose: None }
    }

    /// The key as an entry of a JWKS.
    pub fn jwks_entry(&self, kid: &str) -> AgentJwk {
        AgentJwk { kid: Some(kid.to_owned()), purpose: Some("sig"), ..self.jwk() }
    }

    /// Whether this key made `signature` over `message`.
    ///
    /// # Errors
    /// [`BadSignature`] when it did not.
    pub fn verify(&self, message: &[u8], signature: &AgentSignature) -> Result<(), BadSignature> {
        match &self.0 {
            Point::Ed25519(bytes) => UnparsedPublicKey::new(&ED25519, bytes)
                .verify(message, &signature.0)
                .map_err(|_| BadSignature),
            Point::P256(key) => key.verify(message, &Signature::from_fixed(&signature.0)?),
        }
    }
}

fn coordinate(text: &str) -> Result<[u8; 32], JwkError> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| JwkError::Point)?;
    bytes.try_into().map_err(|_| JwkError::Point)
}

impl fmt::Debug for AgentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentKey({})", self.thumbprint())
    }
}

/// A public key as JSON. Only an [`AgentKey`] makes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentJwk {
    pub(super) kty: &'static str,
    pub(super) crv: &'static str,
    pub(super) x: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) y: Option<String>,
    pub(super) alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    purpose: Option<&'static str>,
}

/// A signature of 64 bytes, with either algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentSignature([u8; SIGNATURE_LENGTH]);

impl AgentSignature {
    /// Reads 64 bytes.
    ///
    /// # Errors
    /// [`BadSignature`] for another length.
    pub fn from_raw(bytes: &[u8]) -> Result<Self, BadSignature> {
        bytes.try_into().map(Self).map_err(|_| BadSignature)
    }

    /// Reads 64 bytes, or what some clients send for ES256: DER.
    ///
    /// # Errors
    /// [`BadSignature`] when it is neither.
    pub fn from_raw_or_der(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, BadSignature> {
        match (Self::from_raw(bytes), algorithm) {
            (Err(_), Algorithm::Es256) => Ok(Self(*Signature::from_der(bytes)?.fixed())),
            (raw, _) => raw,
        }
    }

    /// The 64 bytes.
    pub const fn bytes(&self) -> &[u8; SIGNATURE_LENGTH] {
        &self.0
    }
}

/// What an agent's key signs: a closed list, so that a key's home can check the shape of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signs {
    /// The signature base of an HTTP request (RFC 9421 section 2.5).
    Request,
    /// A naming JWT.
    NamingJwt,
    /// An agent token, of a service that is its own provider.
    AgentToken,
}

impl Signs {
    /// Whether `message` is what a token of this kind signs: a header of its type, and claims. A key's home
    /// asks this before it signs one.
    pub fn is_token(self, message: &[u8]) -> bool {
        let types: &[&str] = match self {
            Self::Request => &[],
            Self::NamingJwt => &[naming::TYP, naming::GUIDE_TYP],
            Self::AgentToken => &[agent_token::TYP],
        };
        jws::typ_of(message).is_some_and(|typ| types.contains(&typ.as_str()))
    }
}

/// An agent's key that can sign, wherever it lives.
pub trait AgentSigner: Send + Sync {
    /// Its public half.
    fn agent_key(&self) -> AgentKey;

    /// Signs `message`, which is what `what` says.
    ///
    /// # Errors
    /// [`SignerError`] when the key's home refuses or fails.
    fn sign_as(&self, what: Signs, message: &[u8]) -> Result<AgentSignature, SignerError>;
}

/// A private key in memory.
pub enum AgentKeyPair {
    /// For Ed25519.
    Ed25519(Ed25519KeyPair),
    /// For ES256.
    Es256(KeyPair),
}

impl AgentKeyPair {
    /// A new key, from the library's own generator.
    ///
    /// # Errors
    /// [`KeyError::Library`] when the library fails.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::Ed25519 => {
                Ed25519KeyPair::generate().map(Self::Ed25519).map_err(|_| KeyError::Library)
            }
            Algorithm::Es256 => KeyPair::generate().map(Self::Es256),
        }
    }

    /// Reads a PKCS#8 key of either kind.
    ///
    /// # Errors
    /// [`KeyError::Private`] when it is neither.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        match Ed25519KeyPair::from_pkcs8(der) {
            Ok(key) => Ok(Self::Ed25519(key)),
            Err(_) => KeyPair::from_pkcs8(der).map(Self::Es256),
        }
    }

    /// The private key as PKCS#8, to be sealed or stored.
    ///
    /// # Errors
    /// [`KeyError::Library`] when the library fails.
    pub fn to_pkcs8(&self) -> Result<SecretBytes, KeyError> {
        match self {
            Self::Es256(key) => key.to_pkcs8(),
            Self::Ed25519(key) => {
                let document = key.to_pkcs8v1().map_err(|_| KeyError::Library)?;
                Ok(SecretBytes::new(document.as_ref().to_vec()))
            }
        }
    }

    /// What it signs with.
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::Ed25519,
            Self::Es256(_) => Algorithm::Es256,
        }
    }

    /// Its public half.
    pub fn public_key(&self) -> AgentKey {
        match self {
            Self::Es256(key) => AgentKey::p256(key.public_key()),
            Self::Ed25519(key) => {
                let mut bytes = [0; 32];
                bytes.copy_from_slice(key.public_key().as_ref());
                AgentKey(Point::Ed25519(bytes))
            }
        }
    }

    /// Signs `message`, of whatever kind. A key store checks the kind before it calls this.
    ///
    /// # Errors
    /// [`SignerError`] when the library fails.
    pub fn sign(&self, message: &[u8]) -> Result<AgentSignature, SignerError> {
        match self {
            Self::Es256(key) => Ok(AgentSignature(*key.sign(message)?.fixed())),
            Self::Ed25519(key) => key
                .try_sign(message)
                .ok()
                .and_then(|signature| AgentSignature::from_raw(signature.as_ref()).ok())
                .ok_or_else(|| SignerError(Box::new(KeyError::Library))),
        }
    }
}

impl AgentSigner for AgentKeyPair {
    fn agent_key(&self) -> AgentKey {
        self.public_key()
    }

    fn sign_as(&self, _: Signs, message: &[u8]) -> Result<AgentSignature, SignerError> {
        self.sign(message)
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
