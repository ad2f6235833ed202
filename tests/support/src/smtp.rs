//! A mail server that is real enough for a real client: on a socket, with TLS when asked for, with a
//! name and a password when asked for. It keeps what it takes, and fails when it is told to.

use anyhow::Context;
use data_encoding::{BASE64, BASE64_MIME_PERMISSIVE};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// The longest line that is read, and the most lines of a mail.
const LINES_MAX: usize = 10_000;

/// How connections are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Not at all.
    Plain,
    /// TLS from the first byte.
    Tls,
    /// TLS after `STARTTLS`; no mail before it.
    StartTls,
}

/// A mail that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Who sent it, as the envelope says.
    pub from: String,
    /// Who gets it, as the envelope says.
    pub to: Vec<String>,
    /// Header and body, as they were sent.
    pub data: String,
    /// Whether it came over TLS.
    pub tls: bool,
}

impl Mail {
    /// Every line of the header, unfolded (RFC 5322, section 2.2.3).
    pub fn header(&self) -> Vec<(String, String)> {
        let head = self.data.split("\r\n\r\n").next().unwrap_or_default();
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let fields = unfolded.split("\r\n").filter_map(|line| line.split_once(": "));
        fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The one field of that name; none when it is missing or there are several.
    pub fn field(&self, name: &str) -> Option<String> {
        let mut found = self.header().into_iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value)
    }

    /// The text, decoded (RFC 2045, section 6).
    ///
    /// # Errors
    /// When it is not encoded as it says.
    pub fn text(&self) -> anyhow::Result<String> {
        let body = self.data.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        let encoding = self.field("Content-Transfer-Encoding").unwrap_or_default();
        let text = match encoding.as_str() {
            "base64" => String::from_utf8(BASE64_MIME_PERMISSIVE.decode(body.as_bytes())?)?,
            "quoted-printable" => quoted_printable(body)?,
            _ => body.to_owned(),
        };
        Ok(text.replace("\r\n", "\n"))
    }
}

fn quoted_printable(body: &str) -> anyhow::Result<String> {
    let joined = body.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'=' {
            let digits = after.get(..2).context("a cut escape")?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits)?, 16)?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    Ok(String::from_utf8(bytes)?)
}

/// What all connections share.
struct Shared {
    protection: Protection,
    acceptor: Option<TlsAcceptor>,
    login: Option<(String, String)>,
    mails: Mutex<Vec<Mail>>,
    /// Mails that are refused for now before one is taken.
    refuse: AtomicU32,
    /// Mails that are kept without saying so: the connection breaks off instead.
    swallow: AtomicU32,
    /// Whether who calls is left waiting.
    hold: AtomicBool,
    /// How often somebody connected.
    calls: AtomicU32,
}

/// A mail server on a loopback address.
pub struct SmtpServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its own certificate, PEM, when it does TLS.
    pub certificate_pem: Option<String>,
    shared: Arc<Shared>,
    listening: Option<AbortHandle>,
}

impl SmtpServer {
    /// A mail server that takes everything.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start(protection: Protection) -> anyhow::Result<Self> {
        Self::with_login(protection, None).await
    }

    /// A mail server that wants a name and a password, if any are given.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn with_login(
        protection: Protection,
        login: Option<(&str, &str)>,
    ) -> anyhow::Result<Self> {
        let (acceptor, certificate_pem) = match protection {
            Protection::Plain => (None, None),
            Protection::Tls | Protection::StartTls => {
                let (acceptor, pem) = certified()?;
                (Some(acceptor), Some(pem))
            }
        };
        let shared = Arc::new(Shared {
            protection,
            acceptor,
            login: login.map(|(name, password)| (name.to_owned(), password.to_owned())),
            mails: Mutex::default(),
            refuse: AtomicU32::new(0),
            swallow: AtomicU32::new(0),
            hold: AtomicBool::new(false),
            calls: AtomicU32::new(0),
        });
        let mut server = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            certificate_pem,
            shared,
            listening: None,
        };
        server.up().await?;
        Ok(server)
    }

    /// Listens, at the same address as before.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn up(&mut self) -> anyhow::Result<()> {
        let listener = TcpListener::bind(self.address).await?;
        self.address = listener.local_addr()?;
        let shared = Arc::clone(&self.shared);
        let listening = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let held = shared.hold.load(Ordering::SeqCst);
                shared.calls.fetch_add(1, Ordering::SeqCst);
                connections.spawn(serve(Arc::clone(&shared), socket, held));
            }
        });
        self.listening = Some(listening.abort_handle());
        Ok(())
    }

    /// Stops listening: who calls is refused.
    pub async fn down(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
            while !listening.is_finished() {
                tokio::task::yield_now().await;
            }
        }
    }

    /// What was taken so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.inbox().clone()
    }

    /// What was taken for `recipient` so far.
    pub fn mails_to(&self, recipient: &str) -> Vec<Mail> {
        let all = self.mails();
        all.into_iter().filter(|mail| mail.to.iter().any(|to| to == recipient)).collect()
    }

    /// Refuses the next `count` mails for now (RFC 5321, section 4.2.1: 4yz).
    pub fn refuse_next(&self, count: u32) {
        self.shared.refuse.store(count, Ordering::SeqCst);
    }

    /// Takes the next `count` mails without saying so.
    pub fn swallow_next(&self, count: u32) {
        self.shared.swallow.store(count, Ordering::SeqCst);
    }

    /// Leaves who calls waiting, or no longer does.
    pub fn hold(&self, hold: bool) {
        self.shared.hold.store(hold, Ordering::SeqCst);
    }

    /// How often somebody connected.
    pub fn calls(&self) -> u32 {
        self.shared.calls.load(Ordering::SeqCst)
    }

    fn inbox(&self) -> MutexGuard<'_, Vec<Mail>> {
        self.shared.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
        }
    }
}

fn certified() -> anyhow::Result<(TlsAcceptor, String)> {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names)?;
    let certificate: CertificateDer<'static> = made.cert.der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key)?;
    Ok((TlsAcceptor::from(Arc::new(config)), made.cert.pem()))
}

async fn serve(shared: Arc<Shared>, socket: TcpStream, held: bool) {
    if held {
        // Until the client hangs up: it has nothing to say before it is greeted.
        let _ = socket.peek(&mut [0]).await;
        return;
    }
    // A client that breaks off is a client's matter.
    let _ = match (shared.protection, shared.acceptor.clone()) {
        (Protection::Tls, Some(acceptor)) => match acceptor.accept(socket).await {
            Ok(stream) => talk(&shared, stream, true, true).await.map(drop),
            Err(error) => Err(error.into()),
        },
        (Protection::StartTls, Some(acceptor)) => upgrade(&shared, socket, acceptor).await,
        _ => talk(&shared, socket, false, true).await.map(drop),
    };
}

async fn upgrade(shared: &Shared, socket: TcpStream, acceptor: TlsAcceptor) -> anyhow::Result<()> {
    let plain = talk(shared, socket, false, true).await?;
    if let Some(socket) = plain {
        let stream = acceptor.accept(socket).await?;
        talk(shared, stream, true, false).await?;
    }
    Ok(())
}

/// One session; hands the stream back when the client asks for TLS on it.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Shared,
    stream: S,
    tls: bool,
    greet: bool,
) -> anyhow::Result<Option<S>> {
    let mut stream = BufStream::new(stream);
    if greet {
        say(&mut stream, "220 test ESMTP").await?;
    }
    let mut known = shared.login.is_none();
    let (mut from, mut to) = (String::new(), Vec::new());
    loop {
        let line = read_line(&mut stream).await?;
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let open = shared.protection != Protection::StartTls || tls;
        match verb.as_str() {
            "EHLO" => hello(&mut stream, shared, open).await?,
            "STARTTLS" if !open => {
                say(&mut stream, "220 go ahead").await?;
                return Ok(Some(stream.into_inner()));
            }
            "AUTH" => {
                known = shared.login.as_ref().is_some_and(|login| is_login(&line, login));
                say(&mut stream, if known { "235 welcome" } else { "535 no" }).await?;
            }
            "MAIL" if open && known => {
                from = bracketed(&line);
                say(&mut stream, "250 ok").await?;
            }
            "MAIL" => say(&mut stream, "530 not like this").await?,
            "RCPT" => {
                to.push(bracketed(&line));
                say(&mut stream, "250 ok").await?;
            }
            "DATA" => {
                let (from, to) = (std::mem::take(&mut from), std::mem::take(&mut to));
                if !take(&mut stream, shared, Mail { from, to, data: String::new(), tls }).await? {
                    return Ok(None);
                }
            }
            "RSET" | "NOOP" => say(&mut stream, "250 ok").await?,
            "QUIT" => {
                say(&mut stream, "221 bye").await?;
                return Ok(None);
            }
            _ => say(&mut stream, "502 what?").await?,
        }
    }
}

async fn hello<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    shared: &Shared,
    open: bool,
) -> anyhow::Result<()> {
    say(stream, "250-test").await?;
    if !open {
        say(stream, "250-STARTTLS").await?;
    }
    if shared.login.is_some() && open {
        say(stream, "250-AUTH PLAIN").await?;
    }
    say(stream, "250 8BITMIME").await
}

/// Takes a mail; false when the connection shall break off.
async fn take<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    shared: &Shared,
    mut mail: Mail,
) -> anyhow::Result<bool> {
    say(stream, "354 go on").await?;
    for _ in 0..LINES_MAX {
        let line = read_line(stream).await?;
        if line == "." {
            break;
        }
        // Transparency (RFC 5321, section 4.5.2).
        mail.data.push_str(line.strip_prefix('.').unwrap_or(&line));
        mail.data.push_str("\r\n");
    }
    if spend(&shared.refuse) {
        say(stream, "451 not now").await?;
        return Ok(true);
    }
    shared.mails.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
    if spend(&shared.swallow) {
        return Ok(false);
    }
    say(stream, "250 taken").await?;
    Ok(true)
}

fn spend(counter: &AtomicU32) -> bool {
    counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

/// `AUTH PLAIN` with its initial response (RFC 4616).
fn is_login(line: &str, (name, password): &(String, String)) -> bool {
    let given = line.split(' ').nth(2).unwrap_or_default();
    let wanted = BASE64.encode(format!("\0{name}\0{password}").as_bytes());
    line.starts_with("AUTH PLAIN ") && given == wanted
}

fn bracketed(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(inner, _)| inner.to_owned()).unwrap_or_default()
}

async fn read_line<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
) -> anyhow::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        anyhow::bail!("the client hung up");
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    text: &str,
) -> anyhow::Result<()> {
    stream.write_all(format!("{text}\r\n").as_bytes()).await?;
    Ok(stream.flush().await?)
}
