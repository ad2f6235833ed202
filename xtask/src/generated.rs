//! Files that a program writes and people commit: TypeScript types and the OpenAPI document.

use crate::compare;
use crate::sh;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The types of the wire and of the flows' views, for the UI.
const TYPES: &str = "bindings/typescript/src";
/// The server's interface.
const OPENAPI: &str = "docs/openapi.json";

/// The command that writes the TypeScript types under `into`: ts-rs exports from tests of its own.
pub fn types_command(into: &Path) -> Command {
    let mut command =
        sh::cargo(["test", "--quiet", "-p", "landfall-protocol", "-p", "landfall-flows"]);
    command.args(["--lib", "export_bindings"]).env("TS_RS_EXPORT_DIR", into);
    command
}

/// The command that prints the OpenAPI document.
pub fn openapi_command() -> Command {
    sh::cargo(["run", "--quiet", "-p", "landfall-server", "--", "openapi"])
}

/// How the committed types differ from those just made in `made`.
///
/// # Errors
/// Something cannot be read, or nothing was made.
pub fn types_drift(made: &Path) -> Result<Vec<String>> {
    ensure!(made.is_dir(), "no types were exported");
    compare::folders(&sh::root().join(TYPES), made)
}

/// How the committed document differs from `made`.
///
/// # Errors
/// The committed one cannot be read.
pub fn openapi_drift(made: &str) -> Result<Vec<String>> {
    let path = sh::root().join(OPENAPI);
    let committed = fs::read_to_string(&path).with_context(|| format!("cannot read {OPENAPI}"))?;
    let same = committed.trim_end() == made.trim_end();
    Ok(if same { vec![] } else { vec![format!("{OPENAPI} is out of date")] })
}

/// Writes both anew.
///
/// # Errors
/// They cannot be made or written.
pub fn write() -> Result<()> {
    let made = tempfile::tempdir()?;
    sh::output(&mut types_command(made.path()))?;
    let types = sh::root().join(TYPES);
    if types.is_dir() {
        fs::remove_dir_all(&types)?;
    }
    sh::run(&mut sh::cmd("cp", [Path::new("-r"), made.path(), &types]))?;
    let document = sh::output(&mut openapi_command())?;
    fs::write(sh::root().join(OPENAPI), format!("{}\n", document.trim_end()))?;
    println!("{TYPES} and {OPENAPI} are written.");
    Ok(())
}
