//! AAuth to the wire: keys, signatures and tokens of software agents, without IO.
//!
//! | Module | Holds |
//! |---|---|
//! | [`key`] | [`AgentKey`] and its JWK, [`AgentSigner`], [`AgentKeyPair`]: Ed25519 and P-256 |
//! | [`signature_key`] | the `Signature-Key` field: [`KeySource`] says where a request's key comes from |
//! | [`message`] | RFC 9421 in AAuth's profile: [`message::read`] and [`Unverified::verify`], [`sign`] |
//! | [`naming`] | naming JWTs, by which a durable key names an ephemeral one |
//! | [`agent_token`] | `aa-agent+jwt`: [`agent_token::mint`], [`agent_token::read`] |
//! | [`documents`] | a provider's metadata and its JWKS |
//! | [`fault`] | what is wrong with a signature, code by code, and its three header fields |
//! | [`server_id`] | who issues: an origin without port or path |
//!
//! Clients in use span several revisions of the drafts, so reading is lenient and writing is strict: what
//! is written here is the newest revision, always. [`Profile`] says how lenient; [`Profile::Strict`] takes
//! the newest revision alone.
//!
//! A server goes these steps: [`message::read`] (form, coverage, digest, time), then by
//! [`Unverified::source`] find the key (the very key for `hwk`; [`naming::read`], the enrolment, then
//! [`naming::UnverifiedNaming::confirm`] for `jkt-jwt`; [`agent_token::read`] and the issuer's JWKS for
//! `jwt`), then [`Unverified::verify`] with it. Only then has anything been proved, and only then may a
//! server remember anything. Every failure is a [`SignatureFault`], one for one with the drafts' codes.

pub mod agent_token;
pub mod documents;
pub mod fault;
mod fields;
mod jws;
pub mod key;
pub mod message;
pub mod naming;
pub mod server_id;
mod sign;
pub mod signature_key;

pub use agent_token::AgentClaims;
pub use documents::{AgentKeys, ProviderMetadata};
pub use fault::{Challenge, FaultCode, SignatureFault};
pub use key::{AgentJwk, AgentKey, AgentKeyPair, AgentSignature, AgentSigner, Algorithm, Signs};
pub use message::{Demands, Request, Unverified, Verified};
pub use naming::{NamingClaims, NamingRules};
pub use server_id::ServerId;
pub use sign::{SignError, SignedFields, Signing, sign};
pub use signature_key::{KeySource, Scheme};

use serde::{Deserialize, Serialize};

/// How much of the older revisions is taken. What is written is the newest revision in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// What clients in use send: keys without `alg`, `EdDSA`, the guide's parameters, base64 in either
    /// alphabet, ES256 in DER.
    #[default]
    Compatible,
    /// The newest revision of the drafts, and nothing else.
    Strict,
}

impl Profile {
    /// Whether older revisions are taken.
    pub const fn is_compatible(self) -> bool {
        matches!(self, Self::Compatible)
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vector_tests;
