//! One device lets another in.

use super::extract::{Json, Segments, Signed};
use super::recovery::{fields, message};
use super::{Answer, App, reply};
use crate::service::RequestContext;
use axum::extract::State;
use landfall_protocol::link::{
    LinkAnswerRequest, LinkBeginRequest, LinkClaimRequest, LinkFindRequest, LinkInfo,
    LinkRevealRequest, LinkShowRequest, LinkStatus,
};

pub(super) async fn begin(
    State(app): State<App>,
    context: RequestContext,
    request: Signed<LinkBeginRequest>,
) -> Answer<LinkStatus> {
    let fields = fields(&request)?;
    let authority = app.site.url.authority();
    let message = message(&request, &authority, &fields);
    reply(app.service.begin_link(context, message, request.body.clone()).await)
}

pub(super) async fn show(
    State(app): State<App>,
    request: Signed<LinkShowRequest>,
) -> Answer<LinkStatus> {
    let fields = fields(&request)?;
    let authority = app.site.url.authority();
    let message = message(&request, &authority, &fields);
    reply(app.service.show_link(message, request.body.clone()).await)
}

pub(super) async fn answer(
    State(app): State<App>,
    context: RequestContext,
    request: Signed<LinkAnswerRequest>,
) -> Answer<LinkStatus> {
    let fields = fields(&request)?;
    let authority = app.site.url.authority();
    let message = message(&request, &authority, &fields);
    reply(app.service.answer_link(context, message, request.body.clone()).await)
}

pub(super) async fn find(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<LinkFindRequest>,
) -> Answer<LinkInfo> {
    reply(app.service.find_link(context, body).await)
}

pub(super) async fn watch(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<LinkInfo> {
    reply(app.service.watch_link(context, segments.get("id")?).await)
}

pub(super) async fn claim(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
    Json(body): Json<LinkClaimRequest>,
) -> Answer<LinkInfo> {
    reply(app.service.claim_link(context, segments.get("id")?, body).await)
}

pub(super) async fn reveal(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
    Json(body): Json<LinkRevealRequest>,
) -> Answer<LinkInfo> {
    reply(app.service.reveal_link(context, segments.get("id")?, body).await)
}

pub(super) async fn approve(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<LinkInfo> {
    reply(app.service.approve_link(context, segments.get("id")?).await)
}

pub(super) async fn stop(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<LinkInfo> {
    reply(app.service.stop_link(context, segments.get("id")?).await)
}
