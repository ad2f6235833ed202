//! Making recovery codes. They are made here; the server is told their names, and a hash of the half that
//! it will see.

use crate::ask::Ask;
use crate::client::Client;
use crate::failure::Failure;
use crate::shell::Shell;
use crate::texts;
use landfall_crypto::recovery_code::{RecoveryCode, RecoveryCodeError, codes_hash};
use landfall_crypto::server_line::ServerLine;
use landfall_crypto::token::Trust;
use landfall_identity::Action;
use landfall_identity::recovery::CODES_PER_USER;
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::recovery::{
    NewRecoveryCode, RecoveryCodeInfo, RecoveryCodesMade, RecoveryCodesRequest,
};
use landfall_protocol::{ErrorCode, paths};
use url::Url;

/// New codes, and where they are for.
pub struct NewCodes {
    /// The codes: for the person's eyes alone, once.
    pub codes: Vec<RecoveryCode>,
    /// The server, and how a machine that has never seen it knows it.
    pub server: ServerLine,
}

impl Client {
    /// Makes ten codes, after the person has approved exactly these. Those before them stop working.
    ///
    /// # Errors
    /// What the server says: `probation`, ...
    pub async fn make_recovery_codes(&self, shell: &dyn Shell) -> Result<NewCodes, Failure> {
        self.make_recovery_codes_kept(shell, |_| Ok(())).await
    }

    /// As [`Client::make_recovery_codes`], onto paper: `keep` puts the codes where they stay before the
    /// server hears of them, so that a disk that is full costs neither them nor those before them. It is
    /// called once more when the server goes by another name than this machine knows.
    ///
    /// # Errors
    /// What `keep` says, and nothing has changed; what the server says.
    pub async fn make_recovery_codes_kept(
        &self,
        shell: &dyn Shell,
        mut keep: impl FnMut(&NewCodes) -> Result<(), Failure>,
    ) -> Result<NewCodes, Failure> {
        let random = self.ambient().random.clone();
        let codes: Vec<RecoveryCode> =
            (0..CODES_PER_USER).map(|_| RecoveryCode::generate(random.as_ref())).collect();
        let told = codes.iter().map(told_of).collect::<Result<Vec<_>, _>>()?;
        let act = BoundActBody::MakeRecoveryCodes {
            codes_hash: codes_hash(told.iter().map(|code| (&code.name, code.auth_hash.as_str()))),
        };
        let session = self.step_up(Some(act), None, shell).await?;
        let profile = self.profile()?;
        let server = ServerLine { url: profile.server, trust: profile.trust };
        let mut new = NewCodes { codes, server };
        keep(&new)?;
        let body = RecoveryCodesRequest { codes: told };
        // The same codes again are answered as the first time.
        let ask = Ask::post(Action::MakeRecoveryCodes, paths::RECOVERY_CODES).json(&body)?;
        let made: RecoveryCodesMade = self.ask(ask.bound_to(session).repeatable()).await?;
        let server = self.server_line(&made)?;
        if server != new.server {
            new.server = server;
            keep(&new)?;
        }
        Ok(new)
    }

    /// One's codes, those that are over too, without what opens anything.
    ///
    /// # Errors
    /// What the server says.
    pub async fn recovery_codes(&self) -> Result<Vec<RecoveryCodeInfo>, Failure> {
        self.ask_all(Action::ListRecoveryCodes, paths::RECOVERY_CODES, &[]).await
    }

    /// What a sheet carries. The root that it pins must be the one that this client believes itself.
    fn server_line(&self, made: &RecoveryCodesMade) -> Result<ServerLine, Failure> {
        let unreadable = || Failure::new(ErrorCode::AnswerUnreadable, texts::UNREADABLE);
        let trust = Trust::try_from(made.trust.clone()).map_err(|_| unreadable())?;
        let ours = self.profile()?.trust;
        if matches!((ours, trust), (Trust::Pin(ours), Trust::Pin(theirs)) if ours != theirs) {
            return Err(Failure::new(ErrorCode::ServerNotTrusted, texts::NOT_TRUSTED));
        }
        let url = Url::parse(&made.url).map_err(|_| unreadable())?;
        Ok(ServerLine { url, trust })
    }
}

/// What the server is told of a code.
pub(crate) fn told_of(code: &RecoveryCode) -> Result<NewRecoveryCode, Failure> {
    let name = code.name().map_err(|_| mistyped(texts::RECOVERY_CODE_SHAPE))?;
    Ok(NewRecoveryCode { name, auth_hash: code.auth().hash().to_string() })
}

/// Reads a code as a person types it. Nothing is sent anywhere.
///
/// # Errors
/// `recovery-code-mistyped`, with what is wrong.
pub fn read_recovery_code(typed: &str) -> Result<RecoveryCode, Failure> {
    RecoveryCode::parse(typed).map_err(|error| {
        mistyped(match error {
            RecoveryCodeError::Shape => texts::RECOVERY_CODE_SHAPE,
            RecoveryCodeError::Mistyped => texts::RECOVERY_CODE_SLIP,
        })
    })
}

fn mistyped(text: &str) -> Failure {
    Failure::new(ErrorCode::RecoveryCodeMistyped, text)
}
