//! What is wrong with a signature: the drafts' codes, and the header fields that carry them.

use super::key::Algorithm;
use super::signature_key::Scheme;
use serde::Serialize;
use sfv::{BareItem, Dictionary, List, ListEntry, Parser};

/// The header field with the code.
pub const SIGNATURE_ERROR: &str = "signature-error";
/// The header field with the schemes that are taken.
pub const ACCEPT_SIGNATURE_SCHEME: &str = "accept-signature-scheme";
/// The header field with the algorithms that are taken.
pub const ACCEPT_SIGNATURE_ALG: &str = "accept-signature-alg";
/// The longest of these fields that a client looks at, in bytes.
pub const CHALLENGE_MAX: usize = 2048;

const URN: &str = "urn:ietf:params:sig-error:";

/// What is wrong with a signature. A signature that is right and refused all the same is none of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultCode {
    /// One of the three header fields is missing or unreadable.
    InvalidRequest,
    /// A component that must be covered is not.
    InvalidInput,
    /// A false signature, one that is too old, or a digest of another body.
    InvalidSignature,
    /// It comes from the future.
    ClockSkew,
    /// The key is named in a way that is not taken here.
    UnsupportedScheme,
    /// The key is for an algorithm that is not taken here.
    UnsupportedAlgorithm,
    /// The key is none.
    InvalidKey,
    /// The issuer publishes no such key.
    UnknownKey,
    /// The issuer's metadata names no issuer.
    IssuerMissing,
    /// The issuer's metadata names another issuer.
    IssuerMismatch,
    /// A naming JWT or agent token that cannot be taken.
    InvalidJwt,
    /// A naming JWT or agent token whose time is over.
    ExpiredJwt,
    /// An agent token that was taken back.
    RevokedJwt,
}

impl FaultCode {
    /// Every code.
    pub const ALL: [Self; 13] = [
        Self::InvalidRequest,
        Self::InvalidInput,
        Self::InvalidSignature,
        Self::ClockSkew,
        Self::UnsupportedScheme,
        Self::UnsupportedAlgorithm,
        Self::InvalidKey,
        Self::UnknownKey,
        Self::IssuerMissing,
        Self::IssuerMismatch,
        Self::InvalidJwt,
        Self::ExpiredJwt,
        Self::RevokedJwt,
    ];

    /// Its text on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidInput => "invalid_input",
            Self::InvalidSignature => "invalid_signature",
            Self::ClockSkew => "clock_skew",
            Self::UnsupportedScheme => "unsupported_scheme",
            Self::UnsupportedAlgorithm => "unsupported_algorithm",
            Self::InvalidKey => "invalid_key",
            Self::UnknownKey => "unknown_key",
            Self::IssuerMissing => "issuer_missing",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::InvalidJwt => "invalid_jwt",
            Self::ExpiredJwt => "expired_jwt",
            Self::RevokedJwt => "revoked_jwt",
        }
    }

    /// The code that `text` is.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    const fn title(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request's signature cannot be read",
            Self::InvalidInput => "The signature does not cover what it must",
            Self::InvalidSignature => "The signature does not hold",
            Self::ClockSkew => "The signature comes from the future",
            Self::UnsupportedScheme => "This way to name a key is not taken here",
            Self::UnsupportedAlgorithm => "This algorithm is not taken here",
            Self::InvalidKey => "The key cannot be used",
            Self::UnknownKey => "The issuer publishes no such key",
            Self::IssuerMissing => "The issuer's metadata names no issuer",
            Self::IssuerMismatch => "The issuer's metadata names another issuer",
            Self::InvalidJwt => "The token cannot be taken",
            Self::ExpiredJwt => "The token has expired",
            Self::RevokedJwt => "The token was taken back",
        }
    }
}

/// What is wrong with a request's signature, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", code.as_str())]
pub struct SignatureFault {
    /// The drafts' code.
    pub code: FaultCode,
    /// The reason, for whoever reads logs. Nothing of the request is repeated in it.
    pub detail: &'static str,
    /// With [`FaultCode::InvalidInput`]: everything that must be covered.
    pub required_input: Vec<&'static str>,
    /// With [`FaultCode::UnsupportedScheme`]: what is taken.
    pub schemes: Vec<Scheme>,
    /// With [`FaultCode::UnsupportedAlgorithm`]: what is taken.
    pub algorithms: Vec<Algorithm>,
}

impl SignatureFault {
    /// A fault that needs no further members.
    pub const fn new(code: FaultCode, detail: &'static str) -> Self {
        Self {
            code,
            detail,
            required_input: Vec::new(),
            schemes: Vec::new(),
            algorithms: Vec::new(),
        }
    }

    /// Not everything in `required` is covered.
    pub fn uncovered(required: Vec<&'static str>) -> Self {
        let detail = "the signature does not cover every required component";
        Self { required_input: required, ..Self::new(FaultCode::InvalidInput, detail) }
    }

    /// The scheme is none of `taken`.
    pub fn unsupported_scheme(taken: &[Scheme]) -> Self {
        let detail = "the scheme in Signature-Key is not taken here";
        Self { schemes: taken.to_vec(), ..Self::new(FaultCode::UnsupportedScheme, detail) }
    }

    /// The key is for another algorithm than ours.
    pub fn unsupported_algorithm() -> Self {
        let detail = "only keys for Ed25519 and ES256 are taken";
        let algorithms = Algorithm::ALL.to_vec();
        Self { algorithms, ..Self::new(FaultCode::UnsupportedAlgorithm, detail) }
    }

    /// The value of `Signature-Error`.
    pub fn signature_error(&self) -> String {
        let mut value = format!("error={}", self.code.as_str());
        if !self.required_input.is_empty() {
            let names: Vec<_> =
                self.required_input.iter().map(|name| format!("\"{name}\"")).collect();
            value.push_str(&format!(", required_input=({})", names.join(" ")));
        }
        if !self.algorithms.is_empty() {
            let names: Vec<_> =
                self.algorithms.iter().map(|one| format!("\"{}\"", one.legacy_name())).collect();
            value.push_str(&format!(", supported_algorithms=({})", names.join(" ")));
        }
        value
    }

    /// The value of `Accept-Signature-Scheme`, where one is due.
    pub fn accept_schemes(&self) -> Option<String> {
        let names: Vec<_> = self.schemes.iter().map(|scheme| scheme.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// The value of `Accept-Signature-Alg`, where one is due.
    pub fn accept_algorithms(&self) -> Option<String> {
        let names: Vec<_> = self.algorithms.iter().map(|one| one.name()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// The body of the answer, whose status is 401.
    pub fn problem(&self) -> FaultProblem {
        FaultProblem {
            kind: format!("{URN}{}", self.code.as_str()),
            title: self.code.title(),
            status: 401,
            error: self.code.as_str(),
            detail: self.detail,
            error_description: self.detail,
        }
    }
}

/// `application/problem+json` (RFC 9457), with the members that clients of either age read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultProblem {
    /// `urn:ietf:params:sig-error:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in words.
    pub title: &'static str,
    /// Always 401.
    pub status: u16,
    /// The code.
    pub error: &'static str,
    /// The reason.
    pub detail: &'static str,
    /// The reason, where older clients look for it.
    pub error_description: &'static str,
}

/// What a server answered to a signature of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// What it says is wrong.
    pub code: FaultCode,
    /// What it wants to be covered.
    pub required_input: Vec<String>,
    /// The schemes that it takes, as far as we know them.
    pub schemes: Vec<Scheme>,
    /// The algorithms that it takes, as far as we know them.
    pub algorithms: Vec<Algorithm>,
}

impl Challenge {
    /// Reads the three header fields. A field that cannot be read says nothing.
    pub fn read(
        signature_error: &str,
        accept_scheme: Option<&str>,
        accept_algorithm: Option<&str>,
    ) -> Option<Self> {
        let bounded = |field: &&str| field.len() <= CHALLENGE_MAX;
        let error = Some(signature_error).filter(bounded)?;
        let error: Dictionary = Parser::new(error).parse().ok()?;
        let code = match error.get("error")? {
            ListEntry::Item(item) => FaultCode::parse(word(&item.bare_item)?)?,
            ListEntry::InnerList(_) => return None,
        };
        let legacy = inner_words(error.get("supported_algorithms"));
        let algorithms = match accept_algorithm.filter(bounded) {
            Some(field) => words(field),
            None => legacy,
        };
        let schemes = accept_scheme.filter(bounded).map(words).unwrap_or_default();
        Some(Self {
            code,
            required_input: inner_words(error.get("required_input")),
            schemes: schemes.iter().filter_map(|name| Scheme::parse(name)).collect(),
            algorithms: algorithms.iter().filter_map(|name| Algorithm::parse(name)).collect(),
        })
    }
}

fn word(item: &BareItem) -> Option<&str> {
    let token = item.as_token().map(|token| token.as_str());
    token.or_else(|| item.as_string().map(|text| text.as_str()))
}

fn words(field: &str) -> Vec<String> {
    let list: List = Parser::new(field).parse().unwrap_or_default();
    let item = |entry: &ListEntry| match entry {
        ListEntry::Item(item) => word(&item.bare_item).map(str::to_owned),
        ListEntry::InnerList(_) => None,
    };
    list.iter().filter_map(item).collect()
}

fn inner_words(entry: Option<&ListEntry>) -> Vec<String> {
    match entry {
        Some(ListEntry::InnerList(list)) => {
            let words = list.items.iter().filter_map(|item| word(&item.bare_item));
            words.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;
