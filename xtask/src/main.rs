//! `cargo xtask`: everything that is done to this repository, one file per command.
//!
//! Needs nothing but Rust and Node on Debian or Ubuntu: each command finds what else it takes, says
//! what and why, and installs it ([`install`]).
#![allow(clippy::print_stdout, clippy::print_stderr)] // A terminal program.

mod bindings;
mod check;
mod compare;
mod generated;
mod imports;
mod install;
mod lengths;
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
    /// Run every test in every language
    Test(test::Args),
    /// Check formatting, lints, licences, the import table and generated files
    Check(check::Args),
    /// Write the generated files anew: TypeScript types and the OpenAPI document
    Bindings,
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Test(args) => test::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Bindings => bindings::run(),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
