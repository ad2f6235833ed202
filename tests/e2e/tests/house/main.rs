//! The house itself: people, their devices, sessions, passkeys and secrets, and what strangers try on them.
//!
//! One program for all of them: each links the whole server, and a program of its own for every
//! story would take longer to link than to run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a story stops where it goes wrong"
)]

mod ages;
mod ceremonies;
mod client;
mod clock;
mod crash;
mod lost_answers;
mod lost_laptop;
mod matrix;
mod on_record;
mod records;
mod renewal;
mod revocation;
mod step_up;
mod terminal;
mod terminal_admin;
mod terminal_link;
mod terminal_recover;
mod tokens;
mod webpki;
