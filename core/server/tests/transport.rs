//! The transport over real sockets.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

#[path = "transport/support.rs"]
mod support;

#[path = "transport/bad_input.rs"]
mod bad_input;
#[path = "transport/connections.rs"]
mod connections;
#[path = "transport/local.rs"]
mod local;
