//! `cargo xtask test`: every test in every language.

use crate::install::{self, Group};
use crate::steps::{self, Log, Step};
use crate::tally::Tally;
use crate::{build, check, lints, sh, ui};
use anyhow::Result;
use std::process::{Command, ExitCode};

/// What it can be told.
#[derive(clap::Args)]
pub struct Args {
    /// The long way: many more cases for each property
    #[arg(long)]
    deep: bool,
    /// Only the step of this name (may be given again)
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

/// Quick verdicts first. The UI is built before what embeds it, and tested before what shows it; what
/// compiles comes in an order in which each step finds most of it compiled by the one before.
const STEPS: &[&Step] = &[
    &check::FORMAT,
    &check::HOUSE,
    &UI,
    &check::DRIFT, // Before the Rust tests: they write the types anew.
    &RUST,
    &BROWSER,
    &DEMO,
    &WINDOW,
    &check::LINTS,
    &check::LICENCES,
];
const DEEP_STEPS: &[&Step] = &[&UI, &RUST_DEEP];

const UI: Step = Step { name: "ui", about: "UI: types, build, tests", run: ui_tests };
const RUST: Step = Step { name: "rust", about: "every Rust test", run: rust };
const RUST_DEEP: Step = Step { name: "rust-deep", about: "Rust tests, the long way", run: deep };
const BROWSER: Step = Step {
    name: "browser",
    about: "passkey ceremonies and every screen in Chromium",
    run: browser,
};
const DEMO: Step = Step { name: "demo", about: "the lost laptop, as cargo xtask demo", run: demo };
const WINDOW: Step = Step { name: "window", about: "the desktop window itself", run: window };

/// How many cases each property gets in the deep run.
const DEEP_CASES: &str = "20000";

/// Runs it. The last line printed is `N passed, N failed`.
///
/// # Errors
/// Something is missing and cannot be installed.
pub fn run(args: &Args) -> Result<ExitCode> {
    let steps = if args.deep { DEEP_STEPS } else { STEPS };
    steps::choose_and_run(steps, &args.only)
}

fn ui_tests(log: &mut Log) -> Result<Tally> {
    install::ensure(&[Group::Node])?;
    ui::install(ui::UI)?;
    let build = log.check(&mut ui::npm(ui::UI, &["run", "build"]))?;
    Ok(build.plus(log.tests(&mut ui::npm(ui::UI, &["test"]))?))
}

fn rust(log: &mut Log) -> Result<Tally> {
    log.tests(&mut rust_tests()?)
}

fn deep(log: &mut Log) -> Result<Tally> {
    log.tests(rust_tests()?.env("PROPTEST_CASES", DEEP_CASES))
}

/// The whole workspace, the desktop too: one set of compiled dependencies serves every step.
fn rust_tests() -> Result<Command> {
    install::ensure(&[Group::Build, Group::Desktop, Group::Node, Group::RustTests])?;
    ui::build()?; // The desktop embeds what it makes.
    Ok(lints::cargo(["test", "--workspace", "--no-fail-fast"]))
}

fn browser(log: &mut Log) -> Result<Tally> {
    install::ensure(&[Group::Build, Group::Node, Group::Browser])?;
    ui::install(ui::UI)?; // The gallery of every screen is built from it.
    ui::install(ui::UI_TESTS)?;
    let build = log.check(&mut build::terminal_command())?;
    Ok(build.plus(log.tests(&mut ui::npm(ui::UI_TESTS, &["run", "test:browser"]))?))
}

/// By its own command, as a person would: what a newcomer sees first must not be what nobody runs.
fn demo(log: &mut Log) -> Result<Tally> {
    let this = std::env::current_exe()?;
    log.check(&mut sh::cmd(&this.to_string_lossy(), ["demo", "--text"]))
}

fn window(log: &mut Log) -> Result<Tally> {
    let groups = [Group::Build, Group::Desktop, Group::Node, Group::Browser, Group::Window];
    install::ensure(&groups)?;
    ui::build()?;
    ui::install(ui::UI_TESTS)?;
    let build = log.check(&mut build::everything_command())?;
    Ok(build.plus(log.tests(&mut ui::npm(ui::UI_TESTS, &["run", "test:window"]))?))
}
