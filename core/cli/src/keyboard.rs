//! Lines that a person types, also while something else is waited for.
//!
//! A read of the terminal cannot be called back. So there is one at a time, on a thread of its own, and
//! whoever asks next gets the line that it yields: nothing that was typed is lost to a question that
//! nobody asks any more.

use landfall_client::Failure;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use zeroize::Zeroizing;

/// What a read yielded.
pub type Line = Result<Zeroizing<String>, Failure>;

/// Reads one line, and blocks until it is there.
type Read = fn() -> Line;

/// The keyboard.
#[derive(Clone)]
pub struct Keyboard(Arc<Shared>);

struct Shared {
    read: Read,
    state: Mutex<State>,
    typed: Condvar,
    awake: Notify,
}

#[derive(Default)]
struct State {
    /// Whether a thread reads.
    reading: bool,
    /// What was read and nobody has taken yet.
    line: Option<Line>,
}

impl Keyboard {
    /// A keyboard that is read by `read`.
    pub fn new(read: Read) -> Self {
        let (state, typed, awake) = (Mutex::default(), Condvar::new(), Notify::new());
        Self(Arc::new(Shared { read, state, typed, awake }))
    }

    /// The next line. Waits for it on this thread.
    pub fn line(&self) -> Line {
        self.begin();
        let mut state = self.lock();
        loop {
            if let Some(line) = state.line.take() {
                return line;
            }
            state = self.0.typed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next line. Who stops waiting leaves it to who asks next.
    pub async fn next_line(&self) -> Line {
        self.begin();
        loop {
            // Enlisted before looking, so that no word between the two is missed.
            let awake = self.0.awake.notified();
            if let Some(line) = self.lock().line.take() {
                return line;
            }
            awake.await;
        }
    }

    fn begin(&self) {
        let mut state = self.lock();
        if state.reading || state.line.is_some() {
            return;
        }
        state.reading = true;
        drop(state);
        let keyboard = self.clone();
        std::thread::spawn(move || {
            let line = (keyboard.0.read)();
            let mut state = keyboard.lock();
            (state.reading, state.line) = (false, Some(line));
            drop(state);
            keyboard.0.typed.notify_all();
            keyboard.0.awake.notify_waiters();
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc::{Sender, channel};
    use std::sync::{LazyLock, mpsc::Receiver};

    type Keys = (Mutex<Sender<&'static str>>, Mutex<Receiver<&'static str>>);

    static KEYS: LazyLock<Keys> = LazyLock::new(|| {
        let (send, receive) = channel();
        (Mutex::new(send), Mutex::new(receive))
    });
    static READS: AtomicU32 = AtomicU32::new(0);

    fn read() -> Line {
        READS.fetch_add(1, Ordering::SeqCst);
        Ok(Zeroizing::new(KEYS.1.lock().unwrap().recv().unwrap().to_owned()))
    }

    fn press(line: &'static str) {
        KEYS.0.lock().unwrap().send(line).unwrap();
    }

    #[tokio::test]
    async fn what_is_typed_goes_to_who_asks_next_and_one_thread_reads() {
        let keyboard = Keyboard::new(read);
        // Somebody waits, and stops waiting before anything is typed.
        let waiting = tokio::time::timeout(std::time::Duration::ZERO, keyboard.next_line());
        assert!(waiting.await.is_err());
        press("first");
        assert_eq!(keyboard.next_line().await.unwrap().as_str(), "first");
        assert_eq!(READS.load(Ordering::SeqCst), 1);
        press("second");
        let asking = keyboard.clone();
        let second = tokio::task::spawn_blocking(move || asking.line()).await.unwrap();
        assert_eq!(second.unwrap().as_str(), "second");
        assert_eq!(READS.load(Ordering::SeqCst), 2);
    }
}
