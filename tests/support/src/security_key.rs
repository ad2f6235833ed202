//! A security key in software: CTAP 2.1 with a PIN, resident keys and a counter, behind the `Token` trait
//! of the library that speaks to real ones. What frames USB adds is all that it leaves out.

mod ctap;
mod pin;

use async_trait::async_trait;
use ctap::Kept;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use pin::Pins;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use webauthn_authenticator_rs::error::WebauthnCError;
use webauthn_authenticator_rs::transport::{Token, TokenEvent, Transport};
use webauthn_authenticator_rs::ui::UiCallback;
use webauthn_rs_proto::AuthenticatorTransport;

/// A key that lies on the desk, or is plugged in.
#[derive(Clone)]
pub struct SecurityKey(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// It was told that nobody waits for it any more.
    cancelled: Notify,
}

struct State {
    pins: Pins,
    kept: Vec<Kept>,
    counter: u32,
    /// Places for resident passkeys.
    room: usize,
    touch: Touch,
    touches: u32,
    cancels: u32,
    /// What is left to say about the last question.
    next: Vec<Vec<u8>>,
}

/// What its owner does when it blinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// Touches it.
    AtOnce,
    /// Is not there: the key gives up.
    TooLate,
    /// Has not made up their mind.
    NotYet,
}

impl SecurityKey {
    /// A key with this PIN, or with none set.
    ///
    /// # Panics
    /// When there is no randomness.
    #[must_use]
    pub fn new(pin: Option<&str>) -> Self {
        let state = State {
            pins: Pins::new(pin),
            kept: Vec::new(),
            counter: 0,
            room: 25,
            touch: Touch::AtOnce,
            touches: 0,
            cancels: 0,
            next: Vec::new(),
        };
        Self(Arc::new(Inner { state: Mutex::new(state), cancelled: Notify::new() }))
    }

    /// The same with so many places for resident passkeys.
    #[must_use]
    pub fn with_room(self, room: usize) -> Self {
        self.state().room = room;
        self
    }

    /// What its owner does from now on.
    pub fn owner(&self, touch: Touch) {
        self.state().touch = touch;
    }

    /// How often it was touched.
    #[must_use]
    pub fn touches(&self) -> u32 {
        self.state().touches
    }

    /// How often it was told that it is not needed.
    #[must_use]
    pub fn cancels(&self) -> u32 {
        self.state().cancels
    }

    /// The users whose passkeys it holds, and whether it finds them by itself.
    #[must_use]
    pub fn passkeys(&self) -> Vec<(String, bool)> {
        self.state().kept.iter().map(|kept| (kept.user_name.clone(), kept.resident)).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as the owner makes it wait.
    async fn touched(&self, ui: &impl UiCallback) -> Result<(), WebauthnCError> {
        let touch = self.state().touch;
        ui.request_touch();
        match touch {
            Touch::AtOnce => {
                self.state().touches += 1;
                Ok(())
            }
            Touch::TooLate => Err(ctap::refused(ctap::USER_ACTION_TIMEOUT)),
            Touch::NotYet => {
                self.0.cancelled.notified().await;
                Err(ctap::refused(ctap::KEEPALIVE_CANCEL))
            }
        }
    }
}

/// The ports of a machine, and what is plugged into them.
#[derive(Clone, Default)]
pub struct Ports(Arc<Mutex<Vec<SecurityKey>>>);

impl Ports {
    /// With nothing in them.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Plugs a key in.
    pub fn plug(&self, key: &SecurityKey) {
        self.keys().push(key.clone());
    }

    /// Pulls everything out.
    pub fn clear(&self) {
        self.keys().clear();
    }

    fn keys(&self) -> MutexGuard<'_, Vec<SecurityKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ports")
    }
}

#[async_trait]
impl<'a> Transport<'a> for Ports {
    type Token = Plugged;

    async fn watch(&self) -> Result<BoxStream<'_, TokenEvent<Plugged>>, WebauthnCError> {
        let here = self.tokens().await?.into_iter().map(TokenEvent::Added);
        let all = here.chain([TokenEvent::EnumerationComplete]).collect::<Vec<_>>();
        Ok(stream::iter(all).boxed())
    }

    async fn tokens(&self) -> Result<Vec<Plugged>, WebauthnCError> {
        Ok(self.keys().iter().cloned().map(Plugged).collect())
    }
}

/// A key in a port.
pub struct Plugged(SecurityKey);

impl fmt::Debug for Plugged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plugged")
    }
}

#[async_trait]
impl Token for Plugged {
    type Id = ();

    fn get_transport(&self) -> AuthenticatorTransport {
        AuthenticatorTransport::Usb
    }

    async fn transmit_raw<U>(&mut self, message: &[u8], ui: &U) -> Result<Vec<u8>, WebauthnCError>
    where
        U: UiCallback,
    {
        self.0.answer(message, ui).await
    }

    async fn cancel(&mut self) -> Result<(), WebauthnCError> {
        self.0.state().cancels += 1;
        self.0.0.cancelled.notify_waiters();
        Ok(())
    }

    async fn init(&mut self) -> Result<(), WebauthnCError> {
        Ok(())
    }

    async fn close(&mut self) -> Result<(), WebauthnCError> {
        Ok(())
    }
}
