//! Where a recovery stands, and what follows from it alone.

use crate::ceremony::{Ceremony, Purpose};
use crate::io::{Call, Door, KeyRef, Reply};
use crate::view::{FlowAbout, FlowName, FlowStepId};
use landfall_identity::id::{CeremonyId, RecoveryId};
use landfall_protocol::{ErrorCode, Problem};
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// Nothing has happened; the person reads.
    Confirm,
    /// A key is being made, or found again.
    MakingKey,
    /// It signs its certificate request.
    Signing { key: KeyRef },
    /// The server is told whose device this shall be.
    Beginning { key: KeyRef, csr: String },
    /// The code is shown.
    Proving { key: KeyRef, recovery: RecoveryId },
    /// A passkey is shown. Never on disk: a ceremony can always be begun again.
    ShowingPasskey { key: KeyRef, recovery: RecoveryId, ceremony: Box<Ceremony<ShowPasskey>> },
    /// The server is asked to mail a code.
    Asking { key: KeyRef, recovery: RecoveryId },
    /// The mailed code is shown.
    ShowingMailed { key: KeyRef, recovery: RecoveryId },
    /// The server is asked how it stands.
    Looking { key: KeyRef, recovery: RecoveryId },
    /// The waiting period is asked for.
    AskingToWait { key: KeyRef, recovery: RecoveryId },
    /// Somebody must approve, or time must pass.
    Waiting { key: KeyRef, recovery: RecoveryId },
    /// The certificate is asked for.
    Completing { key: KeyRef, recovery: RecoveryId, again: bool },
    /// The recovery is over; the key asks for a renewal, in case the last answer was lost.
    Renewing { key: KeyRef, over: Problem },
    /// This machine has its identity.
    Kept { key: KeyRef },
    /// It went wrong. With `resume`, `begin` goes on from there.
    Failed { problem: Problem, resume: Option<Box<State>> },
}

/// What the person wants of the door by mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ByMail {
    /// Nothing, or it was done.
    #[default]
    Nothing,
    /// A code shall be mailed.
    Ask,
    /// They have typed one that was not shown to the server yet.
    Show,
}

pub(crate) const STEPS: [FlowStepId; 6] = [
    FlowStepId::Confirm,
    FlowStepId::MakeKey,
    FlowStepId::Introduce,
    FlowStepId::Prove,
    FlowStepId::AskServer,
    FlowStepId::Keep,
];

/// A passkey shown on a bare machine: the ceremony that every passkey takes, in messages of the
/// recovery's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShowPasskey {
    pub(crate) key: KeyRef,
    pub(crate) recovery: RecoveryId,
    pub(crate) about: FlowAbout,
}

impl Purpose for ShowPasskey {
    const NAME: FlowName = FlowName::Recover;

    fn begin(&self, by: Door) -> Call {
        let Self { key, recovery, .. } = self.clone();
        Call::BeginRecoverPasskey { key, recovery, by }
    }

    fn redeem(&self, ceremony: CeremonyId, completion: String) -> Call {
        let Self { key, recovery, .. } = self.clone();
        Call::RedeemRecoverPasskey { key, recovery, ceremony, completion }
    }

    fn ends(reply: &Reply) -> bool {
        matches!(reply, Reply::Recovery(_))
    }

    fn about(&self) -> FlowAbout {
        self.about.clone()
    }
}

/// Said as soon as the server says so, and not when everything else is done.
pub(crate) fn name_taken() -> Problem {
    let detail =
        "Device names are given once, and this one was. Choose another; what you have shown stays.";
    Problem::new(ErrorCode::DeviceNameTaken, detail)
}

/// Whether another code may do what this one did not.
pub(crate) fn is_about_the_code(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::RecoveryCodeWrong
            | ErrorCode::RecoveryCodeUsed
            | ErrorCode::RecoveryCodeReplaced
    )
}

/// Where a failure can go on from: everywhere but where the server called it over.
pub(crate) fn resume_point(state: &State, code: ErrorCode) -> Option<State> {
    if matches!(code, ErrorCode::RecoveryOver | ErrorCode::RecoveryStopped | ErrorCode::KeyInUse) {
        return None;
    }
    match state.clone() {
        State::Confirm | State::Failed { .. } => None,
        State::Proving { key, recovery }
        | State::Asking { key, recovery }
        | State::ShowingMailed { key, recovery }
        | State::Looking { key, recovery }
        | State::AskingToWait { key, recovery }
        | State::ShowingPasskey { key, recovery, .. } => Some(State::Waiting { key, recovery }),
        State::Completing { key, recovery, .. } => {
            Some(State::Completing { key, recovery, again: true })
        }
        state => Some(state),
    }
}

pub(crate) fn step_of(state: &State) -> Option<FlowStepId> {
    Some(match state {
        State::Confirm => FlowStepId::Confirm,
        State::MakingKey => FlowStepId::MakeKey,
        State::Beginning { .. } => FlowStepId::Introduce,
        State::Proving { .. }
        | State::ShowingPasskey { .. }
        | State::Asking { .. }
        | State::ShowingMailed { .. }
        | State::Looking { .. }
        | State::AskingToWait { .. }
        | State::Waiting { .. } => FlowStepId::Prove,
        State::Completing { .. } | State::Renewing { .. } => FlowStepId::AskServer,
        State::Signing { .. } | State::Kept { .. } | State::Failed { .. } => return None,
    })
}

pub(crate) fn key_of(state: &State) -> Option<&KeyRef> {
    match state {
        State::Confirm | State::MakingKey => None,
        State::Signing { key }
        | State::Beginning { key, .. }
        | State::Proving { key, .. }
        | State::ShowingPasskey { key, .. }
        | State::Asking { key, .. }
        | State::ShowingMailed { key, .. }
        | State::Looking { key, .. }
        | State::AskingToWait { key, .. }
        | State::Waiting { key, .. }
        | State::Completing { key, .. }
        | State::Renewing { key, .. }
        | State::Kept { key } => Some(key),
        State::Failed { resume, .. } => resume.as_deref().and_then(key_of),
    }
}
