//! Every door back in, what each is abused for, and what is told to whom.
//!
//! One program for all of them: each links the whole server, and a program of its own for every
//! story would take longer to link than to run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a story stops where it goes wrong"
)]

mod aftermath;
mod drill;
mod freezes;
mod guardians;
mod last_admin;
mod links;
mod notices;
mod readiness;
mod recovery_admin;
mod recovery_codes;
mod recovery_notices;
mod recovery_passkey;
mod recovery_screens;
mod recovery_sheets;
mod recovery_strangers;
mod waiting;
