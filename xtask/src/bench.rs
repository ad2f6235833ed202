//! `cargo xtask bench`: this machine and the server on it, in one run. Never in CI.

use crate::build::Binaries;
use crate::{demo, sh};
use anyhow::Result;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// What it can be told.
#[derive(clap::Args)]
pub struct Args {
    /// A folder on the disk that is to be measured; several, one after the other [default: target/]
    #[arg(long, value_name = "DIR")]
    disk: Vec<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// Something is missing or does not build, or a request failed under load.
pub fn run(args: &Args) -> Result<ExitCode> {
    let binaries = Binaries::of_the_terminal(true)?;
    let mut folders = args.disk.clone();
    if folders.is_empty() {
        folders.push(sh::root().join("target"));
    }
    // Resolved like the server's own build, so that their dependencies are built once.
    let mut build = sh::cargo(["build", "--quiet", "--release", "--workspace"]);
    sh::run(build.args(["--exclude", "landfall-desktop", "--bin", "landfall-bench"]))?;
    let mut bench = Command::new(binaries.path("landfall-bench")?);
    bench.arg(binaries.path("landfall-server")?).args(folders);
    sh::run(&mut bench)?;
    println!("\nrecovery, as the demo plays it");
    demo::play(&binaries, None)
}
