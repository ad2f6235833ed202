//! Sealing under a phrase, which takes memory on purpose: a bounded number at once, and a bounded number that
//! waits. A small host must not be brought down by those who ask.

use crate::failure::Failure;
use landfall_crypto::passphrase::{self, WORK_FACTOR_OF_TRAVELLERS};
use landfall_crypto::secret::SecretText;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Runs at once: each takes 128 MiB.
pub(super) const AT_ONCE: usize = 1;
/// Those that wait for their turn; whoever comes beyond comes again.
pub(super) const WAITING_MAX: usize = 8;

/// Why nothing was sealed.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum SealError {
    /// Too many wait.
    #[error("too many files are being sealed")]
    Busy,
    /// The library, or the machine.
    #[error("sealing failed: {0}")]
    Failed(String),
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Busy => Self::Busy,
            failed @ SealError::Failed(_) => Self::internal(failed),
        }
    }
}

/// The one place where files are sealed under phrases.
pub(crate) struct Sealing {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    work_factor: u8,
}

impl Default for Sealing {
    fn default() -> Self {
        Self::at(WORK_FACTOR_OF_TRAVELLERS)
    }
}

impl Sealing {
    /// At this cost.
    pub(super) fn at(work_factor: u8) -> Self {
        Self {
            places: Arc::new(Semaphore::new(AT_ONCE + WAITING_MAX)),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            work_factor,
        }
    }

    /// Seals `secret` under `phrase`, when it is its turn.
    pub(super) async fn seal(
        &self,
        secret: SecretText,
        phrase: SecretText,
    ) -> Result<Vec<u8>, SealError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| SealError::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| SealError::Busy)?;
        let work_factor = self.work_factor;
        // The turn goes along: who hangs up meanwhile does not let one more begin.
        let run = tokio::task::spawn_blocking(move || {
            let _held = (place, turn);
            passphrase::seal_at(work_factor, secret.as_bytes(), &phrase)
        });
        run.await
            .map_err(|fault| SealError::Failed(fault.to_string()))?
            .map_err(|error| SealError::Failed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// The cheapest cost there is.
    const CHEAP: u8 = 1;

    async fn seal(sealing: &Sealing) -> Result<Vec<u8>, SealError> {
        let text = |text: &str| SecretText::new(text.to_owned());
        sealing.seal(text("secret"), text("words")).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn as_many_wait_as_may_and_nobody_runs_beside_another() {
        let sealing = Arc::new(Sealing::at(CHEAP));
        // Somebody is at it, and does not come to an end.
        let held = Arc::clone(&sealing.turns).acquire_many_owned(AT_ONCE as u32).await.unwrap();
        let done = Arc::new(AtomicUsize::new(0));
        let waiting: Vec<_> = (0..AT_ONCE + WAITING_MAX)
            .map(|_| {
                let (sealing, done) = (Arc::clone(&sealing), Arc::clone(&done));
                tokio::spawn(async move {
                    let sealed = seal(&sealing).await;
                    done.fetch_add(1, Ordering::SeqCst);
                    sealed
                })
            })
            .collect();
        while sealing.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(seal(&sealing).await, Err(SealError::Busy)), "one too many");
        assert_eq!(done.load(Ordering::SeqCst), 0, "nobody overtook");
        drop(held);
        for sealed in waiting {
            assert!(sealed.await.unwrap().is_ok());
        }
        assert_eq!(sealing.places.available_permits(), AT_ONCE + WAITING_MAX);
        assert!(seal(&sealing).await.is_ok(), "there is room again");
    }

    #[tokio::test]
    async fn whoever_hangs_up_keeps_their_turn_until_the_work_is_done() {
        let sealing = Arc::new(Sealing::at(12));
        let begun = Arc::clone(&sealing);
        let gone = tokio::spawn(async move { seal(&begun).await });
        while sealing.turns.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        gone.abort();
        // Their thread goes on, and the next waits for it.
        assert!(seal(&sealing).await.is_ok());
    }

    #[tokio::test]
    async fn what_cannot_be_sealed_is_told() {
        assert!(matches!(seal(&Sealing::at(0)).await, Err(SealError::Failed(_))));
    }
}
