//! Passkey ceremonies at the level of JSON, through the server's use cases on a real database.
//!
//! The transport is not here: what it proves (the key of a connection, the page's origin) is handed
//! in as it would hand it in. Authenticators are real software ones, or lie on request.

mod browser_half;
mod completions;
mod doors;
mod forged;
mod passkeys;
mod phished;
mod world;
