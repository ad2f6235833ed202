//! The terminal as the engine's shell: steps, questions, pages.

use crate::clock::clock_time;
use crate::keyboard::Keyboard;
use crate::output::{say, wrap};
use crate::qr::qr;
use crate::{hidden, security_key, texts};
use landfall_client::shell::{Answer, Signal};
use landfall_client::{
    Browser, Failure, FlowNext, FlowOtherWay, FlowStepId, FlowStepState, FlowView, Opened, Shell,
    open_page,
};
use landfall_protocol::ErrorCode;
use landfall_protocol::ceremony::{CeremonyBegun, CeremonyOptions};
use serde_json::Value;
use std::collections::HashSet;
use std::io::{BufRead, IsTerminal, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use terminal_size::{Height, Width, terminal_size_of};
use url::Url;
use zeroize::Zeroizing;

/// The most that is read from stdin where a line or a code is expected, in bytes.
const LINE_MAX: u64 = 16 * 1024;

/// How often a question is asked whose answer is neither yes nor no.
const ASKED_MAX: usize = 3;

/// What kind of terminal it is.
pub struct TerminalSetup {
    /// A program is reading: no steps, no QR codes.
    pub quiet: bool,
    /// A person can be asked.
    pub can_ask: bool,
    /// The typed form's code comes from stdin.
    pub code_from_stdin: bool,
    /// How pages are opened.
    pub browser: Browser,
    /// Whether a security key that is plugged in is asked before a browser.
    pub keys: bool,
}

/// The terminal.
pub struct Terminal {
    setup: TerminalSetup,
    keyboard: Keyboard,
    shown: Mutex<Shown>,
}

/// What was printed already, so that each thing is said once.
#[derive(Default)]
struct Shown {
    steps: HashSet<FlowStepId>,
    page: Option<String>,
    /// Whether the key was spoken of.
    by_key: bool,
    /// Whether a browser shows it now.
    by_page: bool,
    other_way: Option<FlowOtherWay>,
    failure: Option<ErrorCode>,
    typed: bool,
}

impl Terminal {
    pub fn new(setup: TerminalSetup) -> Self {
        Self { setup, keyboard: Keyboard::new(read_line), shown: Mutex::default() }
    }

    pub fn can_ask(&self) -> bool {
        self.setup.can_ask
    }

    /// Says something to a person, not to a program.
    pub fn say(&self, line: &str) {
        if !self.setup.quiet {
            say(line);
        }
    }

    /// Shows a QR code, where somebody can see it: a terminal that is too small breaks its lines or
    /// scrolls some of them away, and no camera reads that.
    pub fn show_qr(&self, text: &str) {
        if self.setup.quiet || !std::io::stderr().is_terminal() {
            return;
        }
        let Some(code) = qr(text) else { return };
        let here = terminal_size_of(std::io::stderr())
            .map(|(Width(columns), Height(rows))| (usize::from(columns), usize::from(rows)));
        match here {
            // A row stays free for what is said or asked next.
            Some(here) if here.0 < code.size.0 || here.1 <= code.size.1 => {
                say(&wrap(&texts::qr_too_large(code.size, here), here.0));
            }
            _ => say(&code.text),
        }
    }

    /// A yes-or-no question; yes is the default, so it is for what can be undone.
    pub fn ask_yes(&self, question: &str) -> Result<bool, Failure> {
        self.ask_either(&format!("{question} {} ", texts::YES_NO), true)
    }

    /// A yes-or-no question about what cannot be undone; no is the default.
    pub fn ask_no(&self, question: &str) -> Result<bool, Failure> {
        self.ask_either(&format!("{question} {} ", texts::NO_YES), false)
    }

    /// Asks again for what is neither, a few times; then it is a no, whatever Enter would have been.
    fn ask_either(&self, question: &str, enter: bool) -> Result<bool, Failure> {
        for _ in 0..ASKED_MAX {
            if let Some(said) = said(&self.ask_line(question)?, enter) {
                return Ok(said);
            }
            self.say(texts::YES_OR_NO);
        }
        Ok(false)
    }

    /// A question with a line for an answer.
    pub fn ask_line(&self, question: &str) -> Result<String, Failure> {
        if !self.setup.can_ask {
            return Err(Failure::new(ErrorCode::InputNeeded, texts::NOT_A_TERMINAL));
        }
        let mut err = std::io::stderr().lock();
        let _ = write!(err, "{question}").and_then(|()| err.flush());
        drop(err);
        Ok(self.keyboard.line()?.trim().to_owned())
    }

    /// A question whose answer is not shown while it is typed.
    pub fn ask_hidden(&self, question: &str) -> Result<Zeroizing<String>, Failure> {
        if !self.setup.can_ask {
            return Err(Failure::new(ErrorCode::InputNeeded, texts::NOT_A_TERMINAL));
        }
        hidden::ask(question)
            .map_err(|_| Failure::new(ErrorCode::Cancelled, texts::NOTHING_CHANGED))
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show_steps(&self, view: &FlowView, shown: &mut Shown) {
        for step in &view.steps {
            let spoken = step.state == FlowStepState::Done && texts::step(step.id).is_some();
            if !spoken || !shown.steps.insert(step.id) {
                continue;
            }
            let took = match (step.started_at, step.finished_at) {
                (Some(from), Some(to)) => to.0.millis().saturating_sub(from.0.millis()),
                _ => 0,
            };
            let text = texts::step(step.id).unwrap_or_default();
            say(&format!("  {text:<40} {:>5.1} s", took as f64 / 1000.0));
        }
    }

    fn show_key(&self, view: &FlowView, shown: &mut Shown) {
        if shown.by_key {
            return;
        }
        shown.by_key = true;
        if let Some(act) = &view.about.act {
            say(&texts::act(act));
        }
        say(texts::USE_KEY);
    }

    fn show_page(&self, view: &FlowView, shown: &mut Shown) {
        if matches!(view.next, FlowNext::UseSecurityKey { .. }) {
            return self.show_key(view, shown);
        }
        let FlowNext::UsePasskey { page_url, match_number, typed } = &view.next else { return };
        if shown.page.as_ref() == Some(page_url) {
            return;
        }
        shown.page = Some(page_url.clone());
        if let Some(act) = view.about.act.as_ref().filter(|_| !shown.by_key) {
            say(&texts::act(act));
        }
        let until = view.expires_at.map(clock_time).unwrap_or_default();
        if *typed {
            say(&texts::open_elsewhere(page_url, &until));
            // A page of this machine's own is of no use to the phone that scans it.
            if !page_url.contains("://localhost:") {
                self.show_qr(page_url);
            }
        } else {
            say(&texts::use_passkey(match_number, &until));
        }
    }
}

impl Shell for Terminal {
    fn show(&self, view: &FlowView) {
        if self.setup.quiet {
            return;
        }
        let mut shown = self.shown();
        let beginning = view.steps.iter().all(|step| step.finished_at.is_none());
        if beginning {
            *shown = Shown::default();
        }
        self.show_steps(view, &mut shown);
        let going_on = matches!(
            view.next,
            FlowNext::Wait | FlowNext::UsePasskey { .. } | FlowNext::UseSecurityKey { .. }
        );
        let failure = view.failure.as_ref().filter(|_| going_on);
        if failure.map(|failure| failure.code) != shown.failure {
            shown.failure = failure.map(|failure| failure.code);
            if let Some(failure) = failure {
                say(&format!("{}. {}", failure.title, failure.detail));
            }
        }
        shown.by_page = matches!(view.next, FlowNext::UsePasskey { typed: false, .. });
        self.show_page(view, &mut shown);
        if view.other_way != shown.other_way {
            shown.other_way = view.other_way;
            match (view.other_way, &view.next) {
                // Said where the PIN is asked for.
                (Some(FlowOtherWay::UseBrowser), _) => {}
                (Some(FlowOtherWay::TypeCode), FlowNext::UsePasskey { page_url, .. }) => {
                    say(&texts::still_waiting_page(page_url));
                }
                (Some(_), _) => say(texts::STILL_WAITING),
                (None, _) => {}
            }
        }
    }

    /// While the page is open in a browser, Enter takes the other way at once: a page that failed and
    /// that nobody closes says nothing to this program.
    fn signal(&self) -> Answer<'_, Signal> {
        Box::pin(async move {
            let by_page = self.setup.can_ask && !self.setup.quiet && self.shown().by_page;
            if !by_page {
                return std::future::pending().await;
            }
            match self.keyboard.next_line().await {
                Ok(_) => Signal::OtherWay,
                Err(_) => std::future::pending().await,
            }
        })
    }

    fn has_security_key(&self) -> Answer<'_, bool> {
        Box::pin(async { self.setup.keys && security_key::is_plugged_in().await })
    }

    fn use_security_key<'a>(
        &'a self,
        origin: &'a Url,
        options: &'a CeremonyOptions,
    ) -> Answer<'a, Result<Value, Failure>> {
        Box::pin(security_key::ask(origin, options))
    }

    fn has_browser(&self) -> bool {
        self.setup.browser != Browser::None
    }

    fn open_page(&self, begun: &CeremonyBegun) -> Result<Opened, Failure> {
        open_page(&self.setup.browser, &begun.page_url)
    }

    fn typed_code<'a>(
        &'a self,
        begun: &'a CeremonyBegun,
    ) -> Answer<'a, Result<Zeroizing<String>, Failure>> {
        Box::pin(async move {
            if self.setup.code_from_stdin {
                // One code, once: a second try has nothing new to say.
                if std::mem::replace(&mut self.shown().typed, true) {
                    return Err(Failure::new(ErrorCode::CompletionWrong, texts::WRONG_PIPED_CODE));
                }
                if self.setup.quiet {
                    // A program must learn the address somewhere.
                    say(&begun.page_url);
                }
            } else if self.setup.can_ask {
                let mut err = std::io::stderr().lock();
                let _ = write!(err, "{}", texts::TYPE_CODE).and_then(|()| err.flush());
            } else if self.has_browser() {
                return Err(Failure::new(ErrorCode::BrowserUnavailable, texts::BROWSER_ALONE));
            } else {
                return Err(Failure::new(ErrorCode::InputNeeded, texts::NOBODY_TO_TOUCH));
            }
            // Reading blocks: on a thread of its own, so that the ceremony's time still ends it.
            self.keyboard.next_line().await
        })
    }
}

/// Yes or no; `enter` stands for an empty line. None for what is neither.
fn said(answer: &str, enter: bool) -> Option<bool> {
    match answer.to_lowercase().as_str() {
        "" => Some(enter),
        "y" | "yes" => Some(true),
        "n" | "no" => Some(false),
        _ => None,
    }
}

/// One line of stdin.
pub fn read_line() -> Result<Zeroizing<String>, Failure> {
    let mut line = Zeroizing::new(String::new());
    let mut input = std::io::stdin().lock().take(LINE_MAX);
    match input.read_line(&mut line) {
        Ok(0) | Err(_) => Err(Failure::new(ErrorCode::InputNeeded, texts::INPUT_ENDED)),
        Ok(_) => Ok(line),
    }
}

/// All of stdin, up to `max` bytes and one more, so that too much can be told.
pub fn read_stdin(max: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    let mut input = std::io::stdin().lock().take(max as u64 + 1);
    input
        .read_to_end(&mut bytes)
        .map_err(|_| Failure::new(ErrorCode::InputNeeded, texts::INPUT_ENDED))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::said;

    #[test]
    fn what_is_neither_yes_nor_no_is_no_answer() {
        for enter in [true, false] {
            assert_eq!(said("", enter), Some(enter));
            assert_eq!((said("Y", enter), said("yes", enter)), (Some(true), Some(true)));
            assert_eq!((said("n", enter), said("No", enter)), (Some(false), Some(false)));
            for unclear in ["wrong", "yep", "4K7M-9QXA", "?"] {
                assert_eq!(said(unclear, enter), None, "{unclear}");
            }
        }
    }
}
