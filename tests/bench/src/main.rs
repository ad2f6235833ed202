//! `landfall-bench SERVER DIR`: what this machine can do, and what the server does on it, in one run.
//!
//! The server runs as its own process from its release binary, on a fresh database under DIR (which
//! should lie on the disk that is to be measured), and is spoken to over real TLS with connections
//! kept alive. Clients share the machine with it, as the figures' name says: all on these cores.
#![allow(clippy::print_stdout)] // A terminal program.

mod disk;
mod http;
mod load;
mod processor;
mod seed;
mod server;
mod work;

use anyhow::{Context, Result};
use load::Figures;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long each load lasts.
const SPAN: Duration = Duration::from_secs(6);
/// Clients at once, for the figures with many.
const MANY: usize = 16;
/// Tokens made ready for the enrolments; a load that uses them up ends early.
const TOKENS: usize = 120_000;

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args_os().skip(1);
    let usage = "usage: landfall-bench SERVER_BINARY DIRECTORY";
    let binary = PathBuf::from(args.next().context(usage)?);
    let folder = PathBuf::from(args.next().context(usage)?);
    machine(&folder)?;

    let data = tempfile::Builder::new().prefix("bench-").tempdir_in(&folder)?;
    let server = server::Server::start(&binary, data.path()).await?;
    let before = server.memory()?;
    let doors = seed::tokens(&data.path().join("data"), &server, TOKENS).await?;
    let bench = Arc::new(work::Bench::new(&server, doors));

    println!("\nserver                        a second      p50      p99");
    show("durable enrolments, 1 client", &work::enrolments(&bench, 1, SPAN).await?);
    show("durable enrolments, 16 clients", &work::enrolments(&bench, MANY, SPAN).await?);
    let devices = work::devices(&bench, MANY).await?;
    show("sessions, 16 clients", &work::sessions(&bench, &devices, SPAN).await?);
    show("secret reads, 16 clients", &work::secret_reads(&bench, &devices, SPAN).await?);

    println!("\nmemory                        resident");
    row("server, before the load", &mebibytes(before));
    row("server, after the load", &mebibytes(server.memory()?));
    server.stop().await
}

/// What the machine gives anybody: the yardstick for the rest.
fn machine(folder: &std::path::Path) -> Result<()> {
    let cores = std::thread::available_parallelism()?;
    println!("machine                       a second");
    let syncs = disk::syncs_per_second(folder)?;
    row("fsync of a 4 KiB append", &format!("{syncs:>9.0}  ({:.2} ms each)", 1000.0 / syncs));
    let pairs = processor::verify_and_sign_per_second()?;
    row("P-256 verify + sign, a core", &format!("{pairs:>9.0}  ({cores} cores)"));
    Ok(())
}

fn show(what: &str, figures: &Figures) {
    let ms = |span: Duration| format!("{:.2} ms", span.as_secs_f64() * 1000.0);
    let line = format!("{:>9.0} {:>8} {:>8}", figures.per_second, ms(figures.p50), ms(figures.p99));
    row(what, &line);
}

fn row(what: &str, line: &str) {
    println!("  {what:<32}{line}");
}

fn mebibytes(bytes: u64) -> String {
    format!("{:>9} MiB", bytes / (1024 * 1024))
}
