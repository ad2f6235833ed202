//! The sheet that is printed and put in a drawer: all that a frightened person needs at an airport. The
//! same words as HTML and as PDF.

mod file;
mod html;
mod paper;
mod pdf;

pub use file::new_private_file;
pub(crate) use file::save_new;
pub use landfall_flows::SheetFormat;

use crate::failure::Failure;
use crate::qr::qr_picture;
use landfall_crypto::recovery_code::RecoveryCode;
use landfall_crypto::secret::SecretText;
use landfall_crypto::server_line::ServerLine;
use landfall_flows::CodesSheet;
use landfall_identity::UserName;
use landfall_protocol::At;
use zeroize::Zeroizing;

/// What stands on a sheet.
pub struct Sheet<'a> {
    /// The server, and how to know it.
    pub server: &'a ServerLine,
    /// Whose codes these are.
    pub user: &'a UserName,
    /// When they were made.
    pub made_at: At,
    /// The codes.
    pub codes: &'a [RecoveryCode],
}

/// What a person reads. Between backticks stands what is typed.
const KEEP: &str = "Keep this paper where you keep your passport, and delete the file. Whoever has a code and one more proof can become you.";
const WHEN: &str = "When every device is gone";
const STEPS: [&str; 6] = [
    "Take any computer that you trust and install Landfall on it.",
    "Open it and choose “My recovery sheet”. Without a window, type: `landfall recover`",
    "Give it the server line, all of it, your user name and one code. Tick the code off: it works once.",
    "Call an administrator, on a number that you know, and read out the eight characters that the screen shows.",
    "You may close it while you wait. Opened again, it goes on.",
    "Write the new code that you are given beside the one that you used.",
];
const SERVER: &str = "Server";
const USER: &str = "User";
const CODES: &str = "Codes";
const LOST: &str = "Is this paper lost or was it read by somebody? Make new codes: these then stop working at once.";

impl Sheet<'_> {
    /// The sheet as a file of this format.
    ///
    /// # Errors
    /// `internal` when a PDF cannot be made of it.
    pub fn bytes(&self, format: SheetFormat) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match format {
            SheetFormat::Html => Ok(Zeroizing::new(self.html().as_bytes().to_vec())),
            SheetFormat::Pdf => self.pdf(),
        }
    }

    /// The sheet as a window shows it.
    pub(crate) fn shown(&self) -> CodesSheet {
        let server = self.server.to_string();
        CodesSheet {
            user: self.user.clone(),
            qr: qr_picture(&server),
            server,
            made_at: self.made_at,
            codes: self.code_texts().map(|code| code.to_string()).collect(),
            title: self.title(),
            keep: KEEP.to_owned(),
            when: WHEN.to_owned(),
            steps: STEPS.map(str::to_owned).into(),
            lost: LOST.to_owned(),
        }
    }

    /// A name for its file, without what stands behind the dot.
    pub(crate) fn file_stem(&self) -> String {
        format!("landfall-codes-{}-{}", self.user, self.made_on())
    }

    /// The day on which the codes were made.
    fn made_on(&self) -> String {
        let made = self.made_at.to_text().unwrap_or_default();
        made.split('T').next().unwrap_or_default().to_owned()
    }

    fn title(&self) -> String {
        format!("Recovery codes of {}", self.user)
    }

    fn code_texts(&self) -> impl Iterator<Item = SecretText> + '_ {
        self.codes.iter().map(RecoveryCode::to_text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_crypto::ambient::SystemRandom;
    use landfall_identity::Timestamp;

    /// A sheet with a server's address of this many characters.
    pub(super) fn with_sheet<T>(host: usize, look: impl FnOnce(&Sheet<'_>) -> T) -> T {
        let codes: Vec<_> = (0..10).map(|_| RecoveryCode::generate(&SystemRandom)).collect();
        let labels = "harbour.".repeat(host.div_ceil(8));
        let line = format!("https://{labels}example:8443#{}0", "A".repeat(51));
        let server = ServerLine::parse(&line).unwrap();
        let user = UserName::parse("bert").unwrap();
        let made_at = At(Timestamp::from_seconds(1_795_269_600));
        look(&Sheet { server: &server, user: &user, made_at, codes: &codes })
    }

    #[test]
    fn a_sheet_is_named_for_whom_and_when() {
        with_sheet(8, |sheet| {
            assert_eq!(sheet.file_stem(), "landfall-codes-bert-2026-11-21");
            assert_eq!(sheet.title(), "Recovery codes of bert");
        });
    }
}
