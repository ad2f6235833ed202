//! Reading requests: strictly, within bounds, and never echoing what was sent.

use super::problem::{Refused, sentence};
use crate::connections::Source;
use crate::failure::Failure;
use crate::service::{Peer, RequestContext};
use axum::body::Body as RawBody;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use landfall_identity::Action;
use landfall_identity::audit::{Personal, USER_AGENT_MAX};
use landfall_identity::id::RequestId;
use landfall_protocol::ErrorCode;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

/// How much of a body that is too large is read and dropped, in bytes.
const DRAIN_MAX: usize = 16 * 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(15);
/// The longest field name that is named back.
const FIELD_MAX: usize = 64;
/// The longest session token that is looked at.
const BEARER_MAX: usize = 4096;

/// The most bytes that this route's body may have.
#[derive(Debug, Clone, Copy)]
pub struct BodyMax(pub usize);

/// The request as use cases see it, but for its session token. `action` is what the route demands.
pub fn context(parts: &Parts, action: Action) -> Result<RequestContext, Refused> {
    let request_id = parts.extensions.get::<RequestId>().cloned().ok_or_else(outside)?;
    let source = parts.extensions.get::<Source>().map(|source| source.0.to_string());
    Ok(RequestContext {
        action,
        request_id,
        personal: Personal { source, user_agent: user_agent(&parts.headers) },
        peer: parts.extensions.get::<Peer>().cloned(),
        bearer: None,
    })
}

/// The door has made it: a handler cannot name another action.
impl<S: Send + Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refused> {
        parts.extensions.remove::<Self>().ok_or_else(outside)
    }
}

fn outside() -> Refused {
    Failure::internal("a route outside the table").into()
}

/// What the client calls itself, without control characters, cut to a bound.
fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(USER_AGENT)?.to_str().ok()?;
    // Header text is printable ASCII here, so every byte is a boundary.
    Some(text.chars().take(USER_AGENT_MAX).collect())
}

/// The session token that a request presents.
pub fn bearer(headers: &HeaderMap) -> Result<Option<String>, Refused> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let refused = || {
        Refused::field(
            ErrorCode::InvalidField,
            "authorization",
            "Send one Authorization header: Bearer and the session's token.",
        )
    };
    let text = value.to_str().map_err(|_| refused())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(refused)?;
    let one = values.next().is_none() && !token.is_empty() && token.len() <= BEARER_MAX;
    if one && scheme.eq_ignore_ascii_case("bearer") {
        Ok(Some(token.to_owned()))
    } else {
        Err(refused())
    }
}

/// A JSON body of exactly this form.
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refused> {
        let (parts, body) = request.into_parts();
        read_json(&parts, body).await.map(|(_, value)| Self(value))
    }
}

/// A JSON body, and the very bytes that it came in, for signatures over them.
pub struct Signed<T> {
    /// The method.
    pub method: http::Method,
    /// The path as sent.
    pub path: String,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body as sent.
    pub bytes: Bytes,
    /// The body as read.
    pub body: T,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Signed<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refused> {
        let (parts, body) = request.into_parts();
        let (bytes, body) = read_json(&parts, body).await?;
        let path = parts.uri.path().to_owned();
        Ok(Self { method: parts.method, path, headers: parts.headers, bytes, body })
    }
}

async fn read_json<T: DeserializeOwned>(
    parts: &Parts,
    body: RawBody,
) -> Result<(Bytes, T), Refused> {
    if !is_json(&parts.headers) {
        return Err(Refused::unread(
            ErrorCode::UnsupportedMediaType,
            "Send JSON, and say so: Content-Type: application/json.",
        ));
    }
    let max = parts.extensions.get::<BodyMax>().map_or(super::BODY_MAX, |max| max.0);
    let bytes = read_body(body, max).await?;
    let value = parse_json(&bytes)?;
    Ok((bytes, value))
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

pub(super) async fn read_body(mut body: RawBody, max: usize) -> Result<Bytes, Refused> {
    let collected = tokio::time::timeout(BODY_TIME, Limited::new(&mut body, max).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            drain(body).await;
            Err(Refused::unread(ErrorCode::BodyTooLarge, format!("Send at most {max} bytes here.")))
        }
        Ok(Err(_)) => Err(Refused::unread(
            ErrorCode::MalformedRequest,
            "The body broke off. Send the request again.",
        )),
        Err(_) => Err(Refused::unread(
            ErrorCode::MalformedRequest,
            "The body took too long to arrive. Send the request again.",
        )),
    }
}

/// Reads on without keeping anything, within bounds: who is still sending does not hear an answer, and
/// a connection that is closed under them looks like a broken network.
async fn drain(mut body: RawBody) {
    let mut left = DRAIN_MAX;
    let rest = async {
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    // Who takes longer than for a body that fits has had time enough.
    let _ = tokio::time::timeout(BODY_TIME, rest).await;
}

/// Parses a whole JSON text of exactly this form.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refused> {
    // serde would take an array for an object, field by field.
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if matches!(first, Some(b'[')) {
        return Err(Refused::field(ErrorCode::InvalidField, "body", "Send a JSON object."));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        json_problem(&path, &error.into_inner())
    })?;
    reader.end().map_err(|error| json_problem("", &error))?;
    Ok(value)
}

fn json_problem(path: &str, error: &serde_json::Error) -> Refused {
    if !error.is_data() {
        return Refused::unread(
            ErrorCode::MalformedRequest,
            format!(
                "The body is not JSON: look at line {}, column {}.",
                error.line(),
                error.column()
            ),
        );
    }
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    of_data_error(path, text)
}

/// serde's data errors have fixed forms. What they quote of the request is not passed on; what they
/// say was expected is ours.
fn of_data_error(path: &str, text: &str) -> Refused {
    if let Some(field) = quoted(text, "unknown field `") {
        let detail = "Leave it out, or check how it is spelt.";
        return Refused::field(ErrorCode::UnknownField, printable(field), detail);
    }
    if let Some(field) = quoted(text, "missing field `") {
        return Refused::field(ErrorCode::InvalidField, printable(field), "It is missing.");
    }
    if let Some(field) = quoted(text, "duplicate field `") {
        let detail = "It stands there twice. Send it once.";
        return Refused::field(ErrorCode::InvalidField, printable(field), detail);
    }
    let foreign = ["invalid type", "invalid value", "invalid length", "unknown variant"];
    let detail = if foreign.iter().any(|start| text.starts_with(start)) {
        expected(text.rsplit_once(", expected ").map(|(_, expected)| expected))
    } else {
        match text {
            "invalid digit found in string" | "cannot parse integer from empty string" => {
                WHOLE_NUMBER.to_owned()
            }
            "number too large to fit in target type" => "The number is too large.".to_owned(),
            "number too small to fit in target type" => "The number is too small.".to_owned(),
            _ => sentence(text),
        }
    };
    let path = if path == "." || path.is_empty() { "body" } else { path };
    Refused::field(ErrorCode::InvalidField, printable(path), detail)
}

const WHOLE_NUMBER: &str = "It must be a whole number.";

/// What belongs there, in words; what a type is called in the program is nobody's business.
fn expected(expected: Option<&str>) -> String {
    let internal = ["struct ", "enum ", "tuple ", "internally tagged", "adjacently tagged"];
    match expected {
        Some("u8") => whole_number_to(u8::MAX.into()),
        Some("u16") => whole_number_to(u16::MAX.into()),
        Some("u32") => whole_number_to(u32::MAX),
        Some("u64" | "i64" | "usize") => WHOLE_NUMBER.to_owned(),
        Some(expected) if !internal.iter().any(|word| expected.contains(word)) => {
            format!("Send {expected} here.")
        }
        _ => "It holds something else than what belongs here.".to_owned(),
    }
}

fn whole_number_to(max: u32) -> String {
    format!("It must be a whole number from 0 to {max}.")
}

fn quoted<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    text.strip_prefix(start)?.split('`').next()
}

/// A name that came from outside, fit to be named back.
fn printable(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(FIELD_MAX).collect()
}

/// A query of exactly this form.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refused> {
        axum::extract::Query::<T>::try_from_uri(&parts.uri)
            .map(|query| Self(query.0))
            .map_err(|error| of_query_error(&error.into_inner_text()))
    }
}

/// The text of axum's rejection without its prefix.
trait IntoInnerText {
    fn into_inner_text(self) -> String;
}

impl IntoInnerText for axum::extract::rejection::QueryRejection {
    fn into_inner_text(self) -> String {
        let text = self.body_text();
        match text.split_once(": ") {
            Some((start, rest)) if start.starts_with("Failed to deserialize") => rest.to_owned(),
            _ => text,
        }
    }
}

fn of_query_error(text: &str) -> Refused {
    // serde_path_to_error puts the field in front: `limit: invalid digit found in string`.
    match text.split_once(": ") {
        Some((path, rest)) if path.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
            of_data_error(path, rest)
        }
        _ => of_data_error("query", text),
    }
}

/// The percent-decoded segments that the path's `{x}` took.
pub struct Segments(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Segments {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let Path(segments) = Path::<BTreeMap<String, String>>::from_request_parts(parts, state)
            .await
            .map_err(|_| {
                Refused::unread(ErrorCode::MalformedRequest, "Percent-encode the path as UTF-8.")
            })?;
        Ok(Self(segments))
    }
}

impl Segments {
    /// The segment `name`, parsed.
    pub fn get<T: FromStr<Err: std::fmt::Display>>(
        &self,
        name: &'static str,
    ) -> Result<T, Refused> {
        let text = self.0.get(name).map(String::as_str).unwrap_or_default();
        text.parse().map_err(|error: T::Err| {
            Refused::field(ErrorCode::InvalidField, name, sentence(&error.to_string()))
        })
    }
}

#[cfg(test)]
#[path = "extract_tests.rs"]
mod tests;
