//! The binaries that other commands run.

use crate::install::{self, Group};
use crate::{lints, sh, ui};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;

const DEV_TAKES: &str =
    "The first time that takes 5 to 15 minutes, because every library is compiled; later, seconds.";
const RELEASE_TAKES: &str =
    "As shipped, that takes 10 to 30 minutes the first time, and a few minutes after a change.";

/// The binaries of one build.
pub struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// Builds the server, the CLI and the soft browser; with `release`, as they are shipped.
    ///
    /// # Errors
    /// Something is missing or does not build.
    pub fn of_the_terminal(release: bool) -> Result<Self> {
        install::ensure(&[Group::Build])?;
        println!("Building the server and the command line.");
        how_long(release);
        Self::build(terminal_command(), release)
    }

    /// Builds the desktop app too.
    ///
    /// # Errors
    /// Something is missing or does not build.
    pub fn with_the_desktop(release: bool) -> Result<Self> {
        install::ensure(&[Group::Build, Group::Node, Group::Desktop])?;
        println!("Building the server, the screens and the desktop app.");
        how_long(release);
        ui::build()?;
        Self::build(everything_command(), release)
    }

    fn build(mut command: Command, release: bool) -> Result<Self> {
        if release {
            lints::without(&mut command).arg("--release");
        }
        sh::run(&mut command)?;
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| sh::root().join("target"), PathBuf::from);
        Ok(Self { folder: target.join(if release { "release" } else { "debug" }) })
    }

    /// Where `name` is.
    ///
    /// # Errors
    /// It was not built.
    pub fn path(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        path.is_file().then_some(path).with_context(|| format!("{name} was not built"))
    }
}

/// What other commands run, but for the desktop app.
const TERMINAL: [&str; 6] =
    ["--bin", "landfall-server", "--bin", "landfall", "--bin", "soft-browser"];

/// The command that builds the server, the CLI and the soft browser, on a machine that may lack what
/// the desktop app needs. The whole workspace is resolved for it, so that dependencies get the same
/// features as in every other build and are built once.
pub fn terminal_command() -> Command {
    let mut command = lints::cargo(["build", "--quiet", "--workspace"]);
    command.args(["--exclude", "landfall-desktop"]).args(TERMINAL);
    command
}

/// The command that builds the desktop app too.
pub fn everything_command() -> Command {
    let mut command =
        lints::cargo(["build", "--quiet", "--workspace", "--bin", "landfall-desktop"]);
    command.args(TERMINAL);
    command
}

fn how_long(release: bool) {
    println!("{}", if release { RELEASE_TAKES } else { DEV_TAKES });
}

/// Whether this machine has a screen to open a window on.
pub fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
