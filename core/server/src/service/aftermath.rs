//! After a loss: what the lost device did, and which secrets it could read.

use super::devices::Target;
use super::{RequestContext, Service, Turn, page};
use crate::failure::Failure;
use crate::store::Tx;
use crate::store::exposure::{self, Act, Exposed, Of};
use landfall_identity::{DeviceName, TenantName, Timestamp, UserName};
use landfall_protocol::device::{DeviceAct, DeviceReviewQuery, ExposedSecret};
use landfall_protocol::{At, Page, PageQuery};

/// A device of the caller's, and until when it could act.
struct Lost {
    tenant: TenantName,
    user: UserName,
    device: DeviceName,
    until: Timestamp,
}

impl Lost {
    fn of(&self) -> Of<'_> {
        Of { tenant: &self.tenant, user: &self.user, device: &self.device }
    }
}

impl Service {
    /// What a device of the caller's did since a time, newest first. A page may be short, or empty,
    /// although older rows remain: `next` says so.
    ///
    /// # Errors
    /// A refusal; a time that is none.
    pub async fn review_device(
        &self,
        request: RequestContext,
        device: DeviceName,
        query: DeviceReviewQuery,
    ) -> Result<Page<DeviceAct>, Failure> {
        let asked = async move |_: &Turn| {
            let since = query.since.as_deref().map(super::audit::since).transpose()?;
            let since = since.unwrap_or(Timestamp::from_millis(i64::MIN));
            Ok((since, page::time_cursor(query.after.as_deref())?, page::limit(query.limit)?))
        };
        let (lost, (since, before, limit)) = self.lost(request, device, asked).await?;
        // Beside the writer, as with the audit itself.
        let found = self
            .store
            .read(async |tx: &mut Tx<'_>| {
                exposure::acts(tx, &lost.of(), since, &before, limit).await
            })
            .await?;
        Ok(Page {
            items: found.rows.into_iter().map(act).collect(),
            next: found.stopped_at.map(|(at, id)| page::time_cursor_text(at, &id)),
        })
    }

    /// The caller's secrets whose value a device could read, oldest value first: what to rotate once it is
    /// lost.
    ///
    /// # Errors
    /// A refusal.
    pub async fn list_exposure(
        &self,
        request: RequestContext,
        device: DeviceName,
        query: PageQuery,
    ) -> Result<Page<ExposedSecret>, Failure> {
        let asked =
            async move |_: &Turn| Ok((place(query.after.as_deref())?, page::limit(query.limit)?));
        let (lost, ((at, name), limit)) = self.lost(request, device, asked).await?;
        let rows = self
            .store
            .read(async |tx: &mut Tx<'_>| {
                exposure::exposed(tx, &lost.of(), lost.until, (at, &name), limit + 1).await
            })
            .await?;
        let next = |row: &Exposed| page::time_cursor_text(row.written_at, row.name.as_str());
        Ok(page::cut(rows, limit, next, exposed))
    }

    /// The device and what is asked about it; on record before anything is looked up.
    async fn lost<T: Send + 'static>(
        &self,
        request: RequestContext,
        device: DeviceName,
        asked: impl AsyncFn(&Turn) -> Result<T, Failure> + Send + 'static,
    ) -> Result<(Lost, T), Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(format!("device {device}"));
            turn.refuse_strangers_first()?;
            let asked = asked(turn).await?;
            let row = Target::own(device.clone()).load(tx, turn).await?;
            turn.authorize(tx, &row.object(), None).await?;
            let until = row.state_changed_at().unwrap_or(turn.now);
            let (tenant, user) = (row.tenant, row.user);
            Ok((Lost { tenant, user, device: row.device, until }, asked))
        })
        .await
    }
}

/// Where a page begins that runs forwards in time.
fn place(after: Option<&str>) -> Result<(Timestamp, String), Failure> {
    match after {
        None => Ok((Timestamp::from_millis(i64::MIN), String::new())),
        after => page::time_cursor(after),
    }
}

fn act(act: Act) -> DeviceAct {
    DeviceAct {
        at: At(act.at),
        action: act.action,
        target: act.target,
        outcome: act.outcome,
        auth_strength: act.strength,
        source: act.source,
    }
}

fn exposed(exposed: &Exposed) -> ExposedSecret {
    ExposedSecret {
        name: exposed.name.clone(),
        written_at: At(exposed.written_at),
        read_at: exposed.read_at.map(At),
    }
}
