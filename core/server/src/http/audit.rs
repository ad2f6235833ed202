//! Audit rows.

use super::extract::{Query, Segments};
use super::{Answer, App, reply};
use crate::service::RequestContext;
use axum::extract::State;
use landfall_protocol::Page;
use landfall_protocol::audit::{
    AuditCheckpointInfo, AuditConsistency, AuditConsistencyQuery, AuditProof, AuditProofQuery,
    AuditQuery, AuditRow,
};

pub(super) async fn list(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<AuditQuery>,
) -> Answer<Page<AuditRow>> {
    reply(app.service.list_audit(context, query).await)
}

pub(super) async fn admin_list(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<AuditQuery>,
) -> Answer<Page<AuditRow>> {
    reply(app.service.admin_list_audit(context, query).await)
}

pub(super) async fn checkpoint(
    State(app): State<App>,
    context: RequestContext,
) -> Answer<AuditCheckpointInfo> {
    reply(app.service.audit_checkpoint(context).await)
}

pub(super) async fn prove(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
    Query(query): Query<AuditProofQuery>,
) -> Answer<AuditProof> {
    reply(app.service.prove_audit_row(context, segments.get("seq")?, query).await)
}

pub(super) async fn prove_growth(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<AuditConsistencyQuery>,
) -> Answer<AuditConsistency> {
    reply(app.service.prove_audit_growth(context, query).await)
}
