//! Requests that no honest client sends: a key from one machine, a session from another, no key at
//! all.

use crate::world::Machine;
use anyhow::Context;
use landfall_client::state::Profile;
use landfall_crypto::KeyPair;
use landfall_protocol::session::SessionOpened;
use landfall_protocol::{ErrorCode, Problem, paths};
use reqwest::{Client, Method};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;

/// An answer: its status, and its body as JSON when it is JSON.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; null when there is none.
    pub body: Value,
}

impl Answer {
    /// The problem's code.
    ///
    /// # Panics
    /// When the answer is no problem.
    pub fn code(&self) -> ErrorCode {
        match serde_json::from_value::<Problem>(self.body.clone()) {
            Ok(problem) => problem.code,
            Err(_) => panic!("no problem: {} {}", self.status, self.body),
        }
    }
}

/// A connection-maker with or without a device key, and nothing kept.
#[derive(Clone)]
pub struct Raw {
    http: Client,
    base: String,
}

impl Raw {
    /// Without any key.
    ///
    /// # Errors
    /// When the trust bundle does not parse.
    pub fn stranger(base: &str, trust_bundle: &str) -> anyhow::Result<Self> {
        let config = ClientConfig::builder()
            .with_root_certificates(roots(trust_bundle)?)
            .with_no_client_auth();
        Self::over(base, config)
    }

    /// With the key and the certificate of a machine: what a thief copies from its disk.
    ///
    /// # Errors
    /// When the machine is not enrolled.
    pub fn of(machine: &Machine) -> anyhow::Result<Self> {
        let profile = machine.client.profile().map_err(crate::world::told)?;
        Self::with(&profile, &machine.key_file()?)
    }

    /// With a profile and the PKCS#8 of its key.
    ///
    /// # Errors
    /// When they do not fit.
    pub fn with(profile: &Profile, pkcs8: &[u8]) -> anyhow::Result<Self> {
        let chain = CertificateDer::pem_slice_iter(profile.certificate_chain.as_bytes())
            .collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pkcs8.to_vec()));
        let config = ClientConfig::builder()
            .with_root_certificates(roots(&profile.trust_bundle)?)
            .with_client_auth_cert(chain, key)?;
        Self::over(profile.server.as_str(), config)
    }

    fn over(base: &str, mut config: ClientConfig) -> anyhow::Result<Self> {
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let http = Client::builder().no_proxy().tls_backend_preconfigured(config).build()?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned() })
    }

    /// Sends one request.
    ///
    /// # Errors
    /// When there is no answer at all: the connection was refused or cut.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await?;
        Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }

    /// Opens a `cert-only` session.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn session(&self) -> anyhow::Result<SessionOpened> {
        let body = serde_json::json!({});
        let answer = self.send(Method::POST, paths::SESSION, None, Some(&body)).await?;
        serde_json::from_value(answer.body.clone())
            .with_context(|| format!("{} {}", answer.status, answer.body))
    }
}

impl Machine {
    /// The machine's private key, as a thief with root would copy it.
    ///
    /// # Errors
    /// When there is none.
    pub fn key_file(&self) -> anyhow::Result<Vec<u8>> {
        let files = std::fs::read_dir(self.folder.join("keys"))?;
        let key = files
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "p8"))
            .context("no key on this machine")?;
        let bytes = std::fs::read(key)?;
        KeyPair::from_pkcs8(&bytes)?;
        Ok(bytes)
    }
}

fn roots(pem: &str) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate?)?;
    }
    Ok(roots)
}
