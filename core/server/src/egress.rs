//! The one way in which this server calls others over HTTP.
//!
//! *An address that somebody else wrote down can lead inwards: to a service of this machine, to the
//! cloud's metadata, to a name that resolves to either.* So only `https` is spoken; a name is resolved
//! once, every address of it is looked at, and the connection goes to the very address that was looked
//! at. Addresses of private networks are refused unless the operator has listed them
//! (`egress_networks`). Nothing is followed anywhere else, no proxy of the environment is asked, and
//! everything has a bound.

use http::header::{ACCEPT, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use landfall_crypto::ambient::Clock;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};
use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

/// How long a connection, TLS included, may take.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long everything may take; far less than a delivery's lease.
const CALL_TIME: Duration = Duration::from_secs(30);
/// The most bytes of an answer's body that are read.
const ANSWER_MAX: usize = 64 * 1024;
/// The most bytes of an answer's head.
const HEAD_MAX: usize = 32 * 1024;
/// The most header fields of an answer.
const HEADERS_MAX: usize = 64;
/// Addresses of one name that are looked at.
const ADDRESSES_MAX: usize = 32;

/// What we call ourselves.
const AGENT: &str = concat!("landfall-server/", env!("CARGO_PKG_VERSION"));

/// IPv4 networks that are not the public internet (RFC 6890, RFC 5771, RFC 6598).
const NOT_PUBLIC_V4: [&str; 16] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
];
/// What of IPv6 is the public internet at all (RFC 4291, section 2.4).
const PUBLIC_V6: &str = "2000::/3";
/// What of that is not: protocol assignments with Teredo, documentation, and 6to4, which carries an IPv4
/// address inside (RFC 6890, RFC 9637, RFC 3056).
const NOT_PUBLIC_V6: [&str; 4] = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

#[allow(clippy::expect_used, reason = "constants that a test reads")]
static RANGES: LazyLock<(Vec<IpNet>, IpNet)> = LazyLock::new(|| {
    let net = |text: &str| text.parse().expect("a network");
    let not = NOT_PUBLIC_V4.iter().chain(&NOT_PUBLIC_V6).map(|text| net(text)).collect();
    (not, net(PUBLIC_V6))
});

/// Whether an address is one of the public internet.
fn is_public(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let (not_public, public_v6) = &*RANGES;
    let inside = address.is_ipv4() || public_v6.contains(&address);
    inside && !not_public.iter().any(|net| net.contains(&address))
}

/// Why a call did not succeed. The texts are for operators.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// Not `https`, or without a host.
    #[error("only https:// with a host is called")]
    NotHttps,
    /// The name leads nowhere.
    #[error("{0} has no address: {1}")]
    Unresolved(String, String),
    /// An address that must not be called.
    #[error(
        "{host} leads to {address}, which is not public; list its network in egress_networks if that is \
         meant"
    )]
    Private {
        /// The name.
        host: String,
        /// The address.
        address: IpAddr,
    },
    /// No connection.
    #[error("{address} cannot be connected to: {source}")]
    Connect {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// It took too long.
    #[error("it took too long")]
    TimedOut,
    /// The conversation broke off.
    #[error("the conversation broke off: {0}")]
    Broken(#[from] hyper::Error),
    /// It wants us to go elsewhere.
    #[error("it answered {0}, a redirect, which is not followed")]
    Redirect(StatusCode),
    /// It says too much.
    #[error("it answered with more than {ANSWER_MAX} bytes")]
    TooLarge,
    /// It says no.
    #[error("it answered {0}")]
    Status(StatusCode),
    /// What we wanted to send is no request.
    #[error("the request cannot be made: {0}")]
    Request(#[from] http::Error),
}

/// Why there is no way out.
#[derive(Debug, thiserror::Error)]
pub enum EgressSetupError {
    /// The certificate cannot be used.
    #[error("it holds no certificate that can be used; put one there, as PEM")]
    Authority,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// The way out.
pub struct Egress {
    tls: TlsConnector,
    allowed: Vec<IpNet>,
}

impl Egress {
    /// A way out to public addresses and to `allowed` networks. Servers are believed by the system's
    /// authorities, or by `authority` (PEM) alone.
    ///
    /// # Errors
    /// [`EgressSetupError`].
    pub fn new(
        allowed: Vec<IpNet>,
        authority: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, EgressSetupError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = verifier(authority, &provider)?;
        let mut config = ClientConfig::builder_with_details(provider, Arc::new(HandedTime(clock)))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), allowed })
    }

    /// Sends a POST; done means that the other side answered 2xx, in time. What else it says is not read, so
    /// that it may break off there.
    ///
    /// # Errors
    /// [`EgressError`].
    pub async fn post(
        &self,
        url: &Url,
        fields: Vec<(HeaderName, HeaderValue)>,
        body: Vec<u8>,
    ) -> Result<(), EgressError> {
        let request = request(Method::POST, url, fields, body)?;
        self.within_time(url, request, Answered::Status).await.map(drop)
    }

    /// Fetches a document: what the other side answers with 2xx, within every bound.
    ///
    /// # Errors
    /// [`EgressError`].
    pub async fn get(&self, url: &Url) -> Result<Vec<u8>, EgressError> {
        let fields = vec![(ACCEPT, HeaderValue::from_static("application/json"))];
        let request = request(Method::GET, url, fields, Vec::new())?;
        self.within_time(url, request, Answered::Whole).await
    }

    async fn within_time(
        &self,
        url: &Url,
        request: Request<Full<Bytes>>,
        wanted: Answered,
    ) -> Result<Vec<u8>, EgressError> {
        tokio::time::timeout(CALL_TIME, self.call(url, request, wanted))
            .await
            .map_err(|_| EgressError::TimedOut)?
    }

    async fn call(
        &self,
        url: &Url,
        request: Request<Full<Bytes>>,
        wanted: Answered,
    ) -> Result<Vec<u8>, EgressError> {
        let (address, name) = self.resolve(url).await?;
        let broken = |source| EgressError::Connect { address, source };
        let connecting = async {
            let stream = TcpStream::connect(address).await.map_err(broken)?;
            self.tls.connect(name, stream).await.map_err(broken)
        };
        let stream = tokio::time::timeout(CONNECT_TIME, connecting)
            .await
            .map_err(|_| EgressError::TimedOut)??;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD_MAX)
            .max_headers(HEADERS_MAX)
            .handshake(TokioIo::new(stream))
            .await?;
        // The connection moves only while somebody waits for it; what ends it shows in the answer.
        let driving = async {
            let _ = connection.await;
            std::future::pending::<Infallible>().await
        };
        let exchange = async { judge(sender.send_request(request).await?, wanted).await };
        tokio::select! {
            answer = exchange => answer,
            never = driving => match never {},
        }
    }

    /// The address that is connected to: looked at here, and dialled as it is.
    async fn resolve(&self, url: &Url) -> Result<(SocketAddr, ServerName<'static>), EgressError> {
        if url.scheme() != "https" {
            return Err(EgressError::NotHttps);
        }
        let port = url.port_or_known_default().unwrap_or(443);
        let (addresses, name) = match url.host().ok_or(EgressError::NotHttps)? {
            Host::Ipv4(address) => {
                (vec![IpAddr::V4(address)], ServerName::from(IpAddr::V4(address)))
            }
            Host::Ipv6(address) => {
                (vec![IpAddr::V6(address)], ServerName::from(IpAddr::V6(address)))
            }
            Host::Domain(domain) => {
                let lost = |why: String| EgressError::Unresolved(domain.to_owned(), why);
                let name = ServerName::try_from(domain.to_owned())
                    .map_err(|error| lost(error.to_string()))?;
                let found = tokio::net::lookup_host((domain, port))
                    .await
                    .map_err(|error| lost(error.to_string()))?;
                (found.map(|at| at.ip()).take(ADDRESSES_MAX).collect(), name)
            }
        };
        let address = self.choose(url.host_str().unwrap_or_default(), &addresses)?;
        Ok((SocketAddr::new(address, port), name))
    }

    /// The address to connect to. One that must not be called spoils the name: whoever mixes them wants
    /// it to be taken.
    fn choose(&self, host: &str, addresses: &[IpAddr]) -> Result<IpAddr, EgressError> {
        if let Some(address) = addresses.iter().find(|address| !self.may_call(**address)) {
            return Err(EgressError::Private { host: host.to_owned(), address: *address });
        }
        let none = || EgressError::Unresolved(host.to_owned(), "the name has none".to_owned());
        addresses.first().copied().ok_or_else(none)
    }

    fn may_call(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.allowed.iter().any(|net| net.contains(&address))
    }
}

/// Host, and port unless it is 443: what signatures cover, and the Host field says.
pub fn authority_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn request(
    method: Method,
    url: &Url,
    fields: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
) -> Result<Request<Full<Bytes>>, EgressError> {
    let mut builder = Request::builder()
        .method(&method)
        .uri(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header(HOST, authority_of(url))
        .header(USER_AGENT, AGENT);
    if method != Method::GET {
        builder = builder.header(CONTENT_LENGTH, body.len());
    }
    for (name, value) in fields {
        builder = builder.header(name, value);
    }
    Ok(builder.body(Full::new(Bytes::from(body)))?)
}

/// How much of an answer is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answered {
    /// Its status: what was sent has arrived, whatever becomes of the rest.
    Status,
    /// All of it.
    Whole,
}

/// Reads an answer, to its end if that is wanted, within bounds.
async fn judge(
    answer: hyper::Response<Incoming>,
    wanted: Answered,
) -> Result<Vec<u8>, EgressError> {
    let status = answer.status();
    if status.is_redirection() {
        return Err(EgressError::Redirect(status));
    }
    if wanted == Answered::Status {
        return if status.is_success() { Ok(Vec::new()) } else { Err(EgressError::Status(status)) };
    }
    let mut body = answer.into_body();
    let mut said = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame?;
        let Some(data) = frame.data_ref() else { continue };
        if said.len() + data.len() > ANSWER_MAX {
            return Err(EgressError::TooLarge);
        }
        said.extend_from_slice(data);
    }
    match status.is_success() {
        true => Ok(said),
        false => Err(EgressError::Status(status)),
    }
}

fn verifier(
    authority: Option<&str>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, EgressSetupError> {
    let Some(pem) = authority else {
        return Ok(Arc::new(rustls_platform_verifier::Verifier::new(provider.clone())?));
    };
    let blocks = pem::parse_many(pem).map_err(|_| EgressSetupError::Authority)?;
    let mut roots = RootCertStore::empty();
    for block in blocks.into_iter().filter(|block| block.tag() == "CERTIFICATE") {
        roots
            .add(CertificateDer::from(block.into_contents()))
            .map_err(|_| EgressSetupError::Authority)?;
    }
    // Without any root it says so.
    let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    Ok(built.build().map_err(|_| EgressSetupError::Authority)?)
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
        let millis = u64::try_from(self.0.now().millis()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(millis)))
    }
}

#[cfg(test)]
#[path = "egress_tests.rs"]
mod tests;
