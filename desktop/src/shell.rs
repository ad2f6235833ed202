//! The window as the engine sees it: something that shows views and passes on what a person says.

use landfall_client::{Browser, Failure, FlowView, Opened, Shell, Signal, open_page};
use landfall_protocol::ErrorCode;
use landfall_protocol::ceremony::CeremonyBegun;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use tauri::ipc::Channel;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zeroize::Zeroizing;

const STOPPED: &str =
    "Another confirmation took the place of this one. Start again if you still want it.";

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a person says to the flow that runs, from any command, to the one that runs it.
#[derive(Default)]
pub struct Said(Mutex<Option<Mouth>>);

struct Mouth {
    signals: UnboundedSender<Signal>,
    codes: UnboundedSender<Zeroizing<String>>,
}

impl Said {
    /// Passes a signal on; nobody hears it when nothing runs.
    pub fn signal(&self, signal: Signal) {
        if let Some(mouth) = self.lock().as_ref() {
            let _ = mouth.signals.send(signal);
        }
    }

    /// Passes on the characters that the page shows.
    pub fn code(&self, code: String) {
        if let Some(mouth) = self.lock().as_ref() {
            let _ = mouth.codes.send(Zeroizing::new(code));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Mouth>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The window during one flow.
pub struct WindowShell {
    views: Channel<FlowView>,
    browser: Browser,
    signals: tokio::sync::Mutex<UnboundedReceiver<Signal>>,
    codes: tokio::sync::Mutex<UnboundedReceiver<Zeroizing<String>>>,
}

impl WindowShell {
    /// Listens to `said` from now on, in the place of whoever did before.
    pub fn new(views: Channel<FlowView>, browser: Browser, said: &Said) -> Self {
        let (signals, heard_signals) = unbounded_channel();
        let (codes, heard_codes) = unbounded_channel();
        *said.lock() = Some(Mouth { signals, codes });
        Self { views, browser, signals: heard_signals.into(), codes: heard_codes.into() }
    }
}

impl Shell for WindowShell {
    fn show(&self, view: &FlowView) {
        // A window that is gone needs no view.
        let _ = self.views.send(view.clone());
    }

    fn has_browser(&self) -> bool {
        self.browser != Browser::None
    }

    fn open_page(&self, begun: &CeremonyBegun) -> Result<Opened, Failure> {
        open_page(&self.browser, &begun.page_url)
    }

    fn typed_code<'a>(
        &'a self,
        _begun: &'a CeremonyBegun,
    ) -> Answer<'a, Result<Zeroizing<String>, Failure>> {
        Box::pin(async {
            let stopped = || Failure::new(ErrorCode::Cancelled, STOPPED);
            self.codes.lock().await.recv().await.ok_or_else(stopped)
        })
    }

    fn signal(&self) -> Answer<'_, Signal> {
        Box::pin(async {
            match self.signals.lock().await.recv().await {
                Some(signal) => signal,
                // Another flow has the person's ear now.
                None => std::future::pending().await,
            }
        })
    }
}
