//! Every way in which things go wrong, as a problem with a stable code.

use crate::texts;
use landfall_crypto::token::Trust;
use landfall_flows::Remedy;
use landfall_keystore::KeyStoreError;
use landfall_protocol::{ErrorCode, Problem};
use std::fmt;

/// Something did not happen. Says what, why, and what to do next; never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(Box<Problem>);

impl Failure {
    /// A failure of this code. `detail` says why and what to do next, in whole sentences.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self(Box::new(Problem::new(code, detail)))
    }

    /// Names the input that it is about.
    #[must_use]
    pub fn about(mut self, field: &str) -> Self {
        self.0.field = Some(field.to_owned());
        self
    }

    /// A failure at a server whose line a person typed: a slip in it looks like another server.
    pub(crate) fn by_typed_line(self, trust: Trust) -> Self {
        if self.code() != ErrorCode::ServerNotTrusted || self.0.detail != texts::NOT_TRUSTED {
            return self;
        }
        let text = match trust {
            Trust::WebPki => texts::LINE_WITHOUT_PIN,
            Trust::Pin(_) => texts::LINE_MISTYPED,
        };
        Self::new(ErrorCode::ServerNotTrusted, text)
    }

    /// Says what happened in other words than the code's own.
    #[must_use]
    pub fn titled(mut self, title: &str) -> Self {
        title.clone_into(&mut self.0.title);
        self
    }

    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// What helps.
    pub fn remedy(&self) -> Remedy {
        Remedy::of(self.0.code)
    }

    /// The problem, as it travels.
    pub fn problem(&self) -> &Problem {
        &self.0
    }

    /// The problem itself.
    pub fn into_problem(self) -> Problem {
        *self.0
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<KeyStoreError> for Failure {
    fn from(error: KeyStoreError) -> Self {
        let code = match error {
            KeyStoreError::Storage { .. } => ErrorCode::StateUnwritable,
            KeyStoreError::Exposed { .. } => ErrorCode::StateExposed,
            _ => ErrorCode::KeyUnavailable,
        };
        Self::new(code, error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {} ({})", self.0.title, self.0.detail, self.0.code)
    }
}

impl std::error::Error for Failure {}
