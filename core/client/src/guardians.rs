//! Guardians: one's own, and the people whose guardian one is. And whether a wait may stand in for a proof.

use crate::ask::Ask;
use crate::client::Client;
use crate::failure::Failure;
use crate::recovery_queue::{is_what_it_shows, the_one_that_shows};
use crate::shell::Shell;
use crate::texts;
use landfall_identity::id::RecoveryId;
use landfall_identity::{Action, UserName};
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::guardian::{GuardianInfo, GuardianNameRequest, WaitingInfo};
use landfall_protocol::recovery::RecoveryInfo;
use landfall_protocol::{ErrorCode, paths};
use reqwest::Method;

impl Client {
    /// One's guardians, those too who have not accepted.
    ///
    /// # Errors
    /// What the server says.
    pub async fn guardians(&self) -> Result<Vec<GuardianInfo>, Failure> {
        self.ask_all(Action::ListGuardians, paths::GUARDIANS, &[]).await
    }

    /// Chooses a guardian, after the person has approved exactly this.
    ///
    /// # Errors
    /// What the server says: `not-found`, `probation`, `too-many-guardians`.
    pub async fn name_guardian(
        &self,
        guardian: &UserName,
        shell: &dyn Shell,
    ) -> Result<GuardianInfo, Failure> {
        let act = BoundActBody::NameGuardian { guardian: guardian.clone() };
        let session = self.step_up(Some(act), None, shell).await?;
        let body = GuardianNameRequest { guardian: guardian.clone() };
        let ask = Ask::post(Action::NameGuardian, paths::GUARDIANS);
        self.ask(ask.json(&body)?.bound_to(session)).await
    }

    /// Has a guardian no longer, after the person has approved exactly this.
    ///
    /// # Errors
    /// What the server says: `not-found`, `probation`.
    pub async fn remove_guardian(
        &self,
        guardian: &UserName,
        shell: &dyn Shell,
    ) -> Result<(), Failure> {
        let act = BoundActBody::RemoveGuardian { guardian: guardian.clone() };
        let session = self.step_up(Some(act), None, shell).await?;
        let path = paths::fill(paths::GUARDIAN, &[guardian.as_str()]);
        let ask = Ask::new(Action::RemoveGuardian, Method::DELETE, path);
        self.ask_done(ask.bound_to(session)).await
    }

    /// Whose guardian one is, or is asked to be.
    ///
    /// # Errors
    /// What the server says.
    pub async fn wards(&self) -> Result<Vec<GuardianInfo>, Failure> {
        self.ask_all(Action::ListWards, paths::WARDS, &[]).await
    }

    /// Accepts to be somebody's guardian.
    ///
    /// # Errors
    /// What the server says.
    pub async fn accept_ward(&self, ward: &UserName) -> Result<GuardianInfo, Failure> {
        let path = paths::fill(paths::WARD_ACCEPT, &[ward.as_str()]);
        self.ask(Ask::post(Action::AcceptWard, path).repeatable()).await
    }

    /// Declines, or is somebody's guardian no longer.
    ///
    /// # Errors
    /// What the server says.
    pub async fn leave_ward(&self, ward: &UserName) -> Result<(), Failure> {
        let path = paths::fill(paths::WARD, &[ward.as_str()]);
        self.ask_done(Ask::new(Action::LeaveWard, Method::DELETE, path)).await
    }

    /// Those whose guardian one is and who are on their way back in.
    ///
    /// # Errors
    /// What the server says.
    pub async fn ward_recoveries(&self) -> Result<Vec<RecoveryInfo>, Failure> {
        self.ask_all(Action::ListWardRecoveries, paths::WARD_RECOVERIES, &[]).await
    }

    /// The one of them whose new machine shows these characters.
    ///
    /// # Errors
    /// `not-found` when no machine shows them; else what the server says.
    pub async fn ward_recovery_that_shows(
        &self,
        check_code: &str,
    ) -> Result<RecoveryInfo, Failure> {
        the_one_that_shows(check_code, self.ward_recoveries().await?, texts::NO_WARDS_MACHINE_SHOWS)
    }

    /// Vouches for one of them, after the guardian has typed what the new machine shows and has approved
    /// exactly this.
    ///
    /// # Errors
    /// `check-code-wrong` when it is another machine that asks; else what the server says.
    pub async fn vouch(
        &self,
        id: &RecoveryId,
        check_code: &str,
        shell: &dyn Shell,
    ) -> Result<RecoveryInfo, Failure> {
        let under_way = self.ward_recoveries().await?;
        let missing = || Failure::new(ErrorCode::NotFound, texts::NO_RECOVERY_OF_WARDS);
        let found = under_way.into_iter().find(|info| info.id == *id).ok_or_else(missing)?;
        is_what_it_shows(check_code, &found)?;
        let act = BoundActBody::VouchForRecovery {
            recovery: found.id.clone(),
            user: found.user,
            thumbprint: found.thumbprint,
        };
        let session = self.step_up(Some(act), None, shell).await?;
        let path = paths::fill(paths::WARD_VOUCH, &[id.as_str()]);
        self.ask(Ask::post(Action::VouchForWard, path).bound_to(session)).await
    }

    /// Whether a wait may stand in for a proof of one's own.
    ///
    /// # Errors
    /// What the server says.
    pub async fn waiting(&self) -> Result<WaitingInfo, Failure> {
        self.ask(Ask::get(Action::ReadWaiting, paths::WAITING)).await
    }

    /// Lets it, or lets it no longer, after the person has approved exactly this.
    ///
    /// # Errors
    /// What the server says: `probation`.
    pub async fn set_waiting(
        &self,
        allowed: bool,
        shell: &dyn Shell,
    ) -> Result<WaitingInfo, Failure> {
        let session = self.step_up(Some(BoundActBody::SetWaiting { allowed }), None, shell).await?;
        let ask = match allowed {
            true => Ask::post(Action::AllowWaiting, paths::WAITING),
            false => Ask::new(Action::ForbidWaiting, Method::DELETE, paths::WAITING),
        };
        self.ask(ask.bound_to(session)).await
    }
}
