//! What helps against an error.

use landfall_protocol::ErrorCode;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a person, or a program, can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub enum Remedy {
    /// The same again, a little later.
    Retry,
    /// Something that was entered, or chosen, must change.
    CheckInput,
    /// Open a session.
    SignIn,
    /// Use the passkey.
    StepUp,
    /// This machine needs a new code.
    EnrollAgain,
    /// Somebody else must do something: an administrator, or whoever runs the server.
    AskOperator,
    /// One of the two programs is too old.
    UpdateApp,
    /// It is our fault.
    Report,
}

impl Remedy {
    /// Every remedy.
    pub const ALL: [Self; 8] = [
        Self::Retry,
        Self::CheckInput,
        Self::SignIn,
        Self::StepUp,
        Self::EnrollAgain,
        Self::AskOperator,
        Self::UpdateApp,
        Self::Report,
    ];

    /// What helps against `code`. Exhaustive on purpose: a new code must be thought about here.
    #[allow(clippy::too_many_lines, reason = "a table: an arm for each group of codes")]
    pub const fn of(code: ErrorCode) -> Self {
        use ErrorCode as C;
        match code {
            C::MalformedRequest | C::UnknownField | C::MethodNotAllowed => Self::UpdateApp,
            C::UnsupportedMediaType | C::OriginRefused => Self::Report,
            C::InvalidField | C::BodyTooLarge | C::HeadersTooLarge | C::NotFound => {
                Self::CheckInput
            }

            C::CertificateRequired | C::NotEnrolled | C::DeviceRevoked => Self::EnrollAgain,
            C::CertificateExpired => Self::Retry,
            C::DeviceSuspended | C::AccountFrozen | C::FrozenByAdmin => Self::AskOperator,
            C::SessionRequired | C::SessionOver | C::SessionOfAnotherKey => Self::SignIn,

            C::Forbidden => Self::AskOperator,
            C::StepUpRequired | C::StepUpForAnotherAct | C::StepUpSpent => Self::StepUp,
            C::Probation | C::FactorOnTarget => Self::AskOperator,

            C::TokenInvalid | C::TokenExpired | C::TokenUsed | C::TokenCancelled => {
                Self::EnrollAgain
            }
            C::TokenNamesAnother | C::NameMissing | C::TtlNotAllowed => Self::CheckInput,
            C::UserExists | C::DeviceNameTaken | C::AlreadyClaimed => Self::CheckInput,

            C::CsrMalformed | C::CsrSignature | C::KeyUnsupported => Self::Report,
            C::KeyInUse | C::SignatureInvalid | C::RenewalTooLate => Self::EnrollAgain,
            C::ClockSkew => Self::CheckInput,

            C::CeremonyOver | C::CeremonyPending | C::CompletionWrong => Self::StepUp,
            C::PasskeyRefused | C::WrongAttachment => Self::StepUp,
            C::PasskeyModelRefused => Self::AskOperator,
            C::PasskeySuspicious | C::NoPasskey | C::PasskeysUnavailable => Self::AskOperator,
            C::PasskeyRegistered | C::LastPasskey => Self::CheckInput,

            C::RecoveryCodeWrong
            | C::RecoveryCodeUsed
            | C::RecoveryCodeReplaced
            | C::RecoveryCodeMistyped
            | C::MailedCodeWrong
            | C::CheckCodeWrong => Self::CheckInput,
            C::RecoveryOver | C::RecoveryStopped | C::RecoveryUnproved => Self::AskOperator,
            C::RecoveryHeld => Self::Retry,
            C::LinkUnknown => Self::CheckInput,
            C::LinkTaken | C::LinkOutOfTurn | C::LinkTampered | C::AuditProofFalse => {
                Self::AskOperator
            }
            C::RecoveryUnheard | C::RecoveryContested => Self::AskOperator,
            C::SuccessorMissing => Self::UpdateApp,
            C::PlanLocksOut => Self::CheckInput,
            C::LastAdmin => Self::AskOperator,

            C::TooManyGuardians => Self::CheckInput,

            C::TooManySecrets | C::TooManyVersions => Self::CheckInput,

            C::MailUnavailable => Self::AskOperator,
            C::TooManyAddresses | C::AddressCodeWrong | C::AddressCodeOver | C::LinkOver => {
                Self::CheckInput
            }

            C::CredentialExpired | C::CredentialClaimed | C::SecondPersonNeeded => {
                Self::AskOperator
            }

            C::WorkloadTokenInvalid | C::WorkloadTokenElsewhere | C::WorkloadTokenUsed => {
                Self::CheckInput
            }
            C::WorkloadTokenExpired | C::WorkloadTokenEarly | C::WorkloadTokenTooLong => {
                Self::CheckInput
            }
            C::WorkloadTokenUnreadable | C::WorkloadSocketUnusable | C::ProgramUnusable => {
                Self::CheckInput
            }
            C::WorkloadIssuerExists | C::TooManyWorkloadIssuers => Self::CheckInput,
            C::WorkloadUnknown | C::WorkloadsUnavailable | C::WorkloadIssuerConfigured => {
                Self::AskOperator
            }
            C::WorkloadChanged => Self::AskOperator,
            C::WorkloadKeysUnavailable => Self::Retry,

            C::RateLimited | C::Busy | C::Unavailable => Self::Retry,
            C::ClockJumped => Self::AskOperator,
            C::Internal => Self::Report,

            C::TokenUnreadable
            | C::TokenMistyped
            | C::PassphraseWrong
            | C::CredentialUnreadable => Self::CheckInput,
            C::TokenTooNew | C::UpdateNeeded => Self::UpdateApp,
            C::ServerUnreachable => Self::Retry,
            C::ServerNotTrusted => Self::AskOperator,
            C::AnswerUnreadable => Self::UpdateApp,
            C::NoProfile => Self::EnrollAgain,
            C::ProfileExists | C::StateUnwritable | C::StateExposed => Self::CheckInput,
            C::StateDamaged => Self::EnrollAgain,
            C::StateBusy => Self::Retry,
            C::KeyUnavailable => Self::EnrollAgain,
            C::BrowserUnavailable | C::SecurityKeyUnusable => Self::CheckInput,
            C::OutputUnwritable | C::InputNeeded | C::Cancelled => Self::CheckInput,

            C::AgentSignature | C::AgentNested => Self::Report,
            C::AgentUnowned => Self::AskOperator,
            C::AgentUnknown | C::AgentRevoked | C::AgentUnvouched => Self::EnrollAgain,
            C::AgentHeld | C::AgentDoorOff | C::AgentServerDiffers => Self::AskOperator,
            C::AgentDoorShut | C::AgentCodeWrong | C::AgentIdTaken => Self::CheckInput,
            C::AgentKeyKnown | C::AgentKeyRefused | C::TooManyAgents => Self::CheckInput,
            C::PairingUnknown | C::PairingOver | C::ApprovalOver => Self::CheckInput,
            C::CapabilityTooWide | C::CapabilityInvalid | C::CapabilityAllowed => Self::AskOperator,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_remedy_helps_against_something() {
        let used: HashSet<_> = ErrorCode::ALL.iter().map(|code| Remedy::of(*code)).collect();
        assert_eq!(used.len(), Remedy::ALL.len());
    }

    #[test]
    fn sign_in_step_up_and_never_are_told_apart() {
        assert_eq!(Remedy::of(ErrorCode::SessionOver), Remedy::SignIn);
        assert_eq!(Remedy::of(ErrorCode::StepUpRequired), Remedy::StepUp);
        assert_eq!(Remedy::of(ErrorCode::Forbidden), Remedy::AskOperator);
        assert_eq!(Remedy::of(ErrorCode::DeviceRevoked), Remedy::EnrollAgain);
    }
}
