//! Exit codes that scripts can use.

use landfall_client::{Failure, Remedy};
use landfall_protocol::ErrorCode;
use std::process::ExitCode;

/// The exit codes, and what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Exit {
    Usage = 2,
    SignIn = 3,
    StepUp = 4,
    Refused = 5,
    NotFound = 6,
    Conflict = 7,
    Network = 8,
    Server = 9,
    Update = 10,
    Machine = 11,
}

/// What was typed is wrong.
pub fn usage() -> ExitCode {
    ExitCode::from(Exit::Usage as u8)
}

/// The exit code for a failure.
pub fn code_of(failure: &Failure) -> ExitCode {
    code_for(failure.code())
}

/// The exit code for what is wrong.
pub fn code_for(code: ErrorCode) -> ExitCode {
    ExitCode::from(exit_of(code) as u8)
}

/// Whether it did not happen because nobody used a passkey that serves.
pub fn is_for_want_of_a_passkey(code: ErrorCode) -> bool {
    use ErrorCode as C;
    matches!(code, C::NoPasskey | C::PasskeysUnavailable | C::CeremonyOver)
        || exit_of(code) == Exit::StepUp
}

fn exit_of(code: ErrorCode) -> Exit {
    use ErrorCode as C;
    match code {
        C::NotFound | C::CeremonyOver | C::LinkUnknown | C::ApprovalOver => {
            return Exit::NotFound;
        }
        C::ServerUnreachable | C::ServerNotTrusted => return Exit::Network,
        C::NoProfile => return Exit::SignIn,
        C::ProfileExists => return Exit::Conflict,
        C::Cancelled | C::LinkTampered | C::AuditProofFalse => return Exit::Refused,
        // What was typed is well formed, and the answer is no.
        C::RecoveryOver | C::CheckCodeWrong => return Exit::Refused,
        C::StepUpRequired | C::BrowserUnavailable | C::SecurityKeyUnusable => return Exit::StepUp,
        C::StateUnwritable
        | C::StateExposed
        | C::StateDamaged
        | C::StateBusy
        | C::OutputUnwritable => {
            return Exit::Machine;
        }
        _ => {}
    }
    match (code.status(), Remedy::of(code)) {
        (409, _) => Exit::Conflict,
        (500.., _) => Exit::Server,
        (_, Remedy::UpdateApp) => Exit::Update,
        (401, _) => Exit::SignIn,
        (_, Remedy::StepUp) => Exit::StepUp,
        (403 | 429, _) => Exit::Refused,
        (_, Remedy::EnrollAgain) => Exit::SignIn,
        _ => Exit::Usage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_can_tell_what_happened() {
        for (code, exit) in [
            (ErrorCode::InvalidField, Exit::Usage),
            (ErrorCode::InputNeeded, Exit::Usage),
            (ErrorCode::TokenMistyped, Exit::Usage),
            (ErrorCode::SessionOver, Exit::SignIn),
            (ErrorCode::DeviceRevoked, Exit::SignIn),
            (ErrorCode::TokenUsed, Exit::SignIn),
            (ErrorCode::StepUpRequired, Exit::StepUp),
            (ErrorCode::StepUpSpent, Exit::StepUp),
            (ErrorCode::Forbidden, Exit::Refused),
            (ErrorCode::Probation, Exit::Refused),
            (ErrorCode::RecoveryOver, Exit::Refused),
            (ErrorCode::CheckCodeWrong, Exit::Refused),
            (ErrorCode::AuditProofFalse, Exit::Refused),
            (ErrorCode::RateLimited, Exit::Refused),
            (ErrorCode::NotFound, Exit::NotFound),
            (ErrorCode::UserExists, Exit::Conflict),
            (ErrorCode::LastPasskey, Exit::Conflict),
            (ErrorCode::ServerUnreachable, Exit::Network),
            (ErrorCode::ServerNotTrusted, Exit::Network),
            (ErrorCode::Internal, Exit::Server),
            (ErrorCode::Unavailable, Exit::Server),
            (ErrorCode::UpdateNeeded, Exit::Update),
            (ErrorCode::TokenTooNew, Exit::Update),
            (ErrorCode::StateUnwritable, Exit::Machine),
            (ErrorCode::StateBusy, Exit::Machine),
            (ErrorCode::OutputUnwritable, Exit::Machine),
        ] {
            assert_eq!(exit_of(code), exit, "{code}");
        }
    }

    #[test]
    fn a_failure_never_looks_like_success() {
        for code in ErrorCode::ALL {
            assert!(exit_of(*code) as u8 >= 2, "{code}");
        }
    }
}
