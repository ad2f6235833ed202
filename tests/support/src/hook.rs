//! A program that is told of notices: HTTPS on a loopback address, with a certificate of its own. It keeps
//! what it is sent, and answers as it is told to.

use anyhow::Context;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

/// The most header fields that are read.
const FIELDS_MAX: usize = 100;

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// Header fields, names in lower case.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Called {
    /// The one field of that name; none when it is missing or there are several.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut found = self.fields.iter().filter(|(field, _)| field == name);
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}

#[derive(Default)]
struct Shared {
    calls: Mutex<Vec<Called>>,
    /// Answers to come; after them, 204.
    answers: Mutex<VecDeque<String>>,
    /// Answers of paths that always answer the same.
    pages: Mutex<HashMap<String, String>>,
    connected: Mutex<u32>,
    /// Whether who calls is left waiting.
    hold: Mutex<bool>,
    /// Whether the line is dropped after an answer, without a word.
    drop: Mutex<bool>,
}

/// The program.
pub struct HookServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its own certificate, PEM.
    pub certificate_pem: String,
    shared: Arc<Shared>,
    listening: AbortHandle,
}

impl HookServer {
    /// Listens, for `localhost` and `127.0.0.1`.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn start() -> anyhow::Result<Self> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names)?;
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
                *state.connected.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                tokio::spawn(serve(Arc::clone(&state), acceptor.clone(), socket));
            }
        });
        let certificate_pem = made.cert.pem();
        Ok(Self { address, certificate_pem, shared, listening: listening.abort_handle() })
    }

    /// What was sent so far.
    pub fn calls(&self) -> Vec<Called> {
        lock(&self.shared.calls).clone()
    }

    /// How often somebody connected, whatever came of it.
    pub fn connected(&self) -> u32 {
        *lock(&self.shared.connected)
    }

    /// Leaves who calls waiting, or no longer does.
    pub fn hold(&self, hold: bool) {
        *lock(&self.shared.hold) = hold;
    }

    /// Drops the line after each answer, as programs do that never close TLS, or no longer does.
    pub fn drop_line(&self, drop: bool) {
        *lock(&self.shared.drop) = drop;
    }

    /// Answers every call of this path like this, whatever else is to come.
    pub fn answer_at(&self, path: &str, raw: impl Into<String>) {
        lock(&self.shared.pages).insert(path.to_owned(), raw.into());
    }

    /// Answers one of the next calls like this: a status line with what follows it, as it is sent.
    pub fn answer_next(&self, raw: impl Into<String>) {
        lock(&self.shared.answers).push_back(raw.into());
    }
}

impl Drop for HookServer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(shared: Arc<Shared>, acceptor: TlsAcceptor, socket: TcpStream) {
    // A client that breaks off is a client's matter.
    let _ = talk(&shared, acceptor, socket).await;
}

async fn talk(shared: &Shared, acceptor: TlsAcceptor, socket: TcpStream) -> anyhow::Result<()> {
    if *lock(&shared.hold) {
        std::future::pending::<()>().await;
    }
    let mut stream = BufStream::new(acceptor.accept(socket).await?);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().context("no method")?, words.next().context("no path")?);
    let mut fields = Vec::new();
    for _ in 0..FIELDS_MAX {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').context("no field")?;
        fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = fields.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(Ok(0), |(_, value)| value.parse())?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let page = lock(&shared.pages).get(&path).cloned();
    let answer = page.or_else(|| lock(&shared.answers).pop_front());
    // Seen only once its answer is chosen: what a story says next is about the next call.
    lock(&shared.calls).push(Called { method, path, fields, body });
    let answer = answer.unwrap_or_else(|| "HTTP/1.1 204 No Content\r\n\r\n".to_owned());
    stream.write_all(answer.as_bytes()).await?;
    stream.flush().await?;
    if *lock(&shared.drop) {
        return Ok(());
    }
    stream.get_mut().shutdown().await?;
    Ok(())
}
