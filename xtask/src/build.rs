//! The binaries that other commands run.

use crate::install::{self, Group};
use crate::{sh, ui};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;

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
        println!("Building the server and the command line (a few minutes the first time).");
        Self::build(terminal_command(), release)
    }

    /// Builds the desktop app too.
    ///
    /// # Errors
    /// Something is missing or does not build.
    pub fn with_the_desktop(release: bool) -> Result<Self> {
        install::ensure(&[Group::Build, Group::Node, Group::Desktop])?;
        println!("Building the screens and the desktop app (a few minutes the first time).");
        ui::build()?;
        Self::build(sh::cargo(["build", "--quiet", "-p", "landfall-desktop"]), release)?;
        Self::of_the_terminal(release)
    }

    fn build(mut command: Command, release: bool) -> Result<Self> {
        if release {
            command.arg("--release");
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

/// The command that builds the server, the CLI and the soft browser. The whole workspace is resolved
/// for it, so that dependencies get the features that the tests want too and are built once.
pub fn terminal_command() -> Command {
    let mut command = sh::cargo(["build", "--quiet", "--workspace"]);
    command.args(["--exclude", "landfall-desktop"]);
    command.args(["--bin", "landfall-server", "--bin", "landfall", "--bin", "soft-browser"]);
    command
}

/// Whether this machine has a screen to open a window on.
pub fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
