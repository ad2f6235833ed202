//! `landfall-desktop`: the window around the engine. It translates and delegates.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod agents;
mod clipboard;
mod commands;
mod ready;
mod recover;
mod shell;

use commands::Desk;
use landfall_client::state::{Home, default_home};
use landfall_client::words::Ambient;
use landfall_client::{Browser, Client, Failure, Setup};
use landfall_keystore::FileKeyStore;
use std::env;
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    match desk().map_err(|failure| failure.to_string()).and_then(open) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&why);
            ExitCode::FAILURE
        }
    }
}

/// Everything that is read from outside, once.
fn desk() -> Result<Desk, Failure> {
    let home = Home::open(default_home(env::var_os("LANDFALL_HOME").as_deref())?)?;
    let keys = Arc::new(FileKeyStore::open(home.keys())?);
    let asked = browser_argument(env::args().skip(1));
    let variable = env::var("BROWSER").ok();
    let browser = Browser::choose(asked.as_deref(), variable.as_deref(), true);
    let setup = Setup { home, keys, ambient: Ambient::system(), profile: None };
    let client = Client::new(setup);
    // Who says how pages are to be opened has said that they want pages.
    let keys = asked.is_none();
    Ok(Desk { client, browser, keys, said: Default::default(), clipboard: Default::default() })
}

#[allow(clippy::disallowed_methods, reason = "what tauri's macro writes exits by itself")]
fn open(desk: Desk) -> Result<(), String> {
    tauri::Builder::default()
        .manage(desk)
        .invoke_handler(tauri::generate_handler![
            commands::standing,
            commands::read_token,
            commands::enroll,
            commands::me,
            commands::devices,
            commands::device_add,
            commands::token,
            commands::token_cancel,
            commands::device_suspend,
            commands::device_revoke,
            commands::freeze,
            commands::unfreeze,
            commands::passkey_add,
            commands::secrets,
            commands::secret_reveal,
            commands::secret_copy,
            commands::copy_text,
            commands::flow_other_way,
            commands::flow_typed,
            commands::flow_pin,
            commands::flow_cancel,
            recover::sheet_read,
            recover::recover,
            recover::recovery_here,
            recover::recovery_go_on,
            recover::recovery_seen,
            recover::recovery_drop,
            ready::codes,
            ready::codes_make,
            ready::sheet_save,
            ready::sheet_print,
            ready::addresses,
            ready::address_add,
            ready::address_confirm,
            ready::address_remove,
            ready::notices,
            ready::recoveries,
            ready::recovery_stop,
            ready::queue,
            ready::queue_find,
            ready::queue_approve,
            ready::queue_refuse,
            agents::approvals,
            agents::approval_grant,
            agents::approval_refuse,
        ])
        .run(tauri::generate_context!())
        .map_err(|error| error.to_string())
}

/// The value of `--browser CMD`.
fn browser_argument(arguments: impl Iterator<Item = String>) -> Option<String> {
    let mut rest = arguments.skip_while(|argument| argument != "--browser");
    rest.nth(1)
}

#[expect(clippy::print_stderr, reason = "there is no window to say it in")]
fn say(why: &str) {
    eprintln!("landfall-desktop: {why}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_is_the_word_after_its_flag() {
        let read = |words: &[&str]| browser_argument(words.iter().map(|word| (*word).to_owned()));
        assert_eq!(
            read(&["--browser", "soft-browser --quick"]).as_deref(),
            Some("soft-browser --quick")
        );
        assert_eq!(read(&["--browser"]), None);
        assert_eq!(read(&[]), None);
    }
}
