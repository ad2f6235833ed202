//! For axum: a layer before the routes that only known callers may reach.

use crate::agents::{AgentCaller, Verifier};
use crate::svid::{SvidCaller, SvidVerifier};
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderName, HeaderValue, WWW_AUTHENTICATE,
};
use http::{StatusCode, request::Parts};
use http_body_util::{BodyExt, Limited};
use landfall_crypto::aauth::fault::{
    ACCEPT_SIGNATURE_ALG, ACCEPT_SIGNATURE_SCHEME, SIGNATURE_ERROR,
};
use landfall_crypto::aauth::{FaultCode, Request, SignatureFault};
use rustls_pki_types::CertificateDer;
use std::sync::Arc;

/// The largest body that is read before a signature over it is checked, unless said otherwise.
pub const BODY_MAX: usize = 1024 * 1024;

/// The certificates that the other side of a connection showed, leaf first: the service's own accept loop
/// puts them into a request's extensions.
#[derive(Debug, Clone)]
pub struct PeerChain(pub Arc<Vec<CertificateDer<'static>>>);

/// Who is let in. Cheap to clone.
#[derive(Clone, Default)]
pub struct Gate {
    agents: Option<Verifier>,
    svids: Option<SvidVerifier>,
    body_max: Option<usize>,
}

impl Gate {
    /// A gate that lets nobody in.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets agents in. Handlers find an [`AgentCaller`] among the extensions.
    #[must_use]
    pub fn agents(self, verifier: Verifier) -> Self {
        Self { agents: Some(verifier), ..self }
    }

    /// Lets workloads in. Handlers find an [`SvidCaller`] among the extensions.
    #[must_use]
    pub fn workloads(self, verifier: SvidVerifier) -> Self {
        Self { svids: Some(verifier), ..self }
    }

    /// Takes larger bodies than [`BODY_MAX`], or only smaller ones.
    #[must_use]
    pub fn body_max(self, bytes: usize) -> Self {
        Self { body_max: Some(bytes), ..self }
    }
}

/// Lets a request through when its caller is known: a layer for
/// `axum::middleware::from_fn_with_state(gate, require_caller)`, on the outermost router, where paths are
/// as they were sent. A request that is signed is an agent's, whatever else it carries.
pub async fn require_caller(
    State(gate): State<Gate>,
    request: HttpRequest,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let signed = parts.headers.contains_key("signature");
    let peer = parts.extensions.get::<PeerChain>().cloned();
    if let (Some(svids), Some(PeerChain(chain)), false) = (&gate.svids, peer, signed) {
        match svids.verify_x509(&chain).await {
            Ok(caller) => {
                parts.extensions.insert::<SvidCaller>(caller);
                return next.run(HttpRequest::from_parts(parts, body)).await;
            }
            Err(error) => tracing::debug!(%error, "a certificate is refused"),
        }
    }
    if let (Some(svids), Some(token), false) = (&gate.svids, bearer_of(&parts), signed) {
        return match svids.verify_jwt(token).await {
            Ok(caller) => {
                parts.extensions.insert::<SvidCaller>(caller);
                next.run(HttpRequest::from_parts(parts, body)).await
            }
            Err(error) => {
                tracing::debug!(%error, "a token is refused");
                let mut response = plain(StatusCode::UNAUTHORIZED);
                let wanted = HeaderValue::from_static("Bearer error=\"invalid_token\"");
                response.headers_mut().insert(WWW_AUTHENTICATE, wanted);
                response
            }
        };
    }
    let Some(agents) = &gate.agents else {
        let detail = "only known callers are let in";
        return answer_to(&SignatureFault::new(FaultCode::InvalidRequest, detail));
    };
    let limit = gate.body_max.unwrap_or(BODY_MAX);
    let Ok(body) = Limited::new(body, limit).collect().await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let body = body.to_bytes();
    match agent_of(agents, &parts, &body).await {
        Ok(caller) => {
            parts.extensions.insert::<AgentCaller>(caller);
            next.run(HttpRequest::from_parts(parts, Body::from(body))).await
        }
        Err(fault) => answer_to(&fault),
    }
}

/// The token that a request carries (RFC 6750 section 2.1).
fn bearer_of(parts: &Parts) -> Option<&str> {
    let field = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = field.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

async fn agent_of(
    agents: &Verifier,
    parts: &Parts,
    body: &[u8],
) -> Result<AgentCaller, SignatureFault> {
    let mut fields = Vec::new();
    for (name, value) in &parts.headers {
        let value = value.to_str().map_err(|_| {
            let detail = "a header field holds other characters than ASCII";
            SignatureFault::new(FaultCode::InvalidRequest, detail)
        })?;
        fields.push((name.as_str(), value));
    }
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = parts.uri.authority().map(|authority| authority.as_str()).or(host);
    let request = Request {
        method: parts.method.as_str(),
        authority: authority.unwrap_or_default(),
        path: parts.uri.path(),
        query: parts.uri.query(),
        https: agents.is_https(),
        fields: &fields,
        body,
    };
    agents.verify(&request).await
}

/// The answer to a signature that is not taken: 401, the code in `Signature-Error`, and what would be
/// taken.
pub fn answer_to(fault: &SignatureFault) -> Response {
    let mut response = plain(StatusCode::UNAUTHORIZED);
    let fields = [
        (SIGNATURE_ERROR, Some(fault.signature_error())),
        (ACCEPT_SIGNATURE_SCHEME, fault.accept_schemes()),
        (ACCEPT_SIGNATURE_ALG, fault.accept_algorithms()),
    ];
    for (name, value) in fields {
        if let Some(Ok(value)) = value.map(|value| HeaderValue::from_str(&value)) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    if let Ok(json) = serde_json::to_vec(&fault.problem()) {
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        *response.body_mut() = Body::from(json);
    }
    response
}

fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
