//! A client's connection, as tonic is given it: what it reads has passed [`Requests`].

use crate::authority::Requests;
use bytes::Bytes;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::codec::FramedRead;
use tokio_util::io::StreamReader;
use tonic::transport::server::{Connected, UdsConnectInfo};

/// One accepted connection.
pub(crate) struct Connection {
    reads: StreamReader<FramedRead<OwnedReadHalf, Requests>, Bytes>,
    writes: OwnedWriteHalf,
    peer: UdsConnectInfo,
}

impl Connection {
    pub(crate) fn new(stream: UnixStream) -> Self {
        let peer = stream.connect_info();
        let (reads, writes) = stream.into_split();
        let reads = StreamReader::new(FramedRead::new(reads, Requests::new()));
        Self { reads, writes, peer }
    }
}

impl Connected for Connection {
    type ConnectInfo = UdsConnectInfo;

    fn connect_info(&self) -> UdsConnectInfo {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reads).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writes).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writes).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.writes.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writes).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writes).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn who_is_at_its_other_end_is_known_and_hears_us_and_our_end() {
        let (mut client, stream) = UnixStream::pair().unwrap();
        let expected = stream.connect_info().peer_cred.unwrap();
        let mut connection = Connection::new(stream);
        let peer = connection.connect_info();
        assert_eq!(peer.peer_cred, Some(expected));
        assert!(peer.peer_addr.is_some_and(|address| address.is_unnamed()));
        connection.write_all(b"settings").await.unwrap();
        connection.shutdown().await.unwrap();
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"settings");
        drop(client);
        assert_eq!(connection.read(&mut [0]).await.unwrap(), 0);
    }
}
