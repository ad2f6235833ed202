//! `cargo xtask test`: every test in every language.

use crate::install::{self, Group};
use crate::steps::{self, Log, Step};
use crate::tally::Tally;
use crate::{build, check};
use crate::{sh, ui};
use anyhow::Result;
use std::process::{Command, ExitCode};

/// What it can be told.
#[derive(clap::Args)]
pub struct Args {
    /// The long runs too: many more cases, and tests that take minutes
    #[arg(long)]
    deep: bool,
    /// The desktop app, its window and every page in Chromium instead of the rest
    #[arg(long)]
    screens: bool,
    /// Only the step of this name (may be given again)
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

/// Quick verdicts first. The UI is built before what embeds it, and tested before what shows it.
const STEPS: &[&Step] = &[
    &check::FORMAT,
    &check::HOUSE,
    &UI,
    &check::DRIFT, // Before the Rust tests: they write the types anew.
    &RUST,
    &BROWSER,
    &check::LINTS,
    &check::LICENCES,
];
/// What shows a window: run by `--screens` until it is part of every run.
const SCREEN_STEPS: &[&Step] = &[&UI, &SCREENS, &DESKTOP, &WINDOW, &check::DESKTOP_LINTS];
const DEEP_STEPS: &[&Step] = &[&UI, &RUST_DEEP];

const UI: Step = Step { name: "ui", about: "UI: build, types, tests", run: ui_tests };
const RUST: Step = Step { name: "rust", about: "every Rust test but the desktop's", run: rust };
const RUST_DEEP: Step = Step { name: "rust-deep", about: "Rust tests, the long way", run: deep };
const BROWSER: Step =
    Step { name: "browser", about: "passkey ceremonies in Chromium", run: browser };
const SCREENS: Step = Step { name: "screens", about: "every page in Chromium", run: screens };
const DESKTOP: Step = Step { name: "desktop", about: "the desktop shell's tests", run: desktop };
const WINDOW: Step = Step { name: "window", about: "the desktop window itself", run: window };

/// How many cases each property gets in the deep run.
const DEEP_CASES: &str = "20000";

/// Runs it. The last line printed is `N passed, N failed`.
///
/// # Errors
/// Something is missing and cannot be installed.
pub fn run(args: &Args) -> Result<ExitCode> {
    let steps = match (args.deep, args.screens) {
        (true, _) => DEEP_STEPS,
        (false, true) => SCREEN_STEPS,
        (false, false) => STEPS,
    };
    steps::choose_and_run(steps, &args.only)
}

fn ui_tests(log: &mut Log) -> Result<Tally> {
    install::ensure(&[Group::Node])?;
    ui::install(ui::UI)?;
    let types = log.check(&mut ui::npm(ui::UI, &["run", "typecheck"]))?;
    let build = log.check(&mut ui::npm(ui::UI, &["run", "build"]))?;
    Ok(types.plus(build).plus(log.tests(&mut ui::npm(ui::UI, &["test"]))?))
}

fn rust(log: &mut Log) -> Result<Tally> {
    install::ensure(&[Group::Build, Group::RustTests])?;
    log.tests(&mut rust_tests())
}

fn deep(log: &mut Log) -> Result<Tally> {
    install::ensure(&[Group::Build, Group::RustTests])?;
    let mut command = rust_tests();
    log.tests(command.env("PROPTEST_CASES", DEEP_CASES).args(["--", "--include-ignored"]))
}

fn rust_tests() -> Command {
    let args = ["test", "--workspace", "--exclude", "landfall-desktop", "--no-fail-fast"];
    sh::cargo(args)
}

fn browser(log: &mut Log) -> Result<Tally> {
    in_chromium(log, "test:ceremonies")
}

fn screens(log: &mut Log) -> Result<Tally> {
    in_chromium(log, "test:browser")
}

fn in_chromium(log: &mut Log, script: &str) -> Result<Tally> {
    install::ensure(&[Group::Build, Group::Node, Group::Browser])?;
    ui::install(ui::UI_TESTS)?;
    let build = log.check(&mut build::terminal_command())?;
    Ok(build.plus(log.tests(&mut ui::npm(ui::UI_TESTS, &["run", script]))?))
}

fn desktop(log: &mut Log) -> Result<Tally> {
    install::ensure(&[Group::Build, Group::Desktop, Group::Node])?;
    ui::build()?;
    let build = log.check(&mut sh::cargo(["build", "-p", "landfall-desktop"]))?;
    Ok(build.plus(log.tests(&mut sh::cargo(["test", "-p", "landfall-desktop"]))?))
}

fn window(log: &mut Log) -> Result<Tally> {
    install::ensure(&[Group::Build, Group::Desktop, Group::Node, Group::Window])?;
    ui::install(ui::UI_TESTS)?;
    log.tests(&mut ui::npm(ui::UI_TESTS, &["run", "test:window"]))
}
