//! The binaries that other commands run.

use crate::install::{self, Group};
use crate::{sh, ui};
use anyhow::{Context, Result};
use std::path::PathBuf;

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
        // As the tests build it: other features would compile everything anew.
        Self::build(&["--workspace", "--exclude", "landfall-desktop", "--bins"], release)
    }

    /// Builds the desktop app too.
    ///
    /// # Errors
    /// Something is missing or does not build.
    pub fn with_the_desktop(release: bool) -> Result<Self> {
        install::ensure(&[Group::Build, Group::Node, Group::Desktop])?;
        println!("Building the screens and the desktop app (a few minutes the first time).");
        ui::build()?;
        Self::build(&["-p", "landfall-desktop"], release)?;
        Self::of_the_terminal(release)
    }

    fn build(what: &[&str], release: bool) -> Result<Self> {
        let mut command = sh::cargo(["build", "--quiet"]);
        command.args(what);
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

/// Whether this machine has a screen to open a window on.
pub fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
