//! SVIDs kept fresh beside a process, and the SPIFFE Workload API that serves them.
//!
//! [`Keeper`] exchanges the platform's token for SVIDs, anew before they end. [`serve`] hands them out on
//! a Unix socket that nobody else's programs reach, as stock SPIFFE clients expect them (SPIFFE Workload
//! API). One socket is one identity: which process asks is never guessed at.

mod api;
mod authority;
mod connection;
mod identity;
mod keeper;
mod socket;

pub use identity::Identity;
pub use keeper::{Keeper, Setup};
pub use socket::{Serving, Socket, serve};

/// The code that is generated from `proto/workload.proto`.
#[allow(
    missing_docs,
    clippy::all,
    clippy::too_many_lines,
    unreachable_pub,
    rust_2018_idioms,
    reason = "generated"
)]
mod proto {
    tonic::include_proto!("_");
}
