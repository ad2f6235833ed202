//! Opening a page in a browser on this machine.

use crate::failure::Failure;
use crate::texts;
use landfall_protocol::ErrorCode;
use std::process::Stdio;
use tokio::process::{Child, Command};

/// How to open pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Browser {
    /// A command; the address is its last argument.
    Command(Vec<String>),
    /// Whatever the platform opens pages with.
    Platform,
    /// None: the typed form is used.
    None,
}

impl Browser {
    /// The browser to use: the one asked for, else `$BROWSER` (its first entry; handed in, read at the
    /// edge), else the platform's own where a person can see it.
    pub fn choose(asked: Option<&str>, variable: Option<&str>, has_display: bool) -> Self {
        let command = |text: &str| {
            let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            (!words.is_empty()).then_some(Self::Command(words))
        };
        let first = variable.and_then(|list| list.split(':').next());
        let fallback = if has_display { Self::Platform } else { Self::None };
        asked.and_then(command).or_else(|| first.and_then(command)).unwrap_or(fallback)
    }
}

/// A page that was handed to a browser, which then runs on its own.
#[derive(Debug)]
pub struct Opened(Option<Child>);

impl Opened {
    /// A page of whose browser nothing more will be heard.
    pub const fn unwatched() -> Self {
        Self(None)
    }

    /// Waits until the browser has said, by its exit code, that it could not show the page. For ever
    /// when it could, or says nothing: a command may well end while its window stays.
    pub(crate) async fn gave_up(&mut self) {
        if let Some(child) = &mut self.0 {
            let ended = child.wait().await;
            if !ended.is_ok_and(|status| status.success()) {
                return;
            }
        }
        std::future::pending().await
    }
}

/// Opens `url`. Must be called within a tokio runtime.
///
/// # Errors
/// `browser-unavailable`.
pub fn open_page(browser: &Browser, url: &str) -> Result<Opened, Failure> {
    let unavailable = || Failure::new(ErrorCode::BrowserUnavailable, texts::NO_BROWSER);
    match browser {
        Browser::Command(words) => {
            let (program, arguments) = words.split_first().ok_or_else(unavailable)?;
            let child = Command::new(program)
                .args(arguments)
                .arg(url)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            child.map(|child| Opened(Some(child))).map_err(|_| unavailable())
        }
        Browser::Platform => {
            let opened = opener::open_browser(url).map(|()| Opened::unwatched());
            opened.map_err(|_| unavailable())
        }
        Browser::None => Err(unavailable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    #[test]
    fn the_asked_for_browser_wins_then_the_variable_then_the_platform() {
        let command =
            |words: &[&str]| Browser::Command(words.iter().map(|w| (*w).into()).collect());
        assert_eq!(Browser::choose(Some("a --b"), Some("c"), true), command(&["a", "--b"]));
        assert_eq!(Browser::choose(None, Some("c:d"), true), command(&["c"]));
        assert_eq!(Browser::choose(None, Some(""), true), Browser::Platform);
        assert_eq!(Browser::choose(Some(" "), None, false), Browser::None);
    }

    #[tokio::test]
    async fn a_browser_that_fails_is_heard_and_one_that_only_ends_is_not() {
        let opened = |program: &str| {
            open_page(&Browser::Command(vec![program.into()]), "http://localhost/").unwrap()
        };
        opened("false").gave_up().await;
        let mut fine = opened("true");
        fine.0.as_mut().unwrap().wait().await.unwrap();
        assert!(timeout(Duration::ZERO, fine.gave_up()).await.is_err());
        assert!(timeout(Duration::ZERO, Opened::unwatched().gave_up()).await.is_err());
    }

    #[tokio::test]
    async fn a_missing_program_is_no_browser() {
        let missing = Browser::Command(vec!["/no/such/browser".into()]);
        let failure = open_page(&missing, "http://localhost/").unwrap_err();
        assert_eq!(failure.code(), ErrorCode::BrowserUnavailable);
    }
}
