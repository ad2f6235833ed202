//! Notices: the owner hears of what happens to an account, on every device and by mail, whatever
//! breaks in between.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a story stops where it goes wrong"
)]

mod addresses;
mod codes;
mod crash;
mod devices;
mod links;
mod mails;
mod outbox;
mod post;
mod webhooks;
