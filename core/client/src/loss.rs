//! What to say when the answer to a request that went out was lost: "nothing was changed" only where
//! that is certain.

use crate::texts;
use landfall_identity::Action;

/// What becomes of an act whose answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// It changes nothing that anybody would miss: reading, and beginning what ends by itself.
    Nothing,
    /// It may be done. The same again finds what is there, and does nothing twice.
    Again,
    /// It may be done. The command that shows it, where there is one.
    Look(Option<&'static str>),
}

impl Loss {
    /// Of an act that is sent with a method other than GET.
    pub(crate) fn of(action: Action) -> Self {
        use Action as A;
        Self::Look(Some(match action {
            // They begin something, or show who is there.
            A::BeginStepUp | A::RedeemStepUp | A::RegisterPasskey => return Self::Nothing,
            A::FindLink | A::FindAgentPairing | A::DrillPasskey => return Self::Nothing,
            A::DrillRecoveryCode | A::AdminTryPolicy => return Self::Nothing,
            A::FreezeAccount | A::UnfreezeAccount | A::SuspendThisDevice => "landfall whoami",
            A::SuspendDevice | A::ResumeDevice | A::RevokeDevice | A::RenameDevice => {
                "landfall device list"
            }
            A::ApproveLink => "landfall device list",
            A::AdminSuspendDevice | A::AdminResumeDevice | A::AdminRevokeDevice => {
                "landfall admin devices` or `landfall admin provisioned list"
            }
            A::ProvisionCredential | A::DisableKey | A::EnableKey => {
                "landfall admin provisioned list"
            }
            A::AdminFreezeUser | A::AdminUnfreezeUser | A::AdminSetRole => "landfall admin users",
            A::IssueToken | A::IssueInvite | A::CancelToken => "landfall token list",
            A::RedeemPasskey | A::RenamePasskey | A::BindPasskey | A::RemovePasskey => {
                "landfall webauthn list"
            }
            A::WriteSecret | A::DeleteSecret => "landfall secret list",
            A::DeleteSecretVersion => "landfall secret versions NAME",
            A::MakeRecoveryCodes => "landfall recovery codes list",
            A::SetRecoveryPlan => "landfall recovery plan show",
            A::AllowWaiting | A::ForbidWaiting => "landfall recovery waiting show",
            A::NameGuardian | A::RemoveGuardian => "landfall recovery guardians list",
            A::AcceptWard | A::LeaveWard | A::VouchForWard => "landfall recovery wards list",
            A::ObjectToRecovery => "landfall recovery list",
            A::AdminApproveRecovery | A::AdminRefuseRecovery => "landfall admin recoveries list",
            A::AddAddress | A::ConfirmAddress | A::RemoveAddress => "landfall notices addresses",
            A::RevokeAgent | A::ApproveAgentPairing | A::AdminRevokeAgent => "landfall agent list",
            A::AdminSetPolicy => "landfall admin policy show",
            A::AdminAddWorkloadIssuer | A::AdminRemoveWorkloadIssuer => {
                "landfall admin workload-issuers list"
            }
            _ => return Self::Look(None),
        }))
    }

    /// What happened, and what to do next.
    pub(crate) fn told(self) -> String {
        match self {
            Self::Nothing => texts::UNREACHABLE.to_owned(),
            Self::Again => texts::ANSWER_LOST_AGAIN.to_owned(),
            Self::Look(None) => texts::ANSWER_LOST.to_owned(),
            Self::Look(Some(command)) => texts::answer_lost(command),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_done_is_never_called_unchanged() {
        for action in [
            Action::FreezeAccount,
            Action::SuspendDevice,
            Action::IssueToken,
            Action::MakeRecoveryCodes,
            Action::GrantApproval,
        ] {
            let told = Loss::of(action).told();
            assert!(told.contains("may have been done") && told.contains("Look first"), "{told}");
            assert!(!told.contains("Nothing was changed"), "{told}");
        }
        let told = Loss::of(Action::IssueInvite).told();
        assert!(told.contains("`landfall token list`"), "{told}");
        assert!(Loss::of(Action::BeginStepUp).told().contains("Nothing was changed"));
    }
}
