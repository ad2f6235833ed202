//! `cargo xtask demo`: the lost laptop, from beginning to end, on a fresh server.

mod machine;
mod stage;
mod story;

use crate::build::{self, Binaries};
use crate::server::Server;
use anyhow::{Context, Result};
use machine::{Machine, Person};
use stage::Stage;
use std::path::Path;
use std::process::{Command, ExitCode};

/// What it can be told.
#[derive(clap::Args)]
pub struct Args {
    /// Text only, even where there is a screen
    #[arg(long)]
    text: bool,
    /// Build as shipped: slower to build, quicker to run
    #[arg(long)]
    release: bool,
}

/// Everybody and everything in the story.
pub struct Cast {
    /// The administrator.
    pub ana: Machine,
    /// The machine that is lost.
    pub laptop: Machine,
    /// The machine that has never seen Landfall.
    pub desktop: Machine,
    /// The first administrator's token.
    pub claim: String,
    /// The app for the new machine's half, where there is a screen.
    pub window: Option<Command>,
}

/// Runs it. The last line is `machine waits: N s`.
///
/// # Errors
/// Something is missing or does not build, or the story does not go as it should.
pub fn run(args: &Args) -> Result<ExitCode> {
    if build::has_display() && !args.text {
        let binaries = Binaries::with_the_desktop(args.release)?;
        let window = Command::new(binaries.path("landfall-desktop")?);
        play(&binaries, Some(window))
    } else {
        play(&Binaries::of_the_terminal(args.release)?, None)
    }
}

/// Plays the story with what was built, the new machine's half in `window` if there is one.
///
/// # Errors
/// It does not go as it should.
pub fn play(binaries: &Binaries, window: Option<Command>) -> Result<ExitCode> {
    let folder = tempfile::Builder::new().prefix("landfall-demo-").tempdir()?;
    let mut serve = Command::new(binaries.path("landfall-server")?);
    serve
        .args(["serve", "--listen", "127.0.0.1:0", "--localhost-listen", "127.0.0.1:0"])
        .args(["--json", "--show-claim-token", "--data-dir"])
        .arg(folder.path().join("server"));
    let server = Server::start(&mut serve, &folder.path().join("server.log"))?;
    let mut cast = cast(binaries, folder.path(), &server, window)?;
    let stage = Stage::open();
    story::play(&stage, &mut cast)
        .with_context(|| format!("the server's log ends:\n{}", log_tail(folder.path())))?;
    drop(server);
    stage.close();
    Ok(ExitCode::SUCCESS)
}

fn cast(
    binaries: &Binaries,
    folder: &Path,
    server: &Server,
    mut window: Option<Command>,
) -> Result<Cast> {
    let claim = server.ready["claim_token"].as_str();
    let claim = claim.context("the server shows no claim token")?.to_owned();
    let ana = Person::new("ana", binaries, folder)?;
    let bert = Person::new("bert", binaries, folder)?;
    let desktop = bert.machine("bert-desktop");
    if let Some(app) = &mut window {
        app.env("LANDFALL_HOME", desktop.home()).arg("--browser").arg(bert.browser());
    }
    let ana = ana.machine("ana-desktop");
    Ok(Cast { ana, laptop: bert.machine("bert-laptop"), desktop, claim, window })
}

fn log_tail(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("server.log")).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
