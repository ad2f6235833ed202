//! The tenant's people and devices.

use super::extract::{Json, Query, Segments};
use super::problem::Refused;
use super::{Answer, App, reply};
use crate::service::RequestContext;
use crate::service::devices::Target;
use axum::extract::State;
use landfall_protocol::admin::{AdminDevicesQuery, RoleSetRequest, UserInfo};
use landfall_protocol::device::{DeviceCut, DeviceInfo};
use landfall_protocol::me::Frozen;
use landfall_protocol::{Page, PageQuery};

pub(super) async fn users(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<UserInfo>> {
    reply(app.service.admin_list_users(context, query).await)
}

pub(super) async fn set_role(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
    Json(body): Json<RoleSetRequest>,
) -> Answer<UserInfo> {
    reply(app.service.set_role(context, segments.get("user")?, body).await)
}

pub(super) async fn freeze(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<Frozen> {
    reply(app.service.admin_freeze(context, segments.get("user")?).await)
}

pub(super) async fn unfreeze(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<Frozen> {
    reply(app.service.admin_unfreeze(context, segments.get("user")?).await)
}

pub(super) async fn devices(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<AdminDevicesQuery>,
) -> Answer<Page<DeviceInfo>> {
    reply(app.service.admin_list_devices(context, query).await)
}

pub(super) async fn suspend(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<DeviceCut> {
    reply(app.service.suspend_device(context, target(&segments)?).await)
}

pub(super) async fn resume(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<DeviceInfo> {
    reply(app.service.resume_device(context, target(&segments)?).await)
}

pub(super) async fn revoke(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<DeviceCut> {
    reply(app.service.revoke_device(context, target(&segments)?).await)
}

fn target(segments: &Segments) -> Result<Target, Refused> {
    Ok(Target::of(segments.get("user")?, segments.get("device")?))
}
