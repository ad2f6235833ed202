//! One query of the audit for everybody, in the forms that others read, with proofs that nobody need
//! believe.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a story stops where it goes wrong"
)]

mod programs;
mod proofs;
mod query;
