//! Readiness, one's own recovery plan, and drills.

use super::extract::{Json, Query, Signed};
use super::tokens::signature_fields;
use super::{Answer, App, reply};
use crate::service::{RequestContext, SignedMessage};
use axum::extract::State;
use landfall_crypto::httpsig;
use landfall_protocol::Page;
use landfall_protocol::readiness::{
    AdminReadinessQuery, AdminsReadiness, DrillCodeRequest, DrillInfo, ReadinessInfo,
    RecoveryPlanInfo, RecoveryPlanRequest, UserReadiness,
};

pub(super) async fn own(State(app): State<App>, context: RequestContext) -> Answer<ReadinessInfo> {
    reply(app.service.my_readiness(context).await)
}

pub(super) async fn admin_list(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<AdminReadinessQuery>,
) -> Answer<Page<UserReadiness>> {
    reply(app.service.admin_readiness(context, query).await)
}

pub(super) async fn admins(
    State(app): State<App>,
    context: RequestContext,
) -> Answer<AdminsReadiness> {
    reply(app.service.admins_readiness(context).await)
}

pub(super) async fn plan(
    State(app): State<App>,
    context: RequestContext,
) -> Answer<RecoveryPlanInfo> {
    reply(app.service.show_recovery_plan(context).await)
}

pub(super) async fn set_plan(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<RecoveryPlanRequest>,
) -> Answer<RecoveryPlanInfo> {
    reply(app.service.set_recovery_plan(context, body).await)
}

pub(super) async fn clear_plan(
    State(app): State<App>,
    context: RequestContext,
) -> Answer<RecoveryPlanInfo> {
    reply(app.service.clear_recovery_plan(context).await)
}

/// A signature that cannot even be read is refused in the use case, once the caller is known.
pub(super) async fn drill_code(
    State(app): State<App>,
    context: RequestContext,
    request: Signed<DrillCodeRequest>,
) -> Answer<DrillInfo> {
    let fields = signature_fields(&request.headers).ok();
    let authority = app.site.url.authority();
    let message = fields.as_ref().map(|fields| SignedMessage {
        request: httpsig::Request {
            method: request.method.as_str(),
            authority: &authority,
            path: &request.path,
            body: &request.bytes,
        },
        fields,
    });
    reply(app.service.drill_code(context, message, request.body.clone()).await)
}

pub(super) async fn drill_passkey(
    State(app): State<App>,
    context: RequestContext,
) -> Answer<DrillInfo> {
    reply(app.service.drill_passkey(context).await)
}
