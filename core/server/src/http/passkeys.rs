//! Registered passkeys.

use super::extract::{Json, Query, Segments};
use super::problem::Refused;
use super::{Answer, App, reply};
use crate::service::RequestContext;
use axum::extract::State;
use http::StatusCode;
use landfall_protocol::passkey::{PasskeyInfo, PasskeyRemoveQuery, RenameRequest};
use landfall_protocol::{Page, PageQuery};

pub(super) async fn list(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<PasskeyInfo>> {
    reply(app.service.list_passkeys(context, query).await)
}

pub(super) async fn rename(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
    Json(RenameRequest { label }): Json<RenameRequest>,
) -> Answer<PasskeyInfo> {
    reply(app.service.rename_passkey(context, segments.get("id")?, label).await)
}

pub(super) async fn bind(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<PasskeyInfo> {
    reply(app.service.bind_passkey(context, segments.get("id")?).await)
}

pub(super) async fn remove(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
    Query(query): Query<PasskeyRemoveQuery>,
) -> Result<StatusCode, Refused> {
    app.service.remove_passkey(context, segments.get("id")?, query).await?;
    Ok(StatusCode::NO_CONTENT)
}
