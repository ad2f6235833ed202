//! A security key in this machine's USB port: the PIN is asked for here, the touch is on the key.

use crate::output::say;
use crate::{hidden, texts};
use landfall_authenticator::{KeyFault, Person, PinAsk, Question, SecurityKeys};
use landfall_client::Failure;
use landfall_protocol::Problem;
use landfall_protocol::ceremony::CeremonyOptions;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use url::Url;
use zeroize::Zeroizing;

/// Whether one is plugged in.
pub async fn is_plugged_in() -> bool {
    match SecurityKeys::usb().await {
        Ok(keys) => keys.is_plugged_in().await,
        Err(_) => false,
    }
}

/// Has it answer.
pub async fn ask(origin: &Url, options: &CeremonyOptions) -> Result<Value, Failure> {
    let answer = async {
        let question = Question::read(origin, options)?;
        let person = Arc::new(AtTheTerminal::default());
        SecurityKeys::usb().await?.ask(question, person).await
    };
    answer.await.map_err(|fault: KeyFault| Problem::from(fault).into())
}

/// The person who holds the key and sits here.
#[derive(Default)]
struct AtTheTerminal {
    told: AtomicBool,
}

impl Person for AtTheTerminal {
    fn pin(&self, ask: PinAsk) -> Option<Zeroizing<String>> {
        if ask.wrong {
            say(&texts::wrong_pin(ask.tries_left));
        }
        self.told.store(false, Ordering::Relaxed);
        let typed = hidden::ask(texts::ASK_PIN).ok()?;
        let pin = typed.trim();
        (!pin.is_empty()).then(|| Zeroizing::new(pin.to_owned()))
    }

    fn touch(&self) {
        if !self.told.swap(true, Ordering::Relaxed) {
            say(texts::TOUCH_KEY);
        }
    }
}
