//! `cargo xtask check`: what holds of the code without running it.

use crate::install::{self, Group};
use crate::steps::{self, Log, Step};
use crate::tally::Tally;
use crate::{generated, imports, lengths, lints, sh, traps, ui};
use anyhow::Result;
use std::process::ExitCode;

/// What it can be told.
#[derive(clap::Args)]
pub struct Args {
    /// Only the step of this name (may be given again)
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

/// Formatting of every Rust file.
pub const FORMAT: Step = Step {
    name: "format",
    about: "cargo fmt",
    run: |log| log.check(&mut sh::cargo(["fmt", "--all", "--check"])),
};

/// The import table, the lengths of files, the traps.
pub const HOUSE: Step =
    Step { name: "house", about: "import table, file lengths, table of traps", run: house };

/// Lints of everything, tests included.
pub const LINTS: Step = Step { name: "lints", about: "clippy, warnings are errors", run: lint };
/// Licences and sources of every dependency.
pub const LICENCES: Step =
    Step { name: "licences", about: "licences, bans and sources of dependencies", run: licences };

/// Types and document as the code says.
pub const DRIFT: Step =
    Step { name: "drift", about: "TypeScript types are those that the wire has", run: drift };

const STEPS: &[&Step] = &[&FORMAT, &HOUSE, &LINTS, &DRIFT, &LICENCES];

/// Runs it.
///
/// # Errors
/// Something is missing and cannot be installed.
pub fn run(args: &Args) -> Result<ExitCode> {
    steps::choose_and_run(STEPS, &args.only)
}

fn house(log: &mut Log) -> Result<Tally> {
    let imports = log.findings(&imports::findings()?)?;
    let lengths = log.findings(&lengths::findings()?)?;
    let traps = log.findings(&traps::findings()?)?;
    Ok(imports.plus(lengths).plus(traps))
}

fn lint(log: &mut Log) -> Result<Tally> {
    install::ensure(&[Group::Build, Group::Desktop, Group::Node])?;
    ui::build()?; // The desktop embeds what it makes.
    lints::judge(log)
}

fn licences(log: &mut Log) -> Result<Tally> {
    install::ensure(&[Group::Build, Group::Licences])?;
    // Advisories need a database from the network: see deny.toml.
    log.check(&mut sh::cargo(["deny", "check", "licenses", "bans", "sources"]))
}

fn drift(log: &mut Log) -> Result<Tally> {
    install::ensure(&[Group::Build])?;
    let made = tempfile::tempdir()?;
    let types = if log.run(&mut generated::types_command(made.path()))?.success {
        log.findings(&generated::types_drift(made.path())?)?
    } else {
        Tally::FAIL
    };
    Ok(types)
}
