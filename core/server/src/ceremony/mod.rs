//! Passkey ceremonies, without IO: what an authenticator is asked, how its answer is judged, and how
//! the completion travels. The rows are the store's, the order of events the service's.

mod completion;
mod models;
mod options;
mod verify;

pub use completion::{Completion, CompletionError, Loopback, LoopbackError, ReturnTo};
pub use models::{Models, ModelsError};
pub use options::{Asked, OptionsError, Question, Registration, StepUp};
pub use verify::{Assertion, Attested, Rejected, credential_id_of};

use landfall_crypto::Secret32;
use landfall_identity::Seconds;
use landfall_identity::id::CeremonyId;
use landfall_protocol::paths;
use url::{Host, Url};
use webauthn_rs::prelude::{Webauthn, WebauthnBuilder, WebauthnError};

/// How long a ceremony waits for the touch.
pub const CEREMONY_TTL: Seconds = Seconds::minutes(5);
/// How long the app half may take after the touch.
pub const COMPLETION_TTL: Seconds = Seconds::minutes(2);
/// How often the app half may be wrong about the completion.
pub const COMPLETION_TRIES: u32 = 3;
/// What authenticators call us.
const RP_NAME: &str = "Landfall";
/// The relying party of a server that is used on its own machine.
const LOCAL_RP_ID: &str = "localhost";

/// What a ceremony is for. The purpose is inside the challenge and the row, so that neither engine
/// takes the other's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A new passkey.
    Register,
    /// A proof by one that exists.
    StepUp,
    /// A proof by one that exists, on a machine that is nobody's yet.
    Recover,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Register, Self::StepUp, Self::Recover];

    /// The text in rows and in the page's address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::StepUp => "step-up",
            Self::Recover => "recover",
        }
    }

    /// The purpose that a text names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text)
    }

    /// What every challenge of this purpose begins with, before it is hashed.
    const fn domain(self) -> &'static [u8] {
        match self {
            Self::Register => b"landfall/register/v1",
            Self::StepUp => b"landfall/step-up/v1",
            Self::Recover => b"landfall/recover/v1",
        }
    }
}

/// Why passkeys cannot work at an address.
#[derive(Debug, thiserror::Error)]
pub enum RelyingPartyError {
    /// A relying party is a domain; an IP address is none (WebAuthn Level 3, section 5.1.3).
    #[error("passkeys need a host name: browsers refuse them at an IP address")]
    NotADomain,
    /// Neither https nor localhost.
    #[error("passkeys need https, or http://localhost")]
    NotSecure,
    /// The library's own word.
    #[error("passkeys cannot be set up at this address: {0}")]
    Refused(#[from] WebauthnError),
}

/// Who asks authenticators: one RP ID and one origin for a whole server.
#[derive(Debug)]
pub struct RelyingParty {
    webauthn: Webauthn,
    id: String,
    origin: Url,
    /// The models that are taken; every one when absent.
    models: Option<Models>,
}

impl RelyingParty {
    /// A server used on its own machine: the ceremony page is at `http://localhost:<port>`.
    ///
    /// # Errors
    /// [`RelyingPartyError::Refused`] from the library.
    pub fn local(port: u16) -> Result<Self, RelyingPartyError> {
        let origin = Url::parse(&format!("http://{LOCAL_RP_ID}:{port}/"))
            .map_err(|_| RelyingPartyError::NotADomain)?;
        Self::at(LOCAL_RP_ID, origin)
    }

    /// A server with a certificate that browsers trust: the RP ID is the host of its address.
    ///
    /// # Errors
    /// [`RelyingPartyError`] when browsers would refuse passkeys at that address.
    pub fn public(url: &Url) -> Result<Self, RelyingPartyError> {
        let Some(Host::Domain(host)) = url.host() else {
            return Err(RelyingPartyError::NotADomain);
        };
        if url.scheme() != "https" {
            return Err(RelyingPartyError::NotSecure);
        }
        let mut origin = url.clone();
        origin.set_path("/");
        origin.set_query(None);
        origin.set_fragment(None);
        Self::at(host, origin)
    }

    fn at(id: &str, origin: Url) -> Result<Self, RelyingPartyError> {
        let webauthn = WebauthnBuilder::new(id, &origin)?.rp_name(RP_NAME).build()?;
        Ok(Self { webauthn, id: id.to_owned(), origin, models: None })
    }

    /// The same, taking new passkeys of these models alone.
    #[must_use]
    pub fn taking(self, models: Option<Models>) -> Self {
        Self { models, ..self }
    }

    /// The RP ID: what passkeys bind themselves to, for ever.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The origin of the ceremony page, as a browser writes it in `Origin`.
    pub fn origin(&self) -> String {
        self.origin.origin().ascii_serialization()
    }

    /// The page's address. All that is secret is in the fragment, which browsers keep to themselves.
    pub fn page_url(&self, purpose: Purpose, id: &CeremonyId, secret: &Secret32) -> String {
        let secret = data_encoding::BASE64URL_NOPAD.encode(secret.expose());
        format!("{}{}#{}.{id}.{secret}", self.origin(), paths::CEREMONY_PAGE, purpose.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_need_a_name_and_a_secure_page() {
        let at = |url: &str| RelyingParty::public(&Url::parse(url).unwrap());
        let good = at("https://id.example.org:8443/landfall?x#y").unwrap();
        assert_eq!(good.id(), "id.example.org");
        assert_eq!(good.origin(), "https://id.example.org:8443");
        assert!(matches!(at("https://192.0.2.1/"), Err(RelyingPartyError::NotADomain)));
        assert!(matches!(at("https://[::1]/"), Err(RelyingPartyError::NotADomain)));
        assert!(matches!(at("http://id.example.org/"), Err(RelyingPartyError::NotSecure)));
    }

    #[test]
    fn the_page_keeps_its_secret_in_the_fragment() {
        let local = RelyingParty::local(8421).unwrap();
        assert_eq!(local.id(), "localhost");
        let id = CeremonyId::from_bits([7; 16]);
        let url = local.page_url(Purpose::StepUp, &id, &Secret32::new([0xAB; 32]));
        let (page, fragment) = url.split_once('#').unwrap();
        assert_eq!(page, "http://localhost:8421/ceremony");
        let parts: Vec<&str> = fragment.split('.').collect();
        assert_eq!(parts[..2], ["step-up", id.as_str()]);
        assert_eq!(parts[2].len(), 43);
    }
}
