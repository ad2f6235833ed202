//! How a person is asked for a passkey, and how what the page yields comes back.

use crate::enroll::misplaced;
use crate::failure::Failure;
use crate::loopback::Loopback;
use crate::security_key::{Page, Site};
use crate::shell::Shell;
use crate::texts;
use landfall_crypto::Ambient;
use landfall_crypto::crockford::TypedCode;
use landfall_flows::{Door, Input};
use landfall_identity::passkey::Attachment;
use landfall_protocol::ceremony::{CeremonyBegun, ReturnPath};
use landfall_protocol::{ErrorCode, Problem};
use zeroize::Zeroizing;

/// The door that this shell has for a passkey of this kind, or of any.
pub(crate) async fn door(shell: &dyn Shell, wanted: Option<Attachment>) -> Door {
    // What lives in a machine is on no key that is plugged in.
    if wanted != Some(Attachment::Platform) && shell.has_security_key().await {
        return Door::SecurityKey;
    }
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
            // From a key the completion comes by the very redirect that a browser would follow.
            Door::SecurityKey | Door::Loopback => {
                let random = ambient.random.as_ref();
                let loopback = self.loopback.insert(Loopback::open(random).await?);
                Ok(loopback.return_path())
            }
        }
    }

    /// Has the person use the passkey, and waits for what comes back. `site` is the server that asks.
    pub(crate) async fn ask(
        &self,
        shell: &dyn Shell,
        by: Door,
        begun: &CeremonyBegun,
        site: &Site<'_>,
    ) -> Result<Input, Failure> {
        let completion = match &self.loopback {
            Some(loopback) if by == Door::SecurityKey => {
                let redirect = Page::of(begun, site)?.by_key(shell, site.http).await?;
                loopback.completion_of(&redirect).ok_or_else(misplaced)?
            }
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
