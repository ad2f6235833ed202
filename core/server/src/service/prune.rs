//! Dropping what is over, a little at a time.

use super::Service;
use crate::failure::Failure;
use crate::store::stale::{STALE, STEP_ROWS, drop_some};
use crate::store::{Lane, StoreError, Tx};
use tokio_util::sync::CancellationToken;

impl Service {
    /// Drops what has been over for long enough, in steps that nobody notices, until there is no more
    /// or `stop` says so. While the clock is in doubt nothing is dropped: it may only seem over.
    ///
    /// # Errors
    /// [`Failure`] from the store; the next time goes on.
    pub async fn prune(&self, stop: &CancellationToken) -> Result<(), Failure> {
        for stale in &STALE {
            let mut dropped = 0;
            loop {
                if stop.is_cancelled() || self.waits_stand_at().await?.is_some() {
                    return Ok(());
                }
                let now = self.now();
                let work = async move |tx: &mut Tx<'_>| Ok(drop_some(tx, stale, now).await?);
                let no_row =
                    async |_: &mut Tx<'_>, _: &Result<u64, Failure>| Ok::<_, StoreError>(());
                let step = self.store.write(Lane::Known, work, no_row).await?;
                dropped += step;
                if step < u64::from(STEP_ROWS) {
                    break;
                }
            }
            if dropped > 0 {
                tracing::info!(rows = dropped, what = stale.what, "dropped what was over");
            }
        }
        Ok(())
    }
}
