//! A key speaks for one alone: a device, a machine, a workload, an agent, or this server.
//!
//! Asked inside the transaction that would give it to another, by every door that takes a key.

use super::Service;
use crate::failure::Failure;
use crate::store::{StoreError, Tx, agents, enrollments, workload_uses};
use landfall_identity::{Refusal, Timestamp};

impl Service {
    /// Whether a key may become an agent's, as far as others hold keys: what agents hold among themselves is
    /// for their own doors. An agent that enrols may only name its key, so the server's own are asked for too.
    ///
    /// # Errors
    /// [`Refusal::AgentKeyRefused`] for a key of a device, a machine, a workload whose SVID may live, or of
    /// the server.
    pub(super) async fn may_be_agents(
        &self,
        tx: &mut Tx<'_>,
        thumbprint: &str,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let taken = self.pki.holds(thumbprint)
            || enrollments::is_known(tx, thumbprint).await?
            || workload_uses::is_held(tx, thumbprint, now).await?;
        if taken { Err(Refusal::AgentKeyRefused.into()) } else { Ok(()) }
    }
}

/// Whether a key may become a device's or a machine's. Whoever brings it has signed with it, so that it is
/// none of the server's.
///
/// # Errors
/// [`Refusal::KeyInUse`] for a key that anybody holds.
pub(super) async fn may_be_devices(
    tx: &mut Tx<'_>,
    thumbprint: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let taken = enrollments::is_known(tx, thumbprint).await?
        || is_agents(tx, thumbprint, now).await?
        || workload_uses::is_held(tx, thumbprint, now).await?;
    if taken { Err(Refusal::KeyInUse.into()) } else { Ok(()) }
}

/// Whether a key may become a workload's. Workloads may share one: their platform says who they are.
///
/// # Errors
/// [`Refusal::KeyInUse`] for a key of a device, a machine or an agent.
pub(super) async fn may_be_workloads(
    tx: &mut Tx<'_>,
    thumbprint: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let taken =
        enrollments::is_known(tx, thumbprint).await? || is_agents(tx, thumbprint, now).await?;
    if taken { Err(Refusal::KeyInUse.into()) } else { Ok(()) }
}

/// Whether an agent has the key: one that never proved it, and is gone, has none.
async fn is_agents(tx: &mut Tx<'_>, thumbprint: &str, now: Timestamp) -> Result<bool, StoreError> {
    let agent = agents::by_thumbprint(tx, thumbprint).await?;
    Ok(agent.is_some_and(|agent| !agent.state.is_gone(now)))
}
