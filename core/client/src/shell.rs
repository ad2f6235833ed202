//! What the engine asks of the shell around it: to show, to open a page, to have a code typed.

use crate::browser::Opened;
use crate::failure::Failure;
use landfall_flows::FlowView;
use landfall_protocol::ceremony::CeremonyBegun;
use std::future::Future;
use std::pin::Pin;
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
