//! The clipboard, emptied again after a minute.

use arboard::Clipboard as System;
use landfall_client::Failure;
use landfall_client::screen::Copied;
use landfall_client::words::{Clock, Seconds};
use landfall_protocol::{At, ErrorCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a copied text stays.
pub const KEPT: Seconds = Seconds(60);

const NO_CLIPBOARD: &str =
    "The clipboard of this machine does not answer. Show the text and copy it by hand.";

/// The system's clipboard. It is kept open, because some systems forget what a closed one held.
#[derive(Clone, Default)]
pub struct Clipboard(Arc<Mutex<Option<System>>>);

impl Clipboard {
    /// Puts `text` on the clipboard, and takes it off after [`KEPT`] unless another text is there by
    /// then.
    ///
    /// # Errors
    /// `internal` when there is no clipboard.
    pub fn keep(&self, text: Zeroizing<String>, clock: &dyn Clock) -> Result<Copied, Failure> {
        self.with(|system| system.set_text(text.as_str()))?;
        let clipboard = self.clone();
        tauri::async_runtime::spawn(async move {
            tokio::time::sleep(Duration::from_secs(KEPT.0)).await;
            clipboard.clear_if(&text);
        });
        Ok(Copied { clears_at: At(clock.now() + KEPT) })
    }

    fn clear_if(&self, text: &str) {
        // Whatever goes wrong here, there is nobody left to tell.
        let _ = self.with(|system| match system.get_text().map(Zeroizing::new) {
            Ok(held) if held.as_str() == text => system.clear(),
            _ => Ok(()),
        });
    }

    fn with<T>(
        &self,
        act: impl FnOnce(&mut System) -> Result<T, arboard::Error>,
    ) -> Result<T, Failure> {
        let failed = |_| Failure::new(ErrorCode::Internal, NO_CLIPBOARD);
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = Some(System::new().map_err(failed)?);
        }
        match slot.as_mut() {
            Some(system) => act(system).map_err(failed),
            None => Err(Failure::new(ErrorCode::Internal, NO_CLIPBOARD)),
        }
    }
}
