//! What stands before all routes: the request's name, the bounds of its head, the headers of every
//! answer, one log line, and the problem's last touch.

use super::App;
use super::door::allowed;
use super::problem::{Refused, render};
use crate::failure::Failure;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue};
use landfall_identity::id::RequestId;
use landfall_protocol::ErrorCode;
use std::panic::AssertUnwindSafe;
use tokio::time::Instant;
use tracing::Instrument;

/// The longest path and query.
const URI_MAX: usize = 4096;
/// The most bytes of a request's header fields, names and values.
const HEAD_MAX: usize = 16 * 1024;
/// The most header fields of a request.
const FIELDS_MAX: usize = 64;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Nothing that this server answers is a page, but for those that say so.
const NO_PAGE: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'");

/// Names the request, runs it, and finishes the answer.
pub async fn pass(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = RequestId::from_bits(app.service.random_bits());
    // The pattern, not the path: what people call their things is nobody's log.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("-".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("request", %id, method = %request.method(), route);
    let too_large = too_large(&request);
    request.extensions_mut().insert(id.clone());
    let response = async {
        match too_large {
            Some(refused) => refused.into_response(),
            None => next.run(request).await,
        }
    }
    .instrument(span.clone())
    .await;
    let mut response = render(response, id.as_str());
    headers(response.headers_mut(), id.as_str(), app.site.web_pki);
    let status = response.status().as_u16();
    let took = began.elapsed();
    span.in_scope(|| tracing::info!(status, took_ms = took.as_secs_f64() * 1e3, "answered"));
    metrics::counter!("landfall_requests_total", "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!("landfall_request_seconds", "route" => route).record(took.as_secs_f64());
    response
}

/// Whether a request's head is beyond its bounds.
fn too_large(request: &Request) -> Option<Refused> {
    if request.uri().path_and_query().is_some_and(|uri| uri.as_str().len() > URI_MAX) {
        let detail = "The address is too long. Shorten it.";
        return Some(Refused::unread(ErrorCode::MalformedRequest, detail));
    }
    let fields = request.headers();
    let bytes: usize =
        fields.iter().map(|(name, value)| name.as_str().len() + value.as_bytes().len()).sum();
    (bytes > HEAD_MAX || fields.len() > FIELDS_MAX).then(|| {
        let detail =
            format!("Send at most {FIELDS_MAX} header fields of {} KiB together.", HEAD_MAX / 1024);
        Refused::unread(ErrorCode::HeadersTooLarge, detail)
    })
}

/// A fault in our own code answers, and takes nobody else along.
pub async fn survive(request: Request, next: Next) -> Response {
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            let fault = Failure::internal("a handler panicked");
            render(Refused::from(fault).into_response(), "")
        }
    }
}

/// No such address.
pub async fn not_found() -> Refused {
    Refused::unread(
        ErrorCode::NotFound,
        "Check the address, and that app and server are up to date.",
    )
}

/// The address exists and takes another method.
pub async fn method_not_allowed(path: MatchedPath) -> Response {
    let why = "The Allow header lists those that it takes.";
    let mut response = Refused::unread(ErrorCode::MethodNotAllowed, why).into_response();
    response.headers_mut().extend(allowed(path.as_str()));
    response
}

fn headers(headers: &mut HeaderMap, id: &str, web_pki: bool) {
    let mut default = |name: HeaderName, value: HeaderValue| {
        headers.entry(name).or_insert(value);
    };
    default(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    default(CONTENT_SECURITY_POLICY, NO_PAGE);
    default(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    default(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    default(CORP, HeaderValue::from_static("same-origin"));
    if web_pki {
        default(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        default(X_REQUEST_ID, value);
    }
}
