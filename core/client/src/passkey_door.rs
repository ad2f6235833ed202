//! How a person is asked for a passkey, and how what the page yields comes back.

use crate::failure::Failure;
use crate::loopback::Loopback;
use crate::shell::Shell;
use crate::texts;
use landfall_crypto::Ambient;
use landfall_crypto::crockford::TypedCode;
use landfall_flows::{Door, Input};
use landfall_protocol::ceremony::{CeremonyBegun, ReturnPath};
use landfall_protocol::{ErrorCode, Problem};
use zeroize::Zeroizing;

/// The door that this shell has.
pub(crate) fn door(shell: &dyn Shell) -> Door {
    if shell.has_browser() { Door::Loopback } else { Door::Typed }
}

/// The way back of one ceremony.
#[derive(Default)]
pub(crate) struct PasskeyDoor {
    loopback: Option<Loopback>,
}

impl PasskeyDoor {
    /// Opens the way back before the server is told of it.
    pub(crate) async fn open(
        &mut self,
        by: Door,
        ambient: &Ambient,
    ) -> Result<ReturnPath, Failure> {
        self.loopback = None;
        match by {
            Door::Typed => Ok(ReturnPath::Typed),
            Door::Loopback => {
                let random = ambient.random.as_ref();
                let loopback = self.loopback.insert(Loopback::open(random).await?);
                Ok(loopback.return_path())
            }
        }
    }

    /// Sends the person to the page, and waits for what comes back.
    pub(crate) async fn ask(
        &self,
        shell: &dyn Shell,
        begun: &CeremonyBegun,
    ) -> Result<Input, Failure> {
        let completion = match &self.loopback {
            Some(loopback) => {
                let mut page = shell.open_page(begun)?;
                tokio::select! {
                    biased;
                    completion = loopback.completion() => completion?,
                    () = page.gave_up() => {
                        let detail = texts::BROWSER_FAILED;
                        return Err(Failure::new(ErrorCode::BrowserUnavailable, detail));
                    }
                }
            }
            None => {
                let typed: Zeroizing<String> = shell.typed_code(begun).await?;
                let Ok(code) = TypedCode::parse(&typed) else {
                    let problem = Problem::new(ErrorCode::CompletionWrong, texts::CODE_SHAPE);
                    return Ok(Input::Mistyped(problem));
                };
                code.to_text().to_string()
            }
        };
        Ok(Input::PasskeyAnswered { completion })
    }
}
