//! `landfall-server`: a thin shell over the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    landfall_server::cli::run()
}
