//! Time and chance for tests.

use landfall_crypto::ambient::{Ambient, ManualClock, Random};
use landfall_crypto::secret::sha256_of;
use landfall_identity::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The same bytes in the same order, every time: for tests only, never for keys.
pub struct SeededRandom {
    seed: [u8; 32],
    drawn: AtomicU64,
}

impl SeededRandom {
    /// A stream that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed: sha256_of(&[&seed.to_be_bytes()]), drawn: AtomicU64::new(0) }
    }
}

impl Random for SeededRandom {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let number = self.drawn.fetch_add(1, Ordering::SeqCst);
            let block = sha256_of(&[&self.seed, &number.to_be_bytes()]);
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

/// A clock that stands at `start`, and a seeded stream: the clock to move, and both together.
pub fn still_ambient(start: Timestamp, seed: u64) -> (Arc<ManualClock>, Ambient) {
    let clock = Arc::new(ManualClock::new(start));
    let ambient = Ambient { clock: clock.clone(), random: Arc::new(SeededRandom::new(seed)) };
    (clock, ambient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_stream_and_no_other() {
        let draw = |seed| {
            let random: Arc<dyn Random> = Arc::new(SeededRandom::new(seed));
            (random.array::<40>(), random.array::<8>())
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
