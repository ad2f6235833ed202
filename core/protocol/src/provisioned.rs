//! Machines that stand for themselves: keys that the server makes and hands out once.

use crate::device::DeviceStateName;
use crate::me::Me;
use crate::time::At;
use landfall_identity::id::{EnrollmentId, ProvisionApprovalId};
use landfall_identity::{AuthStrength, DeviceName, MachineRole, SpiffeId, TenantName, UserName};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// A key for a machine: `POST /api/devices/provision_credential`. It takes a step-up for exactly this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct ProvisionRequest {
    /// The machine. Names are given once in a tenant.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub device: DeviceName,
    /// What a new machine stands for. Absent: one more key for a machine that is there.
    #[serde(default)]
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub role: Option<MachineRole>,
    /// How long the key can be used; seven days when absent, at most 365.
    #[serde(default)]
    pub ttl_seconds: Option<u64>,
    /// How many words open the file: 4 to 12; six when absent.
    #[serde(default)]
    pub words: Option<u8>,
}

/// A key that was just made. The server keeps no copy of file or phrase: this answer is the only one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct ProvisionedCredential {
    /// What the server keeps of it.
    pub key: MachineKeyInfo,
    /// What the file would be called.
    pub file_name: String,
    /// The file: the private key and where it works, sealed by the phrase (age v1, scrypt), in base64 (RFC 4648,
    /// section 4).
    pub file_base64: String,
    /// SHA-256 of the file, hexadecimal: the same stands in the audit.
    pub file_sha256: String,
    /// What opens the file. It belongs on another way than the file.
    pub passphrase: String,
}

/// One key of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct MachineKeyInfo {
    /// Its identifier.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub id: EnrollmentId,
    /// Whose it is.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub device: DeviceName,
    /// What that machine stands for.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub role: MachineRole,
    /// Who the machine speaks as.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub spiffe_id: SpiffeId,
    /// Whether the machine may act.
    pub device_state: DeviceStateName,
    /// Whether this key may.
    pub state: MachineKeyState,
    /// Whether it was made by the machine itself; otherwise it was handed out.
    pub made_on_device: bool,
    /// Its public name (RFC 7638).
    pub thumbprint: String,
    /// Who had it made.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub provisioned_by: SpiffeId,
    /// Who agreed, where that takes two.
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub approved_by: Option<SpiffeId>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: At,
    /// When it ends, if it was handed out.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<At>,
    /// When the machine put a key of its own in its place.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub claimed_at: Option<At>,
    /// When it last opened a session or renewed; absent when it never did.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen_at: Option<At>,
}

/// Whether a machine's key may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub enum MachineKeyState {
    /// May act, if its machine may.
    Active,
    /// Cut off for now.
    Disabled,
    /// Was not used in time.
    Expired,
    /// The machine put another key in its place.
    Claimed,
    /// Cut off for ever.
    Revoked,
}

/// The second person's yes: `POST /api/devices/provision_credential/approve`. It takes a step-up for exactly
/// this, and is good for an hour and one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct ProvisionApproveRequest {
    /// For which machine.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub device: DeviceName,
    /// What it stands for.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub role: MachineRole,
    /// Who may make the key: somebody else.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub asker: UserName,
}

/// A second person has agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct ProvisionApproved {
    /// Its identifier.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub id: ProvisionApprovalId,
    /// For which machine.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub device: DeviceName,
    /// Who may make the key.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub asker: UserName,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: At,
}

/// A machine puts a key of its own in the place of the one that was handed out:
/// `POST /api/devices/claim_credential`, on a connection of that key. Once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct ClaimRequest {
    /// The new key's certificate request, PEM, at most 8 KiB. Only its key is used.
    pub csr: String,
}

/// What cutting off a machine, or one key of it, did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct MachineCut {
    /// The machine.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub device: DeviceName,
    /// Whether it may act.
    pub device_state: DeviceStateName,
    /// Sessions that ended.
    pub sessions_ended: u32,
}

/// Who am I, when a machine asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct MachineSelf {
    /// Who speaks.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub spiffe_id: SpiffeId,
    /// Where.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub tenant: TenantName,
    /// The key that asks, and its machine.
    pub key: MachineKeyInfo,
    /// The session's strength.
    #[ts(type = "\"cert-only\" | \"cert+human\"")]
    #[schema(value_type = String)]
    pub auth_strength: AuthStrength,
    /// When the session ends.
    #[schema(value_type = String, format = DateTime)]
    pub session_expires_at: At,
}

/// Who am I, whoever asks: `GET /me`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(untagged)]
#[ts(export)]
pub enum WhoAmI {
    /// A person, on a device of theirs.
    Person(Box<Me>),
    /// A machine that stands for itself.
    Machine(Box<MachineSelf>),
}
