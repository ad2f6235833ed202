//! Agents: software with a durable key and a provider that says so (AAuth).
//!
//! An agent enrols once, by a code that its owner made ([`Agent::enrol`]). From then on a configuration
//! holds two things, the provider and the **local name of the key**; [`Agent::load`] finds the rest. The
//! key stays in its [`KeyStore`](landfall_keystore::KeyStore). Tokens are fetched when one is needed and
//! renewed when two thirds of their life are over, with the durable key itself or with a second, ephemeral
//! one that it names ([`Keys`]).
//!
//! [`Agent::send`] signs a request and carries it, and answers what a server has against the signature: a
//! scheme that it takes, components that it wants covered, an algorithm, a clock. [`Agent::sign`] does no
//! more than sign, for who carries requests otherwise.
//!
//! A service that has an origin of its own needs no provider: [`Hosted`] issues its own tokens, and says
//! what the service must publish.

mod enrol;
mod error;
mod hosted;
mod speak;
mod tokens;
mod transport;

pub use enrol::Enrolment;
pub use error::AgentError;
pub use hosted::{Document, Hosted, HostedSetup, JWKS_PATH};
pub use landfall_crypto::aauth::{
    AgentKey, Algorithm, FaultCode, ProviderMetadata, Scheme, ServerId,
};
pub use landfall_crypto::token::Trust;
pub use landfall_identity::AgentId;
pub use tokens::{Agent, AgentSetup, AgentToken, Keys};
pub use transport::{AgentRequest, AgentResponse};
