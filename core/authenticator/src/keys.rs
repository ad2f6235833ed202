//! The keys that are plugged in, and one ceremony with one of them.

use crate::answer::{of_new, of_proof};
use crate::fault::KeyFault;
use crate::question::{Asked, Question};
use crate::watched::{Notes, Wanted, Watched};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;
use webauthn_authenticator_rs::WebauthnAuthenticator as _;
use webauthn_authenticator_rs::ctap2::CtapAuthenticator;
use webauthn_authenticator_rs::ctap2::commands::GetAssertionRequest;
use webauthn_authenticator_rs::error::{CtapError, WebauthnCError};
use webauthn_authenticator_rs::transport::{Token, Transport};
use webauthn_authenticator_rs::types::{CableRequestType, CableState, EnrollSampleStatus};
use webauthn_authenticator_rs::ui::UiCallback;
use webauthn_authenticator_rs::usb::USBTransport;
use zeroize::Zeroizing;

/// How often a PIN is asked for in one ceremony. A key stops by itself at three in a row.
const PINS_MAX: u32 = 8;
/// How many passkeys of a user a key is asked for, one by one.
const PROBES_MAX: usize = 64;

/// The PIN of a key is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinAsk {
    /// Whether the one before was wrong.
    pub wrong: bool,
    /// How many tries are left before the key locks itself for good, where it says so.
    pub tries_left: Option<u32>,
}

/// Who holds the key.
pub trait Person: Send + Sync {
    /// Asks for the key's PIN; none when they would rather not. May block: it is called on a thread of
    /// its own.
    fn pin(&self, ask: PinAsk) -> Option<Zeroizing<String>>;

    /// The key waits for a touch. May be called again and again; must not block.
    fn touch(&self);
}

/// The keys that are plugged in.
pub struct SecurityKeys<P> {
    port: P,
}

/// The keys in this machine's USB ports.
pub type UsbKeys = SecurityKeys<USBTransport>;

impl UsbKeys {
    /// This machine's USB ports.
    ///
    /// # Errors
    /// [`KeyFault::NoKey`] where they cannot be looked at.
    pub async fn usb() -> Result<Self, KeyFault> {
        Ok(Self { port: USBTransport::new().await.map_err(|_| KeyFault::NoKey)? })
    }
}

impl<P> SecurityKeys<P>
where
    P: Transport<'static> + Sync,
    P::Token: 'static,
{
    /// The keys in these ports.
    pub fn of(port: P) -> Self {
        Self { port }
    }

    /// Whether there is one.
    pub async fn is_plugged_in(&self) -> bool {
        self.port.tokens().await.is_ok_and(|tokens| !tokens.is_empty())
    }

    /// Has a key answer. With several in, the one that is touched. Dropping the future ends it.
    ///
    /// # Errors
    /// Why none did.
    pub async fn ask(
        &self,
        question: Question,
        person: Arc<dyn Person>,
    ) -> Result<Value, KeyFault> {
        let tokens = self.port.tokens().await.map_err(|_| KeyFault::NoKey)?;
        if tokens.is_empty() {
            return Err(KeyFault::NoKey);
        }
        // Told to stop by being dropped.
        let (_here, stop) = watch::channel(false);
        let runtime = tokio::runtime::Handle::current();
        let work = move || {
            let ui = Ui { person, notes: Notes::default(), wrong: AtomicBool::new(false) };
            runtime.block_on(Ceremony { question, ui: &ui, stop }.run(tokens))
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| KeyFault::Gone)?
    }
}

/// One ceremony.
struct Ceremony<'a> {
    question: Question,
    ui: &'a Ui,
    stop: watch::Receiver<bool>,
}

type Key<'a, T> = CtapAuthenticator<'a, Watched<T>, Ui>;

impl<'a> Ceremony<'a> {
    async fn run<T: Token>(mut self, tokens: Vec<T>) -> Result<Value, KeyFault> {
        let mut keys = Vec::new();
        let mut fault = KeyFault::Gone;
        for token in tokens {
            let (pass_on, stop) = watch::channel(false);
            let mut token = self.watched(token, stop);
            match self.holds(&mut token).await {
                Ok(()) => {}
                Err(why) => {
                    fault = why;
                    continue;
                }
            }
            if let Some(key) = CtapAuthenticator::new(token, self.ui).await {
                keys.push((key, pass_on));
            }
        }
        let (mut key, pass_on) = touched(keys).await.ok_or(fault)?;
        let mut stop = self.stop.clone();
        let watcher = tokio::spawn(async move {
            // Ends with an error when whoever asked is gone: then the key is told.
            let _ = stop.wait_for(|stop| *stop).await;
            drop(pass_on);
        });
        let answer = self.answer(&mut key);
        watcher.abort();
        answer
    }

    fn watched<T: Token>(&self, token: T, stop: watch::Receiver<bool>) -> Watched<T> {
        let resident = matches!(self.question.asked, Asked::Create { resident: true, .. });
        let (rp_id, user) = (self.question.rp_id().to_owned(), self.question.user.clone());
        Watched::new(token, Wanted { rp_id, user, resident }, self.ui.notes.clone(), stop)
    }

    /// Whether the key could do it, as far as it says so without a PIN or a touch. Of the passkeys that
    /// are named the one that it holds is left: keys take short lists only.
    async fn holds<T: Token>(&mut self, token: &mut Watched<T>) -> Result<(), KeyFault> {
        token.init().await?;
        let Asked::Get(options) = &mut self.question.asked else { return Ok(()) };
        let options = &mut options.public_key;
        let named = options.allow_credentials.clone();
        if named.is_empty() {
            return Ok(());
        }
        for credential in named.iter().take(PROBES_MAX) {
            let probe = GetAssertionRequest {
                rp_id: options.rp_id.clone(),
                client_data_hash: vec![0; 32],
                allow_list: vec![credential.clone()],
                options: Some([("up".to_owned(), false)].into()),
                pin_uv_auth_param: None,
                pin_uv_auth_proto: None,
            };
            match token.transmit(probe, self.ui).await {
                Ok(_) => {
                    options.allow_credentials = vec![credential.clone()];
                    return Ok(());
                }
                Err(WebauthnCError::Ctap(
                    CtapError::Ctap2NoCredentials | CtapError::Ctap2InvalidCredential,
                )) => {}
                // One that says nothing before the PIN is asked with all of them.
                Err(WebauthnCError::Ctap(_)) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Err(KeyFault::NotHere)
    }

    fn answer<T: Token>(&self, key: &mut Key<'a, T>) -> Result<Value, KeyFault> {
        for _ in 0..PINS_MAX {
            let origin = self.question.origin.clone();
            let answer = match &self.question.asked {
                Asked::Create { options, resident } => key
                    .do_registration(origin, (**options).clone())
                    .map(|made| of_new(&made, *resident)),
                Asked::Get(options) => {
                    key.do_authentication(origin, (**options).clone()).map(|answer| {
                        let seen = self.ui.notes.look();
                        Ok(of_proof(&answer, seen.user_handle.as_deref()))
                    })
                }
            };
            match answer {
                Ok(answer) => return answer,
                Err(WebauthnCError::Ctap(CtapError::Ctap2PinInvalid)) => {
                    self.ui.wrong.store(true, Ordering::Relaxed);
                }
                Err(error) => {
                    tracing::debug!(?error, "the security key did not answer");
                    return Err(error.into());
                }
            }
        }
        Err(KeyFault::Resting)
    }
}

/// The only one, or the one that is touched first; the others are told that they are not needed.
async fn touched<T: Token>(
    mut keys: Vec<(Key<'_, T>, watch::Sender<bool>)>,
) -> Option<(Key<'_, T>, watch::Sender<bool>)> {
    if keys.len() <= 1 {
        return keys.pop();
    }
    let mut stops = Vec::new();
    let mut waiting: FuturesUnordered<_> = keys
        .into_iter()
        .enumerate()
        .map(|(at, (mut key, stop))| {
            stops.push(Some(stop));
            async move {
                let touched = key.selection().await.is_ok();
                (at, key, touched)
            }
        })
        .collect();
    let mut chosen = None;
    while let Some((at, key, touched)) = waiting.next().await {
        if touched && chosen.is_none() {
            chosen = stops.get_mut(at).and_then(Option::take).map(|stop| (key, stop));
            for other in stops.iter_mut().filter_map(Option::take) {
                other.send_replace(true);
            }
        }
    }
    chosen
}

/// The person, as the library sees them.
struct Ui {
    person: Arc<dyn Person>,
    notes: Notes,
    wrong: AtomicBool,
}

impl fmt::Debug for Ui {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ui")
    }
}

impl UiCallback for Ui {
    fn request_pin(&self) -> Option<String> {
        let tries_left = self.notes.look().tries_left;
        let wrong = self.wrong.load(Ordering::Relaxed);
        self.person.pin(PinAsk { wrong, tries_left }).map(|pin| pin.as_str().to_owned())
    }

    fn request_touch(&self) {
        self.person.touch();
    }

    fn processing(&self) {}

    fn fingerprint_enrollment_feedback(&self, _: u32, _: Option<EnrollSampleStatus>) {}

    fn cable_qr_code(&self, _: CableRequestType, _: String) {}

    fn dismiss_qr_code(&self) {}

    fn cable_status_update(&self, _: CableState) {}
}
