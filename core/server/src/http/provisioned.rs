//! Machines that stand for themselves, and their keys.

use super::extract::{Json, Query, Segments};
use super::{Answer, App, reply};
use crate::service::RequestContext;
use axum::extract::State;
use landfall_protocol::enroll::CertIssued;
use landfall_protocol::provisioned::{
    ClaimRequest, MachineCut, MachineKeyInfo, ProvisionApproveRequest, ProvisionApproved,
    ProvisionRequest, ProvisionedCredential,
};
use landfall_protocol::{Page, PageQuery};

/// Its answer is the only copy: like every answer it says `Cache-Control: no-store`.
pub(super) async fn provision(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<ProvisionRequest>,
) -> Answer<ProvisionedCredential> {
    reply(app.service.provision(context, body).await)
}

pub(super) async fn approve(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<ProvisionApproveRequest>,
) -> Answer<ProvisionApproved> {
    reply(app.service.approve_provision(context, body).await)
}

pub(super) async fn claim(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<ClaimRequest>,
) -> Answer<CertIssued> {
    reply(app.service.claim_credential(context, body).await)
}

pub(super) async fn list(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<MachineKeyInfo>> {
    reply(app.service.list_provisioned(context, query).await)
}

pub(super) async fn disable(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<MachineKeyInfo> {
    reply(app.service.disable_key(context, segments.get("key")?).await)
}

pub(super) async fn enable(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<MachineKeyInfo> {
    reply(app.service.enable_key(context, segments.get("key")?).await)
}

/// Suspends or revokes, by what the route demands.
pub(super) async fn cut(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<MachineCut> {
    reply(app.service.cut_machine(context, segments.get("device")?).await)
}

pub(super) async fn resume(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<MachineCut> {
    reply(app.service.resume_machine(context, segments.get("device")?).await)
}
