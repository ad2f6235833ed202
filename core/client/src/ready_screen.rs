//! What a window asks so that a loss finds its owner ready: codes on paper, addresses for notices, and
//! whoever is on their way into an account. From texts as typed.

use crate::client::Client;
use crate::failure::Failure;
use crate::recovery_codes::read_recovery_code;
use crate::screen::user_name;
use crate::sheet::{Sheet, SheetFormat, save_new};
use crate::shell::Shell;
use landfall_crypto::server_line::ServerLine;
use landfall_flows::{CodesSheet, SavedSheet};
use landfall_identity::id::{AddressId, RecoveryId};
use landfall_identity::{MailAddress, Reason};
use landfall_protocol::notice::AddressInfo;
use landfall_protocol::recovery::RecoveryInfo;
use landfall_protocol::{At, ErrorCode};
use std::path::Path;

const ADDRESS_SHAPE: &str =
    "A mail address has a name, an @ and a server, such as bert@harbour.example. Nothing was sent.";
const NO_SHEET: &str = "That is not the sheet that was on the screen. Make new codes.";
const REASON_SHAPE: &str =
    "Write in a few words how you know that it is them. It is kept, and others will read it.";

impl Client {
    /// Makes ten codes, after the person has approved exactly these, with all that a sheet says.
    ///
    /// # Errors
    /// What the server says: `probation`, ...
    pub async fn make_sheet(&self, shell: &dyn Shell) -> Result<CodesSheet, Failure> {
        let made = self.make_recovery_codes(shell).await?;
        let profile = self.profile()?;
        let (_, user, _) = profile.names().ok_or_else(crate::enroll::misplaced)?;
        let made_at = At(self.ambient().now());
        Ok(Sheet { server: &made.server, user, made_at, codes: &made.codes }.shown())
    }

    /// Writes a sheet that is on the screen into a new file in `folder`, for its owner alone.
    ///
    /// # Errors
    /// `state-unwritable`; `recovery-code-mistyped` for what is no sheet.
    pub fn save_sheet(
        &self,
        shown: &CodesSheet,
        format: SheetFormat,
        folder: &Path,
    ) -> Result<SavedSheet, Failure> {
        let invalid = |_| Failure::new(ErrorCode::InvalidField, NO_SHEET).about("server");
        let server = ServerLine::parse(&shown.server).map_err(invalid)?;
        let user = user_name(shown.user.as_str())?;
        let codes: Result<Vec<_>, _> =
            shown.codes.iter().map(|code| read_recovery_code(code)).collect();
        let codes = codes?;
        let sheet = Sheet { server: &server, user: &user, made_at: shown.made_at, codes: &codes };
        let path = save_new(folder, &sheet.file_stem(), format, &sheet.bytes(format)?)?;
        Ok(SavedSheet { path: path.display().to_string() })
    }

    /// Has a code mailed to an address, as typed; a person proves that they are here if the server
    /// wants that.
    ///
    /// # Errors
    /// `invalid-field`; else what the server says.
    pub async fn add_address_here(
        &self,
        typed: &str,
        shell: &dyn Shell,
    ) -> Result<AddressInfo, Failure> {
        let invalid = |_| Failure::new(ErrorCode::InvalidField, ADDRESS_SHAPE).about("address");
        let address = MailAddress::parse(typed.trim()).map_err(invalid)?;
        match self.with_person(self.add_address(&address).await, shell).await? {
            Some(done) => Ok(done),
            None => self.add_address(&address).await,
        }
    }

    /// Has notices no longer mailed to an address.
    ///
    /// # Errors
    /// What the server says: `probation`, ...
    pub async fn remove_address_here(
        &self,
        address: &AddressId,
        shell: &dyn Shell,
    ) -> Result<(), Failure> {
        match self.with_person(self.remove_address(address).await, shell).await? {
            Some(done) => Ok(done),
            None => self.remove_address(address).await,
        }
    }

    /// "That is not me": ends a recovery of one's own account.
    ///
    /// # Errors
    /// What the server says.
    pub async fn stop_recovery_here(
        &self,
        id: &RecoveryId,
        shell: &dyn Shell,
    ) -> Result<RecoveryInfo, Failure> {
        match self.with_person(self.stop_recovery(id).await, shell).await? {
            Some(done) => Ok(done),
            None => self.stop_recovery(id).await,
        }
    }

    /// Vouches for somebody, with the characters and the reason as typed.
    ///
    /// # Errors
    /// `check-code-wrong`, `invalid-field` for what is no reason; else what the server says.
    pub async fn approve_recovery_here(
        &self,
        id: &RecoveryId,
        check_code: &str,
        reason: &str,
        shell: &dyn Shell,
    ) -> Result<RecoveryInfo, Failure> {
        let invalid = |_| Failure::new(ErrorCode::InvalidField, REASON_SHAPE).about("reason");
        let reason = Reason::parse(reason.trim()).map_err(invalid)?;
        self.admin_approve_recovery(id, check_code, reason, shell).await
    }

    /// Ends a recovery, as an administrator.
    ///
    /// # Errors
    /// What the server says.
    pub async fn refuse_recovery_here(
        &self,
        id: &RecoveryId,
        shell: &dyn Shell,
    ) -> Result<RecoveryInfo, Failure> {
        match self.with_person(self.admin_refuse_recovery(id).await, shell).await? {
            Some(done) => Ok(done),
            None => self.admin_refuse_recovery(id).await,
        }
    }
}
