//! Recovery codes, recoveries, and the administrators' queue.

use super::extract::{Json, Query, Segments, Signed};
use super::problem::Refused;
use super::tokens::signature_fields;
use super::{Answer, App, reply};
use crate::service::{RequestContext, SignedMessage};
use axum::extract::State;
use landfall_crypto::httpsig::{self, SignatureFields};
use landfall_protocol::recovery::{
    Recovered, RecoveryApproveRequest, RecoveryBeginRequest, RecoveryCodeInfo, RecoveryCodesMade,
    RecoveryCodesRequest, RecoveryCompleteRequest, RecoveryInfo, RecoveryMailProveRequest,
    RecoveryMailRequest, RecoveryProveRequest, RecoveryShowRequest, RecoveryStatus,
    RecoveryWaitRequest,
};
use landfall_protocol::{Page, PageQuery};

pub(super) async fn make_codes(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<RecoveryCodesRequest>,
) -> Answer<RecoveryCodesMade> {
    reply(app.service.make_recovery_codes(context, body).await)
}

pub(super) async fn list_codes(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<RecoveryCodeInfo>> {
    reply(app.service.list_recovery_codes(context, query).await)
}

pub(super) async fn begin(
    State(app): State<App>,
    context: RequestContext,
    request: Signed<RecoveryBeginRequest>,
) -> Answer<RecoveryStatus> {
    let fields = fields(&request)?;
    let authority = app.site.url.authority();
    let message = message(&request, &authority, &fields);
    reply(app.service.begin_recovery(context, message, request.body.clone()).await)
}

pub(super) async fn show(
    State(app): State<App>,
    request: Signed<RecoveryShowRequest>,
) -> Answer<RecoveryStatus> {
    let fields = fields(&request)?;
    let authority = app.site.url.authority();
    let message = message(&request, &authority, &fields);
    reply(app.service.show_recovery(message, request.body.clone()).await)
}

pub(super) async fn prove(
    State(app): State<App>,
    context: RequestContext,
    request: Signed<RecoveryProveRequest>,
) -> Answer<RecoveryStatus> {
    let fields = fields(&request)?;
    let authority = app.site.url.authority();
    let message = message(&request, &authority, &fields);
    reply(app.service.prove_recovery(context, message, request.body.clone()).await)
}

pub(super) async fn ask_for_wait(
    State(app): State<App>,
    context: RequestContext,
    request: Signed<RecoveryWaitRequest>,
) -> Answer<RecoveryStatus> {
    let fields = fields(&request)?;
    let authority = app.site.url.authority();
    let message = message(&request, &authority, &fields);
    reply(app.service.ask_for_wait(context, message, request.body.clone()).await)
}

pub(super) async fn mail(
    State(app): State<App>,
    context: RequestContext,
    request: Signed<RecoveryMailRequest>,
) -> Answer<RecoveryStatus> {
    let fields = fields(&request)?;
    let authority = app.site.url.authority();
    let message = message(&request, &authority, &fields);
    reply(app.service.mail_recovery_code(context, message, request.body.clone()).await)
}

pub(super) async fn prove_by_mail(
    State(app): State<App>,
    context: RequestContext,
    request: Signed<RecoveryMailProveRequest>,
) -> Answer<RecoveryStatus> {
    let fields = fields(&request)?;
    let authority = app.site.url.authority();
    let message = message(&request, &authority, &fields);
    reply(app.service.prove_recovery_by_mail(context, message, request.body.clone()).await)
}

pub(super) async fn complete(
    State(app): State<App>,
    context: RequestContext,
    request: Signed<RecoveryCompleteRequest>,
) -> Answer<Recovered> {
    let fields = fields(&request)?;
    let authority = app.site.url.authority();
    let message = message(&request, &authority, &fields);
    reply(app.service.complete_recovery(context, message, request.body.clone()).await)
}

pub(super) async fn list(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<RecoveryInfo>> {
    reply(app.service.list_recoveries(context, query).await)
}

/// The owner's objection, and an administrator's no: what differs is what the route demands.
pub(super) async fn stop(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<RecoveryInfo> {
    reply(app.service.stop_recovery(context, segments.get("id")?).await)
}

pub(super) async fn admin_list(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<RecoveryInfo>> {
    reply(app.service.admin_list_recoveries(context, query).await)
}

pub(super) async fn approve(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
    Json(body): Json<RecoveryApproveRequest>,
) -> Answer<RecoveryInfo> {
    reply(app.service.approve_recovery(context, segments.get("id")?, body).await)
}

pub(super) fn fields<T>(request: &Signed<T>) -> Result<SignatureFields, Refused> {
    signature_fields(&request.headers)
}

/// Under our own authority, not the one that the request claims.
pub(super) fn message<'a, T>(
    request: &'a Signed<T>,
    authority: &'a str,
    fields: &'a SignatureFields,
) -> SignedMessage<'a> {
    let request = httpsig::Request {
        method: request.method.as_str(),
        authority,
        path: &request.path,
        body: &request.bytes,
    };
    SignedMessage { request, fields }
}
