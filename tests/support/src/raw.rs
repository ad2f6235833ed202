//! Requests that no honest client sends: a key from one machine, a session from another, no key at
//! all.

#![allow(clippy::panic, clippy::print_stderr, reason = "a story stops where it goes wrong")]

use crate::world::{Machine, World};
use anyhow::Context;
use landfall_client::state::Profile;
use landfall_crypto::KeyPair;
use landfall_crypto::ambient::Ambient;
use landfall_protocol::session::SessionOpened;
use landfall_protocol::{ErrorCode, Problem, paths};
use reqwest::{Client, Method, RequestBuilder};
use rustls::client::WantsClientCert;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme};
use serde_json::Value;
use std::fmt;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// An answer: its status, and its body as JSON when it is JSON.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; null when there is none.
    pub body: Value,
    /// What the server calls the request.
    pub request_id: String,
    /// Who may keep it.
    pub cache_control: String,
    /// The header fields, names in lower case.
    pub fields: Vec<(String, String)>,
}

impl Answer {
    /// A header field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

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
    pub fn stranger(world: &World) -> anyhow::Result<Self> {
        let base = format!("https://{}", world.server().https_addr);
        let config = trusting(&world.server().trust_bundle_pem, &world.ambient)?;
        Self::over(&base, config.with_no_client_auth())
    }

    /// Without any key, from an address of this machine's loopback network.
    ///
    /// # Errors
    /// When the trust bundle does not parse.
    pub fn stranger_at(world: &World, place: IpAddr) -> anyhow::Result<Self> {
        let base = format!("https://{}", world.server().https_addr);
        let config = trusting(&world.server().trust_bundle_pem, &world.ambient)?;
        Self::over_from(&base, config.with_no_client_auth(), Some(place))
    }

    /// To the plain listener for agents on the loopback.
    ///
    /// # Errors
    /// When there is none.
    pub fn to_agents(world: &World) -> anyhow::Result<Self> {
        let address = world.server().agents_addr.context("agents have no plain listener")?;
        let http = Client::builder().no_proxy().build()?;
        Ok(Self { http, base: format!("http://{address}") })
    }

    /// With the key and the certificate of a machine: what a thief copies from its disk.
    ///
    /// # Errors
    /// When the machine is not enrolled.
    pub fn of(machine: &Machine) -> anyhow::Result<Self> {
        let profile = machine.client.profile().map_err(crate::world::told)?;
        Self::with(&profile, &machine.key_file()?, machine.client.ambient())
    }

    /// With a profile and the PKCS#8 of its key.
    ///
    /// # Errors
    /// When they do not fit.
    pub fn with(profile: &Profile, pkcs8: &[u8], ambient: &Ambient) -> anyhow::Result<Self> {
        let chain = CertificateDer::pem_slice_iter(profile.certificate_chain.as_bytes())
            .collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pkcs8.to_vec()));
        let config = trusting(&profile.trust_bundle, ambient)?.with_client_auth_cert(chain, key)?;
        Self::over(profile.server.as_str(), config)
    }

    /// With a key and any certificate of it: one that the key made for itself, or one that is long over.
    ///
    /// # Errors
    /// When they do not fit.
    pub fn showing(world: &World, key: &KeyPair, certificate: Vec<u8>) -> anyhow::Result<Self> {
        let base = format!("https://{}", world.server().https_addr);
        Self::over(&base, showing(world, key, certificate)?)
    }

    fn over(base: &str, config: ClientConfig) -> anyhow::Result<Self> {
        Self::over_from(base, config, None)
    }

    fn over_from(
        base: &str,
        mut config: ClientConfig,
        place: Option<IpAddr>,
    ) -> anyhow::Result<Self> {
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let builder = Client::builder().no_proxy().local_address(place);
        let http = builder.tls_backend_preconfigured(config).build()?;
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
        Self::answer(request).await
    }

    /// Sends one request with these header fields and this text, which need not be right.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub async fn send_text(
        &self,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
        text: &str,
    ) -> anyhow::Result<Answer> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        Self::answer(request.body(text.to_owned())).await
    }

    async fn answer(request: RequestBuilder) -> anyhow::Result<Answer> {
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let id = answer.headers().get("x-request-id").and_then(|id| id.to_str().ok());
        let request_id = id.unwrap_or_default().to_owned();
        let keep = answer.headers().get("cache-control").and_then(|value| value.to_str().ok());
        let cache_control = keep.unwrap_or_default().to_owned();
        let fields = answer.headers().iter();
        let fields = fields.filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        let fields = fields.collect();
        let bytes = answer.bytes().await?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status, body, request_id, cache_control, fields })
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

fn showing(world: &World, key: &KeyPair, certificate: Vec<u8>) -> anyhow::Result<ClientConfig> {
    let chain = vec![CertificateDer::from(certificate)];
    let pkcs8 = key.to_pkcs8()?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pkcs8.expose().to_vec()));
    let config = trusting(&world.server().trust_bundle_pem, &world.ambient)?;
    Ok(config.with_client_auth_cert(chain, key)?)
}

/// A connection that has asked once and says nothing more.
pub struct Silent(rustls::StreamOwned<rustls::ClientConnection, std::net::TcpStream>);

impl Silent {
    /// Connects with a key and a certificate of it, and asks for something that anybody may have.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn open(world: &World, key: &KeyPair, certificate: Vec<u8>) -> anyhow::Result<Self> {
        let mut config = showing(world, key, certificate)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let address = world.server().https_addr;
        let name = ServerName::from(address.ip());
        let tls = rustls::ClientConnection::new(Arc::new(config), name)?;
        let mut stream = rustls::StreamOwned::new(tls, std::net::TcpStream::connect(address)?);
        let ask = format!("GET {} HTTP/1.1\r\nHost: {address}\r\n\r\n", paths::HEALTHZ);
        stream.write_all(ask.as_bytes())?;
        let mut answer = [0; 4096];
        let read = stream.read(&mut answer)?;
        anyhow::ensure!(answer[..read].starts_with(b"HTTP/1.1 200"), "no answer");
        Ok(Self(stream))
    }

    /// Waits for the server to close it; `false` when it is still open after that time.
    ///
    /// # Errors
    /// When the socket takes no time limit.
    pub fn is_closed_within(mut self, time: Duration) -> anyhow::Result<bool> {
        self.0.sock.set_read_timeout(Some(time))?;
        let mut rest = [0; 4096];
        loop {
            match self.0.read(&mut rest) {
                Ok(0) => return Ok(true),
                Ok(_) => {}
                Err(error) => {
                    let late = [std::io::ErrorKind::WouldBlock, std::io::ErrorKind::TimedOut];
                    return Ok(!late.contains(&error.kind()));
                }
            }
        }
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

/// The beginning of a configuration that trusts these roots, at the time of the test's clock.
fn trusting(
    bundle: &str,
    ambient: &Ambient,
) -> anyhow::Result<ConfigBuilder<ClientConfig, WantsClientCert>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
        roots.add(certificate?)?;
    }
    let inner = WebPkiServerVerifier::builder(Arc::new(roots)).build()?;
    let verifier = Arc::new(AtTestTime { inner, ambient: ambient.clone() });
    Ok(ClientConfig::builder().dangerous().with_custom_certificate_verifier(verifier))
}

/// rustls's own verifier, at the time of the test's clock instead of the machine's.
struct AtTestTime {
    inner: Arc<WebPkiServerVerifier>,
    ambient: Ambient,
}

impl fmt::Debug for AtTestTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AtTestTime")
    }
}

impl ServerCertVerifier for AtTestTime {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let seconds = u64::try_from(self.ambient.now().seconds()).unwrap_or_default();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
