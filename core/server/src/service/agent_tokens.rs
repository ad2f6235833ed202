//! Tokens that name a person server: what is kept of them, and who is told when they serve no more.
//!
//! The cut is the row of the agent, of its device or its owner, and is complete without anybody being told
//! (AAuth leaves it to best effort). A person server that hears of it refuses tokens that still run.

use super::Service;
use crate::config::AgentProvider;
use crate::failure::Failure;
use crate::store::agent_tokens::{self, CalledIn};
use crate::store::agents::Agent;
use crate::store::{Lane, StoreError, Tx};
use data_encoding::BASE64URL_NOPAD;
use landfall_identity::Timestamp;
use landfall_identity::agent_life::{AgentState, TOKENS_TOLD_MAX};
use landfall_identity::notice::delivery::{LEASE, Next, after_failure};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Person servers that are told at once.
const AT_ONCE: u32 = 8;

/// A token that is about to be signed.
#[derive(Debug, Clone)]
pub(super) struct Coming {
    /// What it will be called.
    pub(super) jti: String,
    /// Until when it lives.
    pub(super) until: Timestamp,
    /// Now.
    pub(super) now: Timestamp,
}

impl Coming {
    /// Keeps its name, where it will name a person server.
    pub(super) async fn keep(&self, tx: &mut Tx<'_>, row: &Agent) -> Result<(), StoreError> {
        match (&row.person_server, row.state) {
            (Some(server), AgentState::Active) => {
                let (jti, until) = (&self.jti, self.until);
                agent_tokens::keep(tx, jti, &row.id, server, until, TOKENS_TOLD_MAX).await
            }
            _ => Ok(()),
        }
    }
}

/// What a person server is told.
#[derive(Debug, Clone)]
pub struct CallIn {
    /// By whom.
    pub provider: Arc<AgentProvider>,
    /// Which one: `https://` and a host.
    pub person_server: String,
    /// Which token.
    pub jti: String,
}

/// Tells person servers.
pub trait Told: Sync {
    /// Tells one; done means that it needs not be told again.
    fn tell(&self, call: CallIn) -> impl Future<Output = Result<(), String>> + Send;
}

impl Service {
    /// What a token will be called.
    pub(super) fn new_jti(&self) -> String {
        BASE64URL_NOPAD.encode(&self.ambient.random::<16>())
    }

    pub(super) fn coming(&self, now: Timestamp, until: Timestamp) -> Coming {
        Coming { jti: self.new_jti(), until, now }
    }

    /// Tells person servers of tokens that were called in, once for each that is due.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub(crate) async fn tell_person_servers(
        &self,
        way: &impl Told,
        stop: &CancellationToken,
    ) -> Result<(), Failure> {
        let Some(provider) = self.settings.agents.clone() else { return Ok(()) };
        let now = self.now();
        let due = async |tx: &mut Tx<'_>| agent_tokens::any_due(tx, now).await;
        if !self.store.read(due).await? {
            return Ok(());
        }
        let node = self.node.clone();
        let lease = async move |tx: &mut Tx<'_>| {
            Ok(agent_tokens::lease(tx, &node, now, now + LEASE, AT_ONCE).await?)
        };
        let no_row = async |_: &mut Tx<'_>, _: &Result<Vec<CalledIn>, Failure>| Ok(());
        let taken = self.store.write(Lane::Known, lease, no_row).await?;
        let under_way = taken.into_iter().map(|token| self.tell_of(way, stop, &provider, token));
        futures::future::join_all(under_way).await.into_iter().collect()
    }

    async fn tell_of(
        &self,
        way: &impl Told,
        stop: &CancellationToken,
        provider: &Arc<AgentProvider>,
        token: CalledIn,
    ) -> Result<(), Failure> {
        let call = CallIn {
            provider: Arc::clone(provider),
            person_server: token.person_server.clone(),
            jti: token.jti.clone(),
        };
        let told = tokio::select! {
            told = way.tell(call) => told,
            () = stop.cancelled() => return Ok(()),
        };
        let again = told.err().and_then(|fault| {
            let server = &token.person_server;
            tracing::warn!(
                server,
                attempts = token.attempts,
                fault,
                "a person server was not told"
            );
            let chance = u16::from_be_bytes(self.ambient.random());
            match after_failure(token.attempts, token.at, self.now(), chance) {
                // A token that has ended by then needs nobody to be told.
                Next::At(at) if !token.expires_at.is_over(at) => Some(at),
                Next::At(_) | Next::Never => None,
            }
        });
        let node = self.node.clone();
        self.keep(async move |tx: &mut Tx<'_>| {
            agent_tokens::settle(tx, &token.jti, &node, again).await
        })
        .await
    }
}
