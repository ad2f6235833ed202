//! `landfall-bench SERVER DIR...`: what this machine can do, and what the server does on it, in one
//! run, for each DIR.
//!
//! The server runs as its own process from its release binary, on a fresh database under DIR (which
//! should lie on the disk that is to be measured), and is spoken to over real TLS with connections
//! kept alive. Clients share the machine with it; what they take of it stands beside each figure.
#![allow(clippy::print_stdout)] // A terminal program.

mod agents;
mod disk;
mod doors;
mod http;
mod load;
mod processor;
mod rules;
mod seed;
mod server;
mod usage;
mod work;
mod workloads;

use anyhow::{Context, Result, ensure};
use landfall_crypto::aauth::Algorithm;
use load::Figures;
use server::Server;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use usage::Meter;

/// How long each load lasts.
const SPAN: Duration = Duration::from_secs(6);
/// Clients at once, for the figures with many.
const MANY: usize = 16;
/// Machines made ready for the enrolments; a load that uses them up ends early.
const NEWCOMERS: usize = 80_000;
/// Keys made ready for pods.
const PODS_KEYS: usize = 48_000;
/// Refreshes that are signed for each algorithm.
const REFRESHES: usize = 36_000;

// One thread carries all clients: they should take as little as they can of what the server needs.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let usage = "usage: landfall-bench SERVER_BINARY DIRECTORY...";
    let binary = args.next().context(usage)?;
    let folders: Vec<PathBuf> = args.collect();
    ensure!(!folders.is_empty(), usage);
    processors()?;
    for folder in folders {
        measure(&binary, &folder).await?;
    }
    doors::measure().await
}

/// What the machine gives anybody: the yardstick for the rest.
fn processors() -> Result<()> {
    let cores = std::thread::available_parallelism()?;
    let pairs = processor::verify_and_sign_per_second()?;
    let decisions = rules::decisions_per_second()?;
    println!("machine                           a second");
    row("P-256 verify + sign, a core", &format!("{pairs:>9.0}   ({cores} cores)"));
    row("policy decisions, all cores", &format!("{decisions:>9.0}"));
    Ok(())
}

async fn measure(binary: &Path, folder: &Path) -> Result<()> {
    println!("\n{}  (load average {})", folder.display(), usage::load_average()?);
    let syncs = disk::syncs_per_second(folder)?;
    row("fsync of a 4 KiB append", &format!("{syncs:>9.0}   ({:.3} ms each)", 1000.0 / syncs));
    let verified = rules::verification(folder).await?;
    row("verification of 1 M events", &format!("{:>9.2} s", verified.as_secs_f64()));

    let data = tempfile::Builder::new().prefix("bench-").tempdir_in(folder)?;
    let server = Server::start(binary, data.path()).await?;
    let before = server.memory()?;
    let newcomers = seed::newcomers(&data.path().join("data"), &server, NEWCOMERS).await?;
    let bench = Arc::new(work::Bench::new(&server, newcomers));

    println!(
        "                                  a second       p50       p99  jobs/batch  server+clients"
    );
    let one = work::enrolments(&bench, 1, SPAN);
    show(&server, "durable enrolments, 1 client", one).await?;
    let many = work::enrolments(&bench, MANY, SPAN);
    show(&server, "durable enrolments, 16 clients", many).await?;
    let devices = work::devices(&bench, MANY).await?;
    let sessions = work::sessions(&bench, &devices, SPAN);
    show(&server, "sessions, 16 clients", sessions).await?;
    let reads = work::secret_reads(&bench, &devices, SPAN);
    show(&server, "secret reads, 16 clients", reads).await?;
    let cluster = workloads::cluster(&data.path().join("data"), &server, PODS_KEYS).await?;
    let exchanges = workloads::exchanges(&server, &cluster, MANY, SPAN);
    show(&server, "workload exchanges, 16 clients", exchanges).await?;
    for algorithm in Algorithm::ALL {
        let signed = agents::refreshes(&server, algorithm, REFRESHES).await?;
        let refreshes = agents::run(&server, &signed, MANY, SPAN);
        show(&server, &format!("agent refreshes, {}, 16 clients", algorithm.name()), refreshes)
            .await?;
    }

    row("memory before the load", &mebibytes(before));
    row("memory after the load", &mebibytes(server.memory()?));
    server.stop().await
}

/// Runs a load and prints its line.
async fn show(
    server: &Server,
    what: &str,
    load: impl Future<Output = Result<Figures>>,
) -> Result<()> {
    let (jobs, batches) = server.batches().await?;
    let meter = Meter::start(server.process()?)?;
    let figures = load.await?;
    let share = meter.stop()?;
    let now = server.batches().await?;
    // Counts of this size are exact.
    #[allow(clippy::cast_precision_loss)]
    let fill = (now.0 - jobs) as f64 / (now.1 - batches).max(1) as f64;
    let ms = |span: Duration| format!("{:.2} ms", span.as_secs_f64() * 1000.0);
    let line = format!(
        "{:>9.0} {:>9} {:>9} {fill:>11.1} {:>8.2} + {:.2}",
        figures.per_second,
        ms(figures.p50),
        ms(figures.p99),
        share.server,
        share.clients
    );
    row(what, &line);
    Ok(())
}

fn row(what: &str, line: &str) {
    println!("  {what:<31} {line}");
}

fn mebibytes(bytes: u64) -> String {
    format!("{:>9} MiB", bytes / (1024 * 1024))
}
