//! Who acts without a session: an agent by its key, a workload by its platform's token.
//!
//! `identity`'s laws say first whether they may act at all; then the tenant's rules are asked, as for anybody
//! else. Which one decided goes into the audit row, and what was asked is kept for tries.

use super::context::Judged;
use super::perform::{Notes, note, recorder};
use super::{RequestContext, Service};
use crate::failure::Failure;
use crate::policy::{Itself, Question};
use crate::store::agents::Agent;
use crate::store::{StoreError, Tx};
use landfall_identity::{Action, AgentId, Refusal, TenantName, Timestamp};
use std::sync::PoisonError;

impl Service {
    /// Whether the tenant's rules let somebody try an action, whom no law keeps from it.
    ///
    /// # Errors
    /// [`Refusal::PolicyForbids`].
    pub(super) fn ask_rules(
        &self,
        action: Action,
        who: &Itself<'_>,
        notes: &Notes,
    ) -> Result<(), Refusal> {
        let question = Question::of_itself(action, who);
        let said = self.policies.of(who.spiffe_id.principal.tenant()).decide(&question);
        note(notes, |seen| {
            seen.judged = Some(Judged { question, rule: said.rule });
            seen.allowed = said.allowed;
        });
        if said.allowed { Ok(()) } else { Err(Refusal::PolicyForbids { admin: false }) }
    }

    /// As [`Service::ask_rules`], for an agent as its row is now. `signed` says whether its key has signed
    /// this request: who only named it has proved nothing.
    ///
    /// # Errors
    /// [`Refusal::PolicyForbids`].
    pub(super) fn ask_rules_of_agent(
        &self,
        action: Action,
        row: &Agent,
        signed: bool,
        notes: &Notes,
    ) -> Result<(), Failure> {
        let spiffe_id = self.spiffe_of_agent(&row.tenant, &row.agent)?;
        let parents = self.parents_of_agent(row)?;
        // What a rule keeps an agent from it keeps its parts from: whoever may not ask would send one. A row names
        // the rule that decided, and this question is asked first, so that a yes is the part's own.
        if row.parent_agent.is_some()
            && let Some((spiffe_id, parents)) = parents.split_first()
        {
            let who = Itself { spiffe_id, parents, proven: signed, issuer: "" };
            self.ask_rules(action, &who, notes)?;
        }
        let who = Itself { spiffe_id: &spiffe_id, parents: &parents, proven: signed, issuer: "" };
        Ok(self.ask_rules(action, &who, notes)?)
    }

    /// As [`Service::ask_rules`], for somebody who would like to be an agent of this name: on nobody's
    /// behalf yet.
    ///
    /// # Errors
    /// [`Refusal::PolicyForbids`].
    pub(super) fn ask_rules_of_newcomer(
        &self,
        action: Action,
        agent: (&TenantName, &AgentId),
        notes: &Notes,
    ) -> Result<(), Failure> {
        let spiffe_id = self.spiffe_of_agent(agent.0, agent.1)?;
        let who = Itself { spiffe_id: &spiffe_id, parents: &[], proven: false, issuer: "" };
        Ok(self.ask_rules(action, &who, notes)?)
    }

    /// Writes the audit row of a use case, and keeps what the rules were asked in it.
    pub(super) fn record<T>(
        &self,
        request: RequestContext,
        notes: Notes,
        now: Timestamp,
    ) -> impl AsyncFn(&mut Tx<'_>, &Result<T, Failure>) -> Result<(), StoreError> + Send + use<T>
    where
        T: Send + 'static,
    {
        let record = recorder(self.ambient.clone(), request, notes.clone(), now);
        let asked = self.asked.clone();
        async move |tx: &mut Tx<'_>, result: &Result<T, Failure>| {
            record(tx, result).await?;
            asked.keep(tx, &notes, now).await
        }
    }

    /// As [`Service::record`], for who waits and asks again and again: a row only where the rules were asked
    /// and it did not end well.
    pub(super) fn record_refusals<T>(
        &self,
        request: RequestContext,
        notes: Notes,
        now: Timestamp,
    ) -> impl AsyncFn(&mut Tx<'_>, &Result<T, Failure>) -> Result<(), StoreError> + Send + use<T>
    where
        T: Send + 'static,
    {
        let record = recorder(self.ambient.clone(), request, notes.clone(), now);
        let asked = self.asked.clone();
        async move |tx: &mut Tx<'_>, result: &Result<T, Failure>| {
            let judged = notes.lock().unwrap_or_else(PoisonError::into_inner).judged.is_some();
            if judged && result.is_err() {
                record(tx, result).await?;
            }
            asked.keep(tx, &notes, now).await
        }
    }
}
