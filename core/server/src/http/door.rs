//! What stands before a handler, by what its route demands: the cheap checks that need no rows. What a
//! known principal may do is decided behind it, in the use case.

use super::App;
use super::extract::{self, BodyMax};
use super::problem::Refused;
use super::route::{RouteInfo, routes};
use crate::connections::{Connection, Source};
use crate::failure::Failure;
use crate::service::RequestContext;
use crate::strangers::is_guess;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, ORIGIN};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method};
use landfall_identity::Refusal;
use landfall_identity::action::Entry;
use landfall_protocol::ErrorCode;
use std::sync::Arc;
use tracing::Instrument;

/// One route's door.
#[derive(Clone)]
pub struct Door {
    /// What is behind.
    pub app: App,
    /// The route.
    pub info: RouteInfo,
    /// The most bytes of its body.
    pub body_max: usize,
}

/// Admits a request and runs its work to the end, also when the client hangs up: an act that has
/// begun is finished, and so is its audit row.
pub async fn pass(State(door): State<Door>, request: Request, next: Next) -> Response {
    let connection = request.extensions().get::<Arc<Connection>>().cloned();
    let work = door.work(request, next).in_current_span();
    let done = match connection {
        Some(connection) => tokio::spawn(connection.scope(work)).await,
        None => tokio::spawn(work).await,
    };
    done.unwrap_or_else(|fault| Refused::from(Failure::internal(fault)).into_response())
}

impl Door {
    async fn work(self, request: Request, next: Next) -> Response {
        let (mut parts, body) = request.into_parts();
        let source = parts.extensions.get::<Source>().copied();
        parts.extensions.insert(BodyMax(self.body_max));
        let mut context = match extract::context(&parts, self.info.action) {
            Ok(context) => context,
            Err(refused) => return refused.into_response(),
        };
        let known = context.peer.is_some().then(|| context.clone());
        if let Err(refused) = self.admit(&mut context, &parts) {
            self.account(source, known, &refused).await;
            return self.with_allowed_methods(self.worded(refused));
        }
        parts.extensions.insert(context);
        let response = next.run(Request::from_parts(parts, body)).await;
        let Some(refused) = response.extensions().get::<Refused>().cloned() else {
            return response;
        };
        let limited = self.limit(source, refused.problem.code).await.err();
        self.account(source, known, &refused).await;
        self.worded(limited.unwrap_or(refused)).into_response()
    }

    /// As those who come to this door read it.
    fn worded(&self, refused: Refused) -> Refused {
        match self.info.action.demand().entry {
            Entry::AgentKey => refused.for_agent(),
            _ => refused,
        }
    }

    fn admit(&self, context: &mut RequestContext, parts: &Parts) -> Result<(), Refused> {
        let entry = self.info.action.demand().entry;
        if entry != Entry::Anyone && !self.app.heartbeat.is_alive() {
            // Revocations do not reach this node any more: nobody is let in on old knowledge.
            return Err(Failure::Unavailable.into());
        }
        match entry {
            Entry::Anyone
            | Entry::DoorSecret
            | Entry::EnrolledKey
            | Entry::RecoveryKey
            | Entry::PlatformToken
            | Entry::AgentKey => {}
            Entry::CeremonySecret => {
                let ceremony = self.app.site.ceremony.as_ref();
                let ceremony = ceremony.ok_or(Refusal::PasskeysUnavailable)?;
                same_page(parts, &ceremony.origin, "Begin again from the app.")?;
            }
            Entry::MailedSecret => {
                let origin = self.app.site.url.to_string();
                same_page(parts, &origin, "Open the link in the mail again.")?;
            }
            Entry::Connection | Entry::Session(_) => {
                if context.peer.is_none() {
                    return Err(Refusal::CertificateRequired.into());
                }
            }
        }
        if parts.method == Method::HEAD && entry != Entry::Anyone {
            // It would be on record as a reading whose answer nobody got.
            let why = "The Allow header lists those that it takes; HEAD is for public addresses.";
            return Err(Refused::unread(ErrorCode::MethodNotAllowed, why));
        }
        // What an agent says there is for others, and covered by its signature.
        if entry != Entry::AgentKey {
            context.bearer = extract::bearer(&parts.headers)?;
        }
        Ok(())
    }

    fn with_allowed_methods(&self, refused: Refused) -> Response {
        let no_method = refused.problem.code == ErrorCode::MethodNotAllowed;
        let mut response = refused.into_response();
        if no_method {
            response.headers_mut().extend(allowed(self.info.path));
        }
        response
    }

    /// Whoever guesses too much is told to wait instead of being told that it was wrong. A right secret
    /// never waits: else one neighbour behind the same address could keep everybody from coming back.
    async fn limit(&self, source: Option<Source>, code: ErrorCode) -> Result<(), Refused> {
        match source {
            Some(Source(address)) if is_guess(code) => {
                Ok(self.app.strangers.admit(address).await?)
            }
            _ => Ok(()),
        }
    }

    /// Sees to it that every refusal is on record once: in the use case's row, in a row of its own
    /// when a known principal sent what no use case could read, or in the strangers' counts.
    async fn account(
        &self,
        source: Option<Source>,
        known: Option<RequestContext>,
        refused: &Refused,
    ) {
        let code = refused.problem.code;
        let entry = self.info.action.demand().entry;
        if let Some(context) = known
            && matches!(entry, Entry::Connection | Entry::Session(_))
            && code != ErrorCode::NotEnrolled
            && (!refused.unread || self.app.service.record_unread(context, code).await)
        {
            return;
        }
        if let Some(Source(address)) = source {
            self.app.strangers.note(address, code);
        }
    }
}

/// The `Allow` header of a path: HEAD stands in it where it is served.
pub(super) fn allowed(path: &str) -> Option<(HeaderName, HeaderValue)> {
    let mut methods = Vec::new();
    for route in routes().iter().filter(|route| route.path == path) {
        methods.push(route.method);
        if route.method == "GET" && route.action.demand().entry == Entry::Anyone {
            methods.push("HEAD");
        }
    }
    HeaderValue::from_str(&methods.join(", ")).ok().map(|methods| (ALLOW, methods))
}

/// A page answers itself only (Fetch Metadata, section 2.3). `again` says how to begin anew.
fn same_page(parts: &Parts, origin: &str, again: &str) -> Result<(), Refused> {
    let one = |name: &http::HeaderName| {
        let mut values = parts.headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none()).map(HeaderValue::as_bytes)
    };
    let site = http::HeaderName::from_static("sec-fetch-site");
    if one(&ORIGIN) == Some(origin.as_bytes()) && one(&site) == Some(b"same-origin") {
        return Ok(());
    }
    Err(Refused::unread(
        ErrorCode::OriginRefused,
        format!("Only this server's own page may do that. {again}"),
    ))
}
