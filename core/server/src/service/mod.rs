//! Use cases: load, decide, apply, report. Nothing here sees axum, sqlx or rusqlite.

pub mod context;
pub mod devices;

mod addresses;
mod admin;
mod aftermath;
mod audit;
mod break_glass;
mod ceremonies;
mod ceremony_page;
mod ceremony_recover;
mod claim;
mod clock;
mod drills;
mod enroll;
mod foresee;
mod freeze_links;
mod guardians;
mod last_admin;
mod link_new;
mod links;
mod me;
mod node;
mod notices;
mod page;
mod passkeys;
mod perform;
mod post;
mod prune;
mod public;
mod readiness;
mod readiness_facts;
mod recovery;
mod recovery_codes;
mod recovery_complete;
mod recovery_mail;
mod recovery_plan;
mod recovery_queue;
mod recovery_standing;
mod renew;
mod secrets;
mod sessions;
mod suspensions;
mod tokens;
mod waits;
mod wards;

pub use break_glass::{BREAK_GLASS_TTL, GlassFor};
pub use context::{Peer, RequestContext, Turn};
pub use passkeys::RelyingPartyCheck;
pub use post::{Caller, Carrier, Channel, Delivery, Envelope, WaysOut};
pub use recovery::SignedMessage;
pub use sessions::SESSIONS_MAX;

use crate::ceremony::RelyingParty;
use crate::pki::Pki;
use crate::store::Store;
use landfall_crypto::ambient::Ambient;
use landfall_identity::id::NodeId;
use landfall_identity::recovery::Plan;
use landfall_identity::{Seconds, TenantName};
use std::sync::Arc;

/// Ends every open connection of a key, at once. The transport's registry does.
pub trait Cutter: Send + Sync {
    /// Cuts the key's connections; ones that it makes later are refused by its row.
    fn cut(&self, thumbprint: &str);
}

/// What use cases take from the configuration, once the addresses are known.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The tenant of this server.
    pub tenant: TenantName,
    /// The address that people and machines use, without a slash at the end.
    pub public_url: String,
    /// Who asks authenticators, and where its page is; absent when browsers cannot use passkeys here.
    pub relying_party: Option<Arc<RelyingParty>>,
    /// The longest that a token for a device may live.
    pub device_token_ttl_max: Seconds,
    /// The public address, where browsers trust it: mailed links lead there.
    pub browser_url: Option<String>,
    /// Whether this server sends mail.
    pub mail: bool,
    /// Where programs are told of notices, by URL.
    pub webhooks: Vec<String>,
    /// How long a device may be silent and still renew by itself.
    pub renewal_silence_max: Seconds,
    /// What lets somebody in who has no device any more. A wait in it is for those users alone who want
    /// one.
    pub recovery_plan: Plan,
    /// How long that wait is; absent where the operator wants none.
    pub recovery_waiting_days: Option<u32>,
}

/// Everything a use case stands on. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub(crate) store: Store,
    pub(crate) pki: Arc<Pki>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) ambient: Ambient,
    pub(crate) cutter: Arc<dyn Cutter>,
    /// This run of this process, among all that share the database.
    pub(crate) node: NodeId,
    enrolled: Arc<perform::EnrolledKeys>,
}

impl Service {
    /// Joins what was opened at start.
    pub fn new(
        store: Store,
        pki: Arc<Pki>,
        settings: Arc<Settings>,
        ambient: Ambient,
        cutter: Arc<dyn Cutter>,
    ) -> Self {
        let node = NodeId::from_bits(ambient.random());
        Self { store, pki, settings, ambient, cutter, node, enrolled: Arc::default() }
    }
}

#[cfg(test)]
mod house_tests;
#[cfg(test)]
mod readiness_tests;
