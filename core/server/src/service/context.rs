//! What the transport knows of a request, and what a use case knows inside its transaction.

use crate::failure::Failure;
use crate::store::{self, Tx};
use landfall_identity::audit::Personal;
use landfall_identity::authorize::Object;
use landfall_identity::id::RequestId;
use landfall_identity::{Action, BoundAction, Caller, Moment, Timestamp};
use std::cell::{Cell, RefCell};

/// A key that the TLS handshake proved possession of. What it may do is decided from rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its RFC 7638 thumbprint.
    pub thumbprint: String,
    /// When the certificate that it came in ends.
    pub not_after: Timestamp,
    /// Whether that certificate is one of ours.
    pub chain_ok: bool,
}

/// One request, as the transport hands it in. `action` is what the route demands: a handler cannot
/// ask for another.
#[derive(Clone)]
pub struct RequestContext {
    /// What the route demands.
    pub action: Action,
    /// Names the request in logs, problems and the audit.
    pub request_id: RequestId,
    /// Where it came from, and what the client calls itself.
    pub personal: Personal,
    /// The client's key, when the connection has one.
    pub peer: Option<Peer>,
    /// The session token of `Authorization: Bearer`, when there is one.
    pub bearer: Option<String>,
}

/// One use case at work: inside the transaction, with the caller as the rows have it now.
pub struct Turn {
    /// When the use case runs; every decision of the transaction uses this instant.
    pub now: Timestamp,
    /// What is asked.
    pub action: Action,
    /// Who asks.
    pub caller: Caller,
    /// The address that the request came from.
    pub source: Option<String>,
    authorized: Cell<bool>,
    target: RefCell<String>,
}

impl Turn {
    /// A turn of `caller`, not authorised yet.
    pub(super) fn new(
        action: Action,
        caller: Caller,
        source: Option<String>,
        now: Timestamp,
    ) -> Self {
        Self {
            now,
            action,
            caller,
            source,
            authorized: Cell::new(false),
            target: RefCell::new(String::new()),
        }
    }

    /// Asks the one seam. Every use case does, after it has loaded what it is about and before it
    /// changes anything; one that never asks fails. A session that was opened for one act is spent
    /// here, in the act's own transaction.
    ///
    /// # Errors
    /// The refusal.
    pub async fn authorize(
        &self,
        tx: &mut Tx<'_>,
        object: &Object,
        act: Option<&BoundAction>,
    ) -> Result<(), Failure> {
        let moment = self.moment(tx).await?;
        landfall_identity::authorize(self.action, &self.caller, object, act, moment)?;
        if let Some(session) = &self.caller.session
            && session.bound_to.is_some()
            && act.is_some()
        {
            store::sessions::spend(tx, &session.id, self.now).await?;
        }
        self.authorized.set(true);
        Ok(())
    }

    /// The instant of this turn. How far waits have come is read only for acts that a wait gates.
    async fn moment(&self, tx: &mut Tx<'_>) -> Result<Moment, Failure> {
        let waited = match self.action.demand().evicts {
            true => store::meta::waits_stand_at(tx).await?,
            false => None,
        };
        Ok(Moment { now: self.now, waited: waited.unwrap_or(self.now) })
    }

    /// Asks the seam without spending anything: for an act that was done already (a lost reply, asked
    /// again), or for what prepares it under the same approval.
    ///
    /// # Errors
    /// The refusal.
    pub fn authorize_again(&self, object: &Object, act: &BoundAction) -> Result<(), Failure> {
        landfall_identity::authorize(self.action, &self.caller, object, Some(act), self.now)?;
        self.authorized.set(true);
        Ok(())
    }

    /// Says what the act is about, for the audit. Call it before anything can be refused.
    pub fn about(&self, target: impl Into<String>) {
        *self.target.borrow_mut() = target.into();
    }

    pub(super) fn was_authorized(&self) -> bool {
        self.authorized.get()
    }

    pub(super) fn target(&self) -> String {
        self.target.borrow().clone()
    }
}
