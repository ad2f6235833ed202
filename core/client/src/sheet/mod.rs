//! The sheet that is printed and put in a drawer: all that a frightened person needs at an airport. The
//! same words as HTML and as PDF.

mod file;
mod html;
mod paper;
mod pdf;

pub(crate) use file::save_new;
pub use file::{fill_private_file, new_private_file};
pub use landfall_flows::SheetFormat;

use crate::failure::Failure;
use crate::qr::qr_picture;
use landfall_crypto::recovery_code::RecoveryCode;
use landfall_crypto::secret::SecretText;
use landfall_crypto::server_line::ServerLine;
use landfall_crypto::token::Trust;
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
const TAKE: &str = "Take any computer that you trust and install Landfall on it.";
const OPEN: &str =
    "Open it and choose “My recovery sheet”. Without a window, type: `landfall recover`";
const GIVE: &str = "Give it the server line, all of it, your user name and one code. Tick the code off: it works once.";
/// Whom there is to call, and whether mail is sent, is not the same on the day as when it was printed.
const PROVE: &str = "One more proof: the code from your mail; or an administrator or guardian, if you have one: call them on a number that you know, and read out the eight characters shown.";
const WAIT: &str = "You may close it while you wait. Opened again, it goes on.";
const WRITE: &str = "Write the new code that you are given beside the one that you used.";
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
            steps: self.steps().into(),
            lost: LOST.to_owned(),
        }
    }

    /// What to do, in order.
    fn steps(&self) -> [String; 6] {
        let give = match (self.server.trust, self.server.url.host_str()) {
            // No fingerprint says which server it is: the name alone does.
            (Trust::WebPki, Some(host)) => {
                format!("{GIVE} The server's certificate must be for `{host}` and no other name.")
            }
            _ => GIVE.to_owned(),
        };
        [
            TAKE.to_owned(),
            OPEN.to_owned(),
            give,
            PROVE.to_owned(),
            WAIT.to_owned(),
            WRITE.to_owned(),
        ]
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

    /// On the page and in the window alike: nobody is told to call somebody who need not exist, and a
    /// server without a fingerprint is known by its name.
    #[test]
    fn a_sheet_says_what_works_and_how_the_server_is_known() {
        with_sheet(8, |pinned| {
            assert!(!pinned.steps().iter().any(|step| step.contains("certificate")));
            let server = ServerLine::parse("https://id.harbour.example").unwrap();
            let known = Sheet { server: &server, ..*pinned };
            for steps in [pinned.steps(), known.steps()] {
                assert!(
                    steps[3].contains("code from your mail") && steps[3].contains("if you have")
                );
            }
            assert!(known.steps()[2].contains("must be for `id.harbour.example`"));
            let page = known.html();
            assert!(page.contains("must be for <span class=\"line\">id.harbour.example</span>"));
            assert_eq!(known.shown().steps, known.steps());
        });
    }

    #[test]
    fn a_sheet_is_named_for_whom_and_when() {
        with_sheet(8, |sheet| {
            assert_eq!(sheet.file_stem(), "landfall-codes-bert-2026-11-21");
            assert_eq!(sheet.title(), "Recovery codes of bert");
        });
    }
}
