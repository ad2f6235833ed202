//! The server as its own process.

use crate::http::Connection;
use anyhow::{Context, Result, bail, ensure};
use http::Method;
use landfall_crypto::secret::sha256;
use landfall_crypto::token::{TokenText, Trust};
use landfall_protocol::paths;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// Agents come in by themselves, on this machine alone.
const CONFIG: &str = r#"
[agents]
loopback = true
domain = "localhost"
enrolment = ["open"]
"#;

/// A device's certificate chain and key.
pub type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// A running server.
pub struct Server {
    process: Child,
    metrics: SocketAddr,
    /// The first administrator's token.
    pub claim: TokenText,
    /// How it is reached.
    pub site: Site,
}

/// Where a server is, and how it is recognised.
#[derive(Clone)]
pub struct Site {
    address: SocketAddr,
    name: String,
    roots: RootCertStore,
}

impl Server {
    /// Starts `binary` on a fresh data directory under `folder`, and waits until it is ready.
    pub async fn start(binary: &Path, folder: &Path) -> Result<Self> {
        let config = folder.join("bench.toml");
        std::fs::write(&config, CONFIG)?;
        let mut process = Command::new(binary)
            .arg("serve")
            .arg("--config")
            .arg(config)
            .args(["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"])
            .args(["--json", "--show-claim-token"])
            // The cluster of the exchanges listens on this machine.
            .env("LANDFALL_EGRESS_NETWORKS", "127.0.0.0/8")
            .arg("--data-dir")
            .arg(folder.join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(folder.join("server.log"))?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let pipe = process.stdout.take().context("the server has no output")?;
        let mut lines = BufReader::new(pipe).lines();
        let line = lines.next_line().await?.context("the server ended before it was ready")?;
        // Whatever else it says must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let ready: serde_json::Value = serde_json::from_str(&line)?;
        let claim = ready["claim_token"].as_str().context("no claim token in the ready line")?;
        let claim = TokenText::parse(claim)?;
        let name = claim.payload.url.host_str().context("no host in the token")?.to_owned();
        let port = claim.payload.url.port_or_known_default().context("no port in the token")?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let metrics = ready["metrics"]
            .as_str()
            .and_then(|url| url.strip_prefix("http://")?.strip_suffix("/metrics")?.parse().ok());
        let metrics = metrics.context("no metrics in the ready line")?;
        let roots = pinned_roots(address, &name, &claim.payload.trust).await?;
        Ok(Self { process, metrics, claim, site: Site { address, name, roots } })
    }

    /// Its process id.
    pub fn process(&self) -> Result<u32> {
        self.process.id().context("the server has ended")
    }

    /// Jobs that its writer has made durable, and the batches that it took for them.
    pub async fn batches(&self) -> Result<(u64, u64)> {
        let mut stream = TcpStream::connect(self.metrics).await?;
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").await?;
        let mut page = String::new();
        stream.read_to_string(&mut page).await?;
        let count = |name: &str| -> Result<u64> {
            let mut lines = page.lines().filter_map(|line| line.strip_prefix(name));
            Ok(lines.next().context("a counter is missing")?.trim().parse()?)
        };
        Ok((count("landfall_writer_jobs_total ")?, count("landfall_writer_batches_total ")?))
    }

    /// Resident memory, in bytes.
    pub fn memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|rest| rest.trim().strip_suffix("kB"));
        Ok(kibibytes.context("no VmRSS")?.trim().parse::<u64>()? * 1024)
    }

    /// Ends it.
    pub async fn stop(mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }
}

impl Site {
    /// Connects, as a device or as nobody.
    pub async fn connect(&self, device: Option<Identity>) -> Result<Connection> {
        let builder = builder()?.with_root_certificates(self.roots.clone());
        let tls = match device {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
            None => builder.with_no_client_auth(),
        };
        Connection::open(self.address, &self.name, Arc::new(tls)).await
    }
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?)
}

/// Fetches the roots from a server that is not trusted yet, and believes them when they are what the
/// token pins.
async fn pinned_roots(address: SocketAddr, name: &str, trust: &Trust) -> Result<RootCertStore> {
    let Trust::Pin(pin) = trust else { bail!("the token pins no root") };
    let verifier =
        Arc::new(NotYet(aws_lc_rs::default_provider().signature_verification_algorithms));
    let tls = builder()?.dangerous().with_custom_certificate_verifier(verifier);
    let mut stranger = Connection::open(address, name, Arc::new(tls.with_no_client_auth())).await?;
    let bundle = stranger.send(Method::GET, paths::CA_PEM, None).await?;
    let mut roots = RootCertStore::empty();
    for block in pem::parse_many(&bundle)? {
        ensure!(sha256(block.contents()) == *pin, "the root is not the one that the token pins");
        roots.add(CertificateDer::from(block.into_contents()))?;
    }
    Ok(roots)
}

/// Believes any certificate: only for fetching what the pin then judges.
#[derive(Debug)]
struct NotYet(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for NotYet {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
