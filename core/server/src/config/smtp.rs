//! Where mail goes out.

use super::Config;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use url::Url;

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// TLS from the first byte (RFC 8314, section 3.3).
    Tls,
    /// TLS after `STARTTLS`, without which nothing is sent (RFC 3207).
    StartTls,
    /// None: within one machine only.
    Plain,
}

/// A mail server: `smtps://host`, `smtp+starttls://host`, or `smtp://` and a loopback address, with a
/// port if need be. Credentials do not belong into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SmtpUrl {
    /// How the connection is protected.
    pub security: SmtpSecurity,
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// Why a text is no mail server to send by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SmtpUrlError {
    /// Another form.
    #[error(
        "it must be smtps://host or smtp+starttls://host, with a port if need be and nothing behind it"
    )]
    Form,
    /// A name or a password in it.
    #[error("it must carry no name and no password: smtp_credentials_file holds them")]
    Credentials,
    /// Plain text over a network.
    #[error(
        "smtp:// is plain text and is taken for a loopback address only; use smtps:// or smtp+starttls://"
    )]
    PlainText,
}

impl SmtpUrl {
    /// Reads it.
    ///
    /// # Errors
    /// [`SmtpUrlError`], with what to write instead.
    pub fn parse(text: &str) -> Result<Self, SmtpUrlError> {
        let url = Url::parse(text).map_err(|_| SmtpUrlError::Form)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SmtpUrlError::Credentials);
        }
        let (security, port) = match url.scheme() {
            "smtps" => (SmtpSecurity::Tls, 465),
            "smtp+starttls" => (SmtpSecurity::StartTls, 587),
            "smtp" => (SmtpSecurity::Plain, 25),
            _ => return Err(SmtpUrlError::Form),
        };
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        let host = host.trim_matches(['[', ']']).to_owned();
        let bare =
            matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':');
        if !bare || host.is_empty() || !host.bytes().all(plain) {
            return Err(SmtpUrlError::Form);
        }
        if security == SmtpSecurity::Plain && !is_loopback(&host) {
            return Err(SmtpUrlError::PlainText);
        }
        Ok(Self { security, host, port: url.port().unwrap_or(port) })
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

impl fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.security {
            SmtpSecurity::Tls => "smtps",
            SmtpSecurity::StartTls => "smtp+starttls",
            SmtpSecurity::Plain => "smtp",
        };
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

impl TryFrom<String> for SmtpUrl {
    type Error = SmtpUrlError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<SmtpUrl> for String {
    fn from(url: SmtpUrl) -> Self {
        url.to_string()
    }
}

/// The rules between the keys of mail.
pub(super) fn rules(config: &Config) -> Result<(), (&'static str, &'static str)> {
    match (&config.smtp_url, &config.smtp_from) {
        (Some(_), None) => Err(("smtp_url", "set smtp_from to the address that mail comes from")),
        (None, Some(_)) => Err(("smtp_from", "set smtp_url to the server that mail goes out by")),
        (None, None) if config.smtp_credentials_file.is_some() => {
            Err(("smtp_credentials_file", "set smtp_url to the server that these are for"))
        }
        (None, None) if config.smtp_ca_file.is_some() => {
            Err(("smtp_ca_file", "set smtp_url to the server whose certificate it vouches for"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_server_is_protected_or_on_this_machine() {
        for (text, written) in [
            ("smtps://Mail.Example.org", "smtps://mail.example.org:465"),
            ("smtp+starttls://mail.example.org", "smtp+starttls://mail.example.org:587"),
            ("smtp://127.0.0.1:2525", "smtp://127.0.0.1:2525"),
            ("smtp://[::1]", "smtp://[::1]:25"),
            ("smtp://localhost/", "smtp://localhost:25"),
        ] {
            assert_eq!(SmtpUrl::parse(text).unwrap().to_string(), written);
        }
        for (text, why) in [
            ("smtp://mail.example.org", SmtpUrlError::PlainText),
            ("smtp://192.168.1.1", SmtpUrlError::PlainText),
            ("smtp://localhost.example.org", SmtpUrlError::PlainText),
            ("smtps://bert:hunter2@mail.example.org", SmtpUrlError::Credentials),
            ("smtps://bert@mail.example.org", SmtpUrlError::Credentials),
            ("https://mail.example.org", SmtpUrlError::Form),
            ("smtps://mail.example.org/x", SmtpUrlError::Form),
            ("smtps://mail.example.org?tls=none", SmtpUrlError::Form),
            ("smtps://", SmtpUrlError::Form),
            ("mail.example.org", SmtpUrlError::Form),
        ] {
            assert_eq!(SmtpUrl::parse(text), Err(why), "{text}");
        }
    }
}
