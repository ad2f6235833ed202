//! SVIDs for workloads, and the platforms whose word is taken.

use super::extract::{Json, Query, Segments};
use super::problem::Refused;
use super::{Answer, App, reply};
use crate::service::RequestContext;
use axum::extract::State;
use http::StatusCode;
use landfall_protocol::workload::{
    WorkloadExchangeRequest, WorkloadIssued, WorkloadIssuerInfo, WorkloadIssuerRequest,
};
use landfall_protocol::{Page, PageQuery};

pub(super) async fn exchange(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<WorkloadExchangeRequest>,
) -> Answer<WorkloadIssued> {
    reply(app.service.exchange_workload(context, body).await)
}

pub(super) async fn list_issuers(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<WorkloadIssuerInfo>> {
    reply(app.service.admin_list_workload_issuers(context, query).await)
}

pub(super) async fn add_issuer(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<WorkloadIssuerRequest>,
) -> Answer<WorkloadIssuerInfo> {
    reply(app.service.admin_add_workload_issuer(context, body).await)
}

pub(super) async fn remove_issuer(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Result<StatusCode, Refused> {
    app.service.admin_remove_workload_issuer(context, segments.get("issuer")?).await?;
    Ok(StatusCode::NO_CONTENT)
}
