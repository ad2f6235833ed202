//! Fetching a document: bounded in time and size, no redirects, no proxies; https, and http on this machine
//! for issuers on this machine.

use landfall_crypto::Clock;
use reqwest::redirect::Policy;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, UnixTime};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long everything may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest document that is read, in bytes.
pub(crate) const DOCUMENT_MAX: usize = 256 * 1024;
const USER_AGENT: &str = concat!("landfall-verifier/", env!("CARGO_PKG_VERSION"));

/// By which authorities the servers are known from which keys are fetched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Roots {
    /// Those of the platform.
    #[default]
    Platform,
    /// These alone, PEM: a Landfall server's own (`/ca.pem`), got by another way than from the server.
    Pem(String),
}

/// Why a document was not fetched. For operators.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Neither https nor on this machine.
    #[error("{0} is not fetched: only https is spoken, and http on this machine alone")]
    Insecure(String),
    /// The roots hold no certificate, or TLS cannot be set up.
    #[error("the roots hold no certificate that can be used")]
    Roots,
    /// No answer, or one that broke off.
    #[error("{url} did not answer: {source}")]
    Unreachable {
        /// Which.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// Another answer than a document.
    #[error("{url} answered {status}")]
    Status {
        /// Which.
        url: String,
        /// What.
        status: u16,
    },
    /// Longer than any such document.
    #[error("{0} answered with more than {DOCUMENT_MAX} bytes")]
    TooLong(String),
}

/// Fetches documents.
pub(crate) struct Fetcher(reqwest::Client);

impl Fetcher {
    pub(crate) fn new(roots: &Roots, clock: Arc<dyn Clock>) -> Result<Self, FetchError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(roots, clock)?)
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(FETCH_TIMEOUT)
            .user_agent(USER_AGENT)
            .build()
            .map_err(|_| FetchError::Roots)?;
        Ok(Self(client))
    }

    /// Fetches `url`; plain http only where `here` says that the issuer is on this machine.
    pub(crate) async fn get(&self, url: &Url, here: bool) -> Result<Vec<u8>, FetchError> {
        let plain = url.scheme() == "http" && here && is_here(url);
        if !plain && url.scheme() != "https" {
            return Err(FetchError::Insecure(url.to_string()));
        }
        let unreachable = |source| FetchError::Unreachable { url: url.to_string(), source };
        let mut answer = self.0.get(url.clone()).send().await.map_err(unreachable)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(FetchError::Status { url: url.to_string(), status: status.as_u16() });
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > DOCUMENT_MAX {
                return Err(FetchError::TooLong(url.to_string()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
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

fn tls(roots: &Roots, clock: Arc<dyn Clock>) -> Result<ClientConfig, FetchError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = server_verifier(roots, &provider)?;
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(HandedTime(clock)))
        .with_safe_default_protocol_versions()
        .map_err(|_| FetchError::Roots)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn server_verifier(
    roots: &Roots,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, FetchError> {
    let Roots::Pem(text) = roots else {
        let platform = rustls_platform_verifier::Verifier::new(provider.clone());
        return Ok(Arc::new(platform.map_err(|_| FetchError::Roots)?));
    };
    let blocks = pem::parse_many(text).map_err(|_| FetchError::Roots)?;
    let certificates = blocks.into_iter().filter(|block| block.tag() == "CERTIFICATE");
    let store = root_store(certificates.map(pem::Pem::into_contents))?;
    let built = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone());
    Ok(built.build().map_err(|_| FetchError::Roots)?)
}

pub(crate) fn root_store(
    certificates: impl Iterator<Item = Vec<u8>>,
) -> Result<RootCertStore, FetchError> {
    let mut store = RootCertStore::empty();
    for der in certificates {
        store.add(CertificateDer::from(der)).map_err(|_| FetchError::Roots)?;
    }
    Ok(store)
}

/// Time from the clock that was handed in.
struct HandedTime(Arc<dyn Clock>);

impl fmt::Debug for HandedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandedTime")
    }
}

impl TimeProvider for HandedTime {
    fn current_time(&self) -> Option<UnixTime> {
        unix_time(self.0.as_ref())
    }
}

pub(crate) fn unix_time(clock: &dyn Clock) -> Option<UnixTime> {
    let millis = u64::try_from(clock.now().millis()).ok()?;
    Some(UnixTime::since_unix_epoch(Duration::from_millis(millis)))
}
