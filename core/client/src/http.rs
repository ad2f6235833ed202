//! HTTP: bounded in time, size and tries; no redirects, no proxies, no cookies.

use crate::failure::Failure;
use crate::loss::Loss;
use crate::texts;
use crate::tls::{self, DeviceIdentity};
use landfall_crypto::Ambient;
use landfall_crypto::token::Trust;
use landfall_protocol::{ErrorCode, Problem};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Response, StatusCode};
use std::error::Error as _;
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one try may take, the answer included.
const TRY_TIMEOUT: Duration = Duration::from_secs(20);
/// How often a request is tried.
const TRIES_MAX: u32 = 3;
/// The pause before the second try; it doubles, and half of it is chance.
const PAUSE: Duration = Duration::from_millis(200);
/// The largest answer that is read, in bytes: 200 audit rows are about 200 KiB.
const ANSWER_MAX: usize = 4 * 1024 * 1024;
const USER_AGENT: &str = concat!("landfall/", env!("CARGO_PKG_VERSION"));

/// Connections to one server with one identity.
pub(crate) struct Http {
    client: reqwest::Client,
    base: Url,
    ambient: Ambient,
}

/// One request.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// The path and query, beginning with `/`.
    pub(crate) target: String,
    pub(crate) body: Option<Zeroizing<Vec<u8>>>,
    pub(crate) token: Option<Zeroizing<String>>,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Whether it may be sent again when the answer was lost: reading, and what the server keys.
    pub(crate) repeatable: bool,
    /// What is said when the answer was lost.
    pub(crate) loss: Loss,
}

impl Request {
    pub(crate) fn new(method: Method, target: impl Into<String>) -> Self {
        let reads = method == Method::GET;
        let loss = if reads { Loss::Nothing } else { Loss::Look(None) };
        let (target, headers) = (target.into(), Vec::new());
        Self { method, target, body: None, token: None, headers, repeatable: reads, loss }
    }
}

impl Http {
    pub(crate) fn new(
        server: &Url,
        trust: Trust,
        identity: Option<DeviceIdentity>,
        ambient: &Ambient,
    ) -> Result<Self, Failure> {
        let tls = tls::config(trust, identity, ambient.clock.clone())?;
        let client = builder(tls).https_only(true).build().map_err(|error| {
            tracing::debug!(%error, "the HTTP client could not be made");
            Failure::new(ErrorCode::ServerUnreachable, texts::UNREACHABLE)
        })?;
        Ok(Self { client, base: server.clone(), ambient: ambient.clone() })
    }

    /// Sends a request and reads the whole answer: the body of a 2xx, or the server's problem.
    pub(crate) async fn send(&self, request: &Request) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut tries = 1;
        let mut went_out = false;
        loop {
            let Unanswered { failure, again, sent } = match self.send_once(request).await {
                Ok(body) => return Ok(body),
                Err(error) => error,
            };
            went_out |= sent;
            if !again || tries >= TRIES_MAX {
                // A last try that reached nobody does not undo one that may have arrived.
                let unsure = went_out && failure.code() == ErrorCode::ServerUnreachable;
                return Err(if unsure { self.unreachable(&request.loss.told()) } else { failure });
            }
            tokio::time::sleep(self.pause(tries)).await;
            tries += 1;
        }
    }

    /// One try.
    async fn send_once(&self, request: &Request) -> Result<Zeroizing<Vec<u8>>, Unanswered> {
        let url = self.base.join(&request.target).map_err(|_| {
            Unanswered::for_good(ErrorCode::InvalidField, "The address cannot be written.")
        })?;
        let mut builder = self.client.request(request.method.clone(), url);
        for (name, value) in &request.headers {
            builder = builder.header(HeaderName::from_static(name), value);
        }
        if let Some(token) = &request.token {
            let value = Zeroizing::new(format!("Bearer {}", token.as_str()));
            if let Ok(mut value) = HeaderValue::from_str(&value) {
                value.set_sensitive(true);
                builder = builder.header(AUTHORIZATION, value);
            }
        }
        if let Some(body) = &request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body.to_vec());
        }
        let response = builder.send().await.map_err(|error| self.unsent(&error, request))?;
        let status = response.status();
        let body = read_bounded(response).await.map_err(|code| match code {
            Unread::TooLong => Unanswered::for_good(ErrorCode::AnswerUnreadable, texts::TOO_LONG),
            Unread::Broken => self.lost(request),
        })?;
        if status.is_success() {
            return Ok(body);
        }
        let failure = Failure::from(problem_of(status, &body));
        let busy = matches!(failure.code(), ErrorCode::Busy | ErrorCode::Unavailable);
        Err(Unanswered { failure, again: busy && request.repeatable, sent: false })
    }

    fn unsent(&self, error: &reqwest::Error, request: &Request) -> Unanswered {
        tracing::debug!(%error, "no answer");
        if let Some(failure) = certificate_failure(error) {
            return Unanswered { failure, again: false, sent: false };
        }
        // A connection that was never made carried nothing, so anything may be tried again.
        if error.is_connect() {
            let failure = self.unreachable(texts::UNREACHABLE);
            return Unanswered { failure, again: true, sent: false };
        }
        self.lost(request)
    }

    /// It went out, and nobody knows what became of it.
    fn lost(&self, request: &Request) -> Unanswered {
        let failure = self.unreachable(&request.loss.told());
        Unanswered { failure, again: request.repeatable, sent: true }
    }

    fn unreachable(&self, text: &str) -> Failure {
        let detail = format!("{text} The server is {}.", self.base.origin().ascii_serialization());
        Failure::new(ErrorCode::ServerUnreachable, detail)
    }

    /// Between half and all of a doubling pause.
    fn pause(&self, tries: u32) -> Duration {
        let full = PAUSE * 2_u32.pow(tries - 1);
        let [chance] = self.ambient.random::<1>();
        full / 2 + full * u32::from(chance) / 512
    }
}

/// What all our connections have in common.
pub(crate) fn builder(tls: rustls::ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TRY_TIMEOUT)
        .user_agent(USER_AGENT)
}

/// A try that brought no answer that serves.
struct Unanswered {
    failure: Failure,
    /// Whether another try may help and does no harm.
    again: bool,
    /// Whether it may have been done, and nobody said so.
    sent: bool,
}

impl Unanswered {
    fn for_good(code: ErrorCode, text: &str) -> Self {
        Self { failure: Failure::new(code, text), again: false, sent: false }
    }
}

pub(crate) enum Unread {
    TooLong,
    Broken,
}

pub(crate) async fn read_bounded(mut response: Response) -> Result<Zeroizing<Vec<u8>>, Unread> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(|_| Unread::Broken)? {
        if body.len() + chunk.len() > ANSWER_MAX {
            return Err(Unread::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The server's problem, or what can be said of an answer that is none of ours.
fn problem_of(status: StatusCode, body: &[u8]) -> Problem {
    if let Ok(problem) = serde_json::from_slice::<Problem>(body) {
        return problem;
    }
    let detail = format!("{} (HTTP {status})", texts::UNREADABLE);
    let mut problem = Problem::new(ErrorCode::AnswerUnreadable, detail);
    problem.status = status.as_u16();
    problem
}

/// What the TLS library found wrong with the server's certificate, if that is what it was.
fn certificate_failure(error: &reqwest::Error) -> Option<Failure> {
    let mut source = error.source();
    while let Some(inner) = source {
        match tls_error(inner) {
            Some(rustls::Error::InvalidCertificate(reason)) => return Some(not_trusted(reason)),
            Some(rustls::Error::NoCertificatesPresented) => {
                return Some(Failure::new(ErrorCode::ServerNotTrusted, texts::NOT_TRUSTED));
            }
            _ => source = inner.source(),
        }
    }
    None
}

/// The TLS error in this one. An IO error does not name what it wraps as its source, and may wrap
/// another IO error.
fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let mut error = error;
    loop {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        error = error.downcast_ref::<std::io::Error>()?.get_ref()?;
    }
}

fn not_trusted(reason: &rustls::CertificateError) -> Failure {
    use rustls::CertificateError as E;
    tracing::debug!(?reason, "the server is not trusted");
    let text = match reason {
        E::Expired | E::ExpiredContext { .. } | E::NotValidYet | E::NotValidYetContext { .. } => {
            texts::CERTIFICATE_TIME
        }
        _ => texts::NOT_TRUSTED,
    };
    Failure::new(ErrorCode::ServerNotTrusted, text)
}
