//! Questions whose answers nobody sees: the terminal goes dark before it asks, so that what is typed
//! ahead or pasted at once does not show either.

use std::io;
use zeroize::Zeroizing;

/// Asks, and reads a line that is not shown.
///
/// # Errors
/// The terminal's own.
pub fn ask(question: &str) -> io::Result<Zeroizing<String>> {
    let _dark = Dark::fall();
    rpassword::prompt_password(question).map(Zeroizing::new)
}

/// A terminal that shows nothing of what is typed, until this is dropped.
#[cfg(unix)]
struct Dark {
    terminal: std::fs::File,
    before: nix::sys::termios::Termios,
}

#[cfg(unix)]
impl Dark {
    fn fall() -> Option<Self> {
        use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
        let terminal = std::fs::File::open("/dev/tty").ok()?;
        let before = tcgetattr(&terminal).ok()?;
        let mut dark = before.clone();
        dark.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(&terminal, SetArg::TCSANOW, &dark).ok()?;
        Some(Self { terminal, before })
    }
}

#[cfg(unix)]
impl Drop for Dark {
    fn drop(&mut self) {
        use nix::sys::termios::{SetArg, tcsetattr};
        // A terminal that has gone away is nobody's to set right.
        let _ = tcsetattr(&self.terminal, SetArg::TCSANOW, &self.before);
    }
}

/// Where consoles hide what is typed by themselves.
#[cfg(not(unix))]
struct Dark;

#[cfg(not(unix))]
impl Dark {
    fn fall() -> Option<Self> {
        None
    }
}
