//! What anyone may read.

use super::problem::Refused;
use super::{Answer, App, reply};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use landfall_protocol::ErrorCode;
use landfall_protocol::meta::{Health, WellKnown};
use std::sync::OnceLock;

pub(super) async fn healthz() -> axum::Json<Health> {
    axum::Json(Health { status: "ok".to_owned() })
}

pub(super) async fn readyz(State(app): State<App>) -> Response {
    let (ready, words) = match app.heartbeat.is_alive() {
        true => app.service.readiness().await,
        false => (false, "silent"),
    };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(Health { status: words.to_owned() })).into_response()
}

pub(super) async fn openapi() -> Result<Response, Refused> {
    static TEXT: OnceLock<String> = OnceLock::new();
    if TEXT.get().is_none() {
        let text = crate::openapi::text().map_err(crate::failure::Failure::internal)?;
        // Somebody else may have been faster; both texts are the same.
        let _ = TEXT.set(text);
    }
    let text = TEXT.get().map(String::as_str).unwrap_or_default();
    Ok(([(CONTENT_TYPE, "application/json")], text).into_response())
}

pub(super) async fn well_known(State(app): State<App>) -> axum::Json<WellKnown> {
    axum::Json(app.service.well_known())
}

pub(super) async fn spiffe_bundle(State(app): State<App>) -> Answer<serde_json::Value> {
    reply(app.service.spiffe_bundle())
}

pub(super) async fn jwks(State(app): State<App>) -> axum::Json<serde_json::Value> {
    axum::Json(app.service.jwks())
}

pub(super) async fn webhook_keys(State(app): State<App>) -> axum::Json<serde_json::Value> {
    axum::Json(app.service.webhook_keys())
}

pub(super) async fn ca_pem(State(app): State<App>) -> Response {
    ([(CONTENT_TYPE, "application/x-pem-file")], app.service.trust_bundle_pem()).into_response()
}

pub(super) async fn crl(State(app): State<App>) -> Result<Response, Refused> {
    let list = app.service.crl().await?;
    Ok(([(CONTENT_TYPE, "application/pkix-crl")], list).into_response())
}

/// A file that is not there.
pub(super) fn no_file() -> Refused {
    Refused::unread(
        ErrorCode::NotFound,
        "Check the address, and that app and server are up to date.",
    )
}
