//! Passkey ceremonies in two halves.
//!
//! The app half begins, and alone can redeem: it is the connection of the key that began. The browser
//! half shows the person what they confirm and takes the touch; what it yields has no authority of
//! its own.

pub use crate::act::BoundActBody;
use crate::time::At;
use landfall_identity::id::{CeremonyId, RecoveryId};
use landfall_identity::passkey::Attachment;
use landfall_identity::{DeviceName, Label, TenantName, UserName};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// How the completion comes back to the app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
#[ts(export)]
pub enum ReturnPath {
    /// By a redirect to `http://127.0.0.1:<port>/<path>` on the same machine.
    Loopback {
        /// The app's ephemeral port.
        port: u16,
        /// A random path, 16 to 64 characters of `[A-Za-z0-9_-]`.
        path: String,
    },
    /// By hand: the page shows eight characters, and the person types them into the app.
    Typed,
}

/// App half: begin a step-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct StepUpBeginRequest {
    /// The one act to confirm; absent for an ordinary step-up.
    #[serde(default)]
    pub act: Option<BoundActBody>,
    /// How the completion comes back.
    pub return_path: ReturnPath,
    /// Ask for this kind of passkey only.
    #[serde(default)]
    #[ts(type = "\"platform\" | \"roaming\" | null")]
    #[schema(value_type = Option<String>)]
    pub attachment: Option<Attachment>,
}

/// App half: begin to register a passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct RegisterBeginRequest {
    /// Where the passkey shall live.
    #[ts(type = "\"platform\" | \"roaming\"")]
    #[schema(value_type = String)]
    pub attachment: Attachment,
    /// What the person calls it.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub label: Label,
    /// Whether it must be one that is found without a user name, so that it opens the account on a bare
    /// machine. A passkey of the machine itself always is.
    #[serde(default)]
    pub resident: bool,
    /// How the completion comes back.
    pub return_path: ReturnPath,
}

/// App half on a bare machine: begin to prove a recovery with a passkey. Signed by the recovery's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct RecoverBeginRequest {
    /// Which recovery.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub recovery_id: RecoveryId,
    /// How the completion comes back. A passkey whose completion is typed counts only beside a proof of
    /// another kind.
    pub return_path: ReturnPath,
}

/// App half on a bare machine: redeem what the browser half yielded. Signed by the recovery's key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct RecoverRedeemRequest {
    /// Which recovery.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub recovery_id: RecoveryId,
    /// The ceremony.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub ceremony_id: CeremonyId,
    /// The completion, or the typed characters.
    pub completion: String,
}

/// A ceremony has begun.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct CeremonyBegun {
    /// The ceremony.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub ceremony_id: CeremonyId,
    /// Open this in a browser on this machine. The fragment is secret and never reaches a server log.
    pub page_url: String,
    /// Two digits that the page shows as well: for people, and no proof of anything.
    pub match_number: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: At,
}

/// Browser half: read what to show and what to ask the authenticator.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct CeremonyOptionsRequest {
    /// The ceremony.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub ceremony_id: CeremonyId,
    /// Its secret, from the fragment.
    pub secret: String,
}

/// What the page shows, and what it hands to the authenticator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct CeremonyOptions {
    /// Register, step up, or get back in.
    pub purpose: CeremonyPurpose,
    /// Where.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub tenant: TenantName,
    /// Who.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub user: UserName,
    /// The device that asks.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub device: DeviceName,
    /// What its owner calls it.
    pub device_label: Option<String>,
    /// The act to confirm.
    pub act: Option<BoundActBody>,
    /// What the passkey that the act removes or binds is called; nothing for any other act.
    pub passkey_label: Option<String>,
    /// Two digits that the app shows as well.
    pub match_number: String,
    /// Whether the page will show a code to type into the app.
    pub typed: bool,
    /// When the ceremony ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: At,
    /// `PublicKeyCredentialCreationOptionsJSON` or `…RequestOptionsJSON` (WebAuthn Level 3, section
    /// 5.1): the inner object, without a `publicKey` wrapper.
    #[ts(type = "unknown")]
    #[schema(value_type = Object)]
    pub public_key: serde_json::Value,
}

/// What a ceremony is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub enum CeremonyPurpose {
    /// A new passkey.
    Register,
    /// A proof by a passkey that exists.
    StepUp,
    /// The same, on a machine that is nobody's yet.
    Recover,
}

/// Browser half: the authenticator's answer.
#[derive(Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct CeremonyFinishRequest {
    /// The ceremony.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub ceremony_id: CeremonyId,
    /// Its secret.
    pub secret: String,
    /// `RegistrationResponseJSON` or `AuthenticationResponseJSON`: `PublicKeyCredential.toJSON()`.
    #[ts(type = "unknown")]
    #[schema(value_type = Object)]
    pub credential: serde_json::Value,
}

/// What the page does next.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "next", rename_all = "kebab-case")]
#[ts(export)]
pub enum CeremonyFinished {
    /// Go there: the app is listening.
    Redirect {
        /// A loopback address with the completion.
        url: String,
    },
    /// Show these characters for the person to type into the app.
    Show {
        /// Eight Crockford characters with a dash in the middle.
        code: String,
    },
}

/// App half: redeem what the browser half yielded.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct CeremonyRedeemRequest {
    /// The ceremony.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub ceremony_id: CeremonyId,
    /// The completion, or the typed characters.
    pub completion: String,
}
