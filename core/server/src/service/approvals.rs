//! What an agent may not do by itself, and its owner may allow: raised by the agent, shown with the
//! difference, answered by a touch for exactly that.

use super::agent_message::AgentMessage;
use super::capabilities::{WordsRefused, acting, read_words};
use super::perform::note;
use super::{RequestContext, Service, Turn, page};
use crate::failure::Failure;
use crate::store::agent_approvals::{self, Approval, ApprovalState};
use crate::store::{Lane, Tx, agents};
use landfall_identity::agent_life::may_act;
use landfall_identity::authorize::Object;
use landfall_identity::capability::{
    APPROVAL_LASTS, APPROVAL_TTL, APPROVALS_OPEN_MAX, APPROVALS_PER_USER, Words, missing,
};
use landfall_identity::id::ApprovalId;
use landfall_identity::{BoundAction, Refusal, Timestamp};
use landfall_protocol::capability::{
    ApprovalInfo, ApprovalRaiseRequest, ApprovalShowRequest, ApprovalStateName,
};
use landfall_protocol::{Page, PageQuery};

impl Service {
    /// Asks the owner for what the agent may not do. The same again finds what is open.
    ///
    /// # Errors
    /// [`Refusal::AgentUnowned`]; [`Refusal::AgentNested`] for a part of one; [`Refusal::RateLimited`] beyond a few;
    /// [`Refusal::CapabilityAllowed`] when nothing is missing.
    pub async fn raise_approval(
        &self,
        request: RequestContext,
        message: AgentMessage,
        body: ApprovalRaiseRequest,
    ) -> Result<ApprovalInfo, Failure> {
        let (provider, now) = (self.agent_provider()?, self.ambient.now());
        let thumbprint = self.own_key(&provider, &message, now)?;
        let row = self.agent_of_key(thumbprint.as_str(), now)?;
        let notes = self.notes_of_agent(&row)?;
        let (service, action) = (self.clone(), request.action);
        let record = self.record(request, notes.clone(), now);
        let asked = read_words(&body.scope, &body.audience);
        let ceilings = provider.ceilings();
        let id = ApprovalId::from_bits(self.ambient.row_bits());
        let work = async move |tx: &mut Tx<'_>| {
            let row = acting(tx, thumbprint.as_str(), now).await?;
            service.ask_rules_of_agent(action, &row, true, &notes)?;
            if row.parent.is_some() {
                // Or it would come to hold what its agent may not.
                return Err(Refusal::AgentNested.into());
            }
            let user = row.owner.clone().ok_or(Refusal::AgentUnowned)?;
            let (scope, audience) = asked.clone().map_err(WordsRefused::into_failure)?;
            note(&notes, |seen| seen.target = format!("approval of {scope} at {audience}"));
            if let Some(open) =
                agent_approvals::open_of(tx, &row.id, &scope, &audience, now).await?
            {
                return Ok(open);
            }
            let mut ceilings = ceilings.clone();
            ceilings.extend(agent_approvals::granted(tx, &row.id, now).await?);
            let lacks = Words::new(missing(&ceilings, &scope, &audience));
            let lacks = lacks.map_err(|_| Refusal::CapabilityAllowed)?;
            let since = now - APPROVAL_TTL;
            let many = agent_approvals::count_since(tx, &row.tenant, &user, since).await?
                >= APPROVALS_PER_USER;
            if many || agent_approvals::count_open(tx, &row.id, now).await? >= APPROVALS_OPEN_MAX {
                return Err(Refusal::RateLimited { retry_after: APPROVAL_TTL }.into());
            }
            let approval = Approval {
                id: id.clone(),
                tenant: row.tenant.clone(),
                user,
                agent: row.id.clone(),
                agent_id: row.agent.clone(),
                scope,
                audience,
                missing: lacks,
                reason: body.reason.clone(),
                state: ApprovalState::Open,
                raised_at: now,
                expires_at: now + APPROVAL_TTL,
            };
            agent_approvals::insert(tx, &approval).await?;
            Ok(approval)
        };
        let approval = self.store.write(Lane::Known, work, record).await?;
        Ok(info(&approval, now))
    }

    /// How an approval stands, for the agent that raised it.
    ///
    /// # Errors
    /// [`Refusal::ApprovalOver`] for one that is another's.
    pub async fn show_approval(
        &self,
        request: RequestContext,
        message: AgentMessage,
        body: ApprovalShowRequest,
    ) -> Result<ApprovalInfo, Failure> {
        let (provider, now) = (self.agent_provider()?, self.ambient.now());
        let thumbprint = self.own_key(&provider, &message, now)?;
        let notes = self.notes_of_agent(&self.agent_of_key(thumbprint.as_str(), now)?)?;
        let (service, action) = (self.clone(), request.action);
        let record = self.record_refusals(request, notes.clone(), now);
        let work = async move |tx: &mut Tx<'_>| {
            let row = acting(tx, thumbprint.as_str(), now).await?;
            service.ask_rules_of_agent(action, &row, true, &notes)?;
            let found = agent_approvals::find(tx, &body.approval_id).await?;
            Ok(found.filter(|one| one.agent == row.id).ok_or(Refusal::ApprovalOver)?)
        };
        let approval = self.store.write(Lane::Known, work, record).await?;
        Ok(info(&approval, now))
    }

    /// What the caller's agents have asked for, newest first.
    ///
    /// # Errors
    /// A refusal.
    pub async fn list_approvals(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<ApprovalInfo>, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let limit = page::limit(query.limit)?;
            let (at, id) = page::time_cursor(query.after.as_deref())?;
            let (tenant, user) = (turn.tenant(), turn.user()?);
            let rows = agent_approvals::list(tx, tenant, user, (at, &id), limit + 1).await?;
            let next = |one: &Approval| page::time_cursor_text(one.raised_at, one.id.as_str());
            Ok(page::cut(rows, limit, next, |one| info(one, turn.now)))
        })
        .await
    }

    /// Yes: for an hour the agent may do exactly this. Takes a touch for exactly this.
    ///
    /// # Errors
    /// A refusal; [`Refusal::ApprovalOver`].
    pub async fn grant_approval(
        &self,
        request: RequestContext,
        id: ApprovalId,
    ) -> Result<ApprovalInfo, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let approval = load(tx, turn, &id).await?;
            let act = act(&approval);
            if approval.state == ApprovalState::Granted {
                // A lost reply: the touch was spent on it.
                turn.authorize_again(&object(&approval), &act)?;
                return Ok(info(&approval, turn.now));
            }
            turn.authorize(tx, &object(&approval), Some(&act)).await?;
            still_there(tx, &approval, turn.now).await?;
            let until = turn.now + APPROVAL_LASTS;
            answer(tx, turn, approval, ApprovalState::Granted, until).await
        })
        .await
    }

    /// No.
    ///
    /// # Errors
    /// A refusal; [`Refusal::ApprovalOver`].
    pub async fn refuse_approval(
        &self,
        request: RequestContext,
        id: ApprovalId,
    ) -> Result<ApprovalInfo, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let approval = load(tx, turn, &id).await?;
            turn.authorize(tx, &object(&approval), None).await?;
            answer(tx, turn, approval, ApprovalState::Refused, turn.now).await
        })
        .await
    }
}

/// What the touch is for: whatever the owner was shown.
pub(super) fn act(approval: &Approval) -> BoundAction {
    BoundAction::GrantScope {
        approval: approval.id.clone(),
        agent: approval.agent_id.to_string(),
        scope: approval.scope.to_string(),
        audience: approval.audience.to_string(),
    }
}

pub(super) fn object(approval: &Approval) -> Object {
    Object::Owned { tenant: approval.tenant.clone(), user: approval.user.clone() }
}

/// Whether a touch for `wanted` would lead anywhere.
///
/// # Errors
/// The refusal that answering would meet.
pub(super) async fn foresee(
    tx: &mut Tx<'_>,
    turn: &Turn,
    id: &ApprovalId,
    wanted: &BoundAction,
) -> Result<(), Failure> {
    let approval = agent_approvals::find(tx, id).await?.ok_or(Refusal::NotFound)?;
    if act(&approval) != *wanted || Some(&approval.user) != turn.user().ok() {
        return Err(Refusal::NotFound.into());
    }
    match info(&approval, turn.now).state {
        ApprovalStateName::Open => still_there(tx, &approval, turn.now).await,
        _ => Err(Refusal::ApprovalOver.into()),
    }
}

/// Whether its agent is one still: a yes to one that was cut off would change nothing.
async fn still_there(tx: &mut Tx<'_>, approval: &Approval, now: Timestamp) -> Result<(), Failure> {
    let row = agents::find(tx, &approval.agent_id).await?;
    let row = row.filter(|row| row.id == approval.agent).ok_or(Refusal::AgentUnknown)?;
    match may_act(row.state, &row.backing, now) {
        // What holds it may end, and its owner may want to have said yes by then.
        Ok(()) | Err(Refusal::AgentHeld) => Ok(()),
        Err(gone) => Err(gone.into()),
    }
}

async fn load(tx: &mut Tx<'_>, turn: &Turn, id: &ApprovalId) -> Result<Approval, Failure> {
    turn.about(format!("approval {id}"));
    let Some(approval) = agent_approvals::find(tx, id).await? else {
        turn.refuse_strangers_first()?;
        return Err(Refusal::NotFound.into());
    };
    if approval.user == *turn.user()? {
        let Approval { scope, audience, agent_id, .. } = &approval;
        turn.about(format!("approval {id}: {scope} at {audience} for {agent_id}"));
    }
    Ok(approval)
}

async fn answer(
    tx: &mut Tx<'_>,
    turn: &Turn,
    mut approval: Approval,
    state: ApprovalState,
    until: Timestamp,
) -> Result<ApprovalInfo, Failure> {
    let by = &turn.caller.enrollment;
    if !agent_approvals::answer(tx, &approval.id, state, by, until, turn.now).await? {
        return Err(Refusal::ApprovalOver.into());
    }
    (approval.state, approval.expires_at) = (state, until);
    Ok(info(&approval, turn.now))
}

fn info(approval: &Approval, now: Timestamp) -> ApprovalInfo {
    let words = |words: &Words| words.iter().map(str::to_owned).collect();
    let state = match approval.state {
        ApprovalState::Refused => ApprovalStateName::Refused,
        _ if approval.expires_at.is_over(now) => ApprovalStateName::Over,
        ApprovalState::Open => ApprovalStateName::Open,
        ApprovalState::Granted => ApprovalStateName::Granted,
    };
    ApprovalInfo {
        id: approval.id.clone(),
        agent: approval.agent_id.clone(),
        scope: words(&approval.scope),
        audience: words(&approval.audience),
        missing: words(&approval.missing),
        reason: approval.reason.as_ref().map(ToString::to_string),
        state,
        raised_at: approval.raised_at.into(),
        expires_at: approval.expires_at.into(),
    }
}
