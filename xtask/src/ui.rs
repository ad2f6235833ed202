//! The TypeScript side: dependencies and builds by npm.

use crate::sh;
use anyhow::{Result, bail};
use std::path::Path;
use std::process::Command;

/// The people's app and the ceremony page.
pub const UI: &str = "ui";
/// What its build leaves for the desktop app.
const BUILT: &str = "ui/dist/app/index.html";
/// What that is made of.
const PARTS: [&str; 2] = [UI, "bindings/typescript"];
/// The suites that drive Chromium and the desktop window.
pub const UI_TESTS: &str = "tests/ui";

/// `npm` in `dir`, quiet about everything but the work.
pub fn npm(dir: &str, args: &[&str]) -> Command {
    let mut command = sh::cmd("npm", args);
    command.current_dir(sh::root().join(dir));
    command.env("npm_config_fund", "false").env("npm_config_audit", "false");
    command
}

/// Installs the dependencies that `dir` is locked to, if they are not already there.
///
/// # Errors
/// npm failed, or the folder is not a package.
pub fn install(dir: &str) -> Result<()> {
    let folder = sh::root().join(dir);
    let lock = folder.join("package-lock.json");
    if !lock.is_file() {
        bail!("{dir}/package-lock.json is missing");
    }
    if is_newer(&folder.join("node_modules/.package-lock.json"), &lock) {
        return Ok(());
    }
    println!("Installing what {dir} is locked to (npm ci).");
    sh::run(&mut npm(dir, &["ci", "--no-progress", "--loglevel=error"]))
}

/// Builds the app into what the desktop embeds, unless what is there is newer than everything that it
/// is made of.
///
/// # Errors
/// npm or the build failed.
pub fn build() -> Result<()> {
    install(UI)?;
    let built = sh::root().join(BUILT);
    let mut parts =
        sh::files()?.into_iter().filter(|file| PARTS.iter().any(|part| file.starts_with(part)));
    if parts.all(|part| is_newer(&built, &sh::root().join(part))) {
        return Ok(());
    }
    sh::output(&mut npm(UI, &["run", "build"])).map(drop)
}

fn is_newer(file: &Path, than: &Path) -> bool {
    let time = |path: &Path| path.metadata().and_then(|data| data.modified());
    matches!((time(file), time(than)), (Ok(a), Ok(b)) if a >= b)
}
