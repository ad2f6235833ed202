//! One call to the server by the person's session: opened when missing, reopened when over, and the
//! certificate healed when it has expired.

use crate::client::{Client, Live};
use crate::failure::Failure;
use crate::http::Request;
use crate::loss::Loss;
use crate::texts;
use landfall_identity::action::Entry;
use landfall_identity::{Action, AuthStrength};
use landfall_protocol::list::PAGE_MAX;
use landfall_protocol::meta::{API_VERSION, WellKnown};
use landfall_protocol::session::{SessionOpenRequest, SessionOpened};
use landfall_protocol::{ErrorCode, Page, paths};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

/// Pages that a whole list may have: 10,000 items.
pub(crate) const PAGES_MAX: usize = 50;

/// A call.
pub(crate) struct Ask {
    action: Action,
    method: Method,
    target: String,
    body: Option<Zeroizing<Vec<u8>>>,
    /// The session that was opened for this very act.
    bound: Option<SessionOpened>,
    /// Whether a person's session is used where there is one, although a device's would do.
    by_person: bool,
    /// Fields that the device's key signed.
    headers: Vec<(&'static str, String)>,
    repeatable: bool,
}

impl Ask {
    pub(crate) fn new(action: Action, method: Method, target: impl Into<String>) -> Self {
        let repeatable = method == Method::GET;
        Self {
            action,
            method,
            target: target.into(),
            body: None,
            bound: None,
            by_person: false,
            headers: Vec::new(),
            repeatable,
        }
    }

    pub(crate) fn get(action: Action, target: impl Into<String>) -> Self {
        Self::new(action, Method::GET, target)
    }

    pub(crate) fn post(action: Action, target: impl Into<String>) -> Self {
        Self::new(action, Method::POST, target)
    }

    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self, Failure> {
        let bytes = serde_json::to_vec(body)
            .map_err(|_| Failure::new(ErrorCode::InvalidField, texts::UNREADABLE))?;
        self.body = Some(Zeroizing::new(bytes));
        Ok(self)
    }

    pub(crate) fn bound_to(mut self, session: SessionOpened) -> Self {
        self.bound = Some(session);
        self
    }

    /// As the person, where they have stepped up: the answer says more then.
    pub(crate) fn by_person(mut self) -> Self {
        self.by_person = true;
        self
    }

    /// What the device's key has signed. It goes out once.
    pub(crate) fn signed(mut self, request: Request) -> Self {
        self.headers = request.headers;
        self.body = request.body;
        self
    }

    /// May be sent again when the answer was lost: the server tells that it is the same.
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    fn wants_human(&self) -> bool {
        self.by_person || self.action.demand().entry == Entry::Session(AuthStrength::CertHuman)
    }
}

/// What has been tried to make the call succeed; each is tried once.
#[derive(Default)]
struct Healed {
    renewed: bool,
    reopened: bool,
    human: bool,
}

impl Client {
    /// Asks and reads the answer.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, ask: Ask) -> Result<T, Failure> {
        let body = self.ask_raw(ask).await?;
        read_json(&body)
    }

    /// Asks where the answer says no more than that it was done.
    pub(crate) async fn ask_done(&self, ask: Ask) -> Result<(), Failure> {
        self.ask_raw(ask).await.map(|_| ())
    }

    /// A whole list, page by page; at most [`PAGES_MAX`] pages.
    pub(crate) async fn ask_all<T: DeserializeOwned>(
        &self,
        action: Action,
        path: &str,
        filter: &[(&str, &str)],
    ) -> Result<Vec<T>, Failure> {
        let mut items = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let limit = PAGE_MAX.to_string();
            let mut query = vec![("limit", limit.as_str())];
            query.extend_from_slice(filter);
            query.extend(after.as_deref().map(|after| ("after", after)));
            let page: Page<T> = self.ask(Ask::get(action, with_query(path, &query))).await?;
            items.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(items)
    }

    async fn ask_raw(&self, ask: Ask) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut healed = Healed::default();
        loop {
            let live = self.live().await?;
            let session = self.session_for(&live, &ask, healed.human).await?;
            let strength = session.auth_strength;
            let failure = match live.http.send(&request(&ask, session)).await {
                Ok(body) => return Ok(body),
                Err(failure) => failure,
            };
            self.note_end(&live, &failure);
            if !self.heal(&live, &ask, &failure, strength, &mut healed).await? {
                return Err(failure);
            }
        }
    }

    /// Whether something was done about `failure`, so that the call is worth another try.
    async fn heal(
        &self,
        live: &Arc<Live>,
        ask: &Ask,
        failure: &Failure,
        strength: AuthStrength,
        healed: &mut Healed,
    ) -> Result<bool, Failure> {
        match failure.code() {
            ErrorCode::CertificateExpired if !healed.renewed => {
                healed.renewed = true;
                self.renew_live(live).await?;
                Ok(true)
            }
            ErrorCode::SessionOver
            | ErrorCode::SessionRequired
            | ErrorCode::SessionOfAnotherKey
                if ask.bound.is_none() && !healed.reopened =>
            {
                // A human session that is over is not replaced: a person must touch again. The
                // weaker one then earns the honest answer, `step-up-required`.
                healed.reopened = strength == AuthStrength::CertOnly;
                self.drop_session(live, strength);
                Ok(true)
            }
            ErrorCode::StepUpRequired
                if ask.bound.is_none()
                    && strength == AuthStrength::CertOnly
                    && !healed.human
                    && self.human().is_some() =>
            {
                healed.human = true;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// The weakest session that serves: of the person when the act wants one and there is one.
    async fn session_for(
        &self,
        live: &Arc<Live>,
        ask: &Ask,
        human: bool,
    ) -> Result<SessionOpened, Failure> {
        if let Some(bound) = &ask.bound {
            return Ok(bound.clone());
        }
        let now = self.ambient().now();
        if ask.wants_human() || human {
            let session = live.sessions().live(AuthStrength::CertHuman, now).cloned();
            if let Some(session) = session {
                return Ok(session);
            }
        }
        let session = live.sessions().live(AuthStrength::CertOnly, now).cloned();
        match session {
            Some(session) => Ok(session),
            None => self.open_session(live).await,
        }
    }

    /// Opens a `cert-only` session; heals an expired certificate on the way.
    pub(crate) async fn open_session(&self, live: &Arc<Live>) -> Result<SessionOpened, Failure> {
        let mut live = live.clone();
        let mut renewed = false;
        loop {
            let mut request = Request::new(Method::POST, paths::SESSION);
            request.body = serde_json::to_vec(&SessionOpenRequest {}).ok().map(Zeroizing::new);
            request.repeatable = true;
            // The act that it is for has not gone out yet.
            request.loss = Loss::Nothing;
            match live.http.send(&request).await {
                Ok(body) => {
                    let session: SessionOpened = read_json(&body)?;
                    self.keep_session(&live, session.clone());
                    return Ok(session);
                }
                Err(failure) if failure.code() == ErrorCode::CertificateExpired && !renewed => {
                    renewed = true;
                    live = self.renew_live(&live).await?;
                }
                Err(failure) => {
                    self.note_end(&live, &failure);
                    return Err(failure);
                }
            }
        }
    }
}

fn request(ask: &Ask, session: SessionOpened) -> Request {
    Request {
        method: ask.method.clone(),
        target: ask.target.clone(),
        body: ask.body.clone(),
        token: Some(Zeroizing::new(session.token)),
        headers: ask.headers.clone(),
        repeatable: ask.repeatable,
        loss: if ask.method == Method::GET { Loss::Nothing } else { Loss::of(ask.action) },
    }
}

pub(crate) fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        tracing::debug!(%error, "the answer could not be read");
        Failure::new(ErrorCode::AnswerUnreadable, texts::UNREADABLE)
    })
}

/// Checks that client and server share a version of the interface.
pub(crate) fn check_version(server: &WellKnown) -> Result<(), Failure> {
    if server.api_min > API_VERSION {
        return Err(Failure::new(ErrorCode::UpdateNeeded, texts::APP_TOO_OLD));
    }
    if server.api_max < API_VERSION {
        return Err(Failure::new(ErrorCode::UpdateNeeded, texts::SERVER_TOO_OLD));
    }
    Ok(())
}

/// A path with a query, percent-encoded.
pub(crate) fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    if pairs.is_empty() {
        return path.to_owned();
    }
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{path}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_identity::{Timestamp, TrustDomain};
    use landfall_protocol::At;

    fn server(api_min: u32, api_max: u32) -> WellKnown {
        WellKnown {
            version: "1".into(),
            api_min,
            api_max,
            url: "https://landfall.example".into(),
            ceremony_origin: None,
            trust_domain: TrustDomain::parse("td").unwrap(),
            trust: "webpki".into(),
            server_time: At(Timestamp::from_seconds(0)),
        }
    }

    #[test]
    fn versions_must_overlap() {
        assert!(check_version(&server(API_VERSION, API_VERSION + 3)).is_ok());
        assert!(check_version(&server(0, API_VERSION)).is_ok());
        assert!(check_version(&server(API_VERSION + 1, API_VERSION + 2)).is_err());
        assert!(check_version(&server(0, API_VERSION - 1)).is_err());
    }

    #[test]
    fn queries_are_encoded() {
        assert_eq!(with_query("/a", &[]), "/a");
        assert_eq!(with_query("/a", &[("after", "x&y=z")]), "/a?after=x%26y%3Dz");
    }
}
