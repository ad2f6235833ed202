//! A platform that signs tokens for its workloads: real keys, and their key set over HTTPS on a loopback
//! address, with a certificate of its own.

use anyhow::Context;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use landfall_crypto::{KeyPair, Signer};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

/// The most lines of a request's head that are read.
const LINES_MAX: usize = 100;

/// A key that signs tokens, and its public half as the key set has it.
pub struct TokenKey {
    /// Its name.
    pub kid: String,
    algorithm: Algorithm,
    key: EncodingKey,
    jwk: Value,
}

impl TokenKey {
    /// An RSA key for RS256, as clusters and forges have them.
    ///
    /// # Errors
    /// When the library fails.
    pub fn rs256(kid: &str) -> anyhow::Result<Self> {
        let pair = RsaPair::generate(KeySize::Rsa2048).context("no RSA key")?;
        let der: Pkcs8V1Der<'_> = pair.as_der().context("no PKCS#8")?;
        let pem = pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref()));
        let public = pair.public_key();
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let modulus = text(public.modulus().big_endian_without_leading_zero());
        let exponent = text(public.exponent().big_endian_without_leading_zero());
        let jwk = json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid,
            "n": modulus, "e": exponent });
        let (algorithm, key) = (Algorithm::RS256, EncodingKey::from_rsa_pem(pem.as_bytes())?);
        Ok(Self { kid: kid.to_owned(), algorithm, key, jwk })
    }

    /// A P-256 key for ES256.
    ///
    /// # Errors
    /// When the library fails.
    pub fn es256(kid: &str) -> anyhow::Result<Self> {
        let pair = KeyPair::generate()?;
        let key = EncodingKey::from_ec_der(pair.to_pkcs8()?.expose());
        let mut jwk = serde_json::to_value(pair.public_key().jwk())?;
        jwk["kid"] = json!(kid);
        Ok(Self { kid: kid.to_owned(), algorithm: Algorithm::ES256, key, jwk })
    }

    /// An Ed25519 key for EdDSA.
    ///
    /// # Errors
    /// When the library fails.
    pub fn eddsa(kid: &str) -> anyhow::Result<Self> {
        let pair = Ed25519KeyPair::generate().context("no Ed25519 key")?;
        let x = BASE64URL_NOPAD.encode(pair.public_key().as_ref());
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x });
        let pkcs8 = pair.to_pkcs8v1().context("no PKCS#8")?;
        let key = EncodingKey::from_ed_der(pkcs8.as_ref());
        Ok(Self { kid: kid.to_owned(), algorithm: Algorithm::EdDSA, key, jwk })
    }

    /// Signs claims.
    ///
    /// # Errors
    /// When the library fails.
    pub fn sign(&self, claims: &Value) -> anyhow::Result<String> {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.kid.clone());
        Ok(jsonwebtoken::encode(&header, claims, &self.key)?)
    }

    /// Claims under this key's name, with a HMAC for a signature whose secret is the public key.
    ///
    /// # Errors
    /// When the library fails.
    pub fn sign_with_public_half(&self, claims: &Value) -> anyhow::Result<String> {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(self.kid.clone());
        let secret = self.jwk.get("n").or(self.jwk.get("x")).and_then(Value::as_str);
        let secret = BASE64URL_NOPAD.decode(secret.unwrap_or_default().as_bytes())?;
        Ok(jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(&secret))?)
    }

    /// Claims under this key's name, signed by nobody.
    pub fn sign_not_at_all(&self, claims: &Value) -> String {
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let header = json!({ "alg": "none", "typ": "JWT", "kid": self.kid });
        format!("{}.{}.", part(&header), part(claims))
    }
}

#[derive(Default)]
struct Shared {
    documents: Mutex<HashMap<String, String>>,
    asked: Mutex<Vec<String>>,
}

/// The platform.
pub struct PlatformServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its own certificate, PEM.
    pub certificate_pem: String,
    shared: Arc<Shared>,
    listening: AbortHandle,
}

impl PlatformServer {
    /// Listens, and answers discovery with where its keys are. It has none yet.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn start() -> anyhow::Result<Self> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let certificate: CertificateDer<'static> = made.cert.der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let state = Arc::clone(&shared);
        let listening = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (state, acceptor) = (Arc::clone(&state), acceptor.clone());
                // A client that breaks off is a client's matter.
                tokio::spawn(async move { talk(&state, acceptor, socket).await.ok() });
            }
        });
        let (certificate_pem, listening) = (made.cert.pem(), listening.abort_handle());
        let platform = Self { address, certificate_pem, shared, listening };
        let (issuer, keys) = (platform.issuer(), format!("{}/keys", platform.issuer()));
        let discovery = json!({ "issuer": issuer, "jwks_uri": keys });
        platform.put("/.well-known/openid-configuration", &discovery);
        platform.publish(&[]);
        Ok(platform)
    }

    /// What its tokens say in `iss`.
    pub fn issuer(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Answers that path with this document.
    pub fn put(&self, path: &str, document: &Value) {
        lock(&self.shared.documents).insert(path.to_owned(), document.to_string());
    }

    /// Its keys are these from now on.
    pub fn publish(&self, keys: &[&TokenKey]) {
        let keys: Vec<&Value> = keys.iter().map(|key| &key.jwk).collect();
        self.put("/keys", &json!({ "keys": keys }));
    }

    /// Answers nothing but errors from now on.
    pub fn fall_silent(&self) {
        lock(&self.shared.documents).clear();
    }

    /// How often that path was asked for.
    pub fn asked_for(&self, path: &str) -> usize {
        lock(&self.shared.asked).iter().filter(|asked| *asked == path).count()
    }
}

impl Drop for PlatformServer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn talk(shared: &Shared, acceptor: TlsAcceptor, socket: TcpStream) -> anyhow::Result<()> {
    let mut stream = BufStream::new(acceptor.accept(socket).await?);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let path = line.split_whitespace().nth(1).context("no path")?.to_owned();
    for _ in 0..LINES_MAX {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        if line.trim_end().is_empty() {
            break;
        }
    }
    lock(&shared.asked).push(path.clone());
    let document = lock(&shared.documents).get(&path).cloned();
    let answer = match document {
        Some(document) => format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{document}",
            document.len()
        ),
        None => "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_owned(),
    };
    stream.write_all(answer.as_bytes()).await?;
    stream.flush().await?;
    stream.get_mut().shutdown().await?;
    Ok(())
}
