//! Recoveries as their account's owner, and administrators, see and end them, or vouch for them.

use crate::ask::Ask;
use crate::client::Client;
use crate::failure::Failure;
use crate::shell::Shell;
use crate::texts;
use landfall_crypto::recovery_code::device_check;
use landfall_identity::id::RecoveryId;
use landfall_identity::{Action, Reason};
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::recovery::{RecoveryApproveRequest, RecoveryInfo};
use landfall_protocol::{ErrorCode, paths};

impl Client {
    /// Recoveries of one's own account that are under way.
    ///
    /// # Errors
    /// What the server says.
    pub async fn recoveries(&self) -> Result<Vec<RecoveryInfo>, Failure> {
        self.ask_all(Action::ListRecoveries, paths::RECOVERIES, &[]).await
    }

    /// "That is not me": ends a recovery of one's own account.
    ///
    /// # Errors
    /// What the server says.
    pub async fn stop_recovery(&self, id: &RecoveryId) -> Result<RecoveryInfo, Failure> {
        let path = paths::fill(paths::RECOVERY_OBJECT, &[id.as_str()]);
        self.ask(Ask::post(Action::ObjectToRecovery, path)).await
    }

    /// Who in the tenant is on their way back in.
    ///
    /// # Errors
    /// What the server says; `forbidden` for anybody but administrators.
    pub async fn admin_recoveries(&self) -> Result<Vec<RecoveryInfo>, Failure> {
        self.ask_all(Action::AdminListRecoveries, paths::ADMIN_RECOVERIES, &[]).await
    }

    /// The recovery whose new machine shows these characters: what is read out names it, however many others
    /// somebody has begun.
    ///
    /// # Errors
    /// `not-found` when no machine shows them; else what the server says.
    pub async fn admin_recovery_that_shows(
        &self,
        check_code: &str,
    ) -> Result<RecoveryInfo, Failure> {
        the_one_that_shows(check_code, self.admin_recoveries().await?, texts::NO_MACHINE_SHOWS)
    }

    /// Vouches for somebody, after the administrator has typed what the new machine shows and has
    /// approved exactly this.
    ///
    /// # Errors
    /// `check-code-wrong` when it is another machine that asks; else what the server says.
    pub async fn admin_approve_recovery(
        &self,
        id: &RecoveryId,
        check_code: &str,
        reason: Reason,
        shell: &dyn Shell,
    ) -> Result<RecoveryInfo, Failure> {
        let queue = self.admin_recoveries().await?;
        let missing = || Failure::new(ErrorCode::NotFound, texts::NO_SUCH_RECOVERY);
        let found = queue.into_iter().find(|info| info.id == *id).ok_or_else(missing)?;
        is_what_it_shows(check_code, &found)?;
        let act = BoundActBody::ApproveRecovery {
            recovery: found.id.clone(),
            user: found.user,
            thumbprint: found.thumbprint,
            reason: reason.clone(),
        };
        let session = self.step_up(Some(act), None, shell).await?;
        let path = paths::fill(paths::ADMIN_RECOVERY_APPROVE, &[id.as_str()]);
        let ask = Ask::post(Action::AdminApproveRecovery, path);
        self.ask(ask.json(&RecoveryApproveRequest { reason })?.bound_to(session)).await
    }

    /// Ends a recovery, as an administrator.
    ///
    /// # Errors
    /// What the server says.
    pub async fn admin_refuse_recovery(&self, id: &RecoveryId) -> Result<RecoveryInfo, Failure> {
        let path = paths::fill(paths::ADMIN_RECOVERY_REFUSE, &[id.as_str()]);
        self.ask(Ask::post(Action::AdminRefuseRecovery, path)).await
    }
}

/// What the new machine of a recovery shows, computed here from its key and never sent.
pub fn check_code_of(info: &RecoveryInfo) -> String {
    device_check(&info.id, &info.thumbprint)
}

/// Whether it was read out to whoever vouches, by the very machine that asks.
pub(crate) fn is_what_it_shows(typed: &str, info: &RecoveryInfo) -> Result<(), Failure> {
    match plain(typed) == plain(&check_code_of(info)) {
        true => Ok(()),
        false => Err(Failure::new(ErrorCode::CheckCodeWrong, texts::CHECK_CODE_WRONG)),
    }
}

/// The recovery whose machine shows these characters. Two that do are nobody's to choose between.
pub(crate) fn the_one_that_shows(
    typed: &str,
    queue: Vec<RecoveryInfo>,
    none: &str,
) -> Result<RecoveryInfo, Failure> {
    let mut found = queue.into_iter().filter(|info| is_what_it_shows(typed, info).is_ok());
    match (found.next(), found.next()) {
        (Some(info), None) => Ok(info),
        (None, _) => Err(Failure::new(ErrorCode::NotFound, none)),
        (Some(_), Some(_)) => Err(Failure::new(ErrorCode::CheckCodeWrong, texts::TWO_SHOW_IT)),
    }
}

/// As typed over a phone: case, dashes and spaces do not matter, nor does the letter O for a zero.
fn plain(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_ascii_alphanumeric());
    let letter = |c: char| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    letters.map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_out_on_the_phone_is_forgiven() {
        assert_eq!(plain("01az 9k7m"), plain("OLAZ-9K7M"));
        assert_ne!(plain("01AZ-9K7M"), plain("01AZ-9K7N"));
    }
}
