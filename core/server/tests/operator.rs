//! The operator's commands, on the real binary: what is said, what is refused, what lies on the disk.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects"
)]

#[path = "operator/binary.rs"]
mod binary;
#[allow(dead_code, reason = "the transport's tests use the rest")]
#[path = "transport/support.rs"]
mod support;

#[path = "operator/audit.rs"]
mod audit;
#[path = "operator/config.rs"]
mod config;
#[path = "operator/database.rs"]
mod database;
#[path = "operator/keys.rs"]
mod keys;
#[path = "operator/told.rs"]
mod told;
