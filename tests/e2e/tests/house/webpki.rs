//! A server with a certificate of a public authority: here one that only this test has, handed to the
//! client's platform the way every program on this system is told.

use landfall_crypto::ambient::Ambient;
use landfall_server::{Config, Running, Server};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};
use serde_json::Value;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// An authority, and the folder in which everything of a test lies.
struct Place {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("root.pem"), root.pem()).unwrap();
        Self { folder, issuer: Issuer::new(params, key) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A certificate for a host, in the server's files. Answers its DER.
    fn certify(&self, host: &str) -> Vec<u8> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(self.path("chain.pem"), certificate.pem()).unwrap();
        std::fs::write(self.path("key.pem"), key.serialize_pem()).unwrap();
        certificate.der().to_vec()
    }

    /// A server with these files, on the machine's own time, which the client's platform goes by.
    async fn serve(&self) -> Running {
        let config = Config {
            tls_certificate: Some(self.path("chain.pem")),
            tls_key: Some(self.path("key.pem")),
            ..Config::local(self.path("data"))
        };
        Server::start(config, Ambient::system()).await.unwrap()
    }

    /// `landfall`, on a machine whose platform trusts the authorities in this file.
    fn landfall(&self, authorities: &str, words: &[&str]) -> Result<Value, Value> {
        let here = std::env::current_exe().unwrap();
        let binary = here.parent().unwrap().parent().unwrap().join("landfall");
        let output = Command::new(binary)
            .args(words)
            .arg("--json")
            .env_clear()
            .env("LANDFALL_HOME", self.path("home"))
            .env("HOME", "/nonexistent")
            .env("SSL_CERT_FILE", self.path(authorities))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let json = |bytes: &[u8]| {
            serde_json::from_slice(bytes)
                .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(bytes)))
        };
        match output.status.success() {
            true => Ok(json(&output.stdout)),
            false => Err(json(&output.stderr)),
        }
    }
}

fn claim(token: &str) -> [&str; 8] {
    ["claim", token, "--user", "ana", "--device", "ana-desktop", "--yes", "--no-browser"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_certificate_files_is_believed_by_the_platforms_roots_alone() {
    let place = Place::new();
    place.certify("127.0.0.1");
    let server = place.serve().await;
    assert_eq!(server.trust, "webpki");
    let token = server.claim_token.as_ref().unwrap().to_string();

    // Another authority is trusted there, not this one: nothing is spent.
    let elsewhere = Place::new();
    std::fs::copy(elsewhere.path("root.pem"), place.path("other.pem")).unwrap();
    let refused = place.landfall("other.pem", &claim(&token)).unwrap_err();
    assert_eq!(refused["code"], "server-not-trusted", "{refused}");

    place.landfall("root.pem", &claim(&token)).unwrap();
    let me = place.landfall("root.pem", &["whoami"]).unwrap();
    assert_eq!(me["user"], "ana", "{me}");
    // What was believed once is asked every time.
    let refused = place.landfall("other.pem", &["whoami"]).unwrap_err();
    assert_eq!(refused["code"], "server-not-trusted", "{refused}");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_another_host_is_refused() {
    let place = Place::new();
    place.certify("id.example.org");
    let server = place.serve().await;
    let token = server.claim_token.as_ref().unwrap().to_string();
    let refused = place.landfall("root.pem", &claim(&token)).unwrap_err();
    assert_eq!(refused["code"], "server-not-trusted", "{refused}");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_read_again_when_they_change_and_half_a_change_is_not_taken() {
    let place = Place::new();
    let first = place.certify("127.0.0.1");
    let server = place.serve().await;
    let shown = || shown_by(&server);
    assert_eq!(shown(), first);
    // The certificate without its key: the server goes on with what it has.
    let old_key = std::fs::read(place.path("key.pem")).unwrap();
    let second = place.certify("127.0.0.1");
    let new_key = std::fs::read(place.path("key.pem")).unwrap();
    std::fs::write(place.path("key.pem"), old_key).unwrap();
    assert_eq!(shown(), first);
    replace(&place.path("key.pem"), &new_key);
    let patience = Instant::now() + Duration::from_secs(30);
    while shown() != second {
        assert!(Instant::now() < patience, "the new certificate never comes");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.shutdown().await;
}

/// As renewal tools do it: whole, in one step.
fn replace(path: &Path, content: &[u8]) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, content).unwrap();
    std::fs::rename(&beside, path).unwrap();
}

/// The certificate that a server shows, DER.
fn shown_by(server: &Running) -> Vec<u8> {
    let seen = Arc::new(Seen::default());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&seen) as _)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = TcpStream::connect(server.https_addr).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut socket).unwrap();
    }
    seen.0.lock().unwrap().clone()
}

/// Looks, and believes everything.
#[derive(Debug, Default)]
struct Seen(Mutex<Vec<u8>>);

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.0.lock().unwrap() = end_entity.to_vec();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        provider.signature_verification_algorithms.supported_schemes()
    }
}
