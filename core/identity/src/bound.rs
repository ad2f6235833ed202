//! Actions that a person approves one by one.
//!
//! Ten minutes of `cert+human` would serve any malware on the machine. What creates or evicts a way
//! in therefore takes a ceremony for exactly that act: the passkey signs a challenge derived from
//! [`BoundAction::canonical`], and the session that it yields serves that act, once.

use crate::caller::Role;
use crate::id::{ApprovalId, PairingId, PasskeyId, RecoveryId};
use crate::machine::MachineRole;
use crate::name::{DeviceName, Label, Reason, UserName};
use crate::passkey::Attachment;
use crate::time::Seconds;
use crate::token::TokenKind;

/// One act, with everything that matters about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BoundAction {
    /// Mint a bootstrap token.
    IssueToken {
        /// What the token is for.
        kind: TokenKind,
        /// The user it will sign in.
        user: UserName,
        /// The device it will enrol; an invitation may leave it to the invited.
        device: Option<DeviceName>,
        /// The invited user's role.
        role: Role,
        /// How long it can be used.
        ttl: Seconds,
        /// SHA-256 of the token's `auth` half, base64url: binds the approval to this one token.
        auth_hash: String,
    },
    /// Register another passkey.
    AddPasskey {
        /// Where it lives.
        attachment: Attachment,
        /// What the person calls it.
        label: Label,
    },
    /// Remove a passkey.
    RemovePasskey {
        /// Which one.
        passkey: PasskeyId,
    },
    /// Bind a passkey to the device that asks. Only that very passkey confirms it.
    BindPasskey {
        /// Which one.
        passkey: PasskeyId,
    },
    /// Revoke a device for ever.
    RevokeDevice {
        /// Whose it is.
        user: UserName,
        /// Which one.
        device: DeviceName,
    },
    /// Make recovery codes; those that were there stop working.
    MakeRecoveryCodes {
        /// SHA-256 over the names and hashes of the new ones, base64url: these codes and no others.
        codes_hash: String,
    },
    /// Vouch, as an administrator, for somebody who has lost every device.
    ApproveRecovery {
        /// Which recovery.
        recovery: RecoveryId,
        /// Whose account it leads into.
        user: UserName,
        /// The key of the new device (RFC 7638 thumbprint): nobody else's.
        thumbprint: String,
        /// Why.
        reason: Reason,
    },
    /// Let a new device in that this user has in front of them.
    ApproveLink {
        /// Which link.
        link: RecoveryId,
        /// Whose account it leads into.
        user: UserName,
        /// What the new device will be called.
        device: DeviceName,
        /// Its key (RFC 7638 thumbprint): nobody else's.
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
        guardian: UserName,
    },
    /// Have a guardian no longer.
    RemoveGuardian {
        /// Whom.
        guardian: UserName,
    },
    /// Vouch, as a guardian, for somebody who has lost every device.
    VouchForRecovery {
        /// Which recovery.
        recovery: RecoveryId,
        /// Whose account it leads into.
        user: UserName,
        /// The key of the new device (RFC 7638 thumbprint): nobody else's.
        thumbprint: String,
    },
    /// Change what lets oneself back in.
    SetRecoveryPlan {
        /// What will, in the words of [`Plan::words`](crate::recovery::Plan::words): plans that open
        /// alike read alike.
        ways: String,
    },
    /// Try whether a passkey works. It does nothing, and serves nothing else.
    DrillPasskey,
    /// Give somebody another role.
    SetRole {
        /// Whom.
        user: UserName,
        /// Which.
        role: Role,
    },
    /// Stop somebody's account.
    FreezeUser {
        /// Whose.
        user: UserName,
    },
    /// Let a stopped account go.
    UnfreezeUser {
        /// Whose.
        user: UserName,
    },
    /// Make a key for a machine and hand it out, once.
    ProvisionCredential {
        /// Which machine.
        device: DeviceName,
        /// What a new machine stands for; absent for one more key of a machine that is there.
        role: Option<MachineRole>,
        /// How long the key can be used.
        ttl: Seconds,
        /// How many words open its file.
        words: u8,
    },
    /// Agree, as the second person, that somebody makes a key for a machine.
    ApproveProvision {
        /// Which machine.
        device: DeviceName,
        /// What it stands for.
        role: MachineRole,
        /// Who may make the key.
        asker: UserName,
    },
    /// Revoke a machine for ever.
    RevokeMachine {
        /// Which one.
        device: DeviceName,
    },
    /// Make a code that lets one agent in, as one's own.
    IssueAgentCode {
        /// What the agent will be called; empty leaves it to the agent.
        agent: String,
        /// How long the code can be used.
        ttl: Seconds,
        /// SHA-256 of the code's secret, base64url: binds the approval to this one code.
        auth_hash: String,
    },
    /// Let an agent in as one's own that shows what this device shows.
    PairAgent {
        /// Which pairing.
        pairing: PairingId,
        /// Whose agent it becomes.
        user: UserName,
        /// What it will be called.
        agent: String,
        /// Its key (RFC 7638 thumbprint): nobody else's.
        thumbprint: String,
    },
    /// Let an agent do more than the policy allows, for an hour.
    GrantScope {
        /// Which approval.
        approval: ApprovalId,
        /// Which agent.
        agent: String,
        /// What it may do, in order.
        scope: String,
        /// Where, in order.
        audience: String,
    },
    /// Set the tenant's rules.
    SetPolicy {
        /// SHA-256 of their text, base64url: these rules and no others.
        policy_hash: String,
    },
}

impl BoundAction {
    /// The act's code, stable on the wire and in the audit.
    pub fn code(&self) -> &'static str {
        match self {
            Self::IssueToken { .. } => "issue-token",
            Self::AddPasskey { .. } => "add-passkey",
            Self::RemovePasskey { .. } => "remove-passkey",
            Self::BindPasskey { .. } => "bind-passkey",
            Self::RevokeDevice { .. } => "revoke-device",
            Self::MakeRecoveryCodes { .. } => "make-recovery-codes",
            Self::ApproveRecovery { .. } => "approve-recovery",
            Self::ApproveLink { .. } => "approve-link",
            Self::SetWaiting { .. } => "set-waiting",
            Self::NameGuardian { .. } => "name-guardian",
            Self::RemoveGuardian { .. } => "remove-guardian",
            Self::VouchForRecovery { .. } => "vouch-for-recovery",
            Self::SetRecoveryPlan { .. } => "set-recovery-plan",
            Self::DrillPasskey => "drill-passkey",
            Self::SetRole { .. } => "set-role",
            Self::FreezeUser { .. } => "freeze-user",
            Self::UnfreezeUser { .. } => "unfreeze-user",
            Self::ProvisionCredential { .. } => "provision-credential",
            Self::ApproveProvision { .. } => "approve-provision",
            Self::RevokeMachine { .. } => "revoke-machine",
            Self::IssueAgentCode { .. } => "issue-agent-code",
            Self::PairAgent { .. } => "pair-agent",
            Self::GrantScope { .. } => "grant-scope",
            Self::SetPolicy { .. } => "set-policy",
        }
    }

    /// The bytes that a passkey's challenge commits to: every field by name, each value preceded by
    /// its length, so that no two acts share an encoding.
    #[allow(clippy::too_many_lines, reason = "a table: an arm for each act")]
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = format!("landfall/action/v1\n{}\n", self.code()).into_bytes();
        let mut field = |name: &str, value: &str| {
            out.extend_from_slice(format!("{name}={}:{value}\n", value.len()).as_bytes());
        };
        match self {
            Self::IssueToken { kind, user, device, role, ttl, auth_hash } => {
                field("kind", kind.as_str());
                field("user", user.as_str());
                field("device", device.as_ref().map_or("", DeviceName::as_str));
                field("role", role.as_str());
                field("ttl_seconds", &ttl.0.to_string());
                field("auth_hash", auth_hash);
            }
            Self::AddPasskey { attachment, label } => {
                field("attachment", attachment.as_str());
                field("label", label.as_str());
            }
            Self::RemovePasskey { passkey } | Self::BindPasskey { passkey } => {
                field("passkey", passkey.as_str());
            }
            Self::RevokeDevice { user, device } => {
                field("user", user.as_str());
                field("device", device.as_str());
            }
            Self::MakeRecoveryCodes { codes_hash } => field("codes_hash", codes_hash),
            Self::ApproveRecovery { recovery, user, thumbprint, reason } => {
                field("recovery", recovery.as_str());
                field("user", user.as_str());
                field("thumbprint", thumbprint);
                field("reason", reason.as_str());
            }
            Self::ApproveLink { link, user, device, thumbprint } => {
                field("link", link.as_str());
                field("user", user.as_str());
                field("device", device.as_str());
                field("thumbprint", thumbprint);
            }
            Self::SetWaiting { allowed } => {
                field("allowed", if *allowed { "yes" } else { "no" });
            }
            Self::NameGuardian { guardian } | Self::RemoveGuardian { guardian } => {
                field("guardian", guardian.as_str());
            }
            Self::VouchForRecovery { recovery, user, thumbprint } => {
                field("recovery", recovery.as_str());
                field("user", user.as_str());
                field("thumbprint", thumbprint);
            }
            Self::SetRecoveryPlan { ways } => field("ways", ways),
            Self::DrillPasskey => {}
            Self::SetRole { user, role } => {
                field("user", user.as_str());
                field("role", role.as_str());
            }
            Self::FreezeUser { user } | Self::UnfreezeUser { user } => field("user", user.as_str()),
            Self::ProvisionCredential { device, role, ttl, words } => {
                field("device", device.as_str());
                field("role", role.as_ref().map_or("", MachineRole::as_str));
                field("ttl_seconds", &ttl.0.to_string());
                field("words", &words.to_string());
            }
            Self::ApproveProvision { device, role, asker } => {
                field("device", device.as_str());
                field("role", role.as_str());
                field("asker", asker.as_str());
            }
            Self::RevokeMachine { device } => field("device", device.as_str()),
            Self::IssueAgentCode { agent, ttl, auth_hash } => {
                field("agent", agent);
                field("ttl_seconds", &ttl.0.to_string());
                field("auth_hash", auth_hash);
            }
            Self::GrantScope { approval, agent, scope, audience } => {
                field("approval", approval.as_str());
                field("agent", agent);
                field("scope", scope);
                field("audience", audience);
            }
            Self::PairAgent { pairing, user, agent, thumbprint } => {
                field("pairing", pairing.as_str());
                field("user", user.as_str());
                field("agent", agent);
                field("thumbprint", thumbprint);
            }
            Self::SetPolicy { policy_hash } => field("policy_hash", policy_hash),
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_bytes_are_frozen() {
        let act = BoundAction::RevokeDevice {
            user: UserName::parse("bert").unwrap(),
            device: DeviceName::parse("bert-laptop").unwrap(),
        };
        assert_eq!(
            String::from_utf8(act.canonical()).unwrap(),
            "landfall/action/v1\nrevoke-device\nuser=4:bert\ndevice=11:bert-laptop\n"
        );
    }

    #[test]
    fn a_label_cannot_imitate_another_field() {
        let add = |label: &str| BoundAction::AddPasskey {
            attachment: Attachment::Roaming,
            label: Label::parse(label).unwrap(),
        };
        assert_ne!(add("x").canonical(), add("x label=1:x").canonical());
    }
}
