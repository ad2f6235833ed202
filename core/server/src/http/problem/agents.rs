//! What agents' clients look for in an answer that is not a yes (AAuth): `error` and
//! `error_description` in the problem, and where a signature was not taken, the header fields that say why.

use http::{HeaderName, HeaderValue, StatusCode};
use landfall_crypto::aauth::SignatureFault;
use landfall_crypto::aauth::fault::{
    ACCEPT_SIGNATURE_ALG, ACCEPT_SIGNATURE_SCHEME, SIGNATURE_ERROR,
};
use landfall_protocol::{ErrorCode, Problem};
use serde_json::{Map, Value};

/// What is added to a problem.
#[derive(Debug, Clone)]
pub struct AgentAnswer {
    error: String,
    /// What the problem's `type` and `detail` are, where a signature was not taken.
    fault: Option<(String, &'static str)>,
    fields: Vec<(HeaderName, HeaderValue)>,
}

impl AgentAnswer {
    /// A signature was not taken.
    pub fn of_fault(fault: &SignatureFault) -> Self {
        let problem = fault.problem();
        let fields = [
            (SIGNATURE_ERROR, Some(fault.signature_error())),
            (ACCEPT_SIGNATURE_SCHEME, fault.accept_schemes()),
            (ACCEPT_SIGNATURE_ALG, fault.accept_algorithms()),
        ];
        let written = fields.into_iter().filter_map(|(name, value)| {
            Some((HeaderName::from_static(name), HeaderValue::from_str(&value?).ok()?))
        });
        Self {
            error: problem.error.to_owned(),
            fault: Some((problem.kind.clone(), problem.detail)),
            fields: written.collect(),
        }
    }

    /// Anything else: a request that makes no sense, or one whose signature is right and that is refused
    /// all the same.
    pub fn of_problem(problem: &Problem) -> Self {
        let error = error_of(problem.code, problem.field.as_deref());
        Self { error, fault: None, fields: Vec::new() }
    }

    /// The status, where it is another one than elsewhere: a credential that was shown and lets nobody in
    /// is a "no", not a question for another one.
    pub fn status(&self) -> Option<StatusCode> {
        (self.error == BAD_TOKEN).then_some(StatusCode::FORBIDDEN)
    }

    /// Writes what is added to the problem.
    pub fn write(&self, problem: &mut Map<String, Value>) {
        problem.insert("error".to_owned(), self.error.clone().into());
        if let Some((kind, detail)) = &self.fault {
            problem.insert("type".to_owned(), kind.clone().into());
            problem.insert("detail".to_owned(), (*detail).into());
        }
        if let Some(status) = self.status() {
            problem.insert("status".to_owned(), status.as_u16().into());
        }
        let detail = problem.get("detail").cloned().unwrap_or_default();
        problem.insert("error_description".to_owned(), detail);
    }

    /// The header fields.
    pub fn fields(&self) -> &[(HeaderName, HeaderValue)] {
        &self.fields
    }
}

const BAD_TOKEN: &str = "invalid_enrollment_token";

/// The clients' word for it.
fn error_of(code: ErrorCode, field: Option<&str>) -> String {
    use ErrorCode as C;
    let word = match code {
        C::InvalidField if matches!(field, Some("jwk" | "cnf_jwk")) => "invalid_key",
        C::MalformedRequest
        | C::UnknownField
        | C::InvalidField
        | C::UnsupportedMediaType
        | C::BodyTooLarge
        | C::HeadersTooLarge
        | C::MethodNotAllowed => "invalid_request",
        C::AgentKeyRefused => "invalid_key",
        C::AgentUnknown => "not_enrolled",
        C::AgentRevoked | C::AgentUnvouched => "enrollment_revoked",
        C::AgentHeld => "enrollment_suspended",
        C::AgentDoorShut => "enrollment_required",
        C::AgentDoorOff => "method_disabled",
        C::AgentCodeWrong
        | C::TokenExpired
        | C::TokenUsed
        | C::TokenCancelled
        | C::TokenNamesAnother => BAD_TOKEN,
        C::CapabilityTooWide => "insufficient_scope",
        C::CapabilityInvalid => "invalid_capability",
        C::AgentNested => "nested_subagent",
        C::AgentServerDiffers => "ps_mismatch",
        C::Busy | C::Unavailable | C::ClockJumped => "temporarily_unavailable",
        C::Internal => "server_error",
        other => return other.as_str().replace('-', "_"),
    };
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_crypto::aauth::{FaultCode, Scheme};

    #[test]
    fn a_signature_that_is_not_taken_says_why_in_headers_and_a_refusal_never_does() {
        let fault = SignatureFault::unsupported_scheme(&[Scheme::Hwk, Scheme::JktJwt]);
        let answer = AgentAnswer::of_fault(&fault);
        let names: Vec<_> = answer.fields().iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, [SIGNATURE_ERROR, ACCEPT_SIGNATURE_SCHEME]);
        let refused = AgentAnswer::of_problem(&Problem::new(ErrorCode::AgentUnknown, "x"));
        assert!(refused.fields().is_empty());
        assert_eq!(refused.error, "not_enrolled");
        let stale = SignatureFault::new(FaultCode::InvalidSignature, "x");
        assert_eq!(AgentAnswer::of_fault(&stale).fields().len(), 1);
    }

    #[test]
    fn a_credential_that_was_shown_and_is_bad_is_a_hard_no() {
        for code in [ErrorCode::AgentCodeWrong, ErrorCode::TokenUsed, ErrorCode::TokenExpired] {
            let answer = AgentAnswer::of_problem(&Problem::new(code, "x"));
            assert_eq!(answer.status(), Some(StatusCode::FORBIDDEN), "{code}");
        }
    }
}
