//! Roles, and the rules of a tenant.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a story stops where it goes wrong"
)]

mod matrix;
mod roles;
mod rules;
