//! The loopback listener for passkey pages in local use: `http://localhost` is a secure context, so
//! browsers do passkeys there without a certificate. It serves the page and the browser half, and
//! nothing else.

use super::problem::Refused;
use super::route::ceremony_listener_routes;
use super::{App, finish, join};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::HOST;
use http::uri::Authority;
use landfall_protocol::ErrorCode;

/// Everything that the local listener serves. `authority` is what browsers must call it by.
pub fn router(app: App, authority: Authority) -> Router {
    let routes = join(&app, ceremony_listener_routes());
    finish(routes.layer(from_fn_with_state(authority, called_by_name)), app)
}

/// A page of another name that resolves to this machine is not served (DNS rebinding).
async fn called_by_name(
    State(authority): State<Authority>,
    request: Request,
    next: Next,
) -> Response {
    let mut hosts = request.headers().get_all(HOST).iter().map(HeaderValue::as_bytes);
    let named = hosts.next() == Some(authority.as_str().as_bytes()) && hosts.next().is_none();
    if named {
        return next.run(request).await;
    }
    let refused = Refused::unread(
        ErrorCode::OriginRefused,
        format!("Open this page as http://{authority}, as the app does."),
    );
    refused.into_response()
}
