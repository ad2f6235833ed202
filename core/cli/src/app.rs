//! What every verb works with.

use crate::args::{Global, Stdin};
use crate::output::Output;
use crate::terminal::{Terminal, TerminalSetup};
use crate::texts;
use landfall_client::state::{Home, default_home};
use landfall_client::words::Ambient;
use landfall_client::{Browser, Client, Failure, Setup};
use landfall_keystore::FileKeyStore;
use landfall_protocol::ErrorCode;
use std::io::IsTerminal;
use std::sync::Arc;

/// One run of the program.
pub struct App {
    pub client: Client,
    pub terminal: Terminal,
    pub output: Output,
    yes: bool,
    /// Whether a person is there to use a passkey.
    person: bool,
}

impl App {
    /// Reads the environment, once.
    pub fn new(global: Global, output: Output) -> Result<Self, Failure> {
        let home = Home::open(default_home(std::env::var_os("LANDFALL_HOME").as_deref())?)?;
        let keys = FileKeyStore::open(home.keys())?;
        let client = Client::new(Setup {
            home,
            keys: Arc::new(keys),
            ambient: Ambient::system(),
            profile: global.server_profile,
        });
        let can_ask = std::io::stdin().is_terminal();
        let code_from_stdin = global.code == Some(Stdin::Dash);
        let browser = if global.no_browser || code_from_stdin {
            Browser::None
        } else {
            let variable = std::env::var("BROWSER").ok().filter(|_| can_ask);
            Browser::choose(
                global.browser.as_deref(),
                variable.as_deref(),
                can_ask && has_display(),
            )
        };
        let person = can_ask || code_from_stdin || global.browser.is_some();
        // Who says how the page is to be opened has said that they want the page.
        let keys = can_ask
            && !output.is_json()
            && !code_from_stdin
            && !global.no_browser
            && global.browser.is_none();
        let setup =
            TerminalSetup { quiet: output.is_json(), can_ask, code_from_stdin, browser, keys };
        Ok(Self { client, terminal: Terminal::new(setup), output, yes: global.yes, person })
    }

    /// Does `act`; when it takes a person, has them use a passkey and does it again.
    pub async fn with_person<T>(
        &self,
        act: impl AsyncFn() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match act().await {
            Err(failure) if failure.code() == ErrorCode::StepUpRequired && self.person => {
                self.client.step_up(None, None, &self.terminal).await?;
                act().await
            }
            other => other,
        }
    }

    /// Refuses to begin what ends at a passkey on a machine that is nobody's, and when nobody can use one.
    pub fn need_person(&self) -> Result<(), Failure> {
        self.client.is_a_persons()?;
        self.need_touch()
    }

    /// Refuses to begin what ends at a passkey when nobody can use one.
    pub fn need_touch(&self) -> Result<(), Failure> {
        let refused = || Failure::new(ErrorCode::StepUpRequired, texts::NOBODY_TO_TOUCH);
        self.person.then_some(()).ok_or_else(refused)
    }

    /// Asks before what cannot be undone: whoever only presses Enter has not said yes. `--yes` answers;
    /// without a terminal it is not asked. On a machine that is nobody's there is nothing to ask about.
    pub fn confirm(&self, question: &str) -> Result<(), Failure> {
        self.client.profile()?;
        self.agree(|| self.terminal.ask_no(question))
    }

    /// As [`App::confirm`], on a machine that need not be enrolled.
    pub fn sure(&self, question: &str) -> Result<(), Failure> {
        self.agree(|| self.terminal.ask_no(question))
    }

    /// Asks before what one came for, on any machine; Enter is yes. Otherwise as [`App::confirm`].
    pub fn go_on(&self, question: &str) -> Result<(), Failure> {
        self.agree(|| self.terminal.ask_yes(question))
    }

    /// Whether a question reaches a person: `--yes` answers it, and without a terminal nobody does.
    pub fn asks(&self) -> bool {
        !self.yes && self.terminal.can_ask()
    }

    fn agree(&self, ask: impl FnOnce() -> Result<bool, Failure>) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !self.terminal.can_ask() {
            return Err(Failure::new(ErrorCode::InputNeeded, texts::NEEDS_YES));
        }
        if ask()? {
            Ok(())
        } else {
            Err(Failure::new(ErrorCode::Cancelled, texts::NOTHING_CHANGED))
        }
    }
}

/// Whether a browser window could be seen. Elsewhere than on Unix with X or Wayland, the platform
/// knows best.
fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(not(all(unix, not(target_os = "macos")))) || set("DISPLAY") || set("WAYLAND_DISPLAY")
}
