//! The clock: the latest time that was seen, and what waits while it is in doubt.

use super::Service;
use crate::failure::Failure;
use crate::store::{self, Tx, meta};
use landfall_identity::Timestamp;
use landfall_identity::audit::AuditEvent;
use landfall_identity::id::AuditId;
use landfall_protocol::At;

/// A jump of the clock, in the audit.
const JUMPED: &str = "clock-jumped";
/// An operator's word that the clock is right, in the audit.
const CONFIRMED: &str = "clock-confirmed";

impl Service {
    /// The latest time that this server has ever seen.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn high_water(&self) -> Result<Option<Timestamp>, Failure> {
        let read = async |tx: &mut Tx<'_>| meta::get(tx, meta::HIGH_WATER).await;
        let text = self.store.read(read).await?;
        Ok(text.and_then(|text| text.parse().ok()).map(Timestamp::from_millis))
    }

    /// Notes the time, while the clock is believed.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn note_time(&self, now: Timestamp) -> Result<(), Failure> {
        self.keep(async move |tx: &mut Tx<'_>| match meta::waits_stand_at(tx).await? {
            None => meta::set(tx, meta::HIGH_WATER, &now.millis().to_string()).await,
            Some(_) => Ok(()),
        })
        .await
    }

    /// Notes that the clock shows `now` where it should show `expected`. From then on what waits
    /// stands still at `expected`, until an operator confirms the time. A second jump changes nothing:
    /// two together would otherwise carry a wait along.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn note_jump(&self, expected: Timestamp, now: Timestamp) -> Result<(), Failure> {
        let target = format!("the clock, from {} to {}", text(expected), text(now));
        let (event, salt) = (self.event_of_clock(JUMPED, target), self.ambient.random());
        self.keep(async move |tx: &mut Tx<'_>| {
            if meta::waits_stand_at(tx).await?.is_none() {
                meta::set_waits(tx, Some(expected)).await?;
            }
            store::audit::append(tx, &event, salt).await
        })
        .await
    }

    /// Takes the clock as right from here on: what waits goes on, and what would have ripened by now
    /// has. Answers the time that was confirmed.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn confirm_clock(&self) -> Result<Timestamp, Failure> {
        let now = self.now();
        let event = self.event_of_clock(CONFIRMED, format!("the clock, at {}", text(now)));
        let salt = self.ambient.random();
        self.keep(async move |tx: &mut Tx<'_>| {
            meta::set(tx, meta::HIGH_WATER, &now.millis().to_string()).await?;
            meta::set_waits(tx, None).await?;
            store::audit::append(tx, &event, salt).await
        })
        .await?;
        Ok(now)
    }

    /// Where waits stand still, when the clock jumped and nobody has confirmed it since.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn waits_stand_at(&self) -> Result<Option<Timestamp>, Failure> {
        Ok(self.store.read(meta::waits_stand_at).await?)
    }

    fn event_of_clock(&self, action: &str, target: String) -> AuditEvent {
        let id = AuditId::from_bits(self.ambient.row_bits());
        AuditEvent::by_server(id, self.now(), self.settings.tenant.clone(), action, target)
    }
}

fn text(at: Timestamp) -> String {
    At(at).to_text().unwrap_or_else(|| format!("{} s after 1970", at.seconds()))
}
