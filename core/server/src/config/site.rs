//! The facts of a running server that follow from its configuration and its bound addresses.

use super::{Config, ConfigError};
use http::uri::Authority;
use landfall_identity::{TenantName, TrustDomain};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use url::{Host, Url};

/// The trust domain of a server that has no name of its own.
const LOCAL_TRUST_DOMAIN: &str = "landfall.local";
/// What this machine calls itself.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The address of a server: `https://host` or `https://host:port`, nothing behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicUrl(Url);

/// The text is not such an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be https:// and a host, with a port if need be and nothing behind it")]
pub struct PublicUrlError;

impl PublicUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// [`PublicUrlError`] for another scheme, credentials, a path, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, PublicUrlError> {
        let url = Url::parse(text).map_err(|_| PublicUrlError)?;
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if url.scheme() == "https" && url.host().is_some() && bare {
            Ok(Self(url))
        } else {
            Err(PublicUrlError)
        }
    }

    /// The address as a URL.
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// Host, and port when it is not 443: what requests carry as authority (RFC 9110, section 7.2).
    pub fn authority(&self) -> String {
        let host = self.host_text();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The host as a text; an IPv6 address in brackets.
    pub fn host_text(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The host when it is a name and not an address.
    pub fn domain(&self) -> Option<&str> {
        match self.0.host() {
            Some(Host::Domain(name)) => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = PublicUrlError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<PublicUrl> for String {
    fn from(url: PublicUrl) -> Self {
        url.to_string()
    }
}

/// What a running server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The address that people and machines use.
    pub url: PublicUrl,
    /// The tenant.
    pub tenant: TenantName,
    /// The trust domain that this configuration asks for; the first start fixes it.
    pub trust_domain: TrustDomain,
    /// Where browsers do passkey ceremonies; absent when they cannot here.
    pub ceremony: Option<CeremonyOrigin>,
    /// The port of the local listener, when there is one.
    pub localhost_port: Option<u16>,
    /// Whether browsers are said to trust the server's certificate.
    pub web_pki: bool,
}

/// Where browsers do passkey ceremonies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CeremonyOrigin {
    /// The exact origin, such as `http://localhost:8480`.
    pub origin: String,
    /// The relying party that passkeys are made for (WebAuthn Level 3, section 4).
    pub rp_id: String,
}

impl Site {
    /// The site of a server with this configuration on these bound addresses.
    ///
    /// # Errors
    /// [`ConfigError::Rule`] when no address or trust domain follows.
    pub fn new(
        config: &Config,
        https: SocketAddr,
        localhost: Option<SocketAddr>,
    ) -> Result<Self, ConfigError> {
        let url = match &config.public_url {
            Some(url) => url.clone(),
            None => PublicUrl::parse(&format!("https://{https}"))
                .map_err(|error| ConfigError::Rule(error.to_string()))?,
        };
        let trust_domain = match &config.trust_domain {
            Some(domain) => domain.clone(),
            None => default_trust_domain(&url)?,
        };
        let web_pki = config.has_certificate_files();
        let ceremony = ceremony_origin(&url, web_pki, localhost);
        let (tenant, localhost_port) = (config.tenant.clone(), localhost.map(|at| at.port()));
        Ok(Self { url, tenant, trust_domain, ceremony, localhost_port, web_pki })
    }
}

impl Site {
    /// The public address, if browsers are said to trust its certificate, without a slash at the end.
    pub fn browser_url(&self) -> Option<String> {
        self.web_pki.then(|| self.url.to_string())
    }

    /// What browsers call the local ceremony listener by; `localhost` when there is none.
    pub fn ceremony_authority(&self) -> Authority {
        let origin = self.ceremony.as_ref().map(|ceremony| ceremony.origin.as_str());
        let authority = origin.and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
        let parsed = authority.and_then(|authority| authority.parse().ok());
        parsed.unwrap_or_else(|| Authority::from_static("localhost"))
    }

    /// The names and addresses that a certificate of our own CA carries: the public one, and this
    /// machine's own when the server is called by an address.
    pub fn certificate_names(&self) -> Vec<String> {
        let host = self.url.host_text().trim_matches(['[', ']']).to_owned();
        let mut names = vec![host];
        if self.url.domain().is_none() {
            names.extend(LOCAL_NAMES.map(str::to_owned));
        }
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }
}

fn default_trust_domain(url: &PublicUrl) -> Result<TrustDomain, ConfigError> {
    let name = match url.domain() {
        Some(name) if name != "localhost" => name,
        _ => LOCAL_TRUST_DOMAIN,
    };
    TrustDomain::parse(name).map_err(|error| {
        ConfigError::Rule(format!("set trust_domain: {name} cannot be one: {error}"))
    })
}

/// Browsers take passkeys on pages with a certificate that they trust, on a name; or on
/// `http://localhost`. The local listener exists only when it was asked for, and then it is meant.
fn ceremony_origin(
    url: &PublicUrl,
    web_pki: bool,
    localhost: Option<SocketAddr>,
) -> Option<CeremonyOrigin> {
    if let Some(address) = localhost {
        let origin = match address.port() {
            80 => "http://localhost".to_owned(),
            port => format!("http://localhost:{port}"),
        };
        return Some(CeremonyOrigin { origin, rp_id: "localhost".to_owned() });
    }
    let name = url.domain().filter(|_| web_pki)?;
    Some(CeremonyOrigin { origin: url.to_string(), rp_id: name.to_owned() })
}
