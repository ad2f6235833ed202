//! What a client keeps on disk: one private folder with a profile for each server.
//!
//! ```text
//! <home>/                         0700
//!   default                       the default profile's name
//!   keys/                         the file key store
//!   profiles/<name>/identity.json who this machine is there
//!   profiles/<name>/sessions.json open sessions; useless without the key
//!   pending/<token id>.json       an enrolment that may have to be resumed
//!   recovery.json                 a recovery that is under way
//!   link.json                     a link that is under way
//!   agents/<name>.json            an agent of this machine
//!   agents/begun/<name>.json      an agent that is being let in
//! ```

mod agent;
mod files;
mod home;
mod link;
mod profile;
mod recovery;

pub use agent::{BegunBy, KeptAgent, PendingAgent};
pub use home::{Home, default_home};
pub(crate) use link::KeptExchange;
pub use link::PendingLink;
pub use profile::{Pending, Profile, ProfileName};
pub use recovery::PendingRecovery;
pub(crate) use recovery::ShownCode;
