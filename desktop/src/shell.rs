//! The window as the engine sees it: something that shows views and passes on what a person says.

use landfall_authenticator::{KeyFault, Person, PinAsk, Question, SecurityKeys};
use landfall_client::{
    Browser, Failure, FlowNext, FlowView, KeyPin, Opened, Shell, Signal, open_page,
};
use landfall_protocol::ceremony::{CeremonyBegun, CeremonyOptions};
use landfall_protocol::{ErrorCode, Problem};
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tauri::ipc::Channel;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use url::Url;
use zeroize::Zeroizing;

const STOPPED: &str =
    "Another confirmation took the place of this one. Start again if you still want it.";

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a person says to the flow that runs, from any command, to the one that runs it.
#[derive(Default)]
pub struct Said {
    mouth: Mutex<Option<Mouth>>,
    /// Where a security key's PIN goes, while one is asked for.
    pins: Pins,
}

type Pins = Arc<Mutex<Option<UnboundedSender<Zeroizing<String>>>>>;

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

    /// Passes on a security key's PIN.
    pub fn pin(&self, pin: String) {
        let pin = Zeroizing::new(pin);
        if let Some(pins) = locked(&self.pins).as_ref() {
            let _ = pins.send(pin);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Mouth>> {
        locked(&self.mouth)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The window during one flow.
pub struct WindowShell {
    views: Channel<FlowView>,
    browser: Browser,
    /// Whether a security key that is plugged in is asked before the browser.
    keys: bool,
    pins: Pins,
    /// What is on the screen.
    shown: Mutex<Option<FlowView>>,
    signals: tokio::sync::Mutex<UnboundedReceiver<Signal>>,
    codes: tokio::sync::Mutex<UnboundedReceiver<Zeroizing<String>>>,
}

impl WindowShell {
    /// Listens to `said` from now on, in the place of whoever did before.
    pub fn new(views: Channel<FlowView>, browser: Browser, keys: bool, said: &Said) -> Self {
        let (signals, heard_signals) = unbounded_channel();
        let (codes, heard_codes) = unbounded_channel();
        *said.lock() = Some(Mouth { signals, codes });
        Self {
            views,
            browser,
            keys,
            pins: Arc::clone(&said.pins),
            shown: Mutex::default(),
            signals: heard_signals.into(),
            codes: heard_codes.into(),
        }
    }
}

impl WindowShell {
    /// The person who holds the key. When the second part is dropped, nobody asks any more.
    fn holder(&self) -> (Holder, Asking) {
        let (pins, heard) = unbounded_channel();
        *locked(&self.pins) = Some(pins);
        let (views, shown) = (self.views.clone(), locked(&self.shown).clone());
        (Holder { views, shown, heard: heard.into() }, Asking(Arc::clone(&self.pins)))
    }
}

/// Whoever holds the key and looks at the window.
struct Holder {
    views: Channel<FlowView>,
    shown: Option<FlowView>,
    heard: Mutex<UnboundedReceiver<Zeroizing<String>>>,
}

impl Holder {
    /// Shows what is on the screen with another word about the PIN.
    fn show(&self, pin: Option<KeyPin>) {
        if let Some(shown) = &self.shown {
            let view = FlowView { next: FlowNext::UseSecurityKey { pin }, ..shown.clone() };
            let _ = self.views.send(view);
        }
    }
}

impl Person for Holder {
    fn pin(&self, ask: PinAsk) -> Option<Zeroizing<String>> {
        self.show(Some(KeyPin { wrong: ask.wrong, tries_left: ask.tries_left }));
        locked(&self.heard).blocking_recv()
    }

    fn touch(&self) {
        self.show(None);
    }
}

/// A PIN is waited for as long as this lives.
struct Asking(Pins);

impl Drop for Asking {
    fn drop(&mut self) {
        *locked(&self.0) = None;
    }
}

impl Shell for WindowShell {
    fn show(&self, view: &FlowView) {
        *locked(&self.shown) = Some(view.clone());
        // A window that is gone needs no view.
        let _ = self.views.send(view.clone());
    }

    fn has_security_key(&self) -> Answer<'_, bool> {
        Box::pin(async {
            self.keys
                && match SecurityKeys::usb().await {
                    Ok(keys) => keys.is_plugged_in().await,
                    Err(_) => false,
                }
        })
    }

    fn use_security_key<'a>(
        &'a self,
        origin: &'a Url,
        options: &'a CeremonyOptions,
    ) -> Answer<'a, Result<Value, Failure>> {
        let (holder, asking) = self.holder();
        Box::pin(async move {
            let _until_dropped = asking;
            let answer = async {
                let question = Question::read(origin, options)?;
                SecurityKeys::usb().await?.ask(question, Arc::new(holder)).await
            };
            answer.await.map_err(|fault: KeyFault| Problem::from(fault).into())
        })
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
