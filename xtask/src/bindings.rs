//! `cargo xtask bindings`: writes the generated files anew.

use crate::generated;
use crate::install::{self, Group};
use anyhow::Result;
use std::process::ExitCode;

/// Runs it.
///
/// # Errors
/// Something is missing, does not build, or cannot be written.
pub fn run() -> Result<ExitCode> {
    install::ensure(&[Group::Build])?;
    generated::write()?;
    Ok(ExitCode::SUCCESS)
}
