//! How a use case ends when it does not end well.

use landfall_crypto::aauth::SignatureFault;
use landfall_identity::Refusal;
use std::error::Error;

/// Everything but a yes. The transport turns it into a problem; the audit takes its code.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A rule said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A value of the request breaks a rule that types alone could not hold.
    #[error("{field}: {why}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// Which rule, as a sentence for a person.
        why: String,
    },
    /// An agent's signature, or what names its key, is not taken. What is wrong travels in headers.
    #[error("{0}")]
    Agent(Box<SignatureFault>),
    /// More work than the server takes on; nothing was done.
    #[error("busy")]
    Busy,
    /// The database did not answer, or could not make the act durable; nothing was done.
    #[error("the store is unavailable")]
    Unavailable,
    /// Our fault. Logged once with the request id, never sent.
    #[error("internal: {0}")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl Failure {
    /// Our fault, from any error.
    pub fn internal(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }

    /// A value that breaks a rule.
    pub fn invalid(field: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { field, why: why.into() }
    }
}

impl From<SignatureFault> for Failure {
    fn from(fault: SignatureFault) -> Self {
        Self::Agent(Box::new(fault))
    }
}
