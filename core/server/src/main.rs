//! `landfall-server`: a thin shell over the library.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// A fifth of the work under load was taking and giving back memory, half of that SQLite's. This
/// allocator serves both: its `override` feature takes C's part.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    landfall_server::cli::run()
}
