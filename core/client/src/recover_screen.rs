//! Recovery as a window shows it: each call goes as far as it can and answers with all that is shown.
//! Nothing is kept in memory between calls; a window that is closed goes on where it stopped.

use crate::client::Client;
use crate::failure::Failure;
use crate::recover::{RecoverRequest, Recovering, check_code, is_passing};
use crate::recovery_codes::read_recovery_code;
use crate::screen::{device_name, user_name};
use crate::shell::Shell;
use crate::state::PendingRecovery;
use landfall_crypto::recovery_code::RecoveryCode;
use landfall_crypto::server_line::ServerLine;
use landfall_crypto::token::Trust;
use landfall_flows::{
    Flow, FlowNext, RecoveryChange, RecoveryHere, RecoveryPreview, RecoveryStage, RecoveryTyped,
};
use landfall_identity::DeviceName;
use landfall_protocol::{ErrorCode, Problem};

const SERVER_LINE: &str = "It is the line under “Server” on the sheet: https:// and the server's name, and on most sheets a # and 13 groups of four characters. Type all of it; small letters are fine. Nothing was sent.";

/// The field that the server names when there is no lost device of that name.
const LOST_FIELD: &str = "suspend";

impl Client {
    /// What a sheet and its person say, as typed; names that are still missing are left out. Asks
    /// nobody.
    ///
    /// # Errors
    /// `invalid-field`, `recovery-code-mistyped`.
    pub fn read_sheet(&self, typed: &RecoveryTyped) -> Result<RecoveryPreview, Failure> {
        let line = server_line(&typed.server)?;
        given(Some(&typed.device)).map(device_name).transpose()?;
        lost_name(typed.lost.as_deref())?;
        Ok(RecoveryPreview {
            server: line.url.origin().ascii_serialization(),
            pinned: matches!(line.trust, Trust::Pin(_)),
            user: user_name(&typed.user)?,
            code: given(typed.code.as_deref()).map(read_recovery_code).transpose()?.is_some(),
        })
    }

    /// Begins a recovery on this machine and goes as far as it can. What goes wrong on the way is in
    /// the answer; it is kept, and goes on.
    ///
    /// # Errors
    /// What is wrong with the texts or with this machine, before anything is sent.
    pub async fn recover_here(
        &self,
        typed: &RecoveryTyped,
        shell: &dyn Shell,
    ) -> Result<RecoveryHere, Failure> {
        let _turn = self.recovery_turn().await;
        let recovering = self.recover(RecoverRequest {
            server: server_line(&typed.server)?,
            user: user_name(&typed.user)?,
            device: device_name(&typed.device)?,
            label: None,
            lost: lost_name(typed.lost.as_deref())?,
            code: given(typed.code.as_deref()).map(read_recovery_code).transpose()?,
            replace: false,
        })?;
        self.run_here(recovering, shell).await
    }

    /// The recovery that is under way here, as it was when it was looked at last. Asks nobody.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn recovery_here(&self) -> Result<Option<RecoveryHere>, Failure> {
        Ok(self.home().pending_recovery()?.map(|pending| self.here(&pending)))
    }

    /// Goes on with the recovery that is under way here, after what the person changed, or to see how
    /// it stands. `None` when there is none any more.
    ///
    /// # Errors
    /// What is wrong with the texts or with this machine, before anything is sent.
    pub async fn recovery_go_on(
        &self,
        change: Option<&RecoveryChange>,
        shell: &dyn Shell,
    ) -> Result<Option<RecoveryHere>, Failure> {
        let _turn = self.recovery_turn().await;
        let change = change.map(Changed::read).transpose()?;
        let Some(mut recovering) = self.resume_recovery()? else { return Ok(None) };
        match change {
            Some(Changed::Code(code)) => recovering.give_code(&code)?,
            Some(Changed::Device(device)) => recovering.rename(device),
            Some(Changed::Lost(lost)) => recovering.lose(lost),
            None => {}
        }
        self.run_here(recovering, shell).await.map(Some)
    }

    /// The person is in and has the new code on paper: nothing of this is kept any longer.
    ///
    /// # Errors
    /// `recovery-unproved` while it is not over; `state-unwritable`.
    pub async fn recovery_seen(&self) -> Result<(), Failure> {
        let _turn = self.recovery_turn().await;
        match self.resume_recovery()? {
            Some(recovering) if recovering.view().next == FlowNext::Finished => recovering.finish(),
            Some(_) => Err(Failure::new(ErrorCode::RecoveryUnproved, NOT_OVER)),
            None => Ok(()),
        }
    }

    /// The person goes another way: what is under way here is forgotten, with its key. On the server it
    /// ends by itself.
    ///
    /// # Errors
    /// `state-unwritable`.
    pub async fn recovery_drop(&self) -> Result<(), Failure> {
        let _turn = self.recovery_turn().await;
        let Some(recovering) = self.resume_recovery()? else { return Ok(()) };
        let key = recovering.pending.flow.facts().key.clone();
        recovering.finish()?;
        self.delete_key_unless_used(&key);
        Ok(())
    }

    async fn run_here(
        &self,
        mut recovering: Recovering,
        shell: &dyn Shell,
    ) -> Result<RecoveryHere, Failure> {
        let ran = recovering.run(shell).await;
        // A failure of the flow itself is part of the view; any other is told.
        match ran {
            Err(failure) if recovering.pending.flow.problem().is_none() => Err(failure),
            _ => Ok(self.here(&recovering.pending)),
        }
    }

    fn here(&self, pending: &PendingRecovery) -> RecoveryHere {
        let view = pending.flow.view(self.ambient().now());
        let finished = view.next == FlowNext::Finished;
        let grant = || self.profile().ok()?.grant.map(|grant| grant.expires_at);
        RecoveryHere {
            stage: stage(&view.next, pending.flow.problem(), pending.flow.status().is_some()),
            lost: pending.flow.facts().lost.clone(),
            check_code: check_code(pending),
            status: pending.flow.status().cloned(),
            new_code: pending.successor.as_ref().filter(|_| finished).map(|code| code.to_string()),
            passkey_until: finished.then(grant).flatten(),
            flow: view,
        }
    }
}

const NOT_OVER: &str = "This machine is not in yet, so what is kept of the recovery is needed.";

/// What a person can do: the flow says whether it goes on, the problem what would help.
fn stage(next: &FlowNext, problem: Option<&Problem>, known: bool) -> RecoveryStage {
    let code = problem.map(|problem| problem.code);
    match (next, code) {
        (FlowNext::Finished, _) => RecoveryStage::In,
        (FlowNext::StartOver, _) => RecoveryStage::Over,
        (FlowNext::AwaitOthers { .. }, _) => RecoveryStage::Waiting,
        (FlowNext::TryAgain, Some(code)) if known && is_passing(code) => RecoveryStage::Waiting,
        (
            _,
            Some(
                ErrorCode::RecoveryCodeWrong
                | ErrorCode::RecoveryCodeUsed
                | ErrorCode::RecoveryCodeReplaced,
            ),
        ) => RecoveryStage::OtherCode,
        (_, Some(ErrorCode::DeviceNameTaken)) => RecoveryStage::OtherDevice,
        (_, Some(ErrorCode::InvalidField)) if is_about_the_lost(problem) => {
            RecoveryStage::OtherLost
        }
        _ => RecoveryStage::Paused,
    }
}

fn is_about_the_lost(problem: Option<&Problem>) -> bool {
    problem.and_then(|problem| problem.field.as_deref()) == Some(LOST_FIELD)
}

enum Changed {
    Code(RecoveryCode),
    Device(DeviceName),
    Lost(Option<DeviceName>),
}

impl Changed {
    fn read(change: &RecoveryChange) -> Result<Self, Failure> {
        Ok(match change {
            RecoveryChange::Code { code } => Self::Code(read_recovery_code(code)?),
            RecoveryChange::Device { device } => Self::Device(device_name(device)?),
            RecoveryChange::Lost { lost } => Self::Lost(lost_name(lost.as_deref())?),
        })
    }
}

fn server_line(typed: &str) -> Result<ServerLine, Failure> {
    let invalid = |_| Failure::new(ErrorCode::InvalidField, SERVER_LINE).about("server");
    ServerLine::parse(typed).map_err(invalid)
}

fn lost_name(typed: Option<&str>) -> Result<Option<DeviceName>, Failure> {
    given(typed).map(device_name).transpose()
}

/// A field that was left empty was not given.
fn given(typed: Option<&str>) -> Option<&str> {
    typed.map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(code: ErrorCode, field: Option<&str>) -> Problem {
        let problem = Problem::new(code, "why");
        Problem { field: field.map(str::to_owned), ..problem }
    }

    fn stage_of(code: ErrorCode, field: Option<&str>) -> RecoveryStage {
        stage(&FlowNext::TryAgain, Some(&problem(code, field)), true)
    }

    #[test]
    fn what_can_be_typed_anew_is_asked_for() {
        assert_eq!(stage_of(ErrorCode::RecoveryCodeUsed, None), RecoveryStage::OtherCode);
        assert_eq!(stage_of(ErrorCode::DeviceNameTaken, None), RecoveryStage::OtherDevice);
        let lost = Some(LOST_FIELD);
        assert_eq!(stage_of(ErrorCode::InvalidField, lost), RecoveryStage::OtherLost);
        assert_eq!(stage_of(ErrorCode::InvalidField, Some("device")), RecoveryStage::Paused);
    }

    #[test]
    fn a_network_that_is_away_stops_no_wait_but_a_beginning() {
        let away = problem(ErrorCode::ServerUnreachable, None);
        assert_eq!(stage(&FlowNext::TryAgain, Some(&away), true), RecoveryStage::Waiting);
        assert_eq!(stage(&FlowNext::TryAgain, Some(&away), false), RecoveryStage::Paused);
        assert_eq!(stage(&FlowNext::StartOver, Some(&away), true), RecoveryStage::Over);
    }

    #[test]
    fn empty_fields_are_not_given() {
        assert_eq!(lost_name(Some("  ")).unwrap(), None);
        assert!(lost_name(Some("no name")).is_err());
        assert!(server_line("id.harbour.example").is_err());
    }
}
