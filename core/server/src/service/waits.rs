//! The waiting period: asked for by a bare machine, moved on by the server, ended by the owner.
//!
//! Nothing of it is in memory. Each leg begins with a notice, written in the transaction that begins it,
//! and its time counts from when a device of the account fetched that notice or a mail server took it.

use super::notices::News;
use super::perform::{note, recorder};
use super::recovery::{SignedMessage, keep_refused, notes_of, reload, still_open, take_of};
use super::recovery_standing::Standing;
use super::{RequestContext, Service, Turn};
use crate::failure::Failure;
use crate::store::outbox::{Parcel, Purpose};
use crate::store::recoveries::Recovery;
use crate::store::waits::{self, Wait};
use crate::store::{self, Lane, StoreError, Tx, meta, passkeys, users};
use landfall_identity::audit::AuditEvent;
use landfall_identity::authorize::Object;
use landfall_identity::id::{AuditId, NoticeId};
use landfall_identity::notice::{By, Happening};
use landfall_identity::recovery::{Leg, OBJECTIONS_WINDOW, Objection, PICK_UP, WaitState};
use landfall_identity::{BoundAction, Refusal, Seconds, Timestamp};
use landfall_protocol::guardian::WaitingInfo;
use landfall_protocol::recovery::{RecoveryStatus, RecoveryWaitRequest};

/// The beginning of a further leg, in the audit.
const MOVED_ON: &str = "wait-goes-on";

impl Service {
    /// A machine asks to be let in by time. The same one again changes nothing; a second one of the same
    /// account makes both contested.
    ///
    /// # Errors
    /// [`Refusal::RecoveryUnproved`] where nothing that was shown allows it, whatever the reason.
    pub async fn ask_for_wait(
        &self,
        request: RequestContext,
        message: SignedMessage<'_>,
        body: RecoveryWaitRequest,
    ) -> Result<RecoveryStatus, Failure> {
        let now = self.ambient.now();
        let (row, digest) = self.recovery_of(&body.recovery_id, &message, now)?;
        still_open(&row, now)?;
        // Who has shown nothing makes nobody write for it.
        let (plan, look) = (self.settings.recovery_plan.clone(), row.clone());
        let by_mail = self.takes_mailed_codes();
        let standing = self
            .store
            .read(async |tx: &mut Tx<'_>| Standing::of(tx, &plan, look, now).await)
            .await?;
        if standing.wait.is_none() && standing.may_wait.is_none() {
            let refusal = Refusal::RecoveryUnproved;
            return self.refuse_message(&row, digest, refusal, now).await;
        }
        let notes = notes_of(&row);
        note(&notes, |seen| seen.target.push_str(": waits"));
        let audit = recorder(self.ambient.clone(), request.clone(), notes, now);
        let asked = row.clone();
        let record = async move |tx: &mut Tx<'_>, result: &Result<RecoveryStatus, Failure>| {
            if result.is_err() {
                keep_refused(tx, &asked, &digest, now).await?;
            }
            audit(tx, result).await
        };
        let service = self.clone();
        let work = async move |tx: &mut Tx<'_>| {
            take_of(tx, &row, &digest, now).await?;
            let row = reload(tx, &row).await?;
            still_open(&row, now)?;
            let standing = Standing::of(tx, &plan, row.clone(), now).await?;
            if standing.wait.is_none() {
                let whole = standing.may_wait.ok_or(Refusal::RecoveryUnproved)?;
                let source = request.personal.source.clone();
                let wait = service.new_wait(&row, whole, now);
                service.begin_wait(tx, wait, source, now).await?;
            }
            let row = reload(tx, &row).await?;
            Ok(Standing::of(tx, &plan, row, now).await?.status(now, by_mail))
        };
        self.store.write(Lane::Stranger, work, record).await
    }

    fn new_wait(&self, row: &Recovery, whole: Seconds, now: Timestamp) -> Wait {
        Wait {
            recovery: row.id.clone(),
            tenant: row.tenant.clone(),
            user: row.user.clone(),
            device: row.device.clone(),
            state: WaitState::Running { leg: Leg::First, ends_at: None },
            whole,
            notice: NoticeId::from_bits(self.ambient.row_bits()),
            begun_at: now,
            recovering_since: row.begun_at,
        }
    }

    /// Keeps a wait, alone or against those that run, and tells the owner.
    async fn begin_wait(
        &self,
        tx: &mut Tx<'_>,
        mut wait: Wait,
        source: Option<String>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let owner = users::find(tx, &wait.tenant, &wait.user).await?;
        for mut other in waits::open_of(tx, &wait.tenant, &wait.user, now).await? {
            // What a freeze has stopped stands in nobody's way: else whoever has the laptop could make the
            // owner's next wait contested by freezing the one before.
            let since = other.recovering_since;
            if owner.as_ref().is_some_and(|owner| owner.was_frozen_since(since)) {
                continue;
            }
            wait.state = WaitState::Contested;
            if other.state != WaitState::Contested {
                other.state = WaitState::Contested;
                waits::set(tx, &other).await?;
                self.tell(tx, news(&other, by(&wait, None), now)).await?;
            }
        }
        waits::insert(tx, &wait).await?;
        waits::keep_open(tx, &wait.recovery, now + wait.whole + PICK_UP).await?;
        self.tell_as(tx, wait.notice.clone(), news(&wait, by(&wait, source), now)).await
    }

    /// Begins the legs whose time has come, each with its notice. While the clock is in doubt none is.
    ///
    /// # Errors
    /// [`Failure`] from the store; the next time goes on.
    pub(crate) async fn move_waits_on(&self) -> Result<(), Failure> {
        let now = self.now();
        let look = async |tx: &mut Tx<'_>| {
            let waited = meta::waits_stand_at(tx).await?.unwrap_or(now);
            Ok(!waits::ripe(tx, waited, now).await?.is_empty())
        };
        if !self.store.read(look).await? {
            return Ok(());
        }
        let service = self.clone();
        let work = async move |tx: &mut Tx<'_>| {
            let waited = meta::waits_stand_at(tx).await?.unwrap_or(now);
            for mut wait in waits::ripe(tx, waited, now).await? {
                let Some(leg) = wait.state.next_leg(waited) else { continue };
                wait.state = WaitState::Running { leg, ends_at: None };
                wait.notice = NoticeId::from_bits(service.ambient.row_bits());
                waits::set(tx, &wait).await?;
                waits::keep_open(tx, &wait.recovery, now + wait.whole + PICK_UP).await?;
                let by = (By::Server, None);
                service.tell_as(tx, wait.notice.clone(), news(&wait, by, now)).await?;
                let target = format!(
                    "recovery {} of {} as {}: the {} leg of its wait",
                    wait.recovery,
                    wait.user,
                    wait.device,
                    leg.as_str()
                );
                let id = AuditId::from_bits(service.ambient.row_bits());
                let event = AuditEvent::by_server(id, now, wait.tenant, MOVED_ON, target);
                store::audit::append(tx, &event, service.ambient.random()).await?;
            }
            Ok(())
        };
        let no_row = async |_: &mut Tx<'_>, _: &Result<(), Failure>| Ok(());
        self.store.write(Lane::Known, work, no_row).await
    }

    /// Whether a wait may stand in for a proof of the caller's.
    ///
    /// # Errors
    /// A refusal.
    pub async fn show_waiting(&self, request: RequestContext) -> Result<WaitingInfo, Failure> {
        let days = self.settings.recovery_waiting_days;
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            info(tx, turn, days).await
        })
        .await
    }

    /// The caller lets a wait stand in for a proof of theirs, or lets it no longer; then a wait that is
    /// under way ends. What is so already stays.
    ///
    /// # Errors
    /// A refusal; [`Refusal::Probation`] while the passkey is too young to allow it.
    pub async fn set_waiting(
        &self,
        request: RequestContext,
        allowed: bool,
    ) -> Result<WaitingInfo, Failure> {
        let (days, service) = (self.settings.recovery_waiting_days, self.clone());
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let (tenant, user) = (turn.tenant(), turn.user()?);
            turn.about(format!("waits of {user}: {}", if allowed { "on" } else { "off" }));
            let object = match allowed {
                true => plan_object(tx, turn).await?,
                false => turn.own()?,
            };
            turn.authorize(tx, &object, Some(&BoundAction::SetWaiting { allowed })).await?;
            let (changed, what) = match allowed {
                true => {
                    let changed = waits::allow(tx, tenant, user, turn.now).await?;
                    (changed, Happening::WaitingAllowed)
                }
                false => {
                    for wait in waits::open_of(tx, tenant, user, turn.now).await? {
                        waits::end(tx, &wait.recovery, false, turn.now).await?;
                    }
                    (waits::forbid(tx, tenant, user).await?, Happening::WaitingForbidden)
                }
            };
            if changed {
                service.tell(tx, turn.news(user, what)?).await?;
            }
            info(tx, turn, days).await
        })
        .await
    }

    /// The owner's no to a recovery. `true` when it is to be stopped; once a day for those that wait,
    /// and after that it is for administrators to decide.
    pub(super) async fn object_to_wait(
        &self,
        tx: &mut Tx<'_>,
        turn: &Turn,
        row: &Recovery,
    ) -> Result<bool, Failure> {
        let Some(mut wait) = waits::find(tx, &row.id).await? else { return Ok(true) };
        if wait.state == WaitState::Ended {
            return Ok(true);
        }
        let since = turn.now - OBJECTIONS_WINDOW;
        let before = waits::vetoes(tx, &row.tenant, &row.user, since).await?;
        match Objection::after(before) {
            Objection::Ends => {
                waits::end(tx, &row.id, true, turn.now).await?;
                Ok(true)
            }
            Objection::Refers => {
                if wait.state != WaitState::Contested {
                    wait.state = WaitState::Contested;
                    waits::set(tx, &wait).await?;
                    let what = Happening::WaitContested { device: wait.device.clone() };
                    self.tell(tx, turn.news(&wait.user, what)?).await?;
                }
                Ok(false)
            }
        }
    }
}

/// The caller's plan as an object of `authorize`: what a young passkey may not loosen.
///
/// # Errors
/// The database.
pub(super) async fn plan_object(tx: &mut Tx<'_>, turn: &Turn) -> Result<Object, Failure> {
    let oldest = passkeys::all_of(tx, turn.tenant(), turn.user()?).await?.into_iter().next();
    Ok(Object::Waiting { since: oldest.map_or(turn.now, |row| row.kept.registered_at) })
}

/// A device of the caller has fetched the newest notices: the legs that waited for it begin to count.
pub(super) async fn heard_by_device(tx: &mut Tx<'_>, turn: &Turn) -> Result<(), Failure> {
    let open = waits::open_of(tx, turn.tenant(), turn.user()?, turn.now).await?;
    for wait in open {
        heard(tx, wait, turn.now).await?;
    }
    Ok(())
}

/// A mail server has taken a mail: if it told of a leg, that leg begins to count.
pub(super) async fn heard_by_mail(
    tx: &mut Tx<'_>,
    parcel: &Parcel,
    now: Timestamp,
) -> Result<(), StoreError> {
    for wait in waits::open_of(tx, &parcel.tenant, &parcel.user, now).await? {
        let told = match &parcel.purpose {
            Purpose::Notice(id) => *id == wait.notice,
            // A summary tells of everything of its kind up to now.
            Purpose::Summary(_) => parcel.kind == happening(&wait).kind(),
            Purpose::Code(_) | Purpose::RecoveryCode { .. } => false,
        };
        if told {
            heard(tx, wait, now).await?;
        }
    }
    Ok(())
}

async fn heard(tx: &mut Tx<'_>, mut wait: Wait, now: Timestamp) -> Result<(), StoreError> {
    let waited = meta::waits_stand_at(tx).await?.unwrap_or(now);
    let heard = wait.state.heard(wait.whole, waited);
    if heard != wait.state {
        wait.state = heard;
        waits::set(tx, &wait).await?;
        waits::keep_open(tx, &wait.recovery, now + wait.whole + PICK_UP).await?;
    }
    Ok(())
}

async fn info(tx: &mut Tx<'_>, turn: &Turn, days: Option<u32>) -> Result<WaitingInfo, Failure> {
    let since = waits::allowed_since(tx, turn.tenant(), turn.user()?).await?;
    Ok(WaitingInfo { days, allowed_at: since.map(Into::into) })
}

/// What the owner is told of a wait as it stands.
fn happening(wait: &Wait) -> Happening {
    let device = wait.device.clone();
    match wait.state {
        WaitState::Running { leg: Leg::First, .. } => {
            Happening::WaitBegun { device, days: wait.whole.0 / 86_400 }
        }
        WaitState::Running { leg: Leg::Second, .. } => Happening::WaitHalf { device },
        WaitState::Running { leg: Leg::Last, .. } => Happening::WaitEnds { device },
        WaitState::Contested => Happening::WaitContested { device },
        WaitState::Ended => Happening::RecoveryStopped { device },
    }
}

/// Whose doing it is: the new machine's, from where it is.
fn by(wait: &Wait, source: Option<String>) -> (By, Option<String>) {
    (By::Recovery { device: wait.device.clone() }, source)
}

fn news(wait: &Wait, (by, source): (By, Option<String>), at: Timestamp) -> News {
    let (tenant, user) = (wait.tenant.clone(), wait.user.clone());
    News { tenant, user, at, what: happening(wait), by, source }
}
