//! Audit rows.

use super::extract::Query;
use super::{Answer, App, reply};
use crate::service::RequestContext;
use axum::extract::State;
use landfall_protocol::Page;
use landfall_protocol::audit::{AuditQuery, AuditRow};

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
