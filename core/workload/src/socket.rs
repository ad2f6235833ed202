//! Where the Workload API is served: a Unix socket in a folder that its owner alone enters.

use crate::api::Api;
use crate::connection::Connection;
use crate::keeper::Keeper;
use crate::proto::spiffe_workload_api_server::SpiffeWorkloadApiServer;
use futures::stream;
use landfall_client::Failure;
use landfall_protocol::ErrorCode;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::Server;

/// Calls that one connection may have open.
const CALLS_MAX: u32 = 64;
/// The name of a socket in a folder of its own.
const SOCKET: &str = "workload.sock";

/// A socket that nobody serves yet.
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
    owner: u32,
    _folder: Option<TempDir>,
}

/// What needs no escape in a URL's path (RFC 3986, section 2.3), and the slash.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/')
}

impl Socket {
    /// Takes `path`, in a folder with mode 0700 that is made when it is not there; without one, a
    /// folder of its own that goes with it.
    ///
    /// # Errors
    /// `workload-socket-unusable`: others can enter the folder, somebody serves there, or the system
    /// says no.
    pub fn bind(path: Option<&Path>) -> Result<Self, Failure> {
        let unusable = |path: &Path, why: String| {
            let detail = format!("{}: {why}. Say where with --socket.", path.display());
            Failure::new(ErrorCode::WorkloadSocketUnusable, detail)
        };
        let (path, folder) = match path {
            Some(path) => {
                // Programs are told it as a URL, and not from the folder that we are in.
                let path =
                    std::path::absolute(path).map_err(|error| unusable(path, error.to_string()))?;
                if !path.to_str().is_some_and(|text| text.bytes().all(is_plain)) {
                    let why = "a socket's path has letters, digits, and -._~/ alone".to_owned();
                    return Err(unusable(&path, why));
                }
                (path, None)
            }
            None => {
                let made = tempfile::Builder::new()
                    .prefix("landfall-workload-")
                    .permissions(fs::Permissions::from_mode(0o700))
                    .tempdir();
                let folder =
                    made.map_err(|error| unusable(&std::env::temp_dir(), error.to_string()))?;
                (folder.path().join(SOCKET), Some(folder))
            }
        };
        match take(&path) {
            Ok((listener, owner)) => Ok(Self { listener, path, owner, _folder: folder }),
            Err(error) => Err(unusable(&path, error.to_string())),
        }
    }

    /// Takes it away again: nothing will be served.
    pub fn discard(self) {
        let _ = fs::remove_file(&self.path);
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What SPIFFE clients are told by `SPIFFE_ENDPOINT_SOCKET`.
    pub fn address(&self) -> String {
        format!("unix://{}", self.path.display())
    }
}

fn take(path: &Path) -> io::Result<(UnixListener, u32)> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if !folder.is_dir() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let about = fs::metadata(folder)?;
    if about.mode() & 0o077 != 0 {
        let why = "others can enter its folder; give it mode 0700";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    if let Ok(there) = fs::symlink_metadata(path) {
        let is_left_over =
            there.file_type().is_socket() && std::os::unix::net::UnixStream::connect(path).is_err();
        if !is_left_over {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "something else is there"));
        }
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    let owner = fs::symlink_metadata(path)?.uid();
    if owner != about.uid() {
        let why = "its folder belongs to somebody else";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    Ok((listener, owner))
}

/// The Workload API at work. Dropping it stops it without waiting.
pub struct Serving {
    path: PathBuf,
    task: JoinHandle<()>,
    stop: CancellationToken,
    _stop_when_dropped: DropGuard,
    _folder: Option<TempDir>,
}

impl Serving {
    /// Stops: streams end, and the socket goes.
    pub async fn shutdown(self) {
        self.stop.cancel();
        let _ = self.task.await;
        let _ = fs::remove_file(&self.path);
    }
}

/// Serves the Workload API on a socket, and keeps its identity fresh.
pub fn serve(socket: Socket, keeper: Arc<Keeper>) -> Serving {
    let Socket { listener, path, owner, _folder } = socket;
    let stop = CancellationToken::new();
    let api = Api { keeper: Arc::clone(&keeper), stop: stop.clone() };
    let incoming = stream::unfold(listener, move |listener| async move {
        let stream = accept(&listener, owner).await;
        Some((Ok::<_, io::Error>(Connection::new(stream)), listener))
    });
    let ended = stop.clone();
    let task = tokio::spawn(async move {
        let served = Server::builder()
            .max_concurrent_streams(CALLS_MAX)
            .add_service(SpiffeWorkloadApiServer::new(api))
            .serve_with_incoming_shutdown(incoming, ended.clone().cancelled_owned());
        let (served, ()) = tokio::join!(served, keeper.keep(ended.clone()));
        if let Err(error) = served {
            tracing::error!(%error, "the Workload API ended");
        }
    });
    let guard = stop.clone().drop_guard();
    Serving { path, task, stop, _stop_when_dropped: guard, _folder }
}

/// The next connection of the socket's own owner. Others', even the system's administrator's, are
/// dropped: whoever has those rights needs no socket.
async fn accept(listener: &UnixListener, owner: u32) -> UnixStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) if stream.peer_cred().is_ok_and(|peer| peer.uid() == owner) => {
                return stream;
            }
            Ok(_) => tracing::warn!("another user's program was turned away"),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                // No room for another file: it passes, or nobody would be served at all.
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn programs_are_told_a_whole_path_that_needs_no_escape() {
        let folder = tempfile::tempdir_in(".").unwrap();
        let name = folder.path().file_name().unwrap();
        let socket = Socket::bind(Some(&Path::new(name).join("run").join(SOCKET))).unwrap();
        let address = socket.address();
        let path = address.strip_prefix("unix://").unwrap();
        assert!(Path::new(path).is_absolute() && Path::new(path).exists(), "{address}");
        for odd in ["a b.sock", "a#b.sock", "a?b.sock", "a%20b.sock"] {
            let refused = Socket::bind(Some(&folder.path().join("odd").join(odd))).err().unwrap();
            assert_eq!(refused.code(), ErrorCode::WorkloadSocketUnusable, "{odd}");
        }
    }

    #[tokio::test]
    async fn another_users_program_is_turned_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own").join(SOCKET);
        let (listener, owner) = take(&path).unwrap();
        let mut stranger = UnixStream::connect(&path).await.unwrap();
        let mut byte = [0];
        tokio::select! {
            _ = accept(&listener, owner + 1) => panic!("it was let in"),
            read = stranger.read(&mut byte) => assert_eq!(read.unwrap(), 0, "dropped"),
        }
        let _own = UnixStream::connect(&path).await.unwrap();
        accept(&listener, owner).await;
    }
}
