//! A service with an origin of its own, as an agent of its own: it publishes two documents and signs its
//! calls, without any provider.
//!
//! ```text
//! cargo run --example hosted -- ./keys 127.0.0.1:8090 https://api.example.org/hello
//! ```

mod play;

use landfall_client::words::Ambient;
use std::error::Error;
use std::io::Write;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [keys, listen, url] = words.as_slice() else { return Err("KEYS LISTEN URL".into()) };
    let listener = TcpListener::bind(listen).await?;
    let said = play::run(&Ambient::system(), keys, listener, url).await?;
    Ok(writeln!(std::io::stdout(), "{said}")?)
}
