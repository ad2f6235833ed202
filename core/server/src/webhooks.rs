//! Programs of the operator's that are told of notices: a signed POST each (RFC 9421, RFC 9530).
//!
//! Whoever receives one fetches our key once from `/.well-known/landfall-webhook-keys.json`, recomputes
//! `Content-Digest`, checks the signature over method, authority, path and digest, takes `created` at
//! most a minute off, and takes each `delivery_id` of the body once. See `docs/webhooks.md`.

use crate::config::Config;
use crate::egress::{Egress, EgressSetupError, authority_of};
use crate::pki::Pki;
use crate::service::{Caller, Delivery};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use landfall_crypto::ambient::Ambient;
use landfall_crypto::httpsig;
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;

/// Why webhooks cannot be called. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The file cannot be read.
    #[error("webhook_ca_file: {path} cannot be read: {source}; check who owns it")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It holds something else, or TLS cannot be set up.
    #[error("webhook_ca_file: {path}: {source}")]
    Authority {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: EgressSetupError,
    },
    /// TLS cannot be set up.
    #[error("webhooks: {0}")]
    Setup(#[source] EgressSetupError),
}

/// The way out for calls.
pub struct Webhooks {
    /// None without webhooks: nothing is set up that nobody needs.
    egress: Option<Egress>,
    pki: Arc<Pki>,
    ambient: Ambient,
}

impl Webhooks {
    /// The way out of a configuration. Nothing is connected yet.
    ///
    /// # Errors
    /// [`WebhookError`], with what to change.
    pub fn open(config: &Config, pki: Arc<Pki>, ambient: Ambient) -> Result<Self, WebhookError> {
        let egress = egress(config, &ambient)?;
        Ok(Self { egress, pki, ambient })
    }

    async fn send(&self, delivery: Delivery) -> Result<(), String> {
        let egress = self.egress.as_ref().ok_or("this server has no webhooks")?;
        let url = Url::parse(&delivery.url).map_err(|error| error.to_string())?;
        let authority = authority_of(&url);
        let request = httpsig::Request {
            method: "POST",
            authority: &authority,
            path: url.path(),
            body: &delivery.body,
        };
        let signed = self.pki.sign_webhook(&request, self.ambient.now());
        let signed = signed.map_err(|error| error.to_string())?;
        let text = |value: &str| HeaderValue::from_str(value).map_err(|error| error.to_string());
        let fields = vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (HeaderName::from_static("content-digest"), text(&signed.content_digest)?),
            (HeaderName::from_static("signature-input"), text(&signed.signature_input)?),
            (HeaderName::from_static("signature"), text(&signed.signature)?),
        ];
        let sent = egress.post(&url, fields, delivery.body).await;
        sent.map_err(|error| format!("{authority}: {error}"))
    }
}

/// What calls go out by, if there is anybody to call. For checking a configuration, too.
///
/// # Errors
/// [`WebhookError`], with what to change.
pub fn egress(config: &Config, ambient: &Ambient) -> Result<Option<Egress>, WebhookError> {
    if config.webhooks.is_empty() {
        return Ok(None);
    }
    let (networks, clock) = (config.egress_networks.clone(), Arc::clone(&ambient.clock));
    let Some(path) = config.webhook_ca_file.clone() else {
        return Egress::new(networks, None, clock).map(Some).map_err(WebhookError::Setup);
    };
    let pem = match std::fs::read_to_string(&path) {
        Ok(pem) => pem,
        Err(source) => return Err(WebhookError::File { path, source }),
    };
    let made = Egress::new(networks, Some(&pem), clock);
    made.map(Some).map_err(|source| WebhookError::Authority { path, source })
}

impl Caller for Webhooks {
    async fn call(&self, delivery: Delivery) -> Result<(), String> {
        self.send(delivery).await
    }
}
