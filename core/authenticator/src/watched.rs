//! What passes between the library and a key, looked at and completed.
//!
//! The library speaks CTAP 2 and leaves some of it out: it never asks for a resident key, drops the user
//! handle of an answer, takes the first of several passkeys and does not say how many PINs are left. All
//! of that is in the messages that pass here (CTAP 2.1, sections 6.1, 6.2, 6.3 and 6.5.5).

use async_trait::async_trait;
use serde_cbor_2::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use webauthn_authenticator_rs::error::WebauthnCError;
use webauthn_authenticator_rs::transport::Token;
use webauthn_authenticator_rs::ui::UiCallback;
use webauthn_rs_proto::AuthenticatorTransport;

/// `authenticatorMakeCredential`.
const MAKE_CREDENTIAL: u8 = 0x01;
/// `authenticatorGetAssertion`.
const GET_ASSERTION: u8 = 0x02;
/// `authenticatorGetInfo`.
const GET_INFO: u8 = 0x04;
/// `authenticatorClientPIN`.
const CLIENT_PIN: u8 = 0x06;
/// `authenticatorGetNextAssertion`.
const GET_NEXT_ASSERTION: u8 = 0x08;
/// How many passkeys of one site a key is asked for.
const PASSKEYS_MAX: u32 = 16;
/// How long a key may take to take note that it is not needed any more.
const STOPPING: Duration = Duration::from_secs(1);

/// What was asked, as far as it matters here.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) rp_id: String,
    pub(crate) user: String,
    pub(crate) resident: bool,
}

/// What was seen on the way.
#[derive(Default)]
pub(crate) struct Seen {
    /// The handle of the user whose passkey answered.
    pub(crate) user_handle: Option<Vec<u8>>,
    /// How many PINs the key takes before it locks itself.
    pub(crate) tries_left: Option<u32>,
}

/// What was seen, shared with who asks.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Seen>>);

impl Notes {
    pub(crate) fn look(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key between the library and the port that it is plugged into.
pub struct Watched<T> {
    token: T,
    wanted: Wanted,
    notes: Notes,
    stop: watch::Receiver<bool>,
}

impl<T> Watched<T> {
    pub(crate) fn new(token: T, wanted: Wanted, notes: Notes, stop: watch::Receiver<bool>) -> Self {
        Self { token, wanted, notes, stop }
    }
}

impl<T> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl<T: Token> Watched<T> {
    /// One exchange, ended early when nobody waits for it any more.
    async fn exchange<U>(&mut self, message: &[u8], ui: &U) -> Result<Vec<u8>, WebauthnCError>
    where
        U: UiCallback,
    {
        let answered = tokio::select! {
            biased;
            // The sender is gone when whoever asked is.
            _ = self.stop.wait_for(|stop| *stop) => None,
            answer = self.token.transmit_raw(message, ui) => Some(answer),
        };
        if let Some(answer) = answered {
            return answer;
        }
        self.token.cancel().await?;
        // What it still says about the message before must not be read as an answer to the next.
        let rest = self.token.transmit_raw(&[GET_INFO], ui);
        let _ = tokio::time::timeout(STOPPING, rest).await;
        Err(WebauthnCError::Cancelled)
    }

    /// The answer of the passkey that is this user's, when the key holds several of the site.
    async fn of_this_user<U>(&mut self, first: Vec<u8>, ui: &U) -> Result<Vec<u8>, WebauthnCError>
    where
        U: UiCallback,
    {
        let count = read(&first).and_then(|answer| number(&answer, 0x05)).unwrap_or(1);
        let mut answers = vec![first];
        for _ in 1..count.min(PASSKEYS_MAX) {
            answers.push(self.exchange(&[GET_NEXT_ASSERTION], ui).await?);
        }
        let own = |answer: &&Vec<u8>| user_text(answer, "name").as_ref() == Some(&self.wanted.user);
        let chosen = answers.iter().find(own).or(answers.first()).cloned();
        chosen.ok_or(WebauthnCError::Cbor)
    }
}

#[async_trait]
impl<T: Token> Token for Watched<T> {
    type Id = T::Id;

    fn has_button(&self) -> bool {
        self.token.has_button()
    }

    fn get_transport(&self) -> AuthenticatorTransport {
        self.token.get_transport()
    }

    async fn transmit_raw<U>(&mut self, message: &[u8], ui: &U) -> Result<Vec<u8>, WebauthnCError>
    where
        U: UiCallback,
    {
        match message.split_first() {
            Some((&MAKE_CREDENTIAL, body)) if self.wanted.resident => {
                let asked = resident(body, &self.wanted.rp_id);
                self.exchange(asked.as_deref().unwrap_or(message), ui).await
            }
            Some((&GET_ASSERTION, _)) => {
                let first = self.exchange(message, ui).await?;
                let answer = self.of_this_user(first, ui).await?;
                self.notes.look().user_handle = user_handle(&answer);
                Ok(answer)
            }
            Some((&CLIENT_PIN, _)) => {
                let answer = self.exchange(message, ui).await?;
                if let Some(left) = read(&answer).and_then(|answer| number(&answer, 0x03)) {
                    self.notes.look().tries_left = Some(left);
                }
                Ok(answer)
            }
            _ => self.exchange(message, ui).await,
        }
    }

    async fn cancel(&mut self) -> Result<(), WebauthnCError> {
        self.token.cancel().await
    }

    async fn init(&mut self) -> Result<(), WebauthnCError> {
        self.token.init().await
    }

    async fn close(&mut self) -> Result<(), WebauthnCError> {
        self.token.close().await
    }
}

type Message = BTreeMap<u32, Value>;

fn read(body: &[u8]) -> Option<Message> {
    serde_cbor_2::from_slice(body).ok()
}

fn number(message: &Message, member: u32) -> Option<u32> {
    match message.get(&member)? {
        Value::Integer(number) => u32::try_from(*number).ok(),
        _ => None,
    }
}

/// The same request, for a resident key; nothing when it is for another site. The library asks all keys
/// for a touch under a made-up site, and that must stay as it is.
fn resident(body: &[u8], rp_id: &str) -> Option<Vec<u8>> {
    let mut message = read(body)?;
    let Value::Map(site) = message.get(&0x02)? else { return None };
    if site.get(&Value::Text("id".into())) != Some(&Value::Text(rp_id.into())) {
        return None;
    }
    let options = message.entry(0x07).or_insert_with(|| Value::Map(BTreeMap::new()));
    let Value::Map(options) = options else { return None };
    options.insert(Value::Text("rk".into()), Value::Bool(true));
    let body = serde_cbor_2::ser::to_vec_packed(&message).ok()?;
    Some([&[MAKE_CREDENTIAL], body.as_slice()].concat())
}

fn user_member(answer: &[u8], member: &str) -> Option<Value> {
    match read(answer)?.remove(&0x04)? {
        Value::Map(mut user) => user.remove(&Value::Text(member.into())),
        _ => None,
    }
}

fn user_text(answer: &[u8], member: &str) -> Option<String> {
    match user_member(answer, member)? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn user_handle(answer: &[u8]) -> Option<Vec<u8>> {
    match user_member(answer, "id")? {
        Value::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}
