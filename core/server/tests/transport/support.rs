//! A real server on a fresh directory, and a client that speaks bytes: HTTP/1.1 by hand and HTTP/2
//! frame by frame, so that what a well-behaved library would never send can be sent.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use landfall_crypto::ambient::{Ambient, Clock, ManualClock, SystemClock, SystemRandom};
use landfall_crypto::csr;
use landfall_crypto::key::KeyPair;
use landfall_crypto::token::TokenText;
use landfall_protocol::enroll::{CertIssueRequest, CertIssued};
use landfall_protocol::session::SessionOpened;
use landfall_protocol::{Problem, paths};
use landfall_server::{Config, Running, Server};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// One server of one test.
pub struct Host {
    pub running: Running,
    pub clock: Arc<ManualClock>,
    pub directory: tempfile::TempDir,
}

/// A key and the certificate that it is shown in.
pub struct Device {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

/// A certificate request for a key, PEM.
pub fn request(key: &KeyPair) -> String {
    pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", csr::build_csr(key).unwrap()))
}

pub async fn host() -> Host {
    host_with(|_| {}).await
}

pub async fn host_with(change: impl FnOnce(&mut Config)) -> Host {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::local(directory.path().join("data"));
    change(&mut config);
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let ambient = Ambient { clock: clock.clone(), random: Arc::new(SystemRandom) };
    let running = Server::start(config, ambient).await.unwrap();
    Host { running, clock, directory }
}

impl Host {
    /// Claims the server: the first administrator's device.
    pub async fn claim(&self) -> Device {
        let token = self.running.claim_token.as_ref().unwrap();
        let token = TokenText::parse(token).unwrap();
        let pair = KeyPair::generate().unwrap();
        let body = CertIssueRequest {
            token_id: token.payload.id.clone(),
            auth: token.secret.auth().to_text().to_string(),
            csr: request(&pair),
            user: Some("ada".parse().unwrap()),
            device: Some("laptop".parse().unwrap()),
            label: None,
        };
        let body = serde_json::to_value(body).unwrap();
        let answer = self.connect(None).await.post(paths::CERT_ISSUE, &body).await;
        let issued: CertIssued = answer.json();
        let chain = CertificateDer::pem_slice_iter(issued.certificate_chain.as_bytes());
        let key = PrivatePkcs8KeyDer::from(pair.to_pkcs8().unwrap().expose().to_vec());
        Device { chain: chain.collect::<Result<_, _>>().unwrap(), key: key.into() }
    }

    /// A connection that speaks HTTP/1.1.
    pub async fn connect(&self, device: Option<&Device>) -> Http1 {
        Http1 { stream: self.tls(device, b"http/1.1").await.unwrap(), bearer: None }
    }

    /// As [`Self::connect`], with a session.
    pub async fn sign_in(&self, device: &Device) -> Http1 {
        let mut connection = self.connect(Some(device)).await;
        let opened: SessionOpened = connection.post(paths::SESSION, &json!({})).await.json();
        connection.bearer = Some(opened.token);
        connection
    }

    /// A connection that speaks HTTP/2.
    pub async fn connect_http2(&self, device: &Device) -> h2::client::SendRequest<Bytes> {
        let stream = self.tls(Some(device), b"h2").await.unwrap();
        let (sender, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(async move {
            let _ = connection.await;
        });
        sender
    }

    pub async fn tls(
        &self,
        device: Option<&Device>,
        alpn: &[u8],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        let bundle = self.running.trust_bundle_pem.as_bytes();
        for root in CertificateDer::pem_slice_iter(bundle) {
            roots.add(root.unwrap()).unwrap();
        }
        let builder = ClientConfig::builder_with_provider(landfall_server::tls::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match device {
            // A thief's key need not fit its certificate: the library does not look here.
            Some(device) => {
                let loader = landfall_server::tls::provider().key_provider;
                let key = loader.load_private_key(device.key.clone_key()).unwrap();
                let shown = CertifiedKey::new(device.chain.clone(), key);
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(shown)))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![alpn.to_vec()];
        let tcp = TcpStream::connect(self.running.https_addr).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from("127.0.0.1").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, tcp).await
    }
}

/// A connection that speaks HTTP/1.1, kept alive.
pub struct Http1 {
    pub stream: TlsStream<TcpStream>,
    pub bearer: Option<String>,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        let text = String::from_utf8_lossy(&self.body);
        assert!(self.status.is_success(), "{} {text}", self.status);
        serde_json::from_slice(&self.body).unwrap()
    }

    #[track_caller]
    pub fn problem(&self) -> Problem {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json", "{text}");
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem.status, self.status.as_u16());
        assert!(!problem.detail.is_empty() && problem.request_id.is_some(), "{problem:?}");
        problem
    }
}

impl Http1 {
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], b"").await
    }

    pub async fn post(&mut self, path: &str, body: &Value) -> Answer {
        let body = serde_json::to_vec(body).unwrap();
        self.send("POST", path, &[("Content-Type", "application/json")], &body).await
    }

    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        self.try_send(method, path, headers, body).await.unwrap()
    }

    pub async fn try_send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<Answer> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n");
        if let Some(bearer) = &self.bearer {
            head.push_str(&format!("Authorization: Bearer {bearer}\r\n"));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        self.stream.write_all(head.as_bytes()).await?;
        // A server may answer before it has read everything, and close.
        let _ = self.stream.write_all(body).await;
        read_answer(&mut self.stream).await
    }

    /// Whether the server has closed this connection.
    pub async fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        !matches!(self.stream.read(&mut byte).await, Ok(1..))
    }
}

pub async fn read_answer(stream: &mut (impl AsyncReadExt + Unpin)) -> std::io::Result<Answer> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = HeaderMap::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap();
        let name: http::HeaderName = name.parse().unwrap();
        headers.append(name, value.parse().unwrap());
    }
    let length: usize =
        headers.get("content-length").map_or(0, |value| value.to_str().unwrap().parse().unwrap());
    let mut body = bytes[end..].to_vec();
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Answer { status, headers, body })
}

/// One request on an HTTP/2 connection.
pub async fn get_http2(
    sender: &h2::client::SendRequest<Bytes>,
    path: &str,
    bearer: &str,
) -> Result<StatusCode, h2::Error> {
    let request = Request::builder()
        .method(Method::GET)
        .uri(format!("https://127.0.0.1{path}"))
        .header("authorization", format!("Bearer {bearer}"))
        .body(())
        .unwrap();
    let mut ready = sender.clone().ready().await?;
    let (answer, _) = ready.send_request(request, true)?;
    Ok(answer.await?.status())
}
