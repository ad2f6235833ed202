//! The tenant's rules.

use super::extract::Json;
use super::{Answer, App, reply};
use crate::service::RequestContext;
use axum::extract::State;
use landfall_protocol::policy::{PolicyInfo, PolicySetRequest, PolicyTried, PolicyTryRequest};

pub(super) async fn show(State(app): State<App>, context: RequestContext) -> Answer<PolicyInfo> {
    reply(app.service.admin_read_policies(context).await)
}

pub(super) async fn set(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<PolicySetRequest>,
) -> Answer<PolicyInfo> {
    reply(app.service.admin_set_policy(context, body).await)
}

pub(super) async fn try_it(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<PolicyTryRequest>,
) -> Answer<PolicyTried> {
    reply(app.service.admin_try_policy(context, body).await)
}
