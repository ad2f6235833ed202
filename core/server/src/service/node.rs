//! What the server asks for itself: changes to cut by, the time it has seen, whether it is ready.

use super::{RequestContext, Service, Turn};
use crate::failure::Failure;
use crate::store::{Lane, StoreError, Tx, WriterStats, changes, meta, users};
use landfall_identity::{Seconds, Timestamp};
use landfall_protocol::ErrorCode;
use std::sync::Arc;

/// When the clock jumped and no operator has said yet that it is right; empty otherwise.
const CLOCK_JUMPED: &str = "clock_jumped";
/// Changes that every connection has outlived: longer than one lives.
const CHANGES_KEPT: Seconds = Seconds::hours(2);

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
            users::ensure_tenant(tx, &settings.tenant, now).await
        })
        .await
    }

    /// The newest change's number.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn latest_change(&self) -> Result<i64, Failure> {
        Ok(self.store.read(changes::latest).await?)
    }

    /// Keys that other nodes cut after change `number`.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn changes_after(&self, number: i64) -> Result<Vec<(i64, String)>, Failure> {
        let read = async |tx: &mut Tx<'_>| changes::after(tx, number, &self.node).await;
        Ok(self.store.read(read).await?)
    }

    /// Drops changes that no connection needs any more.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn prune_changes(&self) -> Result<(), Failure> {
        let before = self.now() - CHANGES_KEPT;
        self.keep(async move |tx: &mut Tx<'_>| changes::prune(tx, before).await.map(drop)).await
    }

    /// The latest time that this server has ever seen.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn high_water(&self) -> Result<Option<Timestamp>, Failure> {
        let text = self.fact(meta::HIGH_WATER).await?;
        Ok(text.and_then(|text| text.parse().ok()).map(Timestamp::from_millis))
    }

    /// Notes the time, and whether the clock has just jumped. What waits (recoveries, vetoes) stands
    /// still from then on, until an operator confirms the time.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn note_time(&self, now: Timestamp, jumped: bool) -> Result<(), Failure> {
        self.keep(async move |tx: &mut Tx<'_>| {
            let text = now.millis().to_string();
            if jumped {
                meta::set(tx, CLOCK_JUMPED, &text).await?;
            }
            meta::set(tx, meta::HIGH_WATER, &text).await
        })
        .await
    }

    /// Takes the clock as right from here on.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn confirm_clock(&self) -> Result<(), Failure> {
        let now = self.now();
        self.keep(async move |tx: &mut Tx<'_>| {
            meta::set(tx, meta::HIGH_WATER, &now.millis().to_string()).await?;
            meta::set(tx, CLOCK_JUMPED, "").await
        })
        .await
    }

    /// Whether the clock jumped, and nobody has confirmed it yet.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn clock_jumped(&self) -> Result<bool, Failure> {
        Ok(self.fact(CLOCK_JUMPED).await?.is_some_and(|text| !text.is_empty()))
    }

    /// What keeps this server from being ready, if anything does.
    pub async fn not_ready(&self) -> Option<&'static str> {
        match self.clock_jumped().await {
            Ok(false) => None,
            Ok(true) => Some("the clock jumped: run landfall-server clock confirm"),
            Err(_) => Some("the database does not answer"),
        }
    }

    /// Writes the audit row of a request by a known principal that no use case could read.
    pub async fn record_unread(&self, request: RequestContext, code: ErrorCode) {
        // The outcome is the row; the request has its answer already.
        let _: Result<(), Failure> = self
            .perform(request, async move |_: &mut Tx<'_>, turn: &Turn| {
                turn.about(format!("a request that could not be read: {code}"));
                Err(Failure::invalid("request", code.as_str()))
            })
            .await;
    }

    async fn fact(&self, key: &'static str) -> Result<Option<String>, Failure> {
        Ok(self.store.read(async |tx: &mut Tx<'_>| meta::get(tx, key).await).await?)
    }

    /// A write of the server's own: no act of anybody, so no audit row.
    async fn keep(
        &self,
        work: impl AsyncFn(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), Failure> {
        let work = async move |tx: &mut Tx<'_>| Ok(work(tx).await?);
        let no_row = async |_: &mut Tx<'_>, _: &Result<(), Failure>| Ok(());
        self.store.write(Lane::Known, work, no_row).await
    }
}
