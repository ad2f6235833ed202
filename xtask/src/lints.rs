//! The linter in the compiler's place, so that what is built for the tests has been read by it too.
//!
//! `cargo clippy` checks without building: everything would be gone through twice. Clippy's driver is a
//! compiler that also lints, and cargo keeps what it said beside what it built. So every build for
//! development goes through the driver, and the step that judges the lints only has it all said again.

use crate::sh;
use crate::steps::Log;
use crate::tally::Tally;
use anyhow::{Result, bail};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// By which cargo compiles the crates of the workspace, and them alone, with another program.
const WRAPPER: &str = "RUSTC_WORKSPACE_WRAPPER";

static DRIVER: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let sysroot = sh::output(&mut sh::cmd("rustc", ["--print", "sysroot"])).ok()?;
    Some(Path::new(sysroot.trim()).join("bin/clippy-driver")).filter(|driver| driver.is_file())
});

/// `cargo` for a build that is for development: with the linter, where there is one.
pub fn cargo<I>(args: I) -> Command
where
    I: IntoIterator,
    I::Item: AsRef<OsStr>,
{
    let mut command = sh::cargo(args);
    if let Some(driver) = &*DRIVER {
        command.env(WRAPPER, driver);
    }
    command
}

/// `command` with the plain compiler: the driver optimises less, so nothing is shipped or measured that
/// it made.
pub fn without(command: &mut Command) -> &mut Command {
    command.env_remove(WRAPPER)
}

/// Has everything said that the linter has to say; anything is a failure.
///
/// # Errors
/// There is no linter, or cargo cannot be run.
pub fn judge(log: &mut Log) -> Result<Tally> {
    if DRIVER.is_none() {
        bail!("clippy is missing; install it: rustup component add clippy");
    }
    let args = ["build", "--workspace", "--all-targets", "--message-format", "short"];
    let ran = log.run(&mut cargo(args))?;
    let clean = ran.success && !ran.text.lines().any(is_finding);
    Ok(if clean { Tally::PASS } else { Tally::FAIL })
}

/// `core/cli/src/main.rs:12:5: warning: ...`, or what cargo says of a crate in sum: what it only repeats it repeats as
/// it was said the first time, which may have been at length.
fn is_finding(line: &str) -> bool {
    is_sum(line) || is_at_a_place(line)
}

/// ``warning: `landfall-cli` (bin "landfall") generated 1 warning``
fn is_sum(line: &str) -> bool {
    line.starts_with("warning: `") && line.contains(") generated ")
}

fn is_at_a_place(line: &str) -> bool {
    let mut parts = line.splitn(4, ':');
    let is_file = parts.next().is_some_and(|path| path.ends_with(".rs"));
    let mut is_number = || parts.next().is_some_and(|part| part.parse::<u32>().is_ok());
    is_file && is_number() && is_number() && parts.next().is_some_and(says)
}

fn says(rest: &str) -> bool {
    ["warning", "error"].iter().any(|word| rest.trim_start().starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_linter_says_is_told_from_what_cargo_says() {
        for finding in [
            "core/cli/src/main.rs:12:5: warning: this function has too many lines (71/70)",
            "core/cli/src/main.rs:12:5: error[E0308]: mismatched types",
            "warning: `landfall-cli` (bin \"landfall\") generated 1 warning",
            "warning: `landfall-server` (lib test) generated 1 warning (1 duplicate)",
        ] {
            assert!(is_finding(finding), "{finding}");
        }
        for other in [
            "   Compiling landfall-cli v0.1.0 (/w/core/cli)",
            "    Finished `dev` profile [unoptimized] target(s) in 2m 01s",
            "warning: unused manifest key: package.nothing",
            "2026-11-25T10:12:5: warning",
        ] {
            assert!(!is_finding(other), "{other}");
        }
    }
}
