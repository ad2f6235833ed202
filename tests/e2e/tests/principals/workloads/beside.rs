//! The SPIFFE Workload API beside a process, as stock SPIFFE clients use it.

use super::stage::{AUDIENCE, openssl_verify};
use futures::StreamExt;
use landfall_client::words::ServerLine;
use landfall_crypto::ambient::{Ambient, Clock, ManualClock, SystemClock};
use landfall_crypto::token::Trust;
use landfall_identity::Seconds;
use landfall_identity::workload::Platform;
use landfall_protocol::ErrorCode;
use landfall_server::{Config, Running, Server};
use landfall_test_support::{PlatformServer, TokenKey};
use landfall_workload::{Keeper, Serving, Setup, Socket, serve};
use serde_json::json;
use spiffe::{JwtSvid, WorkloadApiClient, X509Svid};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use url::Url;

const PAYMENTS: &str = "spiffe://landfall.local/tenant/home/workload/payments/ns/shop/cluster/prod";

/// A server, a cluster, and a pod with its token in a file. Stock clients go by the machine's clock, so
/// time begins there.
pub struct Pod {
    pub clock: Arc<ManualClock>,
    ambient: Ambient,
    server: Running,
    cluster: PlatformServer,
    key: TokenKey,
    folder: TempDir,
}

impl Pod {
    pub async fn new() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let (cluster, key) =
            (PlatformServer::start().await.unwrap(), TokenKey::rs256("cluster-1").unwrap());
        cluster.publish(&[&key]);
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let ambient = Ambient { clock: clock.clone(), random: Ambient::system().random };
        let mut config = Config::local(folder.path().join("server"));
        config.egress_networks = vec!["127.0.0.0/8".parse().unwrap()];
        config.workload_issuers =
            vec![super::stage::entry("prod", Platform::Kubernetes, &cluster, folder.path())];
        let server = Server::start(config, ambient.clone()).await.unwrap();
        let pod = Self { clock, ambient, server, cluster, key, folder };
        pod.project("payments", "pod-uid-1");
        pod
    }

    fn token_file(&self) -> PathBuf {
        self.folder.path().join("token")
    }

    /// The cluster puts a fresh token into the pod's file.
    pub fn project(&self, account: &str, pod: &str) {
        let now = self.clock.now().seconds();
        let claims = json!({
            "iss": self.cluster.issuer(), "aud": [AUDIENCE], "iat": now, "nbf": now,
            "exp": now + 3600, "sub": format!("system:serviceaccount:shop:{account}"),
            "kubernetes.io": { "namespace": "shop", "pod": { "name": "p", "uid": pod },
                "serviceaccount": { "name": account, "uid": "account-uid-1" } },
        });
        std::fs::write(self.token_file(), self.key.sign(&claims).unwrap()).unwrap();
    }

    fn line(&self) -> ServerLine {
        let url = Url::parse(&format!("https://{}", self.server.https_addr)).unwrap();
        ServerLine { url, trust: Trust::try_from(self.server.trust.clone()).unwrap() }
    }

    fn keeper(&self) -> Arc<Keeper> {
        let (server, token_file) = (self.line(), self.token_file());
        let ambient = self.ambient.clone();
        Arc::new(Keeper::new(Setup { server, token_file, ambient }).unwrap())
    }

    /// The Workload API, with its first identity, and its address.
    pub async fn serve(&self) -> (Serving, String) {
        let keeper = self.keeper();
        keeper.renew().await.unwrap();
        let socket = Socket::bind(None).unwrap();
        let address = socket.address();
        (serve(socket, keeper), address)
    }
}

fn pem_of(svid: &X509Svid) -> String {
    let blocks = svid.cert_chain().iter();
    let blocks: Vec<_> =
        blocks.map(|one| pem::Pem::new("CERTIFICATE", one.as_bytes().to_vec())).collect();
    pem::encode_many(&blocks)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stock_client_gets_svids_of_both_kinds_and_checks_them() {
    let pod = Pod::new().await;
    let (serving, address) = pod.serve().await;
    let client = WorkloadApiClient::connect_to(&address).await.unwrap();

    let svid = client.fetch_x509_svid().await.unwrap();
    assert_eq!(svid.spiffe_id().to_string(), PAYMENTS);
    let now = pod.clock.now().seconds();
    for purpose in ["sslclient", "sslserver"] {
        openssl_verify(&pem_of(&svid), &pod.server.trust_bundle_pem, now, purpose).unwrap();
    }
    let domain = svid.spiffe_id().trust_domain().clone();
    let bundles = client.fetch_x509_bundles().await.unwrap();
    let root = bundles.get(&domain).unwrap().authorities()[0].as_bytes().to_vec();
    assert_eq!(root, pem::parse(&pod.server.trust_bundle_pem).unwrap().contents());

    let jwt = client.fetch_jwt_svid(["bank", "shop"], None).await.unwrap();
    assert_eq!(jwt.spiffe_id().to_string(), PAYMENTS);
    let bundles = client.fetch_jwt_bundles().await.unwrap();
    let checked = JwtSvid::parse_and_validate(jwt.token(), &bundles, &["shop"]).unwrap();
    assert_eq!(checked.spiffe_id(), jwt.spiffe_id());
    assert!(JwtSvid::parse_and_validate(jwt.token(), &bundles, &["thief"]).is_err());
    let checked = client.validate_jwt_token("bank", jwt.token()).await.unwrap();
    assert_eq!(checked.spiffe_id(), jwt.spiffe_id());
    assert!(client.validate_jwt_token("thief", jwt.token()).await.is_err());
    assert!(client.validate_jwt_token("bank", "a.b.c").await.is_err());

    // One identity a socket, and audiences that are asked for.
    let other = format!("spiffe://{domain}/tenant/home/workload/other/ns/shop/cluster/prod");
    let other = spiffe::SpiffeId::new(&other).unwrap();
    assert!(client.fetch_jwt_svid(["bank"], Some(&other)).await.is_err());
    assert!(client.fetch_jwt_svid(Vec::<String>::new(), None).await.is_err());
    serving.shutdown().await;
    assert!(WorkloadApiClient::connect_to(&address).await.is_err(), "the socket is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stock_client_sees_each_rotation_pushed() {
    let pod = Pod::new().await;
    let (serving, address) = pod.serve().await;
    let client = WorkloadApiClient::connect_to(&address).await.unwrap();
    let mut svids = Box::pin(client.stream_x509_svids().await.unwrap());
    let first = svids.next().await.unwrap().unwrap();
    let old_jwt = client.fetch_jwt_svid(["bank"], None).await.unwrap();
    assert_eq!(
        client.fetch_jwt_svid(["bank"], None).await.unwrap().token(),
        old_jwt.token(),
        "one that is young enough is kept"
    );

    pod.clock.advance(Seconds::minutes(30));
    pod.project("payments", "pod-uid-1");
    let second = svids.next().await.unwrap().unwrap();
    assert_eq!(second.spiffe_id(), first.spiffe_id());
    assert_ne!(second.leaf().as_bytes(), first.leaf().as_bytes());
    assert_ne!(
        second.private_key().as_bytes(),
        first.private_key().as_bytes(),
        "a new token, a new key"
    );
    let now = pod.clock.now().seconds();
    openssl_verify(&pem_of(&second), &pod.server.trust_bundle_pem, now, "sslclient").unwrap();
    let new_jwt = client.fetch_jwt_svid(["bank"], None).await.unwrap();
    assert_ne!(new_jwt.token(), old_jwt.token());
    // Who comes later gets the newest at once.
    let late = client.fetch_x509_svid().await.unwrap();
    assert_eq!(late.leaf().as_bytes(), second.leaf().as_bytes());
    serving.shutdown().await;
    assert!(svids.next().await.is_none_or(|end| end.is_err()), "streams end with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_away_the_identity_serves_until_it_ends() {
    let pod = Pod::new().await;
    let (serving, address) = pod.serve().await;
    let client = WorkloadApiClient::connect_to(&address).await.unwrap();
    // The platform has put nothing usable there.
    std::fs::write(pod.token_file(), "junk").unwrap();
    pod.clock.advance(Seconds::minutes(31));
    client.fetch_x509_svid().await.unwrap();
    pod.clock.advance(Seconds::minutes(29));
    let patience = std::time::Instant::now() + Duration::from_secs(20);
    while fetch_now(&client).await {
        assert!(std::time::Instant::now() < patience, "what is over is still handed out");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // A good token, and it is back.
    pod.project("payments", "pod-uid-1");
    let mut svids = Box::pin(client.stream_x509_svids().await.unwrap());
    let back = tokio::time::timeout(Duration::from_secs(60), svids.next()).await.unwrap();
    assert_eq!(back.unwrap().unwrap().spiffe_id().to_string(), PAYMENTS);
    serving.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_never_becomes_somebody_else() {
    let pod = Pod::new().await;
    let keeper = pod.keeper();
    keeper.renew().await.unwrap();
    pod.project("admin", "pod-uid-2");
    assert_eq!(keeper.renew().await.err().unwrap().code(), ErrorCode::WorkloadChanged);
    let jwt = keeper.jwt_svid(vec!["bank".to_owned()]).await;
    assert_eq!(jwt.err().unwrap().code(), ErrorCode::WorkloadChanged);
    let held = keeper.watch().borrow().as_ref().unwrap().spiffe_id.to_string();
    assert_eq!(held, PAYMENTS);
    pod.project("payments", "pod-uid-1");
    keeper.renew().await.unwrap();
}

/// Whether an X.509-SVID is at hand.
async fn fetch_now(client: &WorkloadApiClient) -> bool {
    let fetched = tokio::time::timeout(Duration::from_millis(500), client.fetch_x509_svid()).await;
    fetched.is_ok_and(|svid| svid.is_ok())
}

/// The status of a call by hand, if it is refused: with this field among its head, or none.
async fn status_of_call(address: &str, field: Option<(&str, &str)>) -> Option<String> {
    let path = address.strip_prefix("unix://").unwrap();
    let stream = tokio::net::UnixStream::connect(path).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let driving = tokio::spawn(connection);
    let mut request = http::Request::post("http://localhost/SpiffeWorkloadAPI/FetchX509SVID")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    if let Some((name, value)) = field {
        request = request.header(name, value);
    }
    let (answer, mut body) = client.send_request(request.body(()).unwrap(), false).unwrap();
    // One message without fields.
    body.send_data(vec![0; 5].into(), true).unwrap();
    let answer = answer.await.unwrap();
    driving.abort();
    answer.headers().get("grpc-status").map(|status| status.to_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_header_nothing_is_said() {
    let pod = Pod::new().await;
    let (_serving, address) = pod.serve().await;
    let name = "workload.spiffe.io";
    // What a fetcher of URLs can be made to send is everything but that.
    for field in [None, Some((name, "false")), Some((name, "TRUE")), Some(("x-spiffe", "true"))] {
        let status = status_of_call(&address, field).await;
        assert_eq!(status.as_deref(), Some("3"), "INVALID_ARGUMENT, {field:?}");
    }
    assert_eq!(status_of_call(&address, Some((name, "true"))).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let open = folder.path().join("open");
    std::fs::DirBuilder::new().mode(0o755).create(&open).unwrap();
    let failure = Socket::bind(Some(&open.join("s"))).err().unwrap();
    assert_eq!(failure.code(), ErrorCode::WorkloadSocketUnusable);
    let made = folder.path().join("made/deep");
    let socket = Socket::bind(Some(&made.join("s"))).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&made), mode(socket.path())), (0o700, 0o600));
    // Somebody serves there.
    let second = Socket::bind(Some(&made.join("s"))).err().unwrap();
    assert_eq!(second.code(), ErrorCode::WorkloadSocketUnusable);
    // What a crash left is taken over; a file of somebody's is not.
    drop(socket);
    Socket::bind(Some(&made.join("s"))).unwrap();
    std::fs::write(made.join("file"), "keep me").unwrap();
    assert!(Socket::bind(Some(&made.join("file"))).is_err());
    assert_eq!(std::fs::read_to_string(made.join("file")).unwrap(), "keep me");
}

/// Beside the test's own folder, where cargo puts binaries.
fn landfall() -> Command {
    let here = std::env::current_exe().unwrap();
    Command::new(here.parent().and_then(Path::parent).unwrap().join("landfall"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_runs_with_its_identity_beside_it_and_its_end_is_the_answer() {
    let pod = Pod::new().await;
    let run = |script: &str| {
        let mut command = landfall();
        command.args(["workload", "run", "--server", &pod.line().to_string(), "--token-file"]);
        command.arg(pod.token_file()).args(["--", "sh", "-c", script]);
        // Nothing that a container may not have is needed.
        command.env("LANDFALL_HOME", "/nonexistent/landfall").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let mut there = run("test -S \"${SPIFFE_ENDPOINT_SOCKET#unix://}\" && echo there; exit 7");
    let output = tokio::task::spawn_blocking(move || there.output().unwrap()).await.unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(7), "{told}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "there\n");
    assert!(told.contains(PAYMENTS), "{told}");

    // A signal that is sent to us is meant for the program.
    let mut waits = run("trap 'echo ended; exit 3' TERM; echo ready; while :; do sleep 0.1; done");
    let mut child = waits.spawn().unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    assert_eq!(line, "ready\n");
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    assert_eq!(status.code(), Some(3));

    let mut refused = landfall();
    refused.args([
        "workload",
        "run",
        "--json",
        "--server",
        &pod.line().to_string(),
        "--token-file",
    ]);
    let socket = pod.folder.path().join("run").join("spiffe.sock");
    refused.arg(pod.folder.path().join("nothing")).arg("--socket").arg(&socket);
    refused.args(["--", "true"]);
    let output = tokio::task::spawn_blocking(move || refused.output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("workload-token-unreadable"));
    assert!(!socket.exists(), "nothing is served, and nothing is left");
}
