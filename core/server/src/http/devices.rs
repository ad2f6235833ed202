//! The caller's devices.

use super::extract::{Json, Query, Segments};
use super::{Answer, App, reply};
use crate::service::RequestContext;
use crate::service::devices::Target;
use axum::extract::State;
use landfall_protocol::device::{
    DeviceAct, DeviceCut, DeviceInfo, DeviceReviewQuery, ExposedSecret,
};
use landfall_protocol::passkey::RenameRequest;
use landfall_protocol::{Page, PageQuery};

pub(super) async fn list(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<DeviceInfo>> {
    reply(app.service.list_devices(context, query).await)
}

pub(super) async fn rename(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
    Json(RenameRequest { label }): Json<RenameRequest>,
) -> Answer<DeviceInfo> {
    reply(app.service.rename_device(context, segments.get("device")?, label).await)
}

pub(super) async fn suspend(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<DeviceCut> {
    let target = Target::own(segments.get("device")?);
    reply(app.service.suspend_device(context, target).await)
}

pub(super) async fn resume(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<DeviceInfo> {
    let target = Target::own(segments.get("device")?);
    reply(app.service.resume_device(context, target).await)
}

pub(super) async fn revoke(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<DeviceCut> {
    let target = Target::own(segments.get("device")?);
    reply(app.service.revoke_device(context, target).await)
}

pub(super) async fn review(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
    Query(query): Query<DeviceReviewQuery>,
) -> Answer<Page<DeviceAct>> {
    reply(app.service.review_device(context, segments.get("device")?, query).await)
}

pub(super) async fn exposure(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
    Query(query): Query<PageQuery>,
) -> Answer<Page<ExposedSecret>> {
    reply(app.service.list_exposure(context, segments.get("device")?, query).await)
}
