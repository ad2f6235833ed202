//! Mail on its way out, by SMTP. The only module that names lettre's types.
//!
//! One connection for each mail, under one time limit: notices are few, and a connection that stays
//! open is one more thing that can be stale when it matters.

use crate::config::{Config, Site, SmtpSecurity, SmtpUrl};
use crate::service::{Carrier, Envelope};
use landfall_identity::MailAddress;
use lettre::address::AddressError;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use std::error::Error;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};
use zeroize::Zeroizing;

/// How long the mail server may take for each of its answers.
const ANSWER_TIME: Duration = Duration::from_secs(20);
/// How long a whole mail may take; far less than its lease.
const MAIL_TIME: Duration = Duration::from_secs(60);
/// What mail comes from, for people.
const FROM_NAME: &str = "Landfall";

/// Why mail cannot go out. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// A file cannot be read.
    #[error("{key}: {path} cannot be read: {source}; check who owns it")]
    File {
        /// The configuration's key.
        key: &'static str,
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The credentials have another form.
    #[error(
        "smtp_credentials_file: {0} must hold the name in its first line and the password in its second"
    )]
    Credentials(PathBuf),
    /// The certificate cannot be used.
    #[error("smtp_ca_file: {0} holds no certificate that can be used; put one there, as PEM")]
    Authority(PathBuf),
    /// The rest.
    #[error("smtp_url: mail cannot be set up: {0}")]
    Setup(#[source] Box<dyn Error + Send + Sync>),
}

/// The way out.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// The right half of each Message-ID.
    domain: String,
}

impl Mailer {
    /// The mailer of a configuration, if it sends mail at all. Nothing is connected yet.
    ///
    /// # Errors
    /// [`MailError`], with what to change.
    pub fn open(config: &Config, site: &Site) -> Result<Option<Self>, MailError> {
        let (Some(url), Some(from)) = (&config.smtp_url, &config.smtp_from) else {
            return Ok(None);
        };
        let name = match site.url.domain() {
            Some(domain) => ClientId::Domain(domain.to_owned()),
            None => ClientId::Ipv4(Ipv4Addr::LOCALHOST),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&url.host)
            .port(url.port)
            .tls(protection(url, config.smtp_ca_file.as_deref())?)
            .hello_name(name)
            .timeout(Some(ANSWER_TIME));
        if let Some(file) = &config.smtp_credentials_file {
            builder = builder.credentials(credentials(file)?);
        }
        Ok(Some(Self {
            transport: builder.build(),
            from: Mailbox::new(Some(FROM_NAME.to_owned()), address(from).map_err(setup)?),
            domain: from.parts().1.to_owned(),
        }))
    }

    fn message(&self, envelope: Envelope) -> Result<Message, Box<dyn Error + Send + Sync>> {
        let millis = u64::try_from(envelope.date.millis()).unwrap_or_default();
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address(&envelope.recipient)?))
            .subject(envelope.letter.subject)
            .message_id(Some(format!("<{}@{}>", envelope.message_id, self.domain)))
            .date(UNIX_EPOCH + Duration::from_millis(millis))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
            .body(envelope.letter.body)?;
        Ok(message)
    }
}

impl Carrier for Mailer {
    async fn carry(&self, envelope: Envelope) -> Result<(), String> {
        let message = self.message(envelope).map_err(|error| error.to_string())?;
        match tokio::time::timeout(MAIL_TIME, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(whole(&error)),
            Err(_) => Err("the mail server took too long".to_owned()),
        }
    }
}

/// An error with everything behind it: lettre keeps the mail server's words in the source.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn address(address: &MailAddress) -> Result<Address, AddressError> {
    let (local, host) = address.parts();
    Address::new(local, host)
}

fn setup(error: impl Into<Box<dyn Error + Send + Sync>>) -> MailError {
    MailError::Setup(error.into())
}

fn protection(url: &SmtpUrl, authority: Option<&Path>) -> Result<Tls, MailError> {
    if url.security == SmtpSecurity::Plain {
        return Ok(Tls::None);
    }
    let mut builder = TlsParameters::builder(url.host.clone());
    if let Some(path) = authority {
        let pem = read(path, "smtp_ca_file")?;
        let certificate = Certificate::from_pem(pem.as_bytes())
            .map_err(|_| MailError::Authority(path.to_owned()))?;
        // This one, and none of the system's.
        builder =
            builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    let parameters = builder.build_rustls().map_err(setup)?;
    Ok(match url.security {
        SmtpSecurity::Tls => Tls::Wrapper(parameters),
        _ => Tls::Required(parameters),
    })
}

fn credentials(path: &Path) -> Result<Credentials, MailError> {
    let text = read(path, "smtp_credentials_file")?;
    let mut lines = text.lines();
    match (lines.next(), lines.next()) {
        (Some(name), Some(password)) if !name.is_empty() && !password.is_empty() => {
            Ok(Credentials::new(name.to_owned(), password.to_owned()))
        }
        _ => Err(MailError::Credentials(path.to_owned())),
    }
}

fn read(path: &Path, key: &'static str) -> Result<Zeroizing<String>, MailError> {
    std::fs::read_to_string(path).map(Zeroizing::new).map_err(|source| MailError::File {
        key,
        path: path.to_owned(),
        source,
    })
}

/// Written by a machine: nobody's holiday answers it (RFC 3834, section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
