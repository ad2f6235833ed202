//! Acts that a person confirms one by one: what a passkey's challenge commits to, as it travels.

use landfall_identity::bound::BoundAction;
use landfall_identity::caller::Role;
use landfall_identity::id::{ApprovalId, PairingId, PasskeyId, RecoveryId};
use landfall_identity::passkey::Attachment;
use landfall_identity::token::TokenKind;
use landfall_identity::{DeviceName, Label, MachineRole, Reason, Seconds, UserName};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// One act that a person confirms by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
#[ts(export)]
pub enum BoundActBody {
    /// Mint a token.
    IssueToken {
        /// What the token is for.
        #[ts(type = "\"device\" | \"invite\"")]
        #[schema(value_type = String)]
        kind: TokenKind,
        /// Whom it signs in.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        user: UserName,
        /// Which device it enrols.
        #[ts(type = "string | null")]
        #[schema(value_type = Option<String>)]
        device: Option<DeviceName>,
        /// The invited user's role.
        #[ts(type = "\"member\" | \"auditor\" | \"operator\" | \"admin\"")]
        #[schema(value_type = String)]
        role: Role,
        /// How long it can be used.
        ttl_seconds: u64,
        /// SHA-256 of the `auth` half, base64url.
        auth_hash: String,
    },
    /// Register another passkey.
    AddPasskey {
        /// Where it lives.
        #[ts(type = "\"platform\" | \"roaming\"")]
        #[schema(value_type = String)]
        attachment: Attachment,
        /// What the person calls it.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        label: Label,
    },
    /// Remove a passkey.
    RemovePasskey {
        /// Which one.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        passkey: PasskeyId,
    },
    /// Bind a passkey to the device that asks; only that passkey confirms it.
    BindPasskey {
        /// Which one.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        passkey: PasskeyId,
    },
    /// Revoke a device for ever.
    RevokeDevice {
        /// Whose it is.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        user: UserName,
        /// Which one.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        device: DeviceName,
    },
    /// Make recovery codes; those that were there stop working.
    MakeRecoveryCodes {
        /// SHA-256 over the new ones' names and hashes, base64url.
        codes_hash: String,
    },
    /// Vouch, as an administrator, for somebody who has lost every device.
    ApproveRecovery {
        /// Which recovery.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        recovery: RecoveryId,
        /// Whose account it leads into.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        user: UserName,
        /// The key of the new device.
        thumbprint: String,
        /// Why.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        reason: Reason,
    },
    /// Let a new device in that this user has in front of them.
    ApproveLink {
        /// Which link.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        link: RecoveryId,
        /// Whose account it leads into.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        user: UserName,
        /// What the new device will be called.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        device: DeviceName,
        /// Its key.
        thumbprint: String,
    },
    /// Let a waiting period stand in for a proof of one's own, or let it no longer.
    SetWaiting {
        /// Whether it may.
        allowed: bool,
    },
    /// Choose somebody as a guardian.
    NameGuardian {
        /// Whom.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        guardian: UserName,
    },
    /// Have a guardian no longer.
    RemoveGuardian {
        /// Whom.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        guardian: UserName,
    },
    /// Vouch, as a guardian, for somebody who has lost every device.
    VouchForRecovery {
        /// Which recovery.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        recovery: RecoveryId,
        /// Whose account it leads into.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        user: UserName,
        /// The key of the new device.
        thumbprint: String,
    },
    /// Change what lets oneself back in.
    SetRecoveryPlan {
        /// What will, in one line.
        ways: String,
    },
    /// Try whether a passkey works. It does nothing, and serves nothing else.
    DrillPasskey {},
    /// Make a key for a machine and hand it out, once.
    ProvisionCredential {
        /// Which machine.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        device: DeviceName,
        /// What a new machine stands for; absent for one more key of a machine that is there.
        #[ts(type = "string | null")]
        #[schema(value_type = Option<String>)]
        role: Option<MachineRole>,
        /// How long the key can be used.
        ttl_seconds: u64,
        /// How many words open its file.
        words: u8,
    },
    /// Agree, as the second person, that somebody makes a key for a machine.
    ApproveProvision {
        /// Which machine.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        device: DeviceName,
        /// What it stands for.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        role: MachineRole,
        /// Who may make the key.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        asker: UserName,
    },
    /// Revoke a machine for ever.
    RevokeMachine {
        /// Which one.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        device: DeviceName,
    },
    /// Give somebody another role.
    SetRole {
        /// Whom.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        user: UserName,
        /// Which.
        #[ts(type = "\"member\" | \"auditor\" | \"operator\" | \"admin\"")]
        #[schema(value_type = String)]
        role: Role,
    },
    /// Stop somebody's account.
    FreezeUser {
        /// Whose.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        user: UserName,
    },
    /// Let a stopped account go.
    UnfreezeUser {
        /// Whose.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        user: UserName,
    },
    /// Make a code that lets one agent in.
    IssueAgentCode {
        /// What the agent will be called; empty leaves it to the agent.
        agent: String,
        /// How long the code can be used.
        ttl_seconds: u64,
        /// SHA-256 of its secret, base64url.
        auth_hash: String,
    },
    /// Let an agent in that shows what this device shows.
    PairAgent {
        /// Which pairing.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        pairing: PairingId,
        /// Whose agent it becomes.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        user: UserName,
        /// What it will be called.
        agent: String,
        /// Its key (RFC 7638).
        thumbprint: String,
    },
    /// Let an agent do more than the policy allows, for an hour.
    GrantScope {
        /// Which approval.
        #[ts(type = "string")]
        #[schema(value_type = String)]
        approval: ApprovalId,
        /// Which agent.
        agent: String,
        /// What it may do.
        scope: String,
        /// Where.
        audience: String,
    },
    /// Set the tenant's rules.
    SetPolicy {
        /// SHA-256 of their text, base64url.
        policy_hash: String,
    },
}

impl From<BoundActBody> for BoundAction {
    fn from(body: BoundActBody) -> Self {
        match body {
            BoundActBody::IssueToken { kind, user, device, role, ttl_seconds, auth_hash } => {
                Self::IssueToken { kind, user, device, role, ttl: Seconds(ttl_seconds), auth_hash }
            }
            BoundActBody::AddPasskey { attachment, label } => {
                Self::AddPasskey { attachment, label }
            }
            BoundActBody::RemovePasskey { passkey } => Self::RemovePasskey { passkey },
            BoundActBody::BindPasskey { passkey } => Self::BindPasskey { passkey },
            BoundActBody::RevokeDevice { user, device } => Self::RevokeDevice { user, device },
            BoundActBody::MakeRecoveryCodes { codes_hash } => {
                Self::MakeRecoveryCodes { codes_hash }
            }
            BoundActBody::ApproveRecovery { recovery, user, thumbprint, reason } => {
                Self::ApproveRecovery { recovery, user, thumbprint, reason }
            }
            BoundActBody::ApproveLink { link, user, device, thumbprint } => {
                Self::ApproveLink { link, user, device, thumbprint }
            }
            BoundActBody::SetWaiting { allowed } => Self::SetWaiting { allowed },
            BoundActBody::NameGuardian { guardian } => Self::NameGuardian { guardian },
            BoundActBody::RemoveGuardian { guardian } => Self::RemoveGuardian { guardian },
            BoundActBody::VouchForRecovery { recovery, user, thumbprint } => {
                Self::VouchForRecovery { recovery, user, thumbprint }
            }
            BoundActBody::SetRecoveryPlan { ways } => Self::SetRecoveryPlan { ways },
            BoundActBody::DrillPasskey {} => Self::DrillPasskey,
            BoundActBody::ProvisionCredential { device, role, ttl_seconds, words } => {
                Self::ProvisionCredential { device, role, ttl: Seconds(ttl_seconds), words }
            }
            BoundActBody::ApproveProvision { device, role, asker } => {
                Self::ApproveProvision { device, role, asker }
            }
            BoundActBody::RevokeMachine { device } => Self::RevokeMachine { device },
            BoundActBody::SetRole { user, role } => Self::SetRole { user, role },
            BoundActBody::FreezeUser { user } => Self::FreezeUser { user },
            BoundActBody::UnfreezeUser { user } => Self::UnfreezeUser { user },
            BoundActBody::IssueAgentCode { agent, ttl_seconds, auth_hash } => {
                Self::IssueAgentCode { agent, ttl: Seconds(ttl_seconds), auth_hash }
            }
            BoundActBody::PairAgent { pairing, user, agent, thumbprint } => {
                Self::PairAgent { pairing, user, agent, thumbprint }
            }
            BoundActBody::GrantScope { approval, agent, scope, audience } => {
                Self::GrantScope { approval, agent, scope, audience }
            }
            BoundActBody::SetPolicy { policy_hash } => Self::SetPolicy { policy_hash },
        }
    }
}

impl From<BoundAction> for BoundActBody {
    fn from(act: BoundAction) -> Self {
        match act {
            BoundAction::IssueToken { kind, user, device, role, ttl, auth_hash } => {
                Self::IssueToken { kind, user, device, role, ttl_seconds: ttl.0, auth_hash }
            }
            BoundAction::AddPasskey { attachment, label } => Self::AddPasskey { attachment, label },
            BoundAction::RemovePasskey { passkey } => Self::RemovePasskey { passkey },
            BoundAction::BindPasskey { passkey } => Self::BindPasskey { passkey },
            BoundAction::RevokeDevice { user, device } => Self::RevokeDevice { user, device },
            BoundAction::MakeRecoveryCodes { codes_hash } => Self::MakeRecoveryCodes { codes_hash },
            BoundAction::ApproveRecovery { recovery, user, thumbprint, reason } => {
                Self::ApproveRecovery { recovery, user, thumbprint, reason }
            }
            BoundAction::ApproveLink { link, user, device, thumbprint } => {
                Self::ApproveLink { link, user, device, thumbprint }
            }
            BoundAction::SetWaiting { allowed } => Self::SetWaiting { allowed },
            BoundAction::NameGuardian { guardian } => Self::NameGuardian { guardian },
            BoundAction::RemoveGuardian { guardian } => Self::RemoveGuardian { guardian },
            BoundAction::VouchForRecovery { recovery, user, thumbprint } => {
                Self::VouchForRecovery { recovery, user, thumbprint }
            }
            BoundAction::SetRecoveryPlan { ways } => Self::SetRecoveryPlan { ways },
            BoundAction::DrillPasskey => Self::DrillPasskey {},
            BoundAction::ProvisionCredential { device, role, ttl, words } => {
                Self::ProvisionCredential { device, role, ttl_seconds: ttl.0, words }
            }
            BoundAction::ApproveProvision { device, role, asker } => {
                Self::ApproveProvision { device, role, asker }
            }
            BoundAction::RevokeMachine { device } => Self::RevokeMachine { device },
            BoundAction::SetRole { user, role } => Self::SetRole { user, role },
            BoundAction::FreezeUser { user } => Self::FreezeUser { user },
            BoundAction::UnfreezeUser { user } => Self::UnfreezeUser { user },
            BoundAction::IssueAgentCode { agent, ttl, auth_hash } => {
                Self::IssueAgentCode { agent, ttl_seconds: ttl.0, auth_hash }
            }
            BoundAction::PairAgent { pairing, user, agent, thumbprint } => {
                Self::PairAgent { pairing, user, agent, thumbprint }
            }
            BoundAction::GrantScope { approval, agent, scope, audience } => {
                Self::GrantScope { approval, agent, scope, audience }
            }
            BoundAction::SetPolicy { policy_hash } => Self::SetPolicy { policy_hash },
        }
    }
}
