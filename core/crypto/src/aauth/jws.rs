//! Compact JWS (RFC 7515), for keys that live elsewhere and for the algorithm name `Ed25519`, which the
//! JWT library does not know (docs/adr/0021). Only the envelope is ours; signatures are the library's.

use super::Profile;
use super::fault::{FaultCode, SignatureFault};
use super::key::{AgentKey, AgentSignature, AgentSigner, Signs};
use crate::key::SignerError;
use data_encoding::BASE64URL_NOPAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest token that is looked at, in bytes.
pub(super) const TOKEN_MAX: usize = 8192;

/// What we read of a header; other members say nothing to us.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) typ: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) kid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) jwk: Option<Value>,
    /// Extensions that must be understood (section 4.1.11): we understand none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) crit: Option<Value>,
}

impl Header {
    pub(super) fn new(key: &AgentKey, typ: &str) -> Self {
        let alg = key.algorithm().name().to_owned();
        Self { alg, typ: typ.to_owned(), kid: None, jwk: None, crit: None }
    }
}

/// Times, as every token here has them, and the key that it confirms (RFC 7800).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Confirmation {
    pub(super) jwk: Value,
}

/// A token that can be read. Nothing is proved yet.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) header: Header,
    payload: Vec<u8>,
    signed: String,
    signature: AgentSignature,
}

impl Token {
    /// Takes a token apart; `typ` must be the header's.
    pub(super) fn read(text: &str, typ: &[&str]) -> Result<Self, SignatureFault> {
        let malformed = || invalid("it is no token of this kind");
        if text.len() > TOKEN_MAX {
            return Err(malformed());
        }
        let (signed, signature) = text.rsplit_once('.').ok_or_else(malformed)?;
        let (header, payload) = signed.split_once('.').ok_or_else(malformed)?;
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| malformed());
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| malformed())?;
        if !typ.contains(&header.typ.as_str()) || header.crit.is_some() {
            return Err(invalid("the token's typ is not that of this kind, or it has extensions"));
        }
        let signature = AgentSignature::from_raw(&decode(signature)?).map_err(|_| malformed())?;
        Ok(Self { header, payload: decode(payload)?, signed: signed.to_owned(), signature })
    }

    pub(super) fn claims<C: DeserializeOwned>(&self) -> Result<C, SignatureFault> {
        serde_json::from_slice(&self.payload)
            .map_err(|_| invalid("a claim of the token is missing, or of another type"))
    }

    /// What was signed: the token without its signature.
    pub(super) fn signed(&self) -> &str {
        &self.signed
    }

    /// Whether `key` signed it, with the algorithm that the header names.
    pub(super) fn verify(&self, key: &AgentKey, profile: Profile) -> Result<(), SignatureFault> {
        if !key.algorithm().is_named(&self.header.alg, profile) {
            return Err(invalid("the token's alg is not that of the key"));
        }
        key.verify(self.signed.as_bytes(), &self.signature)
            .map_err(|_| invalid("the token's signature does not hold"))
    }
}

/// Signs a token.
pub(super) fn sign<C: Serialize>(
    header: &Header,
    claims: &C,
    signer: &dyn AgentSigner,
    what: Signs,
) -> Result<String, SignerError> {
    let part = |json: Result<Vec<u8>, serde_json::Error>| match json {
        Ok(json) => Ok(BASE64URL_NOPAD.encode(&json)),
        Err(error) => Err(SignerError(Box::new(error))),
    };
    let header = part(serde_json::to_vec(header))?;
    let claims = part(serde_json::to_vec(claims))?;
    let signed = format!("{header}.{claims}");
    let signature = signer.sign_as(what, signed.as_bytes())?;
    Ok(format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.bytes())))
}

/// The type of a token that is about to be signed: a header and claims, and nothing else.
pub(super) fn typ_of(signed: &[u8]) -> Option<String> {
    let mut parts = signed.split(|byte| *byte == b'.');
    let (header, claims) = (parts.next()?, parts.next()?);
    let header: Header = serde_json::from_slice(&BASE64URL_NOPAD.decode(header).ok()?).ok()?;
    let whole = parts.next().is_none() && BASE64URL_NOPAD.decode(claims).is_ok();
    whole.then_some(header.typ)
}

pub(super) const fn invalid(detail: &'static str) -> SignatureFault {
    SignatureFault::new(FaultCode::InvalidJwt, detail)
}
