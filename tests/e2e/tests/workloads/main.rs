//! Workloads: pods and CI jobs exchange their platform's token for SVIDs, and stock SPIFFE clients get them
//! beside a process. The platforms are real ones in small: real keys, a real key set over HTTPS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a story stops where it goes wrong"
)]

mod beside;
mod clusters;
mod forges;
mod issuers;
mod keys;
mod stage;
mod svids;
