//! Strangers: what they are refused is counted, not written row by row, and who guesses waits.
//!
//! A flood of refusals must not become a flood of durable writes ahead of honest people. So refusals
//! gather in memory, by place, code and minute, and go to the database in one job a second. The
//! database is the truth that limits are read from, so that a restart or a second node forgets
//! nothing; what is not written yet counts as well.

use crate::failure::Failure;
use crate::store::strangers::Count;
use crate::store::{self, Lane, Store, StoreError, Tx};
use landfall_crypto::ambient::Ambient;
use landfall_identity::{Refusal, Seconds, Timestamp};
use landfall_protocol::ErrorCode;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Kinds of refusals that may gather before they are written; what is beyond joins one heap.
const PENDING_MAX: usize = 10_000;
/// Places whose count is remembered.
const KNOWN_MAX: usize = 10_000;
/// How long a count that was read serves.
const READ_AGAIN: Seconds = Seconds(5);
/// The span that guesses are counted over.
const WINDOW: Seconds = Seconds::minutes(10);
/// Guesses from one place within the window, before it has to wait. Generous: whole offices share
/// one address, and the secrets have 256 bits.
pub const GUESSES_MAX: u64 = 600;
/// Where all go for whom there is no room.
const OTHERS: &str = "others";

/// Refusals that mean somebody tries secrets. Who held the right one and was refused for another
/// reason is no guesser.
const GUESSES: [ErrorCode; 10] = [
    ErrorCode::TokenInvalid,
    ErrorCode::SignatureInvalid,
    ErrorCode::CeremonyOver,
    ErrorCode::LinkOver,
    ErrorCode::PasskeyRefused,
    ErrorCode::RecoveryCodeWrong,
    ErrorCode::MailedCodeWrong,
    ErrorCode::WorkloadTokenInvalid,
    ErrorCode::AgentSignature,
    ErrorCode::AgentCodeWrong,
];

/// Whether a refusal means that somebody tries secrets.
pub fn is_guess(code: ErrorCode) -> bool {
    GUESSES.contains(&code)
}

/// Counts refusals, and says who has to wait.
pub struct Strangers {
    store: Store,
    ambient: Ambient,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pending: HashMap<(String, ErrorCode, Timestamp), u64>,
    known: HashMap<String, Known>,
}

/// What the database said of a place, and what came since.
struct Known {
    guesses: u64,
    read_at: Timestamp,
}

impl Strangers {
    /// Nothing counted yet.
    pub fn new(store: Store, ambient: Ambient) -> Self {
        Self { store, ambient, state: Mutex::default() }
    }

    /// Counts a refusal.
    pub fn note(&self, source: IpAddr, code: ErrorCode) {
        let minute = minute_of(self.ambient.now());
        let mut prefix = prefix(source);
        let mut state = self.lock();
        if GUESSES.contains(&code)
            && let Some(known) = state.known.get_mut(&prefix)
        {
            known.guesses = known.guesses.saturating_add(1);
        }
        if state.pending.len() >= PENDING_MAX {
            OTHERS.clone_into(&mut prefix);
        }
        *state.pending.entry((prefix, code, minute)).or_default() += 1;
    }

    /// Whether this place may still be told that its guess was wrong.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`]; [`Failure`] when the database does not answer.
    pub async fn admit(&self, source: IpAddr) -> Result<(), Failure> {
        let prefix = prefix(source);
        let now = self.ambient.now();
        let remembered = self.lock().known.get(&prefix).and_then(|known| {
            // A clock that went back does not keep an old count alive.
            let fresh = known.read_at <= now && now.since(known.read_at) < READ_AGAIN;
            fresh.then_some(known.guesses)
        });
        let guesses = match remembered {
            Some(guesses) => guesses,
            None => self.read(&prefix, now).await?,
        };
        if guesses < GUESSES_MAX {
            return Ok(());
        }
        Err(Refusal::RateLimited { retry_after: WINDOW }.into())
    }

    /// Writes what has gathered, in one job. On failure it stays for the next time.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn flush(&self) -> Result<(), Failure> {
        let pending = std::mem::take(&mut self.lock().pending);
        if pending.is_empty() {
            return Ok(());
        }
        let counts: Vec<Count> = pending
            .iter()
            .map(|((prefix, code, minute), count)| Count {
                prefix: prefix.clone(),
                code: code.as_str(),
                minute: *minute,
                count: *count,
            })
            .collect();
        let work = async move |tx: &mut Tx<'_>| {
            for count in &counts {
                store::strangers::add(tx, count).await?;
            }
            Ok(())
        };
        let written = self.store.write(Lane::Stranger, work, no_row).await;
        if written.is_err() {
            let mut state = self.lock();
            for (key, count) in pending {
                *state.pending.entry(key).or_default() += count;
            }
        }
        written
    }

    async fn read(&self, prefix: &str, now: Timestamp) -> Result<u64, Failure> {
        let since = minute_of(now - WINDOW);
        let codes = GUESSES.map(ErrorCode::as_str);
        let written = self
            .store
            .read(async |tx: &mut Tx<'_>| {
                store::strangers::guesses(tx, prefix, &codes, since).await
            })
            .await?;
        let mut state = self.lock();
        let waiting: u64 = state
            .pending
            .iter()
            .filter(|((place, code, _), _)| place == prefix && GUESSES.contains(code))
            .map(|(_, count)| count)
            .sum();
        let guesses = written.saturating_add(waiting);
        if state.known.len() >= KNOWN_MAX {
            state.known.retain(|_, known| now.since(known.read_at) < READ_AGAIN);
        }
        if state.known.len() < KNOWN_MAX {
            state.known.insert(prefix.to_owned(), Known { guesses, read_at: now });
        }
        Ok(guesses)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counting is no act of anybody: it has no audit row.
async fn no_row<T>(_tx: &mut Tx<'_>, _result: &Result<T, Failure>) -> Result<(), StoreError> {
    Ok(())
}

fn minute_of(at: Timestamp) -> Timestamp {
    Timestamp::from_seconds(at.seconds().div_euclid(60) * 60)
}

/// One address for IPv4; the network of one customer for IPv6, where an address costs nothing.
pub fn prefix(source: IpAddr) -> String {
    match source.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            format!("{}/64", Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_crypto::ambient::{ManualClock, SystemRandom};
    use std::sync::Arc;

    async fn strangers(directory: &std::path::Path) -> (Strangers, Arc<ManualClock>) {
        let store = Store::open(&directory.join("landfall.db")).await.unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
        let ambient = Ambient { clock: clock.clone(), random: Arc::new(SystemRandom) };
        (Strangers::new(store, ambient), clock)
    }

    #[tokio::test]
    async fn who_guesses_waits_also_after_a_restart_and_not_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let (strangers, clock) = strangers(directory.path()).await;
        let (guesser, other) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        for _ in 0..GUESSES_MAX {
            strangers.admit(guesser).await.unwrap();
            strangers.note(guesser, ErrorCode::TokenInvalid);
        }
        assert!(strangers.admit(guesser).await.is_err());
        assert!(strangers.admit(other).await.is_ok());

        strangers.flush().await.unwrap();
        let again = Strangers::new(strangers.store.clone(), strangers.ambient.clone());
        assert!(again.admit(guesser).await.is_err(), "a restart forgets nothing");
        clock.advance(Seconds(WINDOW.0 + 60));
        assert!(again.admit(guesser).await.is_ok());
    }

    #[tokio::test]
    async fn who_held_the_right_secret_is_no_guesser() {
        let directory = tempfile::tempdir().unwrap();
        let (strangers, _) = strangers(directory.path()).await;
        let source = [192, 0, 2, 1].into();
        for _ in 0..=GUESSES_MAX {
            strangers.note(source, ErrorCode::TokenUsed);
        }
        assert!(strangers.admit(source).await.is_ok());
    }

    #[tokio::test]
    async fn a_flood_from_everywhere_stays_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let (strangers, _) = strangers(directory.path()).await;
        for n in 0..2 * PENDING_MAX as u32 {
            strangers.note(IpAddr::V4(n.into()), ErrorCode::TokenInvalid);
        }
        assert!(strangers.lock().pending.len() <= PENDING_MAX + 1);
    }

    #[test]
    fn an_ipv6_customer_is_one_place() {
        let place = |text: &str| prefix(text.parse().unwrap());
        assert_eq!(place("2001:db8:1:2::1"), place("2001:db8:1:2:ffff::9"));
        assert_ne!(place("2001:db8:1:2::1"), place("2001:db8:1:3::1"));
        assert_eq!(place("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
