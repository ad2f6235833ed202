//! What agents send and get: bounded in time and size; no redirects, no proxies, no cookies; https, and
//! http on this machine alone.

use super::error::AgentError;
use crate::http::{builder, read_bounded};
use crate::tls;
use landfall_crypto::Ambient;
use landfall_crypto::token::Trust;
use reqwest::Method;
use std::sync::OnceLock;
use url::{Host, Url};
use zeroize::Zeroizing;

/// Trust that nobody meets: for connections without TLS.
const NOBODY: Trust = Trust::Pin([0; 32]);

/// A request, before it is signed.
#[derive(Clone)]
pub struct AgentRequest {
    /// The method, in upper case.
    pub method: String,
    /// Where to.
    pub url: Url,
    /// Its header fields, without those of the signature. A body needs `content-type`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Zeroizing<Vec<u8>>,
}

impl AgentRequest {
    /// A GET.
    pub fn get(url: Url) -> Self {
        let body = Zeroizing::new(Vec::new());
        Self { method: "GET".to_owned(), url, headers: Vec::new(), body }
    }

    /// A POST of JSON.
    pub fn post_json(url: Url, json: Vec<u8>) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { method: "POST".to_owned(), url, headers, body: Zeroizing::new(json) }
    }
}

/// An answer, whole.
pub struct AgentResponse {
    /// The status.
    pub status: u16,
    /// Its header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Zeroizing<Vec<u8>>,
}

impl AgentResponse {
    /// The first line of a header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        let line = self.headers.iter().find(|(field, _)| field == name);
        line.map(|(_, value)| value.as_str())
    }

    /// Whether it is a 2xx.
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

/// Connections to the provider, to whatever else browsers would trust, and on this machine.
pub(super) struct Transport {
    provider: Option<(Url, Trust)>,
    ambient: Ambient,
    clients: [OnceLock<reqwest::Client>; 3],
}

impl Transport {
    /// Transport that knows its provider by `trust`, and everybody else as browsers do.
    pub(super) fn new(provider: Option<(Url, Trust)>, ambient: Ambient) -> Self {
        Self { provider, ambient, clients: Default::default() }
    }

    /// Sends `request` with `fields` added, and reads the whole answer.
    pub(super) async fn send(
        &self,
        request: &AgentRequest,
        fields: &[(&'static str, String)],
    ) -> Result<AgentResponse, AgentError> {
        let whom = || request.url.origin().ascii_serialization();
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| AgentError::Request("its method cannot be written"))?;
        let mut builder = self.client(&request.url)?.request(method, request.url.clone());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        for (name, value) in fields {
            builder = builder.header(*name, value);
        }
        if !request.body.is_empty() {
            builder = builder.body(request.body.to_vec());
        }
        let response = builder.send().await.map_err(|error| {
            tracing::debug!(%error, "no answer to an agent");
            AgentError::Unreachable(whom())
        })?;
        let status = response.status().as_u16();
        let line =
            |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
                value.to_str().ok().map(|value| (name.as_str().to_owned(), value.to_owned()))
            };
        let headers = response.headers().iter().filter_map(line).collect();
        let body = read_bounded(response).await.map_err(|_| AgentError::Unreachable(whom()))?;
        Ok(AgentResponse { status, headers, body })
    }

    fn client(&self, url: &Url) -> Result<&reqwest::Client, AgentError> {
        let of_provider = |(base, _): &&(Url, Trust)| base.origin() == url.origin();
        let (slot, trust) = match (url.scheme(), &self.provider) {
            ("http", _) if is_here(url) => (0, NOBODY),
            ("https", provider) => match provider.as_ref().filter(of_provider) {
                Some((_, trust)) => (1, *trust),
                None => (2, Trust::WebPki),
            },
            _ => return Err(AgentError::Insecure(url.origin().ascii_serialization())),
        };
        if let Some(client) = self.clients[slot].get() {
            return Ok(client);
        }
        let unusable = || AgentError::Unreachable(url.origin().ascii_serialization());
        let tls = tls::config(trust, None, self.ambient.clock.clone()).map_err(|_| unusable())?;
        let client = builder(tls).build().map_err(|_| unusable())?;
        Ok(self.clients[slot].get_or_init(|| client))
    }
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(host)) => host == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
