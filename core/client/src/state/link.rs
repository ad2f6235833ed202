//! A link under way, as it is kept on disk.

use landfall_crypto::secret::SecretText;
use landfall_crypto::token::Trust;
use landfall_flows::LinkFlow;
use serde::{Deserialize, Serialize};
use url::Url;

/// A link that is under way on the new machine.
#[derive(Clone, Serialize, Deserialize)]
pub struct PendingLink {
    /// The flow.
    pub flow: LinkFlow,
    /// The server.
    pub server: Url,
    /// How to know that it is that server.
    pub trust: Trust,
    /// The one commitment that is answered, and with what. On disk before the answer is sent, and never
    /// replaced.
    pub(crate) exchange: Option<KeptExchange>,
}

/// A commitment, and the nonce that answers it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeptExchange {
    pub(crate) commitment: String,
    #[serde(with = "super::profile::secret_text")]
    pub(crate) nonce: SecretText,
}
