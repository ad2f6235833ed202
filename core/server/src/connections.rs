//! Connections: accepting, bounding, and cutting them.
//!
//! A connection enters the registry under its key *before* any request on it reads the key's row, so a
//! revocation either finds the connection here or is already in the row. Cutting drops the socket and
//! with it every stream. Only the connection on which the cut was ordered may still carry its answer
//! home.

use crate::service::{Cutter, Peer};
use crate::strangers::prefix;
use crate::tls::Issuers;
use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// How long a handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long a request's head may take, and how long HTTP/1.1 may stay silent between requests.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// How long a connection with a key lives.
const LIFETIME: Duration = Duration::from_secs(3600);
/// How long one without a key lives: long enough to enrol, short enough not to be hoarded.
const LIFETIME_OF_STRANGERS: Duration = Duration::from_secs(300);
/// How long answers under way may take when a connection ends in peace.
const LAST_ANSWERS: Duration = Duration::from_secs(10);
/// How long the answer to one's own cutting may take.
const LAST_ANSWER_OF_CUT: Duration = Duration::from_secs(1);
/// How often a silent HTTP/2 connection is asked whether it lives.
const PING_EVERY: Duration = Duration::from_secs(30);
/// Streams that one HTTP/2 connection may have open.
const STREAMS_MAX: u32 = 100;
/// The most bytes of a request's head that are read. Far more than are taken (`http::front`): who sends too
/// much hears so.
const HEAD_READ_MAX: u32 = 128 * 1024;
/// The most header fields that are read.
const HEADERS_READ_MAX: usize = 512;
/// The pause after the machine refused us another socket.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often it is said that sockets are refused.
const SAY_AGAIN: Duration = Duration::from_secs(10);

tokio::task_local! {
    /// The connection that this request came in on.
    static CURRENT: Arc<Connection>;
}

/// Where a request came from. The one seam that decides it: nothing in a header is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source(pub IpAddr);

/// One open connection.
#[derive(Debug, Default)]
pub struct Connection {
    id: u64,
    /// Ends it at once.
    now: CancellationToken,
    /// Ends it after the answers under way.
    after_answers: CancellationToken,
}

impl Connection {
    /// Runs a request's work as belonging to this connection.
    pub async fn scope<F: Future>(self: Arc<Self>, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }
}

/// Open connections by key.
#[derive(Debug, Default)]
pub struct Registry {
    by_key: Mutex<HashMap<String, Vec<Arc<Connection>>>>,
    next: AtomicU64,
    open: AtomicU64,
}

impl Registry {
    /// How many connections are open, with a key or without.
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    fn enter(self: &Arc<Self>, key: Option<String>) -> Entry {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection { id, ..Connection::default() });
        if let Some(key) = &key {
            self.lock().entry(key.clone()).or_default().push(Arc::clone(&connection));
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        Entry { registry: Arc::clone(self), key, connection }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Arc<Connection>>>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cutter for Registry {
    fn cut(&self, thumbprint: &str) {
        let own = CURRENT.try_with(|connection| connection.id).ok();
        for connection in self.lock().get(thumbprint).into_iter().flatten() {
            if own == Some(connection.id) {
                connection.after_answers.cancel();
            } else if !connection.after_answers.is_cancelled() {
                connection.now.cancel();
            }
        }
    }
}

/// A connection's place in the registry, for as long as it lives.
struct Entry {
    registry: Arc<Registry>,
    key: Option<String>,
    connection: Arc<Connection>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.registry.open.fetch_sub(1, Ordering::Relaxed);
        let Some(key) = self.key.take() else { return };
        let mut by_key = self.registry.lock();
        if let Some(connections) = by_key.get_mut(&key) {
            connections.retain(|other| other.id != self.connection.id);
            if connections.is_empty() {
                by_key.remove(&key);
            }
        }
    }
}

/// Open connections by where they come from, so that one place cannot take all of them.
#[derive(Debug, Default)]
pub struct Sources(Mutex<HashMap<String, usize>>);

impl Sources {
    /// A place for one more connection from there, unless there are `max` already.
    fn enter(self: &Arc<Self>, source: IpAddr, max: usize) -> Option<Guest> {
        let place = prefix(source);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(place.clone()).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        drop(open);
        Some(Guest { sources: Arc::clone(self), place })
    }
}

/// One connection's place among those of its source.
struct Guest {
    sources: Arc<Sources>,
    place: String,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut open = self.sources.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.place) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.place);
            }
        }
    }
}

/// How bytes become requests.
#[derive(Clone)]
pub enum Transport {
    /// The public port.
    Tls {
        /// The handshake.
        acceptor: TlsAcceptor,
        /// Whose certificates we recognise.
        issuers: Arc<Issuers>,
    },
    /// The local ceremony listener and the metrics listener.
    Plain,
}

/// One listener at work.
#[derive(Clone)]
pub struct Listener {
    /// How bytes become requests.
    pub transport: Transport,
    /// Where they go.
    pub router: Router,
    /// Where connections can be cut.
    pub registry: Arc<Registry>,
    /// How many may be open at once.
    pub max: usize,
    /// How many of them from one place.
    pub max_per_source: usize,
    /// Says when to stop.
    pub stop: CancellationToken,
}

impl Listener {
    /// Accepts until told to stop; returns when the last connection has ended.
    pub async fn serve(self, socket: TcpListener) {
        let places = Arc::new(Semaphore::new(self.max));
        let sources = Arc::new(Sources::default());
        while let Some((stream, address, place)) = self.accept(&socket, &places).await {
            let Some(guest) = sources.enter(address.ip(), self.max_per_source) else {
                tracing::debug!(source = %address.ip(), "too many connections from one place");
                continue;
            };
            let listener = self.clone();
            tokio::spawn(async move {
                listener.connection(stream, address).await;
                drop((guest, place));
            });
        }
        drop(socket);
        let all = u32::try_from(self.max).unwrap_or(u32::MAX);
        // Closed semaphores only; this one is not.
        let _ = places.acquire_many(all).await;
    }

    async fn accept(
        &self,
        socket: &TcpListener,
        places: &Arc<Semaphore>,
    ) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let accept = async {
            let place = Arc::clone(places).acquire_owned().await.ok()?;
            let mut said: Option<Instant> = None;
            loop {
                match socket.accept().await {
                    Ok((stream, address)) => return Some((stream, address, place)),
                    Err(error) => {
                        if said.is_none_or(|said| said.elapsed() >= SAY_AGAIN) {
                            tracing::warn!(%error, "connections cannot be accepted");
                            said = Some(Instant::now());
                        }
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
            }
        };
        tokio::select! {
            accepted = accept => accepted,
            () = self.stop.cancelled() => None,
        }
    }

    async fn connection(&self, stream: TcpStream, address: SocketAddr) {
        // Answers are small and should not wait for more.
        let _ = stream.set_nodelay(true);
        let source = Source(address.ip().to_canonical());
        match &self.transport {
            Transport::Plain => self.speak(stream, source, None, false).await,
            Transport::Tls { acceptor, issuers } => {
                let handshake = tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream));
                let handshake = tokio::select! {
                    done = handshake => done,
                    () = self.stop.cancelled() => return,
                };
                let stream = match handshake {
                    Ok(Ok(stream)) => stream,
                    Ok(Err(error)) => return tracing::debug!(%error, "a handshake failed"),
                    Err(_) => return tracing::debug!("a handshake took too long"),
                };
                let session = stream.get_ref().1;
                let certificate = session.peer_certificates().and_then(<[_]>::first);
                let peer = certificate.and_then(|certificate| issuers.peer(certificate));
                let http2 = session.alpn_protocol() == Some(b"h2");
                self.speak(stream, source, peer, http2).await;
            }
        }
    }

    /// Speaks HTTP on one connection until it ends, is cut, or has lived long enough.
    async fn speak(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        source: Source,
        peer: Option<Peer>,
        http2: bool,
    ) {
        let lifetime = if peer.is_some() { LIFETIME } else { LIFETIME_OF_STRANGERS };
        let entry = self.registry.enter(peer.as_ref().map(|peer| peer.thumbprint.clone()));
        let connection = Arc::clone(&entry.connection);
        let router = self.router.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            let extensions = request.extensions_mut();
            extensions.insert(source);
            extensions.insert(Arc::clone(&connection));
            if let Some(peer) = &peer {
                extensions.insert(peer.clone());
            }
            router.clone().oneshot(request)
        });
        let builder = builder(http2);
        let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let ends = &entry.connection;
        let mut grace = LAST_ANSWERS;
        tokio::select! {
            _ = served.as_mut() => return,
            () = ends.now.cancelled() => return,
            () = ends.after_answers.cancelled() => grace = LAST_ANSWER_OF_CUT,
            () = tokio::time::sleep(lifetime) => {}
            () = self.stop.cancelled() => {}
        }
        served.as_mut().graceful_shutdown();
        tokio::select! {
            _ = served => {}
            () = ends.now.cancelled() => {}
            () = tokio::time::sleep(grace) => {}
        }
    }
}

/// The protocol is the one that the handshake agreed on: guessing it from the first bytes would wait
/// for them without a limit.
fn builder(http2: bool) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_headers(HEADERS_READ_MAX)
        .max_buf_size(HEAD_READ_MAX as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_READ_MAX)
        .max_concurrent_streams(STREAMS_MAX)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(HANDSHAKE_TIME);
    if http2 { builder.http2_only() } else { builder.http1_only() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cut_ends_every_connection_of_the_key_and_no_other() {
        let registry = Arc::new(Registry::default());
        let (a, b) = (registry.enter(Some("k".into())), registry.enter(Some("k".into())));
        let other = registry.enter(Some("other".into()));
        registry.cut("k");
        assert!(a.connection.now.is_cancelled() && b.connection.now.is_cancelled());
        assert!(!other.connection.now.is_cancelled());
    }

    #[tokio::test]
    async fn who_cuts_itself_still_hears_the_answer() {
        let registry = Arc::new(Registry::default());
        let (own, second) = (registry.enter(Some("k".into())), registry.enter(Some("k".into())));
        let cut = async { registry.cut("k") };
        Arc::clone(&own.connection).scope(cut).await;
        registry.cut("k");
        assert!(!own.connection.now.is_cancelled(), "the poller comes by later");
        assert!(own.connection.after_answers.is_cancelled());
        assert!(second.connection.now.is_cancelled());
    }

    #[test]
    fn one_place_takes_its_share_and_no_more() {
        let sources = Arc::new(Sources::default());
        let (crowd, other) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let mut inside: Vec<_> = (0..3).map(|_| sources.enter(crowd, 3)).collect();
        assert!(inside.iter().all(Option::is_some));
        assert!(sources.enter(crowd, 3).is_none());
        assert!(sources.enter(other, 3).is_some());
        inside.pop();
        assert!(sources.enter(crowd, 3).is_some());
        drop(inside);
        assert!(sources.0.lock().unwrap().is_empty(), "nothing is remembered of who is gone");
    }

    #[tokio::test]
    async fn nothing_stays_behind() {
        let registry = Arc::new(Registry::default());
        drop((registry.enter(Some("k".into())), registry.enter(None)));
        assert_eq!(registry.open(), 0);
        assert!(registry.lock().is_empty());
    }
}
