//! What a running server does by itself: polls what must be cut, counts strangers, watches the clock,
//! renews its own certificate.

use crate::connections::Registry;
use crate::failure::Failure;
use crate::service::{Cutter, Service};
use crate::strangers::Strangers;
use futures::future::BoxFuture;
use landfall_identity::{Seconds, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// How often the `changes` table is polled.
pub const POLL_EVERY: Duration = Duration::from_millis(100);
/// Without a successful poll for this long, nobody is let in.
pub const SILENCE_MAX: Duration = Duration::from_secs(30);
/// How often counts are written and the clock is looked at.
const TICK: Duration = Duration::from_secs(1);
/// How often old rows are dropped and the server's certificate is looked at.
const HOUSEKEEPING: Duration = Duration::from_secs(600);

/// When revocations last reached this node.
#[derive(Debug)]
pub struct Heartbeat(Mutex<Instant>);

impl Heartbeat {
    /// Beats now.
    pub fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    /// Beats.
    pub fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Whether it beat lately.
    pub fn is_alive(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed() < SILENCE_MAX
    }
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self::new()
    }
}

/// The background work of one server.
pub struct Background {
    /// The use cases.
    pub service: Service,
    /// Where connections are cut.
    pub registry: Arc<Registry>,
    /// Whether polls succeed.
    pub heartbeat: Arc<Heartbeat>,
    /// Who guesses.
    pub strangers: Arc<Strangers>,
    /// Says when to stop.
    pub stop: CancellationToken,
}

impl Background {
    /// Polls for what other nodes, and operators' commands, have cut.
    ///
    /// # Errors
    /// [`Failure`] when the first poll fails: a server that cannot read this does not start.
    pub async fn poller(&self) -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
        let mut seen = self.service.latest_change().await?;
        let (service, registry) = (self.service.clone(), Arc::clone(&self.registry));
        let (heartbeat, stop) = (Arc::clone(&self.heartbeat), self.stop.clone());
        heartbeat.beat();
        Ok(async move {
            let mut ticks = ticks(POLL_EVERY);
            let mut failing = false;
            while next(&mut ticks, &stop).await {
                match service.changes_after(seen).await {
                    Ok(changes) => {
                        for (number, thumbprint) in changes {
                            registry.cut(&thumbprint);
                            seen = number;
                        }
                        heartbeat.beat();
                        failing = false;
                    }
                    Err(error) if !failing => {
                        failing = true;
                        tracing::error!(%error, "revocations cannot be read");
                    }
                    Err(_) => {}
                }
            }
        })
    }

    /// Writes counts and watches the clock, every second, and keeps house now and then.
    pub fn keeper(
        &self,
        housekeeping: impl Fn() -> BoxFuture<'static, ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (service, strangers) = (self.service.clone(), Arc::clone(&self.strangers));
        let stop = self.stop.clone();
        async move {
            let mut ticks = ticks(TICK);
            let mut clock = ClockWatch::new(&service).await;
            let mut house = Instant::now();
            while next(&mut ticks, &stop).await {
                if let Err(error) = strangers.flush().await {
                    tracing::warn!(%error, "strangers' refusals wait to be counted");
                }
                clock.look(&service).await;
                if house.elapsed() >= HOUSEKEEPING {
                    house = Instant::now();
                    housekeeping().await;
                }
            }
            // The last second's counts.
            let _ = strangers.flush().await;
        }
    }
}

/// Compares the clock with how much time really passed, and with the latest time ever seen.
struct ClockWatch {
    wall: Timestamp,
    since: Instant,
    noted: Option<Timestamp>,
}

/// A jump beyond this is believed only when an operator says so.
pub const CLOCK_JUMP: Seconds = Seconds::minutes(5);
/// How often the latest time is written down.
const NOTE_EVERY: Seconds = Seconds::minutes(1);

impl ClockWatch {
    /// Begins with the latest time that was seen before the start.
    async fn new(service: &Service) -> Self {
        let noted = service.high_water().await.ok().flatten();
        let now = service.now();
        let went_back = noted.is_some_and(|noted| noted.since(now) > CLOCK_JUMP);
        let wall = if went_back { noted.unwrap_or(now) } else { now };
        Self { wall, since: Instant::now(), noted }
    }

    async fn look(&mut self, service: &Service) {
        let now = service.now();
        let expected = self.wall + Seconds(self.since.elapsed().as_secs());
        let jumped = now.since(expected) > CLOCK_JUMP || expected.since(now) > CLOCK_JUMP;
        (self.wall, self.since) = (now, Instant::now());
        if jumped {
            tracing::error!(
                "the clock jumped by more than five minutes; what waits stands still until: \
                 landfall-server clock confirm"
            );
        }
        let due = self.noted.is_none_or(|noted| now.since(noted) >= NOTE_EVERY);
        if !jumped && !due {
            return;
        }
        match service.note_time(now, jumped).await {
            Ok(()) => self.noted = Some(now),
            Err(error) => tracing::warn!(%error, "the time could not be noted"),
        }
    }
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Waits for the next tick; false when it is time to stop.
async fn next(ticks: &mut tokio::time::Interval, stop: &CancellationToken) -> bool {
    tokio::select! {
        _ = ticks.tick() => true,
        () = stop.cancelled() => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_hears_nothing_for_thirty_seconds_is_dead() {
        let heartbeat = Heartbeat::new();
        assert!(heartbeat.is_alive());
        *heartbeat.0.lock().unwrap() = Instant::now() - SILENCE_MAX;
        assert!(!heartbeat.is_alive());
        heartbeat.beat();
        assert!(heartbeat.is_alive());
    }
}
