//! What a provider publishes, its metadata and its keys; and what it reads of a person server's.

use super::Profile;
use super::fault::{FaultCode, SignatureFault};
use super::key::{AgentJwk, AgentKey, Algorithm};
use super::server_id::ServerId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where a provider's metadata is.
pub const METADATA_PATH: &str = "/.well-known/aauth-agent.json";
/// Where a person server's metadata is.
pub const PERSON_METADATA_PATH: &str = "/.well-known/aauth-person.json";
/// The longest document that is looked at, in bytes.
pub const DOCUMENT_MAX: usize = 64 * 1024;
/// The most keys of a JWKS that are looked at.
pub const KEYS_MAX: usize = 64;

/// A provider's metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderMetadata {
    /// The provider: the document's URL without its path.
    pub issuer: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// What it is, in Markdown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// Where agents enrol (the guide's dialect).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub enrol_endpoint: Option<String>,
    /// Where agents fetch tokens (the guide's dialect).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refresh_endpoint: Option<String>,
    /// Exactly the algorithms that it takes.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub accept_signature_algs: Vec<String>,
}

impl ProviderMetadata {
    /// The metadata of a service that is its own provider, or the base of a provider's.
    pub fn new(issuer: &ServerId, jwks_uri: String) -> Self {
        Self {
            issuer: issuer.to_string(),
            jwks_uri,
            name: None,
            description: None,
            enrol_endpoint: None,
            refresh_endpoint: None,
            accept_signature_algs: Algorithm::ALL.map(|one| one.name().to_owned()).to_vec(),
        }
    }

    /// Reads the document that was found at `expected`.
    ///
    /// # Errors
    /// [`FaultCode::IssuerMissing`] and [`FaultCode::IssuerMismatch`] when it names no issuer, or another;
    /// [`FaultCode::UnknownKey`] when it is no such document.
    pub fn read(json: &[u8], expected: &ServerId) -> Result<Self, SignatureFault> {
        let unusable =
            || SignatureFault::new(FaultCode::UnknownKey, "the issuer's metadata cannot be read");
        if json.len() > DOCUMENT_MAX {
            return Err(unusable());
        }
        let document: Value = serde_json::from_slice(json).map_err(|_| unusable())?;
        match document.get("issuer").and_then(Value::as_str) {
            None => {
                let detail = "the issuer's metadata names no issuer";
                return Err(SignatureFault::new(FaultCode::IssuerMissing, detail));
            }
            Some(issuer) if issuer != expected.as_str() => {
                let detail = "the issuer's metadata names another issuer";
                return Err(SignatureFault::new(FaultCode::IssuerMismatch, detail));
            }
            Some(_) => {}
        }
        serde_json::from_value(document).map_err(|_| unusable())
    }
}

/// Where a person server takes calls about tokens that serve no more: from its metadata, which was found at
/// `server`. None when it takes none.
///
/// # Errors
/// [`FaultCode::IssuerMismatch`] when it speaks for another server; [`FaultCode::UnknownKey`] when it is no
/// such document.
pub fn revocation_endpoint(
    json: &[u8],
    server: &ServerId,
) -> Result<Option<String>, SignatureFault> {
    #[derive(Deserialize)]
    struct Person {
        issuer: Option<String>,
        revocation_endpoint: Option<String>,
    }
    let unusable = || {
        SignatureFault::new(FaultCode::UnknownKey, "the person server's metadata cannot be read")
    };
    if json.len() > DOCUMENT_MAX {
        return Err(unusable());
    }
    let person: Person = serde_json::from_slice(json).map_err(|_| unusable())?;
    if person.issuer.is_some_and(|issuer| issuer != server.as_str()) {
        let detail = "the person server's metadata names another server";
        return Err(SignatureFault::new(FaultCode::IssuerMismatch, detail));
    }
    Ok(person.revocation_endpoint)
}

/// The document that a JWKS is (RFC 7517 section 5), to be served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentJwks {
    /// Its keys.
    pub keys: Vec<AgentJwk>,
}

/// The usable keys of a JWKS that was fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentKeys(Vec<(String, AgentKey)>);

impl AgentKeys {
    /// Reads a JWKS. Keys that are unusable here, or have no `kid`, or share one, are passed over.
    ///
    /// # Errors
    /// [`FaultCode::UnknownKey`] when it is no JWKS.
    pub fn read(json: &[u8], profile: Profile) -> Result<Self, SignatureFault> {
        #[derive(Deserialize)]
        struct Jwks {
            keys: Vec<Value>,
        }
        let unusable =
            || SignatureFault::new(FaultCode::UnknownKey, "the issuer's JWKS cannot be read");
        if json.len() > DOCUMENT_MAX {
            return Err(unusable());
        }
        let jwks: Jwks = serde_json::from_slice(json).map_err(|_| unusable())?;
        let mut keys: Vec<(String, AgentKey)> = Vec::new();
        let mut shared = Vec::new();
        for jwk in jwks.keys.iter().take(KEYS_MAX) {
            let kid = jwk.get("kid").and_then(Value::as_str);
            let key = AgentKey::from_jwk(jwk, profile);
            let (Some(kid), Ok(key)) = (kid, key) else { continue };
            if keys.iter().any(|(known, _)| known == kid) {
                shared.push(kid.to_owned());
            }
            keys.push((kid.to_owned(), key));
        }
        keys.retain(|(kid, _)| !shared.contains(kid));
        Ok(Self(keys))
    }

    /// The key of that name.
    pub fn get(&self, kid: &str) -> Option<&AgentKey> {
        self.0.iter().find(|(known, _)| known == kid).map(|(_, key)| key)
    }
}
