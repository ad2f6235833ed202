//! The agent provider, as agents' own clients speak to it (AAuth).

use super::extract::{BodyMax, Segments, is_json, parse_json, read_body};
use super::problem::Refused;
use super::route::agent_listener_routes;
use super::{Answer, App, finish, join, reply};
use crate::service::{AgentMessage, Enrolled, RequestContext};
use axum::Router;
use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, HOST};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use landfall_identity::{AgentId, Refusal};
use landfall_protocol::ErrorCode;
use landfall_protocol::agent::{
    AgentEnrolRequest, AgentEnrollRequest, AgentGranted, AgentPairingAnswerRequest,
    AgentPairingBeginRequest, AgentPairingShowRequest, AgentPairingStatus, AgentTokenRequest,
    SubAgentTokenRequest,
};
use landfall_protocol::capability::{
    ApprovalInfo, ApprovalRaiseRequest, ApprovalShowRequest, CapabilityExchangeRequest,
    CapabilityIssued, CapabilityRequest,
};
use serde::de::DeserializeOwned;

/// How long what a provider publishes may be kept.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// Marks requests of the plain listener.
#[derive(Debug, Clone, Copy)]
struct Plain;

/// Everything that the plain listener on the loopback serves: agents' routes, and nothing else.
pub fn plain_router(app: App) -> Router {
    finish(join(&app, agent_listener_routes()), app).layer(axum::Extension(Plain))
}

/// What an agent sent: its body, and the message as it came, for the signature over it. No body is an empty
/// one.
pub struct FromAgent<T> {
    message: AgentMessage,
    body: T,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for FromAgent<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refused> {
        let (parts, body) = request.into_parts();
        let max = parts.extensions.get::<BodyMax>().map_or(super::BODY_MAX, |max| max.0);
        let bytes = read_body(body, max).await?;
        let body = match bytes.is_empty() {
            true => parse_json(b"{}")?,
            false if is_json(&parts.headers) => parse_json(&bytes)?,
            false => {
                return Err(Refused::unread(
                    ErrorCode::UnsupportedMediaType,
                    "Send JSON, and say so: Content-Type: application/json.",
                ));
            }
        };
        Ok(Self { message: message(&parts, bytes.to_vec())?, body })
    }
}

/// The message as its signature sees it.
fn message(parts: &Parts, body: Vec<u8>) -> Result<AgentMessage, Refused> {
    let mut fields = Vec::with_capacity(parts.headers.len());
    for (name, value) in &parts.headers {
        let value = value.to_str().map_err(|_| {
            Refused::unread(ErrorCode::MalformedRequest, "Header fields must be printable ASCII.")
        })?;
        fields.push((name.as_str().to_owned(), value.to_owned()));
    }
    Ok(AgentMessage {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        authority: authority(parts),
        https: parts.extensions.get::<Plain>().is_none(),
        fields,
        body,
    })
}

/// What the request called this server: `:authority`, or the one `Host`. Of several none is believed.
fn authority(parts: &Parts) -> String {
    if let Some(authority) = parts.uri.authority() {
        return authority.as_str().to_owned();
    }
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = hosts.next().filter(|_| hosts.next().is_none());
    host.and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned()
}

pub(super) async fn metadata(State(app): State<App>) -> Result<Response, Refused> {
    kept(app.service.agent_metadata().map_err(Refused::from)?)
}

pub(super) async fn provider_keys(State(app): State<App>) -> Result<Response, Refused> {
    kept(app.service.agent_provider_keys().map_err(Refused::from)?)
}

/// The name may come percent-encoded or not; whoever is none has no keys.
pub(super) async fn keys(State(app): State<App>, segments: Segments) -> Result<Response, Refused> {
    let agent: AgentId = segments.get("agent").map_err(|_| Refusal::NotFound)?;
    let keys = app.service.agent_keys(&agent).await?;
    Ok(axum::Json(keys).into_response())
}

pub(super) async fn enrol(
    State(app): State<App>,
    context: RequestContext,
    request: FromAgent<AgentEnrolRequest>,
) -> Answer<AgentGranted> {
    let enrolled = app.service.enrol_agent(context, request.message, request.body).await;
    reply(enrolled.map(|enrolled| enrolled.granted))
}

pub(super) async fn enroll(
    State(app): State<App>,
    context: RequestContext,
    request: FromAgent<AgentEnrollRequest>,
) -> Result<Response, Refused> {
    let enrolled = app.service.enroll_agent(context, request.message, request.body).await;
    let Enrolled { granted, new } = enrolled.map_err(Refused::from)?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, axum::Json(granted)).into_response())
}

pub(super) async fn refresh(
    State(app): State<App>,
    context: RequestContext,
    request: FromAgent<AgentTokenRequest>,
) -> Answer<AgentGranted> {
    reply(app.service.refresh_agent(context, request.message, request.body).await)
}

pub(super) async fn sub_agent(
    State(app): State<App>,
    context: RequestContext,
    request: FromAgent<SubAgentTokenRequest>,
) -> Answer<AgentGranted> {
    reply(app.service.issue_sub_agent_token(context, request.message, request.body).await)
}

pub(super) async fn begin_pairing(
    State(app): State<App>,
    context: RequestContext,
    request: FromAgent<AgentPairingBeginRequest>,
) -> Answer<AgentPairingStatus> {
    reply(app.service.begin_agent_pairing(context, request.message, request.body).await)
}

pub(super) async fn show_pairing(
    State(app): State<App>,
    context: RequestContext,
    request: FromAgent<AgentPairingShowRequest>,
) -> Answer<AgentPairingStatus> {
    reply(app.service.show_agent_pairing(context, request.message, request.body).await)
}

pub(super) async fn answer_pairing(
    State(app): State<App>,
    context: RequestContext,
    request: FromAgent<AgentPairingAnswerRequest>,
) -> Answer<AgentPairingStatus> {
    reply(app.service.answer_agent_pairing(context, request.message, request.body).await)
}

pub(super) async fn capability(
    State(app): State<App>,
    context: RequestContext,
    request: FromAgent<CapabilityRequest>,
) -> Answer<CapabilityIssued> {
    reply(app.service.issue_capability(context, request.message, request.body).await)
}

pub(super) async fn exchange(
    State(app): State<App>,
    context: RequestContext,
    request: FromAgent<CapabilityExchangeRequest>,
) -> Answer<CapabilityIssued> {
    reply(app.service.exchange_capability(context, request.message, request.body).await)
}

pub(super) async fn raise_approval(
    State(app): State<App>,
    context: RequestContext,
    request: FromAgent<ApprovalRaiseRequest>,
) -> Answer<ApprovalInfo> {
    reply(app.service.raise_approval(context, request.message, request.body).await)
}

pub(super) async fn show_approval(
    State(app): State<App>,
    context: RequestContext,
    request: FromAgent<ApprovalShowRequest>,
) -> Answer<ApprovalInfo> {
    reply(app.service.show_approval(context, request.message, request.body).await)
}

fn kept(document: impl serde::Serialize) -> Result<Response, Refused> {
    let mut response = axum::Json(document).into_response();
    response.headers_mut().insert(CACHE_CONTROL, KEPT);
    Ok(response)
}
