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

/// An agent that is being let in. Of the code that lets it in nothing is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PendingAgent {
    /// What it is called on this machine.
    pub handle: String,
    /// The server.
    pub server: Url,
    /// How to know that it is that server.
    pub trust: Trust,
    /// The key that was made for it.
    pub key: KeyRef,
    /// How it was begun.
    pub by: BegunBy,
}

/// What lets it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BegunBy {
    /// A code that its owner made.
    Code,
    /// A device of its owner's, when the digits are equal there.
    Pairing,
    /// That device, which has said yes.
    Approval,
}
