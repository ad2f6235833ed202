//! The engine behind every shell: one [`Client`] object.
//!
//! It runs the flows against HTTP, a key store, the browser and the clock; it keeps profiles in a
//! private folder, renews certificates by itself, opens and reopens sessions, and turns every way in
//! which things go wrong into one [`Failure`] with a stable code. Shells translate and delegate.
//!
//! Time, chance, keys and the folder are handed in ([`Setup`]), so a test moves the time of a client
//! and of a server alike, and never touches a person's real home.

mod account;
mod admin;
pub mod agent;
mod agent_approve;
mod agent_here;
mod agent_new;
mod agents;
mod ask;
mod audit;
mod browser;
mod claim;
mod client;
mod devices;
pub mod doctor;
mod drive;
mod enroll;
mod failure;
mod guardians;
mod http;
mod human;
mod identity;
mod link;
mod link_approve;
mod loopback;
mod loss;
mod notices;
mod passkey_door;
mod passkeys;
mod policies;
mod provisioned;
mod qr;
mod readiness;
mod ready_screen;
mod recover;
mod recover_screen;
mod recovery_codes;
mod recovery_queue;
mod renew;
pub mod screen;
mod secrets;
mod security_key;
mod sessions;
mod sheet;
pub mod shell;
pub mod state;
pub mod texts;
mod tls;
mod tokens;
mod workload;
mod workload_issuers;

pub use account::AuditFilter;
pub use agent_approve::{AgentMeeting, AgentOffer};
pub use agent_here::AgentSignedRequest;
pub use agent_new::{AgentPairing, NewAgent, PairingStep};
pub use agents::AgentCodeMade;
pub use audit::{Proved, audit_checkpoint, audit_key, check_growth, check_proof};
pub use browser::{Browser, Opened, open_page};
pub use claim::{Claiming, reveal};
pub use client::{Client, Setup};
pub use enroll::{Enrolled, Enrolling, GivenNames};
pub use failure::Failure;
pub use landfall_flows::{
    FlowAbout, FlowFailure, FlowName, FlowNext, FlowOtherWay, FlowStep, FlowStepId, FlowStepState,
    FlowView, KeyPin, Remedy,
};
pub use link::{LinkProgress, LinkRequest, Linking};
pub use link_approve::{LinkMeeting, LinkOffer};
pub use provisioned::{HandedOut, WantedKey};
pub use recover::{RecoverRequest, Recovering, RecoveryEnd, RecoveryProgress};
pub use recovery_codes::{NewCodes, read_recovery_code};
pub use recovery_queue::check_code_of;
pub use secrets::SecretRead;
pub use sessions::HumanState;
pub use sheet::{Sheet, SheetFormat, fill_private_file, new_private_file};
pub use shell::{Shell, Signal};
pub use state::KeptAgent;
pub use tokens::{MintRequest, Minted};
pub use workload::WorkloadDoor;

/// The words of the product, for shells that may not import the crate itself.
pub mod words {
    pub use landfall_crypto::Ambient;
    pub use landfall_crypto::ambient::{Clock, ManualClock, Random, SystemRandom};
    pub use landfall_crypto::credential::CredentialFacts;
    pub use landfall_crypto::door::DoorSecret;
    pub use landfall_crypto::recovery_code::{RecoveryCode, RecoveryCodeError};
    pub use landfall_crypto::secret::{SecretBytes, SecretText};
    pub use landfall_crypto::server_line::ServerLine;
    pub use landfall_crypto::token::{TokenError, TokenPayload, TokenText, Trust};
    pub use landfall_identity::caller::Role;
    pub use landfall_identity::id::{
        AddressId, AgentCodeId, ApprovalId, EnrollmentId, PasskeyId, RecoveryId, TokenId,
    };
    pub use landfall_identity::passkey::Attachment;
    pub use landfall_identity::recovery::{
        Door, Plan, Preset, Remedy as ReadinessRemedy, Standing, ThingKind,
    };
    pub use landfall_identity::secret::{MANAGED_VALUE_MAX, SecretName};
    pub use landfall_identity::token::TokenKind;
    pub use landfall_identity::workload::IssuerName;
    pub use landfall_identity::{
        AgentId, AuthStrength, DeviceName, Label, MachineRole, MailAddress, Reason, Seconds,
        SpiffeId, TenantName, Timestamp, UserName,
    };
}
