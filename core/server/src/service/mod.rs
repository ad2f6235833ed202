//! Use cases: load, decide, apply, report. Nothing here sees axum, sqlx or rusqlite.

pub mod context;
pub mod devices;

mod addresses;
mod admin;
mod aftermath;
mod agent_message;
mod agent_tokens;
mod agents;
mod agents_door;
mod agents_enrol;
mod agents_owned;
mod agents_sub;
mod approvals;
mod audit;
mod audit_proofs;
mod break_glass;
mod by_itself;
mod capabilities;
mod ceremonies;
mod ceremony_page;
mod ceremony_recover;
mod ceremony_words;
mod claim;
mod clock;
mod drills;
mod enroll;
mod errands;
mod foresee;
mod freeze_links;
mod guardians;
mod key_holders;
mod known;
mod last_admin;
mod link_new;
mod links;
mod me;
mod node;
mod notices;
mod page;
mod pairing_new;
mod pairings;
mod passkeys;
mod perform;
mod policies;
mod post;
mod provisioned;
mod provisioned_claim;
mod provisioned_keys;
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
mod roles;
mod sealing;
mod secrets;
mod sessions;
mod suspensions;
mod tokens;
mod waits;
mod wards;
mod workload_issuers;
mod workloads;

pub use agent_message::AgentMessage;
pub use agent_tokens::{CallIn, Told};
pub use agents_enrol::Enrolled;
pub use break_glass::{BREAK_GLASS_TTL, GlassFor};
pub use context::{Peer, RequestContext, Turn};
pub use passkeys::RelyingPartyCheck;
pub use policies::RULES_CHANGED;
pub use post::{Caller, Carrier, Channel, Delivery, Envelope, WaysOut};
pub use recovery::SignedMessage;
pub use sessions::SESSIONS_MAX;

use crate::ceremony::RelyingParty;
use crate::config::AgentProvider;
use crate::config::MachineRoles;
use crate::pki::Pki;
use crate::platform_keys::PlatformKeys;
use crate::policy::Policies;
use crate::store::Store;
use ipnet::IpNet;
use landfall_crypto::Thumbprint;
use landfall_crypto::ambient::Ambient;
use landfall_identity::id::NodeId;
use landfall_identity::recovery::Plan;
use landfall_identity::workload::WorkloadIssuer;
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
    /// What machines may stand for, and how keys for them are handed out.
    pub machine_roles: Arc<MachineRoles>,
    /// Platforms whose word is taken for who a workload is.
    pub workload_issuers: Vec<WorkloadIssuer>,
    /// Private networks that their keys may be fetched from.
    pub egress_networks: Vec<IpNet>,
    /// The agent provider, where this server is one.
    pub agents: Option<Arc<AgentProvider>>,
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
    sealing: Arc<sealing::Sealing>,
    platform_keys: Arc<PlatformKeys>,
    /// Whose the audit's checkpoints are; unknown to the operator's commands.
    audit_key: Option<Thumbprint>,
    policies: Arc<Policies>,
    asked: Arc<policies::Asked>,
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
        let networks = settings.egress_networks.clone();
        let platform_keys = Arc::new(PlatformKeys::new(networks, ambient.clone()));
        Self {
            store,
            pki,
            settings,
            ambient,
            cutter,
            node,
            enrolled: Arc::default(),
            sealing: Arc::default(),
            platform_keys,
            audit_key: None,
            policies: Arc::new(Policies::new()),
            asked: Arc::default(),
        }
    }
}

#[cfg(test)]
mod house_tests;
#[cfg(test)]
mod readiness_rules_tests;
#[cfg(test)]
mod readiness_tests;
