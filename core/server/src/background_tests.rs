use super::*;
use crate::directory::database_in;
use crate::{Config, Running, Server};
use landfall_crypto::Ambient;
use landfall_protocol::paths;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

impl Heartbeat {
    /// As if nothing had been heard for long enough.
    fn fall_silent(&self) {
        *self.0.lock().unwrap() = Instant::now() - SILENCE_MAX;
    }
}

#[test]
fn a_node_that_hears_nothing_for_thirty_seconds_is_dead() {
    let heartbeat = Heartbeat::new();
    assert!(heartbeat.is_alive());
    heartbeat.fall_silent();
    assert!(!heartbeat.is_alive());
    heartbeat.beat();
    assert!(heartbeat.is_alive());
}

/// The whole answer of the local listener to one request.
async fn ask(running: &Running, request: &str) -> String {
    let address = running.localhost_addr.unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let host = format!("Host: localhost:{}\r\nConnection: close\r\n", address.port());
    let request = format!("{request} HTTP/1.1\r\n{host}Content-Length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hears_of_no_revocation_lets_nobody_in_until_it_hears_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    let running = Server::start(Config::local(&root), Ambient::system()).await.unwrap();
    let guarded = format!("POST {}", paths::STEP_UP_OPTIONS);
    let before = ask(&running, &guarded).await;
    assert!(before.starts_with("HTTP/1.1 403") && before.contains("origin-refused"), "{before}");

    let database = rusqlite::Connection::open(database_in(&root)).unwrap();
    database.busy_timeout(Duration::from_secs(5)).unwrap();
    database.execute_batch("ALTER TABLE changes RENAME TO changes_out_of_reach").unwrap();
    let patience = Instant::now() + SILENCE_MAX;
    let refused = loop {
        // A poll that was under way may beat once more.
        running.heartbeat.fall_silent();
        let answer = ask(&running, &guarded).await;
        if answer.starts_with("HTTP/1.1 503") {
            break answer;
        }
        assert!(Instant::now() < patience, "it goes on without hearing anything: {answer}");
    };
    assert!(
        refused.contains("\"unavailable\"") && refused.contains("Nothing was done"),
        "{refused}"
    );
    let page = ask(&running, &format!("GET {}", paths::CEREMONY_PAGE)).await;
    assert!(page.starts_with("HTTP/1.1 200"), "what is public is served: {page}");

    database.execute_batch("ALTER TABLE changes_out_of_reach RENAME TO changes").unwrap();
    while ask(&running, &guarded).await.starts_with("HTTP/1.1 503") {
        assert!(Instant::now() < patience, "it does not come back");
    }
    running.shutdown().await;
}
