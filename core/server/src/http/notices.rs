//! What happened to the caller's account, and where that is mailed to.

use super::extract::{Json, Query, Segments};
use super::problem::Refused;
use super::{Answer, App, ceremony, reply};
use crate::service::RequestContext;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use landfall_protocol::me::Frozen;
use landfall_protocol::notice::{
    AddressAddRequest, AddressConfirmRequest, AddressInfo, FreezeByLinkRequest, NoticeInfo,
};
use landfall_protocol::{Page, PageQuery};

pub(super) async fn list(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<NoticeInfo>> {
    reply(app.service.list_notices(context, query).await)
}

const FREEZE_PAGE: &str = include_str!("../../assets/ceremony/freeze.html");

/// The page acts on nothing: a mail program that looks at links ahead changes nothing.
pub(super) async fn freeze_page() -> Response {
    ceremony::a_page(FREEZE_PAGE)
}

pub(super) async fn freeze_by_link(
    State(app): State<App>,
    context: RequestContext,
    Json(FreezeByLinkRequest { secret }): Json<FreezeByLinkRequest>,
) -> Answer<Frozen> {
    reply(app.service.freeze_by_link(context, secret).await)
}

pub(super) async fn addresses(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<AddressInfo>> {
    reply(app.service.list_addresses(context, query).await)
}

pub(super) async fn add(
    State(app): State<App>,
    context: RequestContext,
    Json(AddressAddRequest { address }): Json<AddressAddRequest>,
) -> Answer<AddressInfo> {
    reply(app.service.add_address(context, address).await)
}

pub(super) async fn confirm(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
    Json(AddressConfirmRequest { code }): Json<AddressConfirmRequest>,
) -> Answer<AddressInfo> {
    reply(app.service.confirm_address(context, segments.get("id")?, code).await)
}

pub(super) async fn remove(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Result<StatusCode, Refused> {
    app.service.remove_address(context, segments.get("id")?).await?;
    Ok(StatusCode::NO_CONTENT)
}
