//! What a running server does by itself: polls what must be cut, counts strangers, watches the clock,
//! renews its own certificate, drops what is over.

use crate::certificate::ServerCertificate;
use crate::connections::Registry;
use crate::failure::Failure;
use crate::mail::Mailer;
use crate::person_servers::PersonServers;
use crate::service::{Channel, Cutter, RULES_CHANGED, Service, WaysOut};
use crate::strangers::Strangers;
use crate::webhooks::Webhooks;
use landfall_identity::{Seconds, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// How often the `changes` table is polled.
pub const POLL_EVERY: Duration = Duration::from_millis(100);
/// Without a successful poll for this long, nobody is let in.
pub const SILENCE_MAX: Duration = Duration::from_secs(30);
/// How often counts are written and the clock is looked at.
const TICK: Duration = Duration::from_secs(1);
/// How often the outbox is looked into.
const POST_EVERY: Duration = Duration::from_millis(500);
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

/// Every way out of one server.
pub(crate) struct Post {
    /// For mail, where it is sent.
    pub mailer: Option<Mailer>,
    /// For webhooks.
    pub webhooks: Webhooks,
    /// To person servers, where there are agents.
    pub person_servers: Option<PersonServers>,
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
    /// Polls for what other nodes, and operators' commands, have cut, and for rules that they have set.
    ///
    /// # Errors
    /// [`Failure`] when the first poll fails: a server that cannot read this does not start.
    pub async fn poller(&self) -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
        let mut seen = self.service.latest_change().await?;
        self.service.reload_policy().await?;
        let (service, registry) = (self.service.clone(), Arc::clone(&self.registry));
        let (heartbeat, stop) = (Arc::clone(&self.heartbeat), self.stop.clone());
        heartbeat.beat();
        Ok(async move {
            let mut ticks = ticks(POLL_EVERY);
            let mut failing = false;
            while next(&mut ticks, &stop).await {
                match follow(&service, &registry, &mut seen).await {
                    Ok(()) => {
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

    /// Writes counts, watches the clock and the certificate, every second; keeps house at the start and
    /// now and then.
    pub(crate) fn keeper(
        &self,
        certificate: Arc<ServerCertificate>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (service, strangers) = (self.service.clone(), Arc::clone(&self.strangers));
        let stop = self.stop.clone();
        async move {
            let mut ticks = ticks(TICK);
            let mut clock = ClockWatch::new(&service).await;
            let mut house: Option<Instant> = None;
            while next(&mut ticks, &stop).await {
                if let Err(error) = strangers.flush().await {
                    tracing::warn!(%error, "strangers' refusals wait to be counted");
                }
                clock.look(&service).await;
                certificate.look();
                if house.is_none_or(|last| last.elapsed() >= HOUSEKEEPING) {
                    house = Some(Instant::now());
                    certificate.renew();
                    if let Err(error) = service.prune(&stop).await {
                        tracing::warn!(%error, "what is over could not be dropped");
                    }
                }
            }
            // The last second's counts.
            let _ = strangers.flush().await;
        }
    }
}

impl Background {
    /// Delivers what is due on a channel, and keeps trying. Lets go of what is on its way when it is time to stop.
    fn postman(
        &self,
        post: Arc<Post>,
        channel: Channel,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (service, stop) = (self.service.clone(), self.stop.clone());
        async move {
            let mut ticks = ticks(POST_EVERY);
            let mut failing = false;
            while next(&mut ticks, &stop).await {
                let ways =
                    WaysOut { mail: post.mailer.as_ref(), webhooks: &post.webhooks, stop: &stop };
                match service.deliver_due(channel, &ways).await {
                    Ok(()) => failing = false,
                    Err(error) if !failing => {
                        failing = true;
                        tracing::error!(%error, "the outbox cannot be worked off");
                    }
                    Err(_) => {}
                }
            }
        }
    }
}

impl Background {
    /// Begins everything that tells somebody: one for each channel, for what is slow holds up nothing else;
    /// and who watches the waits, which tell of themselves.
    pub(crate) fn messengers(&self, tasks: &mut JoinSet<()>, mut post: Post) {
        if let Some(way) = post.person_servers.take() {
            tasks.spawn(self.teller(way));
        }
        let post = Arc::new(post);
        for channel in [Channel::Mail, Channel::Webhook] {
            tasks.spawn(self.postman(Arc::clone(&post), channel));
        }
        tasks.spawn(self.waiter());
    }

    /// Tells person servers of tokens that serve no more, and keeps trying until they have ended.
    fn teller(&self, way: PersonServers) -> impl Future<Output = ()> + Send + 'static {
        let (service, stop) = (self.service.clone(), self.stop.clone());
        async move {
            let mut ticks = ticks(POST_EVERY);
            let mut failing = false;
            while next(&mut ticks, &stop).await {
                match service.tell_person_servers(&way, &stop).await {
                    Ok(()) => failing = false,
                    Err(error) if !failing => {
                        failing = true;
                        tracing::error!(%error, "tokens that were called in cannot be read");
                    }
                    Err(_) => {}
                }
            }
        }
    }
}

impl Background {
    /// Moves on what waits: periods that are halfway over, suspensions that nobody objected to.
    fn waiter(&self) -> impl Future<Output = ()> + Send + 'static {
        let (service, stop) = (self.service.clone(), self.stop.clone());
        async move {
            let mut ticks = ticks(TICK);
            let mut failing = false;
            while next(&mut ticks, &stop).await {
                let moved = async {
                    service.move_waits_on().await?;
                    service.ripen_suspensions().await
                };
                match moved.await {
                    Ok(()) => failing = false,
                    Err(error) if !failing => {
                        failing = true;
                        tracing::error!(%error, "what waits cannot be moved on");
                    }
                    Err(_) => {}
                }
            }
        }
    }
}

/// Time that really passed, with the machine's sleep: a laptop that wakes up has seen no jump.
enum Passed {
    /// Linux says how long the machine has been up.
    Uptime(Duration),
    /// Elsewhere sleep does not count, and looks like a jump.
    Awake(Instant),
}

impl Passed {
    fn begin() -> Self {
        uptime().map_or_else(|| Self::Awake(Instant::now()), Self::Uptime)
    }

    fn elapsed(&self) -> Duration {
        match self {
            // A reading that fails counts as no time at all.
            Self::Uptime(began) => uptime().unwrap_or_default().saturating_sub(*began),
            Self::Awake(began) => began.elapsed(),
        }
    }
}

/// How long this machine has been up, its sleep included (proc(5), `uptime`).
fn uptime() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = text.split(' ').next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// Compares the clock with how much time really passed, and with the latest time ever seen.
struct ClockWatch {
    wall: Timestamp,
    since: Passed,
    noted: Option<Timestamp>,
    /// A jump that is not written down yet: what the clock should have shown, and what it showed.
    jump: Option<(Timestamp, Timestamp)>,
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
        Self { wall, since: Passed::begin(), noted, jump: None }
    }

    async fn look(&mut self, service: &Service) {
        let now = service.now();
        let expected = self.wall + Seconds(self.since.elapsed().as_secs());
        (self.wall, self.since) = (now, Passed::begin());
        if apart(now, expected) > CLOCK_JUMP {
            tracing::error!(
                "the clock jumped by more than five minutes; what waits stands still until: \
                 landfall-server clock confirm"
            );
            self.jump = self.jump.or(Some((expected, now)));
        }
        let written = match self.jump {
            Some((expected, now)) => service.note_jump(expected, now).await,
            None if self.noted.is_none_or(|noted| apart(now, noted) >= NOTE_EVERY) => {
                service.note_time(now).await
            }
            // A server that is out of service gets no requests: it finds out by itself whether it can
            // write again.
            None if service.cannot_write() => service.note_time(now).await,
            None => return,
        };
        match written {
            Ok(()) => (self.noted, self.jump) = (Some(now), None),
            Err(error) => tracing::warn!(%error, "the time could not be noted"),
        }
    }
}

fn apart(one: Timestamp, other: Timestamp) -> Seconds {
    one.since(other).max(other.since(one))
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

/// Does what other nodes have written after change `seen`, in its order.
async fn follow(service: &Service, registry: &Registry, seen: &mut i64) -> Result<(), Failure> {
    for (number, changed) in service.changes_after(*seen).await? {
        match changed.starts_with(RULES_CHANGED) {
            true => service.reload_policy().await?,
            false => registry.cut(&changed),
        }
        *seen = number;
    }
    Ok(())
}

#[cfg(test)]
#[path = "background_tests.rs"]
mod tests;
