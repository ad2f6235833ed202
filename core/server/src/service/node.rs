//! What the server asks for itself: changes to cut by, whether it is ready.

use super::{RequestContext, Service, Turn};
use crate::failure::Failure;
use crate::store::{
    Lane, StoreError, Tx, WriterStats, agent_tokens, audit_log, changes, meta, outbox, users,
};
use landfall_identity::{Refusal, Timestamp};
use landfall_protocol::ErrorCode;
use std::sync::Arc;

impl Service {
    /// The time.
    pub fn now(&self) -> Timestamp {
        self.ambient.now()
    }

    /// Bits for an identifier.
    pub fn random_bits(&self) -> [u8; 16] {
        self.ambient.random()
    }

    /// What the writer has done so far.
    pub fn writer_stats(&self) -> WriterStats {
        self.store.writer_stats()
    }

    /// Makes this server's tenant, unless it is there, and notes the address it now has.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn settle_in(&self) -> Result<(), Failure> {
        let (settings, now) = (Arc::clone(&self.settings), self.now());
        self.keep(async move |tx: &mut Tx<'_>| {
            meta::set(tx, meta::PUBLIC_URL, &settings.public_url).await?;
            // The directory's lock says so: nobody else delivers from this database, and nobody else seals.
            outbox::release_all(tx).await?;
            audit_log::release(tx, None).await?;
            agent_tokens::release_all(tx).await?;
            users::ensure_tenant(tx, &settings.tenant, now).await
        })
        .await?;
        self.reload_policy().await
    }

    /// The newest change's number.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn latest_change(&self) -> Result<i64, Failure> {
        Ok(self.store.read(changes::latest).await?)
    }

    /// Keys that other nodes cut after change `number`, and rules that they set.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn changes_after(&self, number: i64) -> Result<Vec<(i64, String)>, Failure> {
        let read = async |tx: &mut Tx<'_>| changes::after(tx, number, &self.node).await;
        Ok(self.store.read(read).await?)
    }

    /// Whether the newest write could not be made durable. Until the next one that can, nothing here can
    /// be confirmed.
    pub fn cannot_write(&self) -> bool {
        self.store.is_failing()
    }

    /// Whether this server can do its work, and how it stands, in words. A clock in doubt only holds up
    /// what waits: taking the server out of service for it would lock everybody out.
    pub async fn readiness(&self) -> (bool, &'static str) {
        if self.cannot_write() {
            return (false, "the database cannot be written: is its disk full?");
        }
        match self.waits_stand_at().await {
            Ok(None) => (true, "ok"),
            Ok(Some(_)) => (true, "the clock jumped: run landfall-server clock confirm"),
            Err(_) => (false, "the database does not answer"),
        }
    }

    /// Writes the audit row of a request by a known principal that no use case could read. Tells
    /// whether the principal is known.
    pub async fn record_unread(&self, request: RequestContext, code: ErrorCode) -> bool {
        // The outcome is the row; the request has its answer already.
        let recorded: Result<(), Failure> = self
            .perform(request, async move |_: &mut Tx<'_>, turn: &Turn| {
                turn.about(format!("a request that could not be read: {code}"));
                Err(Failure::invalid("request", code.as_str()))
            })
            .await;
        !matches!(
            recorded,
            Err(Failure::Refused(Refusal::NotEnrolled | Refusal::CertificateRequired))
        )
    }

    /// A write of the server's own: no act of anybody, so no audit row.
    pub(super) async fn keep(
        &self,
        work: impl AsyncFn(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), Failure> {
        let work = async move |tx: &mut Tx<'_>| Ok(work(tx).await?);
        let no_row = async |_: &mut Tx<'_>, _: &Result<(), Failure>| Ok(());
        self.store.write(Lane::Known, work, no_row).await
    }
}
