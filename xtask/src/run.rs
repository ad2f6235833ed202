//! `cargo xtask run`: a server with lasting data, and the desktop app on it.

use crate::build::{self, Binaries};
use crate::server::Server;
use crate::sh;
use anyhow::{Context, Result};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Fixed, so that tokens, bookmarks and passkeys stay good from one day to the next.
const LISTEN: &str = "127.0.0.1:7443";
/// Where passkey pages are served in local use: `localhost` is a secure context to browsers.
const LOCALHOST_LISTEN: &str = "127.0.0.1:7480";

/// What it can be told.
#[derive(clap::Args)]
pub struct Args {
    /// Where the server keeps its data [default: landfall-server in the platform's data directory]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The server alone
    #[arg(long)]
    no_window: bool,
    /// Build as shipped: much slower to build, quicker to run
    #[arg(long)]
    release: bool,
}

/// Runs it, until the window is closed or Ctrl-C.
///
/// # Errors
/// Something is missing or does not build, or the server does not start.
pub fn run(args: &Args) -> Result<ExitCode> {
    let window = build::has_display() && !args.no_window;
    // A first look must not wait for the optimiser; the dependencies, where the work is, are optimised
    // in a development build too.
    let binaries = match window {
        true => Binaries::with_the_desktop(args.release)?,
        false => Binaries::of_the_terminal(args.release)?,
    };
    let data = args.data_dir.clone().map_or_else(data_dir, Ok)?;
    let mut serve = Command::new(binaries.path("landfall-server")?);
    serve
        .args(["serve", "--listen", LISTEN, "--localhost-listen", LOCALHOST_LISTEN, "--json"])
        .args(["--show-claim-token", "--data-dir"])
        .arg(&data);
    let log = server_log(&data)?;
    let mut server = Server::start(&mut serve, &log)?;
    println!("\nThe server is ready at https://{LISTEN}.");
    println!("  data  {}\n  log   {}", data.display(), log.display());
    let cli = binaries.path("landfall")?;
    println!("  cli   {}", cli.display());
    if let Some(token) = server.ready["claim_token"].as_str() {
        println!(
            "\nNobody owns it yet. To become its administrator, run this and paste the token:"
        );
        println!("  {} claim\n  {token}", cli.display());
    }
    if window {
        println!("\nThe server stops when the window is closed.");
        sh::run(&mut Command::new(binaries.path("landfall-desktop")?))?;
    } else {
        println!("\nCtrl-C stops it.");
        server.wait().with_context(|| format!("its log is {}", log.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// In the data directory itself, which is its owner's alone.
fn server_log(data: &Path) -> Result<PathBuf> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(data)?;
    Ok(data.join("server.log"))
}

/// `landfall-server` in the platform's data directory (XDG Base Directory Specification).
fn data_dir() -> Result<PathBuf> {
    let given = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let absolute = given.filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let base = absolute.or_else(home).context("there is no home directory; give --data-dir")?;
    Ok(base.join("landfall-server"))
}
