//! Sessions.

use super::extract::Json;
use super::problem::Refused;
use super::{Answer, App, reply};
use crate::service::RequestContext;
use axum::extract::State;
use http::StatusCode;
use landfall_protocol::session::{SessionOpenRequest, SessionOpened};

pub(super) async fn open(
    State(app): State<App>,
    context: RequestContext,
    Json(SessionOpenRequest {}): Json<SessionOpenRequest>,
) -> Answer<SessionOpened> {
    reply(app.service.open_session(context).await)
}

pub(super) async fn close(
    State(app): State<App>,
    context: RequestContext,
) -> Result<StatusCode, Refused> {
    app.service.close_session(context).await?;
    Ok(StatusCode::NO_CONTENT)
}
