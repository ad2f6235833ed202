//! What a window asks beyond what a terminal does: views ready to be shown, from texts as typed.

use crate::client::Client;
use crate::enroll::{GivenNames, read_token};
use crate::failure::Failure;
use crate::qr::qr_picture;
use crate::shell::Shell;
use crate::texts;
use crate::tokens::MintRequest;
pub use landfall_flows::screen::{
    CodesSheet, NewToken, QrPicture, RecoveryChange, RecoveryHere, RecoveryPreview, RecoveryStage,
    RecoveryTyped, Revealed, SavedSheet, Standing, TokenPreview,
};
use landfall_identity::caller::Role;
use landfall_identity::secret::SecretName;
use landfall_identity::token::TokenKind;
use landfall_identity::{DeviceName, Label, UserName};
use landfall_protocol::device::DeviceCut;
use landfall_protocol::enroll::TokenInfo;
use landfall_protocol::me::Frozen;
use landfall_protocol::{At, ErrorCode};
use zeroize::Zeroizing;

pub use landfall_flows::screen::Copied;

const NO_SUCH_TOKEN: &str = "There is no such code any more. Make another one.";
const SECRET_NAME: &str = "A secret's name has letters, digits, dots, dashes, underscores and slashes, and at most 128 of them.";
const NOT_TEXT: &str = "This secret is not text, so a clipboard cannot hold it. Write it to a file with `landfall secret get`.";
const NAME_SHAPE: &str = "A name has small letters, digits, dots, dashes and underscores, begins and ends with a letter or digit, and has at most 64 characters.";
const LABEL_SHAPE: &str = "It must not be empty, too long, or hold invisible characters.";

impl Client {
    /// Whether a text is a whole code, before anything is asked or sent.
    ///
    /// # Errors
    /// `token-mistyped` for one that was cut, or holds a slip; `token-unreadable`; `token-too-new`.
    pub fn check_token(pasted: &str) -> Result<(), Failure> {
        read_token(pasted).map(|_| ())
    }

    /// Whether this machine is enrolled, and as whom. An identity that the server called over is none.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn standing(&self) -> Result<Standing, Failure> {
        let profile = match self.profile() {
            Err(failure) if failure.code() == ErrorCode::NoProfile => return Ok(Standing::New),
            read => read?,
        };
        Ok(match profile.names().filter(|_| profile.ended.is_none()) {
            None => Standing::New,
            Some((tenant, user, device)) => Standing::Enrolled {
                server: profile.server.origin().ascii_serialization(),
                tenant: tenant.clone(),
                user: user.clone(),
                device: device.clone(),
            },
        })
    }

    /// What a pasted code says about itself. Asks nobody and spends nothing.
    ///
    /// # Errors
    /// `token-unreadable`, `token-mistyped`, `token-too-new`, `token-expired`.
    pub fn preview(&self, pasted: &str) -> Result<TokenPreview, Failure> {
        let token = read_token(pasted)?.payload;
        if token.exp.is_over(self.ambient().now()) {
            return Err(Failure::new(ErrorCode::TokenExpired, texts::TOKEN_OVER));
        }
        Ok(TokenPreview {
            kind: token.kind,
            server: token.url.origin().ascii_serialization(),
            tenant: token.tenant,
            user: token.user,
            device: token.device,
            expires_at: At(token.exp),
        })
    }

    /// Makes a code for another device of one's own, after the person has approved exactly that.
    ///
    /// # Errors
    /// `invalid-field` for what is no name; else what the server says.
    pub async fn add_device(&self, device: &str, shell: &dyn Shell) -> Result<NewToken, Failure> {
        let device = device_name(device)?;
        let profile = self.profile()?;
        let (_, user, _) = profile.names().ok_or_else(crate::enroll::misplaced)?;
        let request = MintRequest {
            kind: TokenKind::Device,
            user: user.clone(),
            device: Some(device),
            role: Role::Member,
            ttl: None,
        };
        let minted = self.mint(request, shell).await?;
        let text = minted.text.as_str().to_owned();
        Ok(NewToken { qr: qr_picture(&text), text, info: minted.info })
    }

    /// One of one's codes, as it stands.
    ///
    /// # Errors
    /// `not-found`; else what the server says.
    pub async fn token(&self, id: &str) -> Result<TokenInfo, Failure> {
        let all = self.tokens().await?;
        let missing = || Failure::new(ErrorCode::NotFound, NO_SUCH_TOKEN);
        all.into_iter().find(|token| token.id.as_str() == id).ok_or_else(missing)
    }

    /// Cuts a lost device off at once; a person proves that they are here if the server wants that.
    ///
    /// # Errors
    /// What the server says: `factor-on-target`, ...
    pub async fn cut_off_lost(
        &self,
        device: &str,
        shell: &dyn Shell,
    ) -> Result<DeviceCut, Failure> {
        let device = device_name(device)?;
        match self.with_person(self.suspend_device(&device).await, shell).await? {
            Some(done) => Ok(done),
            None => self.suspend_device(&device).await,
        }
    }

    /// Ends a freeze; a person proves that they are here if the server wants that.
    ///
    /// # Errors
    /// What the server says.
    pub async fn unfreeze_here(&self, shell: &dyn Shell) -> Result<Frozen, Failure> {
        match self.with_person(self.unfreeze().await, shell).await? {
            Some(done) => Ok(done),
            None => self.unfreeze().await,
        }
    }

    /// What a call was answered; `None` when it lacked a person, who has proved now that they are here,
    /// so that the same again can be done. (A closure that is called twice would be shorter, and the
    /// window's commands could not be sent between threads with it.)
    pub(crate) async fn with_person<T>(
        &self,
        answer: Result<T, Failure>,
        shell: &dyn Shell,
    ) -> Result<Option<T>, Failure> {
        match answer {
            Err(failure) if failure.code() == ErrorCode::StepUpRequired => {
                self.step_up(None, None, shell).await.map(|_| None)
            }
            answer => answer.map(Some),
        }
    }

    /// A secret's newest value, to be shown.
    ///
    /// # Errors
    /// `invalid-field` for what is no name; else what the server says.
    pub async fn reveal(&self, name: &str) -> Result<Revealed, Failure> {
        let invalid = |_| Failure::new(ErrorCode::InvalidField, SECRET_NAME).about("name");
        let name = SecretName::parse(name).map_err(invalid)?;
        let read = self.get_secret(&name, None).await?;
        let value = read.value.expose();
        Ok(Revealed {
            name: read.name.to_string(),
            version: read.version,
            text: std::str::from_utf8(value).ok().map(str::to_owned),
            size: value.len() as u64,
        })
    }

    /// A secret's newest value, for the clipboard.
    ///
    /// # Errors
    /// As [`Self::reveal`], and `invalid-field` for a value that is not text.
    pub async fn reveal_text(&self, name: &str) -> Result<Zeroizing<String>, Failure> {
        let not_text = || Failure::new(ErrorCode::InvalidField, NOT_TEXT).about("value");
        self.reveal(name).await?.text.map(Zeroizing::new).ok_or_else(not_text)
    }
}

impl GivenNames {
    /// Names as a person typed them.
    ///
    /// # Errors
    /// `invalid-field` for what is no name.
    pub fn typed(user: Option<&str>, device: Option<&str>) -> Result<Self, Failure> {
        let user = user.map(user_name).transpose()?;
        Ok(Self { user, device: device.map(device_name).transpose()?, label: None })
    }
}

/// A user's name as a person typed it.
///
/// # Errors
/// `invalid-field` for what is no name.
pub fn user_name(typed: &str) -> Result<UserName, Failure> {
    let invalid = |_| Failure::new(ErrorCode::InvalidField, NAME_SHAPE).about("user");
    UserName::parse(typed.trim()).map_err(invalid)
}

/// A device's name as a person typed it.
///
/// # Errors
/// `invalid-field` for what is no name.
pub fn device_name(typed: &str) -> Result<DeviceName, Failure> {
    let invalid = |_| Failure::new(ErrorCode::InvalidField, NAME_SHAPE).about("device");
    DeviceName::parse(typed.trim()).map_err(invalid)
}

/// What a person calls a thing, as typed.
///
/// # Errors
/// `invalid-field` for what no label may be.
pub fn label(typed: &str) -> Result<Label, Failure> {
    let invalid = |_| Failure::new(ErrorCode::InvalidField, LABEL_SHAPE).about("label");
    Label::parse(typed.trim()).map_err(invalid)
}
