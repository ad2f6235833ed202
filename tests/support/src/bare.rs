//! A bare machine that speaks the recovery routes by itself: every message signed by its key, kept so
//! that it can be sent again, and bent where a test wants it bent.

use crate::raw::{Answer, Raw};
use crate::world::World;
use anyhow::Context;
use landfall_crypto::ambient::Ambient;
use landfall_crypto::csr::build_csr;
use landfall_crypto::httpsig::{self, RECOVERY};
use landfall_crypto::recovery_code::{RecoveryCode, device_check};
use landfall_crypto::{KeyPair, Signer};
use landfall_identity::id::RecoveryId;
use landfall_protocol::paths;
use landfall_protocol::recovery::RecoveryStatus;
use reqwest::Method;
use serde_json::{Value, json};
use std::net::IpAddr;

/// A machine with a key and nothing else.
pub struct Bare {
    /// Its key.
    pub key: KeyPair,
    raw: Raw,
    authority: String,
    ambient: Ambient,
}

/// A message as it went out.
#[derive(Clone)]
pub struct Message {
    path: &'static str,
    fields: Vec<(&'static str, String)>,
    body: String,
}

impl Bare {
    /// A new machine before the world's server.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn new(world: &World) -> anyhow::Result<Self> {
        Ok(Self {
            key: KeyPair::generate()?,
            raw: Raw::stranger(world)?,
            authority: world.server().https_addr.to_string(),
            ambient: world.ambient.clone(),
        })
    }

    /// As [`Bare::new`], at another place: an address of this machine's loopback network.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn at(world: &World, place: IpAddr) -> anyhow::Result<Self> {
        Ok(Self { raw: Raw::stranger_at(world, place)?, ..Self::new(world)? })
    }

    /// Signs a message with the machine's own key.
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn message(&self, path: &'static str, body: &Value) -> anyhow::Result<Message> {
        let body = body.to_string();
        let request = httpsig::Request {
            method: "POST",
            authority: &self.authority,
            path,
            body: body.as_bytes(),
        };
        let signed = httpsig::sign(&RECOVERY, &request, self.ambient.now(), &self.key)?;
        let fields = vec![
            ("content-type", "application/json".to_owned()),
            ("content-digest", signed.content_digest),
            ("signature-input", signed.signature_input),
            ("signature", signed.signature),
        ];
        Ok(Message { path, fields, body })
    }

    /// Sends a message, perhaps once more.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub async fn send(&self, message: &Message) -> anyhow::Result<Answer> {
        let fields: Vec<_> =
            message.fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.raw.send_text(Method::POST, message.path, &fields, &message.body).await
    }

    /// Signs and sends.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub async fn post(&self, path: &'static str, body: &Value) -> anyhow::Result<Answer> {
        self.send(&self.message(path, body)?).await
    }

    /// Begins a recovery of `user`, and must be allowed to.
    ///
    /// # Errors
    /// The refusal.
    pub async fn begin(&self, user: &str, device: &str) -> anyhow::Result<RecoveryStatus> {
        status(&self.post(paths::RECOVERY_BEGIN, &self.begin_body(user, device)?).await?)
    }

    /// What begins a recovery.
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn begin_body(&self, user: &str, device: &str) -> anyhow::Result<Value> {
        let csr = pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", build_csr(&self.key)?));
        Ok(json!({ "user": user, "device": device, "csr": csr }))
    }

    /// Shows a code.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub async fn prove(&self, id: &RecoveryId, code: &RecoveryCode) -> anyhow::Result<Answer> {
        self.post(paths::RECOVERY_PROVE, &prove_body(id, code)?).await
    }

    /// Asks how it stands.
    ///
    /// # Errors
    /// The refusal.
    pub async fn show(&self, id: &RecoveryId) -> anyhow::Result<RecoveryStatus> {
        status(&self.post(paths::RECOVERY_SHOW, &json!({ "recovery_id": id })).await?)
    }

    /// Wants to become a device, with `successor` in a used code's place.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub async fn complete(
        &self,
        id: &RecoveryId,
        device: &str,
        successor: Option<&RecoveryCode>,
    ) -> anyhow::Result<Answer> {
        self.post(paths::RECOVERY_COMPLETE, &complete_body(id, device, successor)?).await
    }

    /// What its screen shows for an administrator to type.
    pub fn check_code(&self, id: &RecoveryId) -> String {
        device_check(id, self.key.public_key().thumbprint().as_str())
    }
}

/// What shows a code.
///
/// # Errors
/// Never.
pub fn prove_body(id: &RecoveryId, code: &RecoveryCode) -> anyhow::Result<Value> {
    let auth = code.auth().to_text();
    Ok(json!({ "recovery_id": id, "code": code.name()?, "auth": auth.as_str() }))
}

/// What asks for a certificate.
///
/// # Errors
/// Never.
pub fn complete_body(
    id: &RecoveryId,
    device: &str,
    successor: Option<&RecoveryCode>,
) -> anyhow::Result<Value> {
    let mut body = json!({ "recovery_id": id, "device": device });
    if let Some(code) = successor {
        body["successor"] =
            json!({ "name": code.name()?, "auth_hash": code.auth().hash().to_string() });
    }
    Ok(body)
}

/// The status in an answer.
///
/// # Errors
/// When it is none.
pub fn status(answer: &Answer) -> anyhow::Result<RecoveryStatus> {
    serde_json::from_value(answer.body.clone())
        .with_context(|| format!("{} {}", answer.status, answer.body))
}
