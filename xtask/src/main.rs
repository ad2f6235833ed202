//! `cargo xtask`: everything that is done to this repository, one file per command.
//!
//! Needs nothing but Rust and Node on Debian or Ubuntu: each command finds what else it takes, says
//! what and why, and installs it ([`install`]).
#![allow(clippy::print_stdout, clippy::print_stderr)] // A terminal program.

mod bench;
mod bindings;
mod build;
mod check;
mod compare;
mod demo;
mod generated;
mod imports;
mod install;
mod lengths;
mod lints;
mod run;
mod server;
mod sh;
mod steps;
mod tally;
mod test;
mod traps;
mod ui;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, run, test and measure Landfall")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play the lost laptop from beginning to end on a fresh server
    Demo(demo::Args),
    /// Start a server with lasting data and the desktop app, for daily use
    Run(run::Args),
    /// Run every test in every language
    Test(test::Args),
    /// Check formatting, lints, licences, the import table and generated files
    Check(check::Args),
    /// Write the generated files anew: TypeScript types and the OpenAPI document
    Bindings,
    /// Measure this machine and the server on it, in one run
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Bindings => bindings::run(),
        Command::Bench(args) => bench::run(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
