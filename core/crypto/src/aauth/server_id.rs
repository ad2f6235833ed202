//! Who issues, and who is asked: the origin of an agent provider, a person server, a service.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use url::{Host, Url};

/// The longest identifier, in bytes.
pub const SERVER_ID_MAX: usize = 270;

/// The text is no server identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a server is named by https and a host name in lower case, without port, path or slash")]
pub struct ServerIdError;

/// A server identifier: `https`, a host name in lower case, nothing else. On loopback, while one
/// develops, `http` and a port are taken too.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerId(String);

impl ServerId {
    /// Reads an identifier by the rule.
    ///
    /// # Errors
    /// [`ServerIdError`] for anything else, loopback included.
    pub fn parse(text: &str) -> Result<Self, ServerIdError> {
        let id = Self::parse_with_loopback(text)?;
        if id.is_loopback() { Err(ServerIdError) } else { Ok(id) }
    }

    /// Reads an identifier by the rule, or the origin of a server on this machine.
    ///
    /// # Errors
    /// [`ServerIdError`] for anything else.
    pub fn parse_with_loopback(text: &str) -> Result<Self, ServerIdError> {
        let url = Url::parse(text).map_err(|_| ServerIdError)?;
        // The parser folds case, drops default ports and adds a slash: what it had to change is refused.
        let written = url.as_str().strip_suffix('/').ok_or(ServerIdError)?;
        if text.len() > SERVER_ID_MAX || written != text || !url.username().is_empty() {
            return Err(ServerIdError);
        }
        let named = matches!(url.host(), Some(Host::Domain(host)) if !host.ends_with('.'));
        let public = url.scheme() == "https" && url.port().is_none() && named;
        let here = matches!(url.scheme(), "http" | "https") && is_loopback_host(&url);
        if public || here { Ok(Self(text.to_owned())) } else { Err(ServerIdError) }
    }

    /// The text form: an origin, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its host, as a URL spells it.
    pub fn host(&self) -> &str {
        let authority = self.0.split_once("://").map_or("", |(_, authority)| authority);
        match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => authority,
        }
    }

    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| is_loopback_host(&url))
    }
}

fn is_loopback_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(host)) => host == "localhost",
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ServerId {
    type Error = ServerIdError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse_with_loopback(&text)
    }
}

impl From<ServerId> for String {
    fn from(id: ServerId) -> String {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_its_origin_in_one_spelling() {
        let id = ServerId::parse("https://id.example.org").unwrap();
        assert_eq!((id.as_str(), id.host()), ("https://id.example.org", "id.example.org"));
        for bad in [
            "http://id.example.org",
            "https://id.example.org/",
            "https://id.example.org:443",
            "https://id.example.org:8443",
            "https://ID.example.org",
            "https://id.example.org.",
            "https://id.example.org?",
            "https://id.example.org#a",
            "https://a@id.example.org",
            "https://id.example.org/a",
            "https://10.0.0.1",
            "https://[::1]",
            "https://127.0.0.1",
            "http://localhost:8080",
            "id.example.org",
            "https://",
            " https://id.example.org",
        ] {
            assert_eq!(ServerId::parse(bad), Err(ServerIdError), "{bad}");
        }
    }

    #[test]
    fn loopback_is_taken_where_it_is_asked_for() {
        for (good, host) in [
            ("http://127.0.0.1:18901", "127.0.0.1"),
            ("http://localhost:8080", "localhost"),
            ("https://localhost:8443", "localhost"),
            ("http://[::1]:8080", "[::1]"),
            ("http://localhost", "localhost"),
        ] {
            let id = ServerId::parse_with_loopback(good).unwrap();
            assert!(id.is_loopback());
            assert_eq!(id.host(), host);
        }
        for bad in ["http://example.org:80", "http://10.0.0.1:80", "http://localhost.evil.org:1"] {
            assert_eq!(ServerId::parse_with_loopback(bad), Err(ServerIdError), "{bad}");
        }
    }
}
