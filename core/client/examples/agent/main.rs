//! An agent, whole: it enrols once, and from then on needs nothing but its provider and the name of its key.
//!
//! ```text
//! cargo run --example agent -- enrol ./keys https://id.example.org builder CODE
//! cargo run --example agent -- call ./keys https://id.example.org builder https://api.example.org/hello
//! ```

mod play;

use landfall_client::words::Ambient;
use std::error::Error;
use std::io::Write;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = play::run(&Ambient::system(), &words).await?;
    Ok(writeln!(std::io::stdout(), "{said}")?)
}
