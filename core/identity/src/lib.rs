//! The words and the laws of Landfall.
//!
//! Names, identifiers, strengths, permissions and state transitions, as plain data and pure
//! functions. Nothing here reads a clock, a file, a socket or a random source, and nothing here does
//! cryptography: what those yield is handed in. So every rule of the product can be read, and
//! tested, without a server.

pub mod action;
pub mod address;
pub mod agent;
pub mod agent_life;
pub mod audit;
pub mod authorize;
pub mod bound;
pub mod caller;
pub mod capability;
pub mod device;
pub mod grant;
pub mod id;
pub mod machine;
pub mod name;
pub mod notice;
pub mod passkey;
pub mod prompt;
pub mod provisioned;
pub mod recovery;
pub mod refusal;
pub mod secret;
pub mod session;
pub mod spiffe;
pub mod time;
pub mod token;
pub mod workload;

pub use action::Action;
pub use address::MailAddress;
pub use agent::{AgentId, AgentIdError};
pub use authorize::authorize;
pub use bound::BoundAction;
pub use caller::{Caller, Role};
pub use device::DeviceState;
pub use machine::MachineRole;
pub use name::{DeviceName, Label, Reason, TenantName, UserName};
pub use notice::{Happening, Notice};
pub use refusal::Refusal;
pub use session::AuthStrength;
pub use spiffe::{Principal, SpiffeId, TrustDomain};
pub use time::{Moment, Seconds, Timestamp};
