//! One kept-alive HTTP/1.1 connection over TLS 1.3.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A connection to the server.
pub struct Connection {
    requests: SendRequest<Full<Bytes>>,
    authority: String,
    /// Sent with every request once a session is open.
    pub session: Option<String>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr, name: &str, tls: Arc<ClientConfig>) -> Result<Self> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let server = ServerName::try_from(name.to_owned())?;
        let stream = TlsConnector::from(tls).connect(server, tcp).await.context("TLS")?;
        let (requests, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { requests, authority: format!("{name}:{}", address.port()), session: None })
    }

    /// What `Host` says.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&mut self, method: Method, path: &str, body: Option<Bytes>) -> Result<Bytes> {
        self.send_with(method, path, &[], body).await
    }

    /// As [`Connection::send`], with further header fields.
    pub async fn send_with(
        &mut self,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
        body: Option<Bytes>,
    ) -> Result<Bytes> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.authority)
            .header(header::USER_AGENT, "landfall-bench");
        if let Some(session) = &self.session {
            request = request.header(header::AUTHORIZATION, format!("Bearer {session}"));
        }
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = Full::new(body.unwrap_or_default());
        self.requests.ready().await?;
        let answer = self.requests.send_request(request.body(body)?).await?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            bail!("{path} answered {status}: {}", String::from_utf8_lossy(&bytes));
        }
        Ok(bytes)
    }
}
