//! A suspension that was made in a recovery becomes a revocation, unless a person objects: whoever got back
//! in with a young passkey may not revoke, and must not have to remember to.

use super::notices::News;
use super::{Service, Turn};
use crate::failure::Failure;
use crate::store::enrollments::{self, Enrollment};
use crate::store::suspensions::{self, Suspension};
use crate::store::{self, Lane, Tx, changes, meta, sessions};
use landfall_identity::audit::AuditEvent;
use landfall_identity::device::{PROBATION, SUSPENSION_RIPENS};
use landfall_identity::id::{AuditId, RecoveryId};
use landfall_identity::notice::{By, Happening};
use landfall_identity::spiffe::Principal;
use landfall_identity::{DeviceName, DeviceState, Timestamp};

/// The code of it in the audit.
const RIPENED: &str = "revoke-after-recovery";

impl Service {
    /// Notes that `lost` was suspended in a recovery, and tells what will become of it. One that is
    /// revoked stays so.
    pub(super) async fn will_revoke(
        &self,
        tx: &mut Tx<'_>,
        lost: &Enrollment,
        recovery: &RecoveryId,
        by: &DeviceName,
        now: Timestamp,
    ) -> Result<(), Failure> {
        if matches!(lost.state, DeviceState::Revoked { .. }) {
            return Ok(());
        }
        let (enrollment, recovery) = (lost.id.clone(), recovery.clone());
        let suspension = Suspension { enrollment, recovery };
        suspensions::schedule(tx, &suspension, now, now + SUSPENSION_RIPENS).await?;
        let what = Happening::DeviceToBeRevoked { device: lost.device.clone() };
        self.tell(tx, news(lost, what, By::Device { device: by.clone() }, now)).await
    }

    /// As [`Service::will_revoke`], when the device that suspends came in by a recovery within its
    /// probation: it cannot revoke what is older itself.
    pub(super) async fn after_a_recovery(
        &self,
        tx: &mut Tx<'_>,
        turn: &Turn,
        lost: &Enrollment,
    ) -> Result<(), Failure> {
        let Principal::Human { user, device, .. } = &turn.caller.spiffe_id.principal else {
            return Ok(());
        };
        if *user != lost.user || lost.id == turn.caller.enrollment {
            return Ok(());
        }
        let since = turn.now - PROBATION;
        match suspensions::made_by(tx, &turn.caller.enrollment, since).await? {
            Some(recovery) if lost.state == DeviceState::Active => {
                self.will_revoke(tx, lost, &recovery, device, turn.now).await
            }
            _ => Ok(()),
        }
    }

    /// Revokes what nobody objected to in time. While the clock is in doubt nothing is.
    ///
    /// # Errors
    /// [`Failure`] from the store; the next time goes on.
    pub(crate) async fn ripen_suspensions(&self) -> Result<(), Failure> {
        let now = self.now();
        let look = async |tx: &mut Tx<'_>| {
            let waited = meta::waits_stand_at(tx).await?.unwrap_or(now);
            Ok(!suspensions::ripe(tx, waited).await?.is_empty())
        };
        if !self.store.read(look).await? {
            return Ok(());
        }
        let service = self.clone();
        let work = async move |tx: &mut Tx<'_>| {
            let waited = meta::waits_stand_at(tx).await?.unwrap_or(now);
            let mut cut = Vec::new();
            for suspension in suspensions::ripe(tx, waited).await? {
                cut.extend(service.ripen(tx, &suspension, now).await?);
            }
            Ok(cut)
        };
        let no_row = async |_: &mut Tx<'_>, _: &Result<Vec<String>, Failure>| Ok(());
        for thumbprint in self.store.write(Lane::Known, work, no_row).await? {
            self.cutter.cut(&thumbprint);
        }
        Ok(())
    }

    /// One of them: the state, the sessions, word to every node, the notice, the audit. The key to cut,
    /// unless the device works again.
    async fn ripen(
        &self,
        tx: &mut Tx<'_>,
        suspension: &Suspension,
        now: Timestamp,
    ) -> Result<Option<String>, Failure> {
        let found = enrollments::by_id(tx, &suspension.enrollment).await?;
        let still = |row: &Enrollment| matches!(row.state, DeviceState::Suspended { .. });
        let Some(row) = found.filter(still) else {
            suspensions::end(tx, &suspension.enrollment, false, now).await?;
            return Ok(None);
        };
        suspensions::end(tx, &row.id, true, now).await?;
        enrollments::set_state(tx, &row.id, DeviceState::Revoked { at: now }).await?;
        sessions::end_of_device(tx, &row.id, now).await?;
        changes::append(tx, &row.thumbprint, &self.node, now).await?;
        let (device, label) = (row.device.clone(), row.label.clone());
        let what = Happening::DeviceRevoked { device, label };
        self.tell(tx, news(&row, what, By::Server, now)).await?;
        let target = format!(
            "device {} of {}, suspended in recovery {}; nobody objected",
            row.device, row.user, suspension.recovery
        );
        let id = AuditId::from_bits(self.ambient.row_bits());
        let event = AuditEvent::by_server(id, now, row.tenant.clone(), RIPENED, target);
        store::audit::append(tx, &event, self.ambient.random()).await?;
        Ok(Some(row.thumbprint))
    }
}

fn news(row: &Enrollment, what: Happening, by: By, at: Timestamp) -> News {
    let (tenant, user) = (row.tenant.clone(), row.user.clone());
    News { tenant, user, at, what, by, source: None }
}
