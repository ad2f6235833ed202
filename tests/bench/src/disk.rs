//! How often the disk confirms a write.

use anyhow::Result;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

const SPAN: Duration = Duration::from_secs(2);
/// SQLite's page: what a small commit appends to the write-ahead log, at least.
const PAGE: [u8; 4096] = [0x5A; 4096];

/// Appends of a page, each followed by a sync, per second.
pub fn syncs_per_second(folder: &Path) -> Result<f64> {
    let mut file = tempfile::tempfile_in(folder)?;
    let started = Instant::now();
    let mut syncs = 0_u32;
    while started.elapsed() < SPAN {
        file.write_all(&PAGE)?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(f64::from(syncs) / started.elapsed().as_secs_f64())
}
