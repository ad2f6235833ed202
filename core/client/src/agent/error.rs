//! Every way in which an agent's things go wrong.

use crate::failure::Failure;
use landfall_crypto::aauth::{FaultCode, SignError};
use landfall_crypto::{SignerError, key::KeyError};
use landfall_keystore::KeyStoreError;
use landfall_protocol::ErrorCode;

/// Something did not happen. Each message says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The key store.
    #[error(transparent)]
    Key(#[from] KeyStoreError),
    /// The key did not sign, or could not be made.
    #[error(
        "the agent's key did not sign; see that its key store is there, and enrol again if it is not"
    )]
    Signing,
    /// No connection, or one that broke.
    #[error("{0} did not answer; check the network, and try again: nothing is lost")]
    Unreachable(String),
    /// An address that is neither https nor on this machine.
    #[error("{0} is not asked: only https is spoken, and http on this machine alone")]
    Insecure(String),
    /// Neither this, nor an answer of its kind.
    #[error("the answer of {0} is not what it should be; see that its address is right")]
    Unreadable(String),
    /// The request cannot be signed as it is.
    #[error("the request cannot be signed: {0}")]
    Request(&'static str),
    /// The scheme needs something that this agent does not have.
    #[error("this agent cannot sign in that way: {0}")]
    Scheme(&'static str),
    /// The server has something against the signature, and nothing that could be tried helped.
    #[error("the signature was refused ({}): {detail}", code.as_str())]
    Signature {
        /// What.
        code: FaultCode,
        /// In the server's words.
        detail: String,
    },
    /// The signature is right, and the answer is no.
    #[error("refused ({status} {error}): {detail}")]
    Refused {
        /// The status.
        status: u16,
        /// The server's code, or nothing.
        error: String,
        /// In the server's words.
        detail: String,
    },
    /// Too many requests, or too much work.
    #[error("the server asks to wait; try again in {0} s")]
    Busy(u64),
}

impl From<SignerError> for AgentError {
    fn from(error: SignerError) -> Self {
        tracing::debug!(%error, "an agent's key did not sign");
        Self::Signing
    }
}

impl From<SignError> for AgentError {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Signer(error) => error.into(),
            SignError::Component => Self::Request("a field that should be covered is missing"),
            SignError::Unwritable => Self::Request("it holds what no header field can"),
        }
    }
}

impl From<KeyError> for AgentError {
    fn from(_: KeyError) -> Self {
        Self::Signing
    }
}

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        let code = match &error {
            AgentError::Key(_) | AgentError::Signing => ErrorCode::KeyUnavailable,
            AgentError::Unreachable(_) => ErrorCode::ServerUnreachable,
            AgentError::Insecure(_) => ErrorCode::ServerNotTrusted,
            AgentError::Unreadable(_) => ErrorCode::AnswerUnreadable,
            AgentError::Request(_) | AgentError::Scheme(_) => ErrorCode::InvalidField,
            AgentError::Signature { code: FaultCode::ClockSkew, .. } => ErrorCode::ClockSkew,
            AgentError::Signature { .. } => ErrorCode::SignatureInvalid,
            AgentError::Refused { .. } => ErrorCode::Forbidden,
            AgentError::Busy(_) => ErrorCode::Busy,
        };
        match error {
            AgentError::Key(error) => error.into(),
            error => Self::new(code, format!("{error}.")),
        }
    }
}
