//! Clients that name the socket's path as whom they call: gRPC's C core and Swift escaped, Java as it is.
//!
//! A stock client speaks through a relay that writes its requests anew with such a name, and keeps all of
//! their fields in its dynamic table, as those clients do.

use super::beside::Pod;
use super::stage::PAYMENTS;
use futures::StreamExt;
use landfall_identity::Seconds;
use loona_hpack::encoder::{encode_integer, encode_integer_into};
use spiffe::{JwtSvid, WorkloadApiClient};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

const PREFACE_LENGTH: usize = 24;
const HEADERS: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED_OR_WITH_PRIORITY: u8 = 0x28;

/// A socket before another one.
struct Relay {
    folder: TempDir,
    seen: Arc<Seen>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: AtomicUsize,
    /// Fields that were no more than an index into the dynamic table.
    indexed: AtomicUsize,
}

impl Relay {
    fn before(socket: &Path, authority: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("s")).unwrap();
        let (seen, socket) = (Arc::new(Seen::default()), socket.to_owned());
        let told = Arc::clone(&seen);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                told.connections.fetch_add(1, Ordering::Relaxed);
                connections.spawn(relay(client, socket.clone(), authority.clone(), told.clone()));
            }
        });
        Self { folder, seen, _tasks: tasks }
    }

    fn address(&self) -> String {
        format!("unix://{}", self.folder.path().join("s").display())
    }

    fn seen(&self) -> [usize; 3] {
        let Seen { connections, requests, indexed } = &*self.seen;
        [connections, requests, indexed].map(|count| count.load(Ordering::Relaxed))
    }
}

async fn relay(client: UnixStream, socket: PathBuf, authority: String, seen: Arc<Seen>) {
    let (asked, mut told) = client.into_split();
    let (mut answers, requests) = UnixStream::connect(socket).await.unwrap().into_split();
    let answering = async {
        // It ends as the connection does, however that is.
        let _ = tokio::io::copy(&mut answers, &mut told).await;
        let _ = told.shutdown().await;
    };
    let (_, ()) = tokio::join!(rename(asked, requests, &authority, &seen), answering);
}

/// Passes a client's frames on until it ends, its requests with that name.
async fn rename(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    authority: &str,
    seen: &Seen,
) -> io::Result<()> {
    let mut preface = [0; PREFACE_LENGTH];
    from.read_exact(&mut preface).await?;
    to.write_all(&preface).await?;
    let (mut decoder, mut encoder) = (loona_hpack::Decoder::new(), Table::default());
    loop {
        let mut head = [0; 9];
        from.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length.try_into().unwrap()];
        from.read_exact(&mut payload).await?;
        if head[3] == HEADERS {
            let expected = END_HEADERS;
            assert_eq!(head[4] & (END_HEADERS | PADDED_OR_WITH_PRIORITY), expected, "as h2 does");
            payload = encoder.renamed(&decoder.decode(&payload).unwrap(), authority);
            head[..3].copy_from_slice(&u32::try_from(payload.len()).unwrap().to_be_bytes()[1..]);
            seen.requests.fetch_add(1, Ordering::Relaxed);
            seen.indexed.store(encoder.indexed, Ordering::Relaxed);
        }
        to.write_all(&[&head, &payload[..]].concat()).await?;
    }
}

/// An encoder that puts every field into its dynamic table, and takes it from there when it can.
#[derive(Default)]
struct Table {
    fields: Vec<(Vec<u8>, Vec<u8>)>,
    indexed: usize,
}

impl Table {
    fn renamed(&mut self, fields: &[(Vec<u8>, Vec<u8>)], authority: &str) -> Vec<u8> {
        let mut block = Vec::new();
        for (name, value) in fields {
            let value = if name == b":authority" { authority.as_bytes() } else { value };
            let field = (name.clone(), value.to_vec());
            if let Some(age) = self.fields.iter().rev().position(|known| *known == field) {
                // RFC 7541, section 2.3.3: after the 61 of the static table, the newest first.
                encode_integer_into(62 + age, 7, 0x80, &mut block).unwrap();
                self.indexed += 1;
                continue;
            }
            block.push(0x40);
            for text in [name, value] {
                block.extend(encode_integer(text.len(), 7));
                block.extend_from_slice(text);
            }
            self.fields.push(field);
        }
        let size: usize =
            self.fields.iter().map(|(name, value)| name.len() + value.len() + 32).sum();
        assert!(size <= 4096, "nothing is to be pushed out");
        block
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_name_the_sockets_path_are_served_over_a_rotation() {
    let pod = Pod::new().await;
    let (serving, address) = pod.serve().await;
    let path = address.strip_prefix("unix://").unwrap();
    for authority in [path.replace('/', "%2F"), path.to_owned()] {
        let relay = Relay::before(Path::new(path), authority.clone());
        let client = WorkloadApiClient::connect_to(&relay.address()).await.unwrap();
        let mut svids = Box::pin(client.stream_x509_svids().await.unwrap());
        let first = svids.next().await.unwrap().unwrap();
        assert_eq!(first.spiffe_id().to_string(), PAYMENTS, "{authority}");

        let bundles = client.fetch_jwt_bundles().await.unwrap();
        for audience in ["bank", "shop"] {
            let jwt = client.fetch_jwt_svid([audience], None).await.unwrap();
            JwtSvid::parse_and_validate(jwt.token(), &bundles, &[audience]).unwrap();
        }
        client.fetch_x509_bundles().await.unwrap();

        pod.clock.advance(Seconds::minutes(30));
        pod.project("payments", "pod-uid-1");
        let second = svids.next().await.unwrap().unwrap();
        assert_eq!(second.spiffe_id(), first.spiffe_id());
        assert_ne!(second.leaf().as_bytes(), first.leaf().as_bytes());
        client.fetch_jwt_svid(["bank"], None).await.unwrap();

        let [connections, requests, indexed] = relay.seen();
        assert_eq!(connections, 1, "all of it on one connection");
        assert!(requests >= 6 && indexed >= 5 * 5, "{requests} requests, {indexed} fields");
    }
    serving.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_breaks_the_rules_loses_one_connection() {
    let pod = Pod::new().await;
    let (_serving, address) = pod.serve().await;
    let client = WorkloadApiClient::connect_to(&address).await.unwrap();
    let mut svids = Box::pin(client.stream_x509_svids().await.unwrap());
    svids.next().await.unwrap().unwrap();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    // An index into a table that is empty, a frame that is too long, a block within a block.
    let bad_index = [0, 0, 1, 1, 4, 0, 0, 0, 1, 0xbe];
    let too_long = [0, 0x40, 1, 0, 0, 0, 0, 0, 1];
    let within = [0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 3];
    for frames in [&bad_index[..], &too_long, &within] {
        let mut hostile =
            UnixStream::connect(address.strip_prefix("unix://").unwrap()).await.unwrap();
        hostile.write_all(&[preface, &settings[..], frames].concat()).await.unwrap();
        let mut heard = Vec::new();
        // Its end is the answer, whether or not all of what was sent had been read.
        let _ = hostile.read_to_end(&mut heard).await;
    }
    client.fetch_jwt_svid(["bank"], None).await.unwrap();
    pod.clock.advance(Seconds::minutes(30));
    pod.project("payments", "pod-uid-1");
    svids.next().await.unwrap().unwrap();
}
