//! Passkey ceremonies at the level of JSON, through the server's use cases on a real database.
//!
//! The transport is not here: what it proves (the key of a connection, the page's origin) is handed
//! in as it would hand it in. Authenticators are real software ones, or lie on request.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod browser_half;
mod completions;
mod doors;
mod forged;
mod passkeys;
mod phished;
mod world;
