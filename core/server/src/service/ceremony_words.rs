//! What the audit says of ceremonies.

use super::ceremonies::Seeds;
use landfall_identity::BoundAction;
use landfall_identity::token::TokenKind;

/// What the audit says that a begin is about.
pub(super) fn about(seeds: &Seeds, act: Option<&BoundAction>) -> String {
    let ceremony = format!("{} ceremony {}", seeds.purpose.as_str(), seeds.id);
    match act {
        None => ceremony,
        Some(BoundAction::IssueToken { kind, user, device, .. }) => {
            let device = device.as_ref().map_or("any device", |device| device.as_str());
            let article = if *kind == TokenKind::Invite { "an" } else { "a" };
            format!("{ceremony}: issue {article} {} token for {device} of {user}", kind.as_str())
        }
        Some(BoundAction::AddPasskey { attachment, .. }) => {
            format!("{ceremony}: add a {} passkey", attachment.as_str())
        }
        Some(BoundAction::RemovePasskey { passkey }) => {
            format!("{ceremony}: remove passkey {passkey}")
        }
        Some(BoundAction::BindPasskey { passkey }) => format!("{ceremony}: bind passkey {passkey}"),
        Some(BoundAction::RevokeDevice { user, device }) => {
            format!("{ceremony}: revoke device {device} of {user}")
        }
        Some(BoundAction::MakeRecoveryCodes { .. }) => format!("{ceremony}: make recovery codes"),
        Some(BoundAction::ApproveRecovery { recovery, user, .. }) => {
            format!("{ceremony}: approve recovery {recovery} of {user}")
        }
        Some(BoundAction::ApproveLink { link, user, device, .. }) => {
            format!("{ceremony}: approve link {link} of {user} as {device}")
        }
        Some(BoundAction::SetWaiting { allowed }) => {
            format!("{ceremony}: waits {}", if *allowed { "on" } else { "off" })
        }
        Some(BoundAction::NameGuardian { guardian }) => {
            format!("{ceremony}: name guardian {guardian}")
        }
        Some(BoundAction::RemoveGuardian { guardian }) => {
            format!("{ceremony}: remove guardian {guardian}")
        }
        Some(BoundAction::VouchForRecovery { recovery, user, .. }) => {
            format!("{ceremony}: vouch for recovery {recovery} of {user}")
        }
        Some(BoundAction::SetRecoveryPlan { ways }) => {
            format!("{ceremony}: set one's own recovery plan: {ways}")
        }
        Some(BoundAction::DrillPasskey) => format!("{ceremony}: drill"),
        Some(BoundAction::ProvisionCredential { device, role, .. }) => {
            let role = role.as_ref().map_or("the role it has", |role| role.as_str());
            format!("{ceremony}: a key for machine {device} at {role}")
        }
        Some(BoundAction::ApproveProvision { device, role, asker }) => {
            format!("{ceremony}: agree that {asker} makes a key for machine {device} at {role}")
        }
        Some(BoundAction::RevokeMachine { device }) => {
            format!("{ceremony}: revoke machine {device}")
        }
        Some(BoundAction::FreezeUser { user }) => format!("{ceremony}: stop the account of {user}"),
        Some(BoundAction::UnfreezeUser { user }) => format!("{ceremony}: let {user} work again"),
        Some(BoundAction::SetRole { user, role }) => {
            format!("{ceremony}: role of {user}: {}", role.as_str())
        }
        Some(BoundAction::IssueAgentCode { agent, .. }) => {
            format!("{ceremony}: issue a code for the agent {agent}")
        }
        Some(BoundAction::GrantScope { approval, agent, scope, .. }) => {
            format!("{ceremony}: allow {agent} {scope} by approval {approval}")
        }
        Some(BoundAction::PairAgent { pairing, agent, .. }) => {
            format!("{ceremony}: pair agent {agent} in {pairing}")
        }
        Some(BoundAction::SetPolicy { policy_hash }) => {
            format!("{ceremony}: the tenant's rules, {policy_hash:.64}")
        }
    }
}
