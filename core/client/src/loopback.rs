//! The way back from the browser: one GET on 127.0.0.1.
//!
//! The listener has no authority. It takes what the page yields and passes it on; only the device's
//! key can redeem it. Its path is random, so that nothing else on this machine finds it.

use crate::failure::Failure;
use crate::texts;
use data_encoding::BASE64URL_NOPAD;
use landfall_crypto::Random;
use landfall_protocol::ErrorCode;
use landfall_protocol::ceremony::ReturnPath;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::error::Elapsed;
use url::Url;

/// The largest request that is read, in bytes.
const REQUEST_MAX: usize = 8 * 1024;
/// How long one visitor may take.
const VISIT_TIMEOUT: Duration = Duration::from_secs(5);
/// Visitors that are listened to at once. Browsers open connections that they may never use, and any
/// program on this machine can open more: beyond this the longest silent one makes room.
const VISITS_MAX: usize = 64;
/// The longest completion that is passed on.
const COMPLETION_MAX: usize = 128;

const HEADERS: &str = "Content-Type: text/html; charset=utf-8\r\n\
    Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n\
    Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
    frame-ancestors 'none'\r\nConnection: close\r\n";
const THANKS: &str = include_str!("loopback.html");

/// A listener for one completion.
pub(crate) struct Loopback {
    listener: TcpListener,
    port: u16,
    path: String,
}

impl Loopback {
    /// Listens on an ephemeral port of 127.0.0.1.
    pub(crate) async fn open(random: &dyn Random) -> Result<Self, Failure> {
        let closed = |_| Failure::new(ErrorCode::BrowserUnavailable, texts::NO_LOOPBACK);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(closed)?;
        let port = listener.local_addr().map_err(closed)?.port();
        let path = BASE64URL_NOPAD.encode(&random.array::<32>());
        Ok(Self { listener, port, path })
    }

    /// Where the page shall redirect to.
    pub(crate) fn return_path(&self) -> ReturnPath {
        ReturnPath::Loopback { port: self.port, path: self.path.clone() }
    }

    /// The completion in the redirect that a browser would follow here.
    pub(crate) fn completion_of(&self, redirect: &str) -> Option<String> {
        let here = format!("http://127.0.0.1:{}", self.port);
        self.completion_at(redirect.strip_prefix(&here)?)
    }

    /// Waits for the completion.
    pub(crate) async fn completion(&self) -> Result<String, Failure> {
        let mut visits = VecDeque::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    let Ok((stream, _)) = accepted else {
                        return Err(Failure::new(ErrorCode::CeremonyOver, texts::NOBODY_CAME));
                    };
                    if visits.len() >= VISITS_MAX {
                        visits.pop_front();
                    }
                    let visit = tokio::time::timeout(VISIT_TIMEOUT, self.visit(stream));
                    visits.push_back(Box::pin(visit));
                }
                completion = first_of(&mut visits) => return Ok(completion),
            }
        }
    }

    async fn visit(&self, mut stream: TcpStream) -> Option<String> {
        let head = read_head(&mut stream).await?;
        let completion = self.completion_in(&head);
        let answer = match &completion {
            Some(_) => format!(
                "HTTP/1.1 200 OK\r\n{HEADERS}Content-Length: {}\r\n\r\n{THANKS}",
                THANKS.len()
            ),
            None => format!("HTTP/1.1 404 Not Found\r\n{HEADERS}Content-Length: 0\r\n\r\n"),
        };
        // The completion is in hand: a browser that hangs up early changes nothing.
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
        completion
    }

    /// The completion in a request's head: exactly our GET, for our host.
    fn completion_in(&self, head: &str) -> Option<String> {
        let mut lines = head.split("\r\n");
        let target = lines.next()?.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
        let host = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("host").then(|| value.trim())
        })?;
        if host != format!("127.0.0.1:{}", self.port) {
            return None;
        }
        self.completion_at(target)
    }

    /// The completion in a path and query that are exactly ours.
    fn completion_at(&self, target: &str) -> Option<String> {
        if !target.starts_with('/') {
            return None;
        }
        let url = Url::parse(&format!("http://127.0.0.1:{}{target}", self.port)).ok()?;
        if url.path().strip_prefix('/') != Some(self.path.as_str()) {
            return None;
        }
        let mut pairs = url.query_pairs();
        let (name, value) = pairs.next()?;
        let fits = name == "completion"
            && (1..=COMPLETION_MAX).contains(&value.len())
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        (fits && pairs.next().is_none()).then(|| value.into_owned())
    }
}

/// The completion that one of the visits brings. Visits that are over without one are dropped; with
/// none left it waits for ever, for the next one to be let in.
async fn first_of<F>(visits: &mut VecDeque<Pin<Box<F>>>) -> String
where
    F: Future<Output = Result<Option<String>, Elapsed>>,
{
    poll_fn(|context| {
        let mut found = None;
        visits.retain_mut(|visit| match visit.as_mut().poll(context) {
            Poll::Ready(Ok(Some(completion))) => {
                found.get_or_insert(completion);
                false
            }
            Poll::Ready(_) => false,
            Poll::Pending => true,
        });
        found.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// Reads up to the empty line that ends a request's head.
async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut chunk).await.ok()?;
        if read == 0 || head.len() + read > REQUEST_MAX {
            return None;
        }
        head.extend_from_slice(&chunk[..read]);
    }
    String::from_utf8(head).ok()
}

#[cfg(test)]
#[path = "loopback_tests.rs"]
mod tests;
