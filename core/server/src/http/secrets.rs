//! Managed secrets.

use super::extract::{Json, Query, Segments};
use super::problem::Refused;
use super::{Answer, App, reply};
use crate::service::RequestContext;
use axum::extract::State;
use http::StatusCode;
use landfall_protocol::secret::{SecretInfo, SecretSetRequest, SecretValue, SecretVersionInfo};
use landfall_protocol::{ErrorCode, Page, PageQuery};

pub(super) async fn list(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<SecretInfo>> {
    reply(app.service.list_secrets(context, query).await)
}

pub(super) async fn set(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<SecretSetRequest>,
) -> Answer<SecretInfo> {
    reply(app.service.set_secret(context, body).await)
}

pub(super) async fn get(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<SecretValue> {
    reply(app.service.get_secret(context, segments.get("name")?).await)
}

pub(super) async fn delete(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Result<StatusCode, Refused> {
    app.service.delete_secret(context, segments.get("name")?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn versions(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
    Query(query): Query<PageQuery>,
) -> Answer<Page<SecretVersionInfo>> {
    reply(app.service.list_secret_versions(context, segments.get("name")?, query).await)
}

pub(super) async fn get_version(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<SecretValue> {
    let (name, version) = (segments.get("name")?, version_of(&segments)?);
    reply(app.service.get_secret_version(context, name, version).await)
}

pub(super) async fn delete_version(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Result<StatusCode, Refused> {
    let (name, version) = (segments.get("name")?, version_of(&segments)?);
    app.service.delete_secret_version(context, name, version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A version's number, in the one way of writing it.
fn version_of(segments: &Segments) -> Result<u64, Refused> {
    let text: String = segments.get("version")?;
    let number = text.parse::<u64>().ok().filter(|number| number.to_string() == text);
    let wrong = || Refused::field(ErrorCode::InvalidField, "version", "It must be a whole number.");
    number.ok_or_else(wrong)
}
