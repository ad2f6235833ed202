//! Getting back in with no device at all.
//!
//! A bare machine begins with a certificate request; every message of it, the first one too, is signed
//! by that request's key (RFC 9421, tag `landfall-recovery-v1`). Proofs are added one by one. When the
//! plan is satisfied, the last message makes the machine a device. No answer, to whoever holds no proof,
//! tells a user from nobody.

use crate::enroll::CertIssued;
use crate::time::At;
use landfall_identity::id::RecoveryId;
use landfall_identity::recovery::{CodeName, CodeState, Door};
use landfall_identity::{DeviceName, Label, Reason, Role, TenantName, UserName};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// A code as the server is told of it: never its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct NewRecoveryCode {
    /// Its public name.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub name: CodeName,
    /// SHA-256 of its `auth` half, base64url without padding.
    pub auth_hash: String,
}

/// Make codes: `POST /auth/recovery/codes`. Exactly ten; those before them stop working.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct RecoveryCodesRequest {
    /// The codes.
    pub codes: Vec<NewRecoveryCode>,
}

/// A code as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct RecoveryCodeInfo {
    /// Its public name.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub name: CodeName,
    /// Where it stands.
    #[ts(type = "\"live\" | \"used\" | \"replaced\"")]
    #[schema(value_type = String)]
    pub state: CodeState,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: At,
    /// When it was used or replaced.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<At>,
    /// The device that it let in.
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub used_by: Option<DeviceName>,
}

/// What a sheet of codes must carry besides them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct RecoveryCodesMade {
    /// The codes.
    pub codes: Vec<RecoveryCodeInfo>,
    /// The server's public address.
    pub url: String,
    /// `webpki`, or `pin:` and the base64url SHA-256 of the root certificate.
    pub trust: String,
}

/// Begin: `POST /auth/recovery/begin`. The same key for the same user again finds what it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct RecoveryBeginRequest {
    /// Whose account it is.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub user: UserName,
    /// What the new device will be called.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub device: DeviceName,
    /// The certificate request, PEM, at most 8 KiB. Only its key is used.
    pub csr: String,
}

/// How it stands: `POST /auth/recovery/show`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct RecoveryShowRequest {
    /// Which.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub recovery_id: RecoveryId,
}

/// Show a code: `POST /auth/recovery/prove`. It is checked, and burnt only at the end.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct RecoveryProveRequest {
    /// Which.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub recovery_id: RecoveryId,
    /// The code's public name.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub code: CodeName,
    /// Its `auth` half, base64url without padding. Never its text.
    pub auth: String,
}

/// Ask for the waiting period: `POST /auth/recovery/wait`. It takes a proof that does not suffice alone, an
/// operator and a user who both want it, and days in which nobody says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct RecoveryWaitRequest {
    /// Which.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub recovery_id: RecoveryId,
}

/// Have a code mailed to the account's confirmed addresses: `POST /auth/recovery/mail`. Answered alike
/// whether there are any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct RecoveryMailRequest {
    /// Which.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub recovery_id: RecoveryId,
}

/// Show the code that was mailed: `POST /auth/recovery/mail/prove`. It counts for this recovery alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct RecoveryMailProveRequest {
    /// Which.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub recovery_id: RecoveryId,
    /// What the person typed: eight Crockford characters.
    pub code: String,
}

/// Become a device: `POST /auth/recovery/complete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct RecoveryCompleteRequest {
    /// Which.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub recovery_id: RecoveryId,
    /// What the new device is called, for ever; need not be the name it began with.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub device: DeviceName,
    /// What its owner calls it.
    #[serde(default)]
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub label: Option<Label>,
    /// Takes the place of the code that was shown; needed when one was.
    #[serde(default)]
    pub successor: Option<NewRecoveryCode>,
    /// A device of the user that is lost: it is suspended in the same act. One; it may be named later, by
    /// the same key and as long as it is answered with the same certificate.
    #[serde(default)]
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub suspend: Option<DeviceName>,
}

/// How a recovery stands, for the key that began it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct RecoveryStatus {
    /// Which.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub recovery_id: RecoveryId,
    /// Where.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub tenant: TenantName,
    /// Where it stands.
    pub state: RecoveryStateName,
    /// The kinds of proof that count so far; an administrator for each who approved.
    #[ts(
        type = "(\"device\" | \"passkey\" | \"recovery-code\" | \"mailed-code\" | \"admin\" | \"guardian\")[]"
    )]
    #[schema(value_type = Vec<String>)]
    pub proofs: Vec<Door>,
    /// Until when it is held, when only time is missing.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub held_until: Option<At>,
    /// How many days of waiting could stand in for the proof that is missing, where that may be asked for.
    #[serde(default)]
    pub may_wait_days: Option<u32>,
    /// Whether a code by mail is a proof here: the server sends mail, and its plan counts it.
    #[serde(default)]
    pub by_mail: bool,
    /// Whether the name that it began with was given to another device, so that the end takes another one.
    /// Told only to whoever has shown a proof that counts.
    #[serde(default)]
    pub device_taken: bool,
    /// Whether a freeze of the account keeps it from making a device, whatever it has proved: until the freeze
    /// is ended, or an administrator approves in spite of it. Told only to whoever has shown a proof that counts.
    #[serde(default)]
    pub account_frozen: bool,
    /// Whether it was an administrator who stopped it, whom nothing that is shown overrules; only for who has proved
    /// something.
    #[serde(default)]
    pub account_stopped: bool,
    /// How much of the wait that was asked for has passed, where one runs or stands still.
    #[serde(default)]
    pub wait_passed_seconds: Option<u64>,
    /// How much of it is left.
    #[serde(default)]
    pub wait_left_seconds: Option<u64>,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: At,
    /// The server's time.
    #[schema(value_type = String, format = DateTime)]
    pub server_time: At,
}

/// Where a recovery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub enum RecoveryStateName {
    /// Another proof is wanted.
    Unproved,
    /// Only time is missing.
    Held,
    /// Only time is missing, and it stands still until somebody of the account has received the notice.
    Unheard,
    /// Time alone lets nobody in: an administrator decides.
    Contested,
    /// It can be completed.
    Ready,
    /// It made a device.
    Completed,
    /// The owner, or an administrator, said no.
    Stopped,
    /// Its time is over.
    Over,
}

/// A new device, and what it did on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Recovered {
    /// The certificate, and the right to register a passkey.
    pub issued: CertIssued,
    /// The device that was suspended.
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub suspended: Option<DeviceName>,
    /// Whether a freeze of the account ended with it.
    pub unfrozen: bool,
}

/// A recovery as its account's owner, or an administrator, sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct RecoveryInfo {
    /// Its identifier.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub id: RecoveryId,
    /// Whose account it leads into.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub user: UserName,
    /// What that user may do.
    #[ts(type = "\"member\" | \"auditor\" | \"operator\" | \"admin\"")]
    #[schema(value_type = String)]
    pub role: Role,
    /// What the new device will be called.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub device: DeviceName,
    /// Its key (RFC 7638). With the identifier it makes the check code that both sides compare.
    pub thumbprint: String,
    /// Where it was begun from.
    pub source: String,
    /// Where it stands.
    pub state: RecoveryStateName,
    /// What was proved so far.
    pub proofs: Vec<RecoveryProofInfo>,
    /// Until when it is held, when only time is missing.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub held_until: Option<At>,
    /// Whether a freeze of the account keeps it from making a device, whatever it has proved: until the freeze
    /// is ended, or an administrator approves in spite of it.
    #[serde(default)]
    pub account_frozen: bool,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    pub begun_at: At,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: At,
}

/// One proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct RecoveryProofInfo {
    /// What kind it is.
    #[ts(
        type = "\"device\" | \"passkey\" | \"recovery-code\" | \"mailed-code\" | \"admin\" | \"guardian\""
    )]
    #[schema(value_type = String)]
    pub door: Door,
    /// Which code, or who.
    pub by: String,
    /// Why, where somebody vouched.
    pub reason: Option<String>,
    /// Whether it counts now: not when the code was replaced, or whoever vouched was cut off.
    pub counts: bool,
    /// When it was given.
    #[schema(value_type = String, format = DateTime)]
    pub at: At,
}

/// Vouch for a recovery: `POST /admin/recoveries/{id}/approve`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct RecoveryApproveRequest {
    /// Why; kept in the audit.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub reason: Reason,
}
