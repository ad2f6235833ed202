//! For services: who sends this request?
//!
//! A service lists the providers whose agents it lets in, and asks a [`Verifier`]:
//!
//! ```
//! # use landfall_verifier::{Roots, Verifier, VerifierSetup, require_caller, AgentCaller, Gate};
//! # use landfall_crypto::aauth::ServerId;
//! # use axum::{Extension, Router, middleware, routing::get};
//! async fn hello(Extension(caller): Extension<AgentCaller>) -> String {
//!     format!("hello {}", caller.claims.agent)
//! }
//!
//! # fn app() -> Result<Router, Box<dyn std::error::Error>> {
//! let issuer = ServerId::parse("https://id.example.org")?;
//! let setup = VerifierSetup::new("https://api.example.org".parse()?, vec![issuer]);
//! let gate = Gate::new().agents(Verifier::new(setup)?);
//! let app = Router::new()
//!     .route("/hello", get(hello))
//!     .layer(middleware::from_fn_with_state(gate, require_caller));
//! # Ok(app) }
//! ```
//!
//! A provider's metadata and keys are fetched once, kept, and fetched again in bounds; a token of a
//! provider that is not listed is refused before anything is fetched, so that no request makes a service
//! call addresses that a stranger chose. [`SvidVerifier`] takes what a SPIFFE trust domain issues to
//! workloads, by its trust bundle.

mod agents;
mod fetch;
mod gate;
mod issuer;
mod svid;

pub use agents::{AgentCaller, SetupError, Verifier, VerifierSetup};
pub use fetch::{FetchError, Roots};
pub use gate::{BODY_MAX, Gate, PeerChain, answer_to, require_caller};
pub use landfall_crypto::aauth::{
    AgentClaims, FaultCode, Profile, Request, ServerId, SignatureFault,
};
pub use svid::{SvidCaller, SvidError, SvidSetup, SvidVerifier};
