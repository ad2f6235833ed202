//! kill -9 between redeem and reply, on the real binary: what was acknowledged on disk is what the
//! retry gets.

use landfall_crypto::token::TokenText;
use landfall_crypto::{KeyPair, csr};
use landfall_protocol::enroll::CertIssued;
use landfall_protocol::paths;
use rusqlite::{Connection, OpenFlags};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The server as an operator runs it.
struct Process {
    child: Child,
    https: String,
    claim_token: Option<String>,
}

impl Process {
    fn start(data_dir: &Path, listen: &str) -> Self {
        Self::logging_to(data_dir, listen, Stdio::null())
    }

    fn logging_to(data_dir: &Path, listen: &str, log: Stdio) -> Self {
        // Beside the test's own folder, where cargo puts binaries.
        let here = std::env::current_exe().unwrap();
        let binary = here.parent().unwrap().parent().unwrap().join("landfall-server");
        let mut child = Command::new("sh")
            // A disk that is full answers, and does not kill.
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
            .arg(binary)
            .args(["serve", "--json", "--show-claim-token", "--listen", listen])
            .args(["--localhost-listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        Self {
            child,
            https: ready["https"].as_str().unwrap().to_owned(),
            claim_token: ready["claim_token"].as_str().map(str::to_owned),
        }
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn stored_certificates(database: &Path) -> Vec<Vec<u8>> {
    let connection =
        Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = connection.prepare("SELECT der FROM certificates").unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// What claims the server.
fn claim_of(server: &Process) -> Value {
    let token = TokenText::parse(server.claim_token.as_ref().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let csr = data_encoding::BASE64.encode(&csr::build_csr(&key).unwrap());
    json!({
        "token_id": token.payload.id,
        "auth": token.secret.auth().to_text().as_str(),
        "csr": format!("-----BEGIN CERTIFICATE REQUEST-----\n{csr}\n-----END CERTIFICATE REQUEST-----\n"),
        "user": "ana",
        "device": "ana-desktop",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_redeem_and_reply_the_retry_gets_the_same_certificate() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let mut server = Process::start(&data_dir, "127.0.0.1:0");
    let body = claim_of(&server);
    // The pin is another test's matter; this one looks at bytes on the disk.
    let http = reqwest::Client::builder().no_proxy().danger_accept_invalid_certs(true);
    let http = http.build().unwrap();
    let url = format!("{}{}", server.https, paths::CERT_ISSUE);
    let request = http.post(&url).json(&body).send();
    let lost = tokio::spawn(async move { request.await.map(drop) });

    let database = data_dir.join("landfall.db");
    let patience = Instant::now() + Duration::from_secs(30);
    let stored = loop {
        let stored = stored_certificates(&database);
        if !stored.is_empty() {
            break stored;
        }
        assert!(Instant::now() < patience, "the redemption never became durable");
        tokio::task::yield_now().await;
    };
    server.kill();
    lost.abort();

    let listen = server.https.trim_start_matches("https://").to_owned();
    let server = Process::start(&data_dir, &listen);
    assert_eq!(server.claim_token, None, "the server was claimed");
    let answer = http.post(&url).json(&body).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let issued: CertIssued = answer.json().await.unwrap();
    let leaf = CertificateDer::from_pem_slice(issued.certificate_chain.as_bytes()).unwrap();
    assert_eq!(vec![leaf.to_vec()], stored, "one certificate, the same to the byte");
    assert_eq!(stored_certificates(&database).len(), 1);
}

/// Whoever stops a server right after it died and came up again: what it wrote before has its place in the log, and
/// nobody can change it unseen any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_soon_after_a_crash_leaves_nothing_unsealed() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let mut server = Process::start(&data_dir, "127.0.0.1:0");
    let http = reqwest::Client::builder().no_proxy().danger_accept_invalid_certs(true);
    let http = http.build().unwrap();
    let url = format!("{}{}", server.https, paths::CERT_ISSUE);
    let issued = http.post(&url).json(&claim_of(&server)).send().await.unwrap();
    assert_eq!(issued.status().as_u16(), 200);
    server.kill();
    let mut server = Process::start(&data_dir, "127.0.0.1:0");
    let stop = Command::new("kill").arg(server.child.id().to_string()).status().unwrap();
    assert!(stop.success() && server.child.wait().unwrap().success());
    let connection = Connection::open(data_dir.join("landfall.db")).unwrap();
    let waiting = "SELECT COUNT(*) FROM audit_events WHERE seq IS NULL";
    assert_eq!(connection.query_row(waiting, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

/// A full disk under the log, or a reader of it that went away, must not be a way to stop the server.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_takes_no_more_lines_stops_nothing() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let full = || Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    for log in [full(), closed()] {
        let folder = tempfile::tempdir().unwrap();
        let server = Process::logging_to(&folder.path().join("data"), "127.0.0.1:0", log);
        let http = reqwest::Client::builder().no_proxy().danger_accept_invalid_certs(true);
        let http = http.build().unwrap();
        let url = format!("{}{}", server.https, paths::CERT_ISSUE);
        let issued = http.post(&url).json(&claim_of(&server)).send().await.unwrap();
        assert_eq!(issued.status().as_u16(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_at_once_and_so_is_its_end() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(&folder.path().join("data"), "127.0.0.1:0");
    let room = |bytes: &str| {
        let fsize = format!("--fsize={bytes}:unlimited");
        let pid = server.child.id().to_string();
        let set = Command::new("prlimit").args(["--pid", &pid, &fsize]).status().unwrap();
        assert!(set.success());
    };
    let body = claim_of(&server);
    let http = reqwest::Client::builder().no_proxy().danger_accept_invalid_certs(true);
    let http = http.build().unwrap();
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status();
    let ready = || http.get(format!("{}{}", server.https, paths::READYZ));
    let claim = || http.post(format!("{}{}", server.https, paths::CERT_ISSUE)).json(&body);
    assert_eq!(status(ready()).await, 200);

    room("1");
    assert_eq!(status(claim()).await, 503);
    assert_eq!(status(ready()).await, 503, "with the very next question");

    // Nobody is sent here meanwhile: the server finds out by itself.
    room("unlimited");
    let patience = Instant::now() + Duration::from_secs(30);
    while status(ready()).await != 200 {
        assert!(Instant::now() < patience, "it never worked again");
        tokio::task::yield_now().await;
    }
    assert_eq!(status(claim()).await, 200);
}
