//! What the transport knows of a request, and what a use case knows inside its transaction.

use crate::failure::Failure;
use crate::policy::{NO_RULE, Question, Rules};
use crate::store::{self, Tx};
use landfall_identity::audit::Personal;
use landfall_identity::authorize::Object;
use landfall_identity::id::RequestId;
use landfall_identity::{Action, BoundAction, Caller, Moment, Refusal, Role, Timestamp};
use landfall_protocol::ErrorCode;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

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
    /// The tenant's rules, as they are in force for this whole turn.
    rules: Arc<Rules>,
    authorized: Cell<bool>,
    judged: RefCell<Option<Judged>>,
    target: RefCell<String>,
}

/// What rules were asked, and which one decided.
pub(super) struct Judged {
    pub question: Question,
    pub rule: String,
}

impl Turn {
    /// A turn of `caller`, not authorised yet.
    pub(super) fn new(
        action: Action,
        caller: Caller,
        source: Option<String>,
        now: Timestamp,
        rules: Arc<Rules>,
    ) -> Self {
        Self {
            now,
            action,
            caller,
            source,
            rules,
            authorized: Cell::new(false),
            judged: RefCell::new(None),
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
        self.judge(object, act, moment)?;
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
        self.judge(object, Some(act), self.now.into())?;
        self.authorized.set(true);
        Ok(())
    }

    /// The floor first, then the rules above it. Which one decided is kept for the audit.
    pub(super) fn judge(
        &self,
        object: &Object,
        act: Option<&BoundAction>,
        moment: Moment,
    ) -> Result<(), Refusal> {
        let law = landfall_identity::authorize(self.action, &self.caller, object, act, moment);
        let question = Question::of(self.action, &self.caller, object, act, self.now);
        let said = match &law {
            // Nobody is asked to touch for what rules would refuse after the touch.
            Err(Refusal::StepUpRequired { bound, .. }) => {
                let then = self.rules.decide(&question.after_step_up(*bound));
                if then.allowed { self.rules.decide(&question) } else { then }
            }
            _ => self.rules.decide(&question),
        };
        let by_floor = said.rule.starts_with("floor/");
        let (refused, by_law) = match law {
            Ok(()) if said.allowed => (Ok(()), false),
            Err(refusal) if said.allowed || by_floor => (Err(refusal), !by_floor),
            Err(refusal) if !matches!(refusal, Refusal::StepUpRequired { .. }) => {
                (Err(refusal), true)
            }
            // What is shipped lets nobody of that role: no rule of the tenant's is to blame.
            _ if said.rule == NO_RULE => (Err(Refusal::Forbidden), false),
            _ => (Err(self.by_rules()), false),
        };
        let rule = match &refused {
            // A floor that is no rule: how old a factor is, where it lives.
            Err(refusal) if by_law => law_of(refusal),
            _ => said.rule,
        };
        self.judged.replace(Some(Judged { question, rule }));
        refused
    }

    /// Whether the rules let another action be tried by `caller`: what could be refused later is refused
    /// before a person is asked to touch for it.
    ///
    /// # Errors
    /// [`Refusal::PolicyForbids`].
    pub(super) fn foresee_rules(
        &self,
        action: Action,
        caller: &Caller,
        object: &Object,
        act: Option<&BoundAction>,
    ) -> Result<(), Refusal> {
        let question = Question::of(action, caller, object, act, self.now);
        match self.rules.decide(&question).allowed {
            true => Ok(()),
            false => Err(self.by_rules()),
        }
    }

    fn by_rules(&self) -> Refusal {
        Refusal::PolicyForbids { admin: self.caller.role == Role::Admin }
    }

    /// What the rules were asked and which one decided, once they were.
    pub(super) fn judged(&self) -> Option<Judged> {
        self.judged.take()
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

/// What stands in the audit's rule where a state machine of `identity` refused, and no policy.
pub(super) fn law_of(refusal: &Refusal) -> String {
    format!("law/{}", ErrorCode::from(refusal).as_str())
}
