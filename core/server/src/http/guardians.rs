//! Guardians, those whose guardians people are, and whether a wait may stand in for a proof.

use super::extract::{Json, Query, Segments};
use super::problem::Refused;
use super::{Answer, App, reply};
use crate::service::RequestContext;
use axum::extract::State;
use http::StatusCode;
use landfall_protocol::guardian::{GuardianInfo, GuardianNameRequest, WaitingInfo};
use landfall_protocol::recovery::RecoveryInfo;
use landfall_protocol::{Page, PageQuery};

pub(super) async fn name(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<GuardianNameRequest>,
) -> Answer<GuardianInfo> {
    reply(app.service.name_guardian(context, body).await)
}

pub(super) async fn list(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<GuardianInfo>> {
    reply(app.service.list_guardians(context, query).await)
}

pub(super) async fn remove(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Result<StatusCode, Refused> {
    app.service.remove_guardian(context, segments.get("guardian")?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn wards(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<GuardianInfo>> {
    reply(app.service.list_wards(context, query).await)
}

pub(super) async fn accept(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<GuardianInfo> {
    reply(app.service.accept_ward(context, segments.get("user")?).await)
}

pub(super) async fn leave(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Result<StatusCode, Refused> {
    app.service.leave_ward(context, segments.get("user")?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn recoveries(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<RecoveryInfo>> {
    reply(app.service.list_ward_recoveries(context, query).await)
}

pub(super) async fn vouch(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<RecoveryInfo> {
    reply(app.service.vouch_for_ward(context, segments.get("id")?).await)
}

pub(super) async fn show_waiting(
    State(app): State<App>,
    context: RequestContext,
) -> Answer<WaitingInfo> {
    reply(app.service.show_waiting(context).await)
}

pub(super) async fn allow_waiting(
    State(app): State<App>,
    context: RequestContext,
) -> Answer<WaitingInfo> {
    reply(app.service.set_waiting(context, true).await)
}

pub(super) async fn forbid_waiting(
    State(app): State<App>,
    context: RequestContext,
) -> Answer<WaitingInfo> {
    reply(app.service.set_waiting(context, false).await)
}
