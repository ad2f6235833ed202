//! Agents of this machine, as they are kept on disk: names only. Their keys are in the key store.

use landfall_crypto::token::Trust;
use landfall_flows::KeyRef;
use landfall_identity::AgentId;
use serde::{Deserialize, Serialize};
use url::Url;

/// One agent of this machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptAgent {
    /// What it is called on this machine.
    pub handle: String,
    /// What it is called everywhere.
    pub agent: AgentId,
    /// The server.
    pub server: Url,
    /// How to know that it is that server.
    pub trust: Trust,
    /// Its durable key.
    pub key: KeyRef,
}
