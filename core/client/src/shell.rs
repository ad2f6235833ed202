//! What the engine asks of the shell around it: to show, to open a page, to have a code typed.

use crate::browser::Opened;
use crate::failure::Failure;
use crate::texts;
use landfall_flows::FlowView;
use landfall_protocol::ErrorCode;
use landfall_protocol::ceremony::{CeremonyBegun, CeremonyOptions};
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;
use url::Url;
use zeroize::Zeroizing;

/// A future that a shell answers with.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A terminal or a window.
pub trait Shell: Send + Sync {
    /// Shows where a flow stands. Called whenever something changed; must not block.
    fn show(&self, view: &FlowView);

    /// Whether passkey pages are opened on this machine. If not, the typed form is used at once.
    fn has_browser(&self) -> bool;

    /// Opens the ceremony's page in a browser on this machine.
    ///
    /// # Errors
    /// `browser-unavailable`; the engine then turns to the typed form, as it does when the browser
    /// fails later.
    fn open_page(&self, begun: &CeremonyBegun) -> Result<Opened, Failure>;

    /// Shows the page's address and asks for the characters that the page shows.
    ///
    /// # Errors
    /// `input-needed` when nobody can be asked, `cancelled` when the person stops.
    fn typed_code<'a>(
        &'a self,
        begun: &'a CeremonyBegun,
    ) -> Answer<'a, Result<Zeroizing<String>, Failure>>;

    /// Whether a security key is plugged into this machine that this shell can speak to. It is offered
    /// before the browser.
    fn has_security_key(&self) -> Answer<'_, bool> {
        Box::pin(std::future::ready(false))
    }

    /// Has the security key do what the page would ask of a browser, at the page's `origin`, and answers
    /// as `PublicKeyCredential.toJSON()` does. What was begun ends when the future is dropped.
    ///
    /// # Errors
    /// `security-key-unusable`: nothing was signed, and the engine turns to the browser; `cancelled`.
    fn use_security_key<'a>(
        &'a self,
        _origin: &'a Url,
        _options: &'a CeremonyOptions,
    ) -> Answer<'a, Result<Value, Failure>> {
        let none = Failure::new(ErrorCode::SecurityKeyUnusable, texts::NO_SECURITY_KEY);
        Box::pin(std::future::ready(Err(none)))
    }

    /// Waits for the person to intervene. The engine asks again after each signal.
    fn signal(&self) -> Answer<'_, Signal> {
        Box::pin(std::future::pending())
    }
}

/// What a person can say while a flow runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Stop.
    Cancel,
    /// The other way that the view offers.
    OtherWay,
}
