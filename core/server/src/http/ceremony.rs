//! Passkey ceremonies: the page, the browser half, the app half.

use super::extract::{Json, Segments, Signed};
use super::problem::Refused;
use super::recovery::{fields, message};
use super::{Answer, App, public, reply};
use crate::service::RequestContext;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use landfall_protocol::ceremony::{
    CeremonyBegun, CeremonyFinishRequest, CeremonyFinished, CeremonyOptions,
    CeremonyOptionsRequest, CeremonyPurpose, CeremonyRedeemRequest, RecoverBeginRequest,
    RecoverRedeemRequest, RegisterBeginRequest, StepUpBeginRequest,
};
use landfall_protocol::passkey::PasskeyInfo;
use landfall_protocol::recovery::RecoveryStatus;
use landfall_protocol::session::SessionOpened;

/// The page runs our own script and speaks to our own server; nobody frames it.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; \
     connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);
const PAGE: &str = include_str!("../../assets/ceremony/index.html");

pub(super) async fn page() -> Response {
    a_page(PAGE)
}

/// One of our own pages.
pub(super) fn a_page(page: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, PAGE_POLICY),
    ];
    (headers, page).into_response()
}

pub(super) async fn page_file(segments: Segments) -> Result<Response, Refused> {
    let name: String = segments.get("file")?;
    let (media_type, content): (_, &'static [u8]) = match name.as_str() {
        "ceremony.js" => ("text/javascript", include_bytes!("../../assets/ceremony/ceremony.js")),
        "freeze.js" => ("text/javascript", include_bytes!("../../assets/ceremony/freeze.js")),
        "ceremony.css" => ("text/css", include_bytes!("../../assets/ceremony/ceremony.css")),
        "icon.svg" => ("image/svg+xml", include_bytes!("../../assets/ceremony/icon.svg")),
        "mono.woff2" => ("font/woff2", include_bytes!("../../assets/ceremony/mono.woff2")),
        "next.woff2" => ("font/woff2", include_bytes!("../../assets/ceremony/next.woff2")),
        _ => return Err(public::no_file()),
    };
    Ok(([(CONTENT_TYPE, media_type)], content).into_response())
}

pub(super) async fn register_options(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<CeremonyOptionsRequest>,
) -> Answer<CeremonyOptions> {
    reply(app.service.ceremony_options(context, CeremonyPurpose::Register, body).await)
}

pub(super) async fn register_finish(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<CeremonyFinishRequest>,
) -> Answer<CeremonyFinished> {
    reply(app.service.ceremony_finish(context, CeremonyPurpose::Register, body).await)
}

pub(super) async fn step_up_options(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<CeremonyOptionsRequest>,
) -> Answer<CeremonyOptions> {
    reply(app.service.ceremony_options(context, CeremonyPurpose::StepUp, body).await)
}

pub(super) async fn step_up_finish(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<CeremonyFinishRequest>,
) -> Answer<CeremonyFinished> {
    reply(app.service.ceremony_finish(context, CeremonyPurpose::StepUp, body).await)
}

pub(super) async fn recover_options(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<CeremonyOptionsRequest>,
) -> Answer<CeremonyOptions> {
    reply(app.service.ceremony_options(context, CeremonyPurpose::Recover, body).await)
}

pub(super) async fn recover_finish(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<CeremonyFinishRequest>,
) -> Answer<CeremonyFinished> {
    reply(app.service.ceremony_finish(context, CeremonyPurpose::Recover, body).await)
}

pub(super) async fn begin_recover(
    State(app): State<App>,
    context: RequestContext,
    request: Signed<RecoverBeginRequest>,
) -> Answer<CeremonyBegun> {
    let fields = fields(&request)?;
    let authority = app.site.url.authority();
    let message = message(&request, &authority, &fields);
    reply(app.service.begin_recover(context, message, request.body.clone()).await)
}

pub(super) async fn redeem_recover(
    State(app): State<App>,
    context: RequestContext,
    request: Signed<RecoverRedeemRequest>,
) -> Answer<RecoveryStatus> {
    let fields = fields(&request)?;
    let authority = app.site.url.authority();
    let message = message(&request, &authority, &fields);
    reply(app.service.redeem_recover(context, message, request.body.clone()).await)
}

pub(super) async fn begin_register(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<RegisterBeginRequest>,
) -> Answer<CeremonyBegun> {
    reply(app.service.begin_register(context, body).await)
}

pub(super) async fn redeem_passkey(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<CeremonyRedeemRequest>,
) -> Answer<PasskeyInfo> {
    reply(app.service.redeem_passkey(context, body).await)
}

pub(super) async fn begin_step_up(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<StepUpBeginRequest>,
) -> Answer<CeremonyBegun> {
    reply(app.service.begin_step_up(context, body).await)
}

pub(super) async fn redeem_step_up(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<CeremonyRedeemRequest>,
) -> Answer<SessionOpened> {
    reply(app.service.redeem_step_up(context, body).await)
}
