//! Tokens and certificates.

use super::extract::{Json, Query, Segments, Signed};
use super::problem::Refused;
use super::{Answer, App, reply};
use crate::service::RequestContext;
use axum::extract::State;
use http::HeaderMap;
use landfall_crypto::httpsig::{self, SignatureFields};
use landfall_identity::Refusal;
use landfall_protocol::enroll::{
    CertIssueRequest, CertIssued, CertRenewRequest, TokenInfo, TokenIssueRequest, TokenIssued,
};
use landfall_protocol::{Page, PageQuery};

pub(super) async fn issue(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<TokenIssueRequest>,
) -> Answer<TokenIssued> {
    reply(app.service.issue_token(context, body).await)
}

pub(super) async fn list(
    State(app): State<App>,
    context: RequestContext,
    Query(query): Query<PageQuery>,
) -> Answer<Page<TokenInfo>> {
    reply(app.service.list_tokens(context, query).await)
}

pub(super) async fn cancel(
    State(app): State<App>,
    context: RequestContext,
    segments: Segments,
) -> Answer<TokenInfo> {
    reply(app.service.cancel_token(context, segments.get("id")?).await)
}

pub(super) async fn enroll(
    State(app): State<App>,
    context: RequestContext,
    Json(body): Json<CertIssueRequest>,
) -> Answer<CertIssued> {
    reply(app.service.enroll(context, body).await)
}

pub(super) async fn renew(
    State(app): State<App>,
    context: RequestContext,
    request: Signed<CertRenewRequest>,
) -> Answer<CertIssued> {
    let CertRenewRequest {} = request.body;
    let fields = signature_fields(&request.headers)?;
    // Our own authority, not the one that the request claims.
    let authority = app.site.url.authority();
    let signed = httpsig::Request {
        method: request.method.as_str(),
        authority: &authority,
        path: &request.path,
        body: &request.bytes,
    };
    reply(app.service.renew(context, signed, &fields).await)
}

/// The fields of a request's signature.
pub(super) fn signature_fields(headers: &HeaderMap) -> Result<SignatureFields, Refused> {
    Ok(SignatureFields {
        content_digest: one(headers, "content-digest")?,
        signature_input: one(headers, "signature-input")?,
        signature: one(headers, "signature")?,
    })
}

/// A field that is there exactly once: two of them could be read two ways.
fn one(headers: &HeaderMap, name: &'static str) -> Result<String, Refused> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none());
    let text = value.and_then(|value| value.to_str().ok()).ok_or(Refusal::SignatureInvalid)?;
    Ok(text.to_owned())
}
