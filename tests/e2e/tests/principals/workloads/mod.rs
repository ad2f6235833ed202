//! Workloads: pods and CI jobs exchange their platform's token for SVIDs, and stock SPIFFE clients get them
//! beside a process. The platforms are real ones in small: real keys, a real key set over HTTPS.

mod beside;
mod callers;
mod clusters;
mod forges;
mod issuers;
mod keys;
mod rules;
pub mod stage;
mod svids;
