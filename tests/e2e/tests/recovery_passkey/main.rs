//! A passkey opens an account on a bare machine: all the way, its own account alone, and never for
//! whoever sent the link.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a story stops where it goes wrong"
)]

mod abuse;
mod back_in;
mod forged;
mod models;
mod plugged;
mod roaming;
mod world;
