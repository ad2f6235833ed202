//! Person servers, which are told of agents' tokens that serve no more: a signed POST each (AAuth).
//!
//! Its metadata says where. *Agents name their person server, and that one names the address: either could lead
//! inwards.* Both calls go the one way out, which connects to public addresses, and to what the operator has
//! listed.

use crate::config::Config;
use crate::egress::{Egress, EgressError, EgressSetupError, authority_of};
use crate::pki::Pki;
use crate::service::{CallIn, Told};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use landfall_crypto::aauth::documents::{PERSON_METADATA_PATH, revocation_endpoint};
use landfall_crypto::aauth::{Request, ServerId};
use landfall_crypto::ambient::Ambient;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;

/// What our body is.
const JSON: &str = "application/json";

/// Why person servers cannot be called. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PersonServersError {
    /// The file cannot be read.
    #[error("agents.person_server_ca_file: {path} cannot be read: {source}; check who owns it")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It holds something else, or TLS cannot be set up.
    #[error("agents.person_server_ca_file: {0}")]
    Setup(#[from] EgressSetupError),
}

/// The way out to person servers.
pub struct PersonServers {
    egress: Egress,
    pki: Arc<Pki>,
    ambient: Ambient,
}

impl PersonServers {
    /// The way out of a configuration; none on a server without agents. Nothing is connected yet.
    ///
    /// # Errors
    /// [`PersonServersError`], with what to change.
    pub fn open(
        config: &Config,
        pki: Arc<Pki>,
        ambient: Ambient,
    ) -> Result<Option<Self>, PersonServersError> {
        let egress = egress(config, &ambient)?;
        Ok(egress.map(|egress| Self { egress, pki, ambient }))
    }

    async fn call(&self, call: CallIn) -> Result<(), String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let server =
            ServerId::parse_with_loopback(&call.person_server).map_err(|error| text(&error))?;
        let metadata = Url::parse(&format!("{server}{PERSON_METADATA_PATH}"));
        let metadata = metadata.map_err(|error| text(&error))?;
        let found = self.egress.get(&metadata).await.map_err(|error| text(&error))?;
        let endpoint = revocation_endpoint(&found, &server).map_err(|error| text(&error))?;
        // One that takes no such calls needs none.
        let Some(endpoint) = endpoint else { return Ok(()) };
        let url = Url::parse(&endpoint).map_err(|error| format!("{endpoint}: {error}"))?;
        let issuer = &call.provider.issuer;
        let body = json!({ "iss": issuer.as_str(), "jti": call.jti }).to_string().into_bytes();
        let fields = self.signed(&url, issuer, &body)?;
        match self.egress.post(&url, fields, body).await {
            // It does not know the token: there is nothing to take back.
            Ok(()) | Err(EgressError::Status(StatusCode::NOT_FOUND)) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn signed(
        &self,
        url: &Url,
        issuer: &ServerId,
        body: &[u8],
    ) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
        let authority = authority_of(url);
        let request = Request {
            method: "POST",
            authority: &authority,
            path: url.path(),
            query: url.query(),
            https: true,
            fields: &[("content-type", JSON)],
            body,
        };
        let signed = self.pki.sign_as_provider(issuer, &request, self.ambient.now());
        let signed = signed.map_err(|error| error.to_string())?;
        let text = |value: &str| HeaderValue::from_str(value).map_err(|error| error.to_string());
        let mut fields = vec![
            (CONTENT_TYPE, HeaderValue::from_static(JSON)),
            (HeaderName::from_static("signature-key"), text(&signed.signature_key)?),
            (HeaderName::from_static("signature-input"), text(&signed.signature_input)?),
            (HeaderName::from_static("signature"), text(&signed.signature)?),
        ];
        if let Some(digest) = &signed.content_digest {
            fields.push((HeaderName::from_static("content-digest"), text(digest)?));
        }
        Ok(fields)
    }
}

/// What they are called by, on a server with agents. For checking a configuration, too.
///
/// # Errors
/// [`PersonServersError`], with what to change.
pub fn egress(config: &Config, ambient: &Ambient) -> Result<Option<Egress>, PersonServersError> {
    let Some(agents) = &config.agents else { return Ok(None) };
    let pem = match &agents.person_server_ca_file {
        None => None,
        Some(path) => Some(
            std::fs::read_to_string(path)
                .map_err(|source| PersonServersError::File { path: path.clone(), source })?,
        ),
    };
    let networks = config.egress_networks.clone();
    Ok(Some(Egress::new(networks, pem.as_deref(), Arc::clone(&ambient.clock))?))
}

impl Told for PersonServers {
    async fn tell(&self, call: CallIn) -> Result<(), String> {
        let server = call.person_server.clone();
        self.call(call).await.map_err(|error| format!("{server}: {error}"))
    }
}
