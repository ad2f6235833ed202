//! Agents, as their owner and administrators see them: codes that let one in, the list, cutting one off.

use super::agents_enrol::asked_name;
use super::tokens::lives_as_long;
use super::{RequestContext, Service, Turn, page};
use crate::config::AgentProvider;
use crate::failure::Failure;
use crate::store::agent_codes::{self, AgentCode};
use crate::store::agents::{self, Agent};
use crate::store::{Tx, agent_tokens, users};
use landfall_crypto::door::AuthHash;
use landfall_identity::agent_life::{AGENT_CODES_OPEN_MAX, AgentState, may_act};
use landfall_identity::authorize::Object;
use landfall_identity::id::AgentCodeId;
use landfall_identity::notice::Happening;
use landfall_identity::token::{DEVICE_TTL, TokenKind, TokenState};
use landfall_identity::{Action, AgentId, BoundAction, Refusal, Seconds, Timestamp, UserName};
use landfall_protocol::agent::{
    AdminAgentsQuery, AgentCodeInfo, AgentCodeIssueRequest, AgentCodeIssued, AgentCut, AgentInfo,
    AgentStateName,
};
use landfall_protocol::enroll::TokenStateName;
use landfall_protocol::{Page, PageQuery, paths};

impl Service {
    /// Makes a code that lets one agent in as the caller's own. The secret stays with the client; the same
    /// hash again answers with the same code.
    ///
    /// # Errors
    /// A refusal, or a name or lifetime that is not allowed.
    pub async fn issue_agent_code(
        &self,
        request: RequestContext,
        body: AgentCodeIssueRequest,
    ) -> Result<AgentCodeIssued, Failure> {
        let provider = self.settings.agents.clone();
        let ttl = body.ttl_seconds.map_or(DEVICE_TTL, Seconds);
        let cap = self.settings.device_token_ttl_max;
        let id = AgentCodeId::from_bits(self.ambient.row_bits());
        let at = provider.clone();
        let code = self
            .perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
                let name = body.agent.clone().unwrap_or_default();
                turn.about(format!("code {id} for the agent {name}"));
                // Who may not ask at all hears that first.
                turn.refuse_strangers_first()?;
                let at = at.as_ref().ok_or(Refusal::NotFound)?;
                let hash = AuthHash::parse(&body.auth_hash);
                let hash =
                    hash.map_err(|error| Failure::invalid("auth_hash", error.to_string()))?;
                let act = BoundAction::IssueAgentCode {
                    agent: name,
                    ttl,
                    auth_hash: body.auth_hash.clone(),
                };
                if let Some(code) = agent_codes::by_auth_hash(tx, hash.as_bytes()).await? {
                    return repeated(turn, &act, ttl, body.agent.as_ref(), code);
                }
                turn.authorize(tx, &turn.own()?, Some(&act)).await?;
                lives_as_long(TokenKind::Device, ttl, cap)?;
                name_is_free(tx, at, body.agent.as_deref(), turn.now).await?;
                let (tenant, user) = (turn.tenant(), turn.user()?);
                let open = agent_codes::count_open(tx, tenant, user, turn.now).await?;
                if open >= AGENT_CODES_OPEN_MAX {
                    return Err(Refusal::RateLimited { retry_after: DEVICE_TTL }.into());
                }
                let code = AgentCode {
                    id: id.clone(),
                    tenant: tenant.clone(),
                    user: user.clone(),
                    enrollment: turn.caller.enrollment.clone(),
                    name: body.agent.clone(),
                    auth_hash: *hash.as_bytes(),
                    state: TokenState::Issued,
                    issued_at: turn.now,
                    expires_at: turn.now + ttl,
                    agent: None,
                    made_on_revoked: false,
                };
                agent_codes::insert(tx, &code).await?;
                Ok(code)
            })
            .await?;
        let provider = provider.ok_or(Refusal::NotFound)?;
        Ok(AgentCodeIssued {
            code: code_info(&code, self.ambient.now()),
            issuer: provider.issuer.to_string(),
            enrol_endpoint: format!("{}{}", provider.base, paths::AGENT_ENROL),
        })
    }

    /// The caller's codes for agents, newest first.
    ///
    /// # Errors
    /// A refusal.
    pub async fn list_agent_codes(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<AgentCodeInfo>, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let limit = page::limit(query.limit)?;
            let (at, id) = page::time_cursor(query.after.as_deref())?;
            let before = (at, id.as_str());
            let rows =
                agent_codes::list(tx, turn.tenant(), turn.user()?, before, limit + 1).await?;
            let next = |code: &AgentCode| page::time_cursor_text(code.issued_at, code.id.as_str());
            Ok(page::cut(rows, limit, next, |code| code_info(code, turn.now)))
        })
        .await
    }

    /// Withdraws one of the caller's codes.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] when it is not theirs; [`Refusal::TokenUsed`]. One that is withdrawn already
    /// is answered as it stands.
    pub async fn cancel_agent_code(
        &self,
        request: RequestContext,
        id: AgentCodeId,
    ) -> Result<AgentCodeInfo, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(format!("code {id} for an agent"));
            let Some(code) = agent_codes::find(tx, &id).await? else {
                turn.refuse_strangers_first()?;
                return Err(Refusal::NotFound.into());
            };
            let object = Object::Owned { tenant: code.tenant.clone(), user: code.user.clone() };
            turn.authorize(tx, &object, None).await?;
            if !agent_codes::cancel(tx, &id, turn.now).await? {
                return match code.state {
                    TokenState::Consumed { at, .. } => {
                        let device = code.agent.unwrap_or_default();
                        Err(Refusal::TokenUsed { at, device }.into())
                    }
                    TokenState::Cancelled { .. } => Ok(code_info(&code, turn.now)),
                    TokenState::Issued => Err(Refusal::AgentCodeWrong.into()),
                };
            }
            let code = agent_codes::find(tx, &id).await?.ok_or(Refusal::NotFound)?;
            Ok(code_info(&code, turn.now))
        })
        .await
    }

    /// The caller's agents and their parts, by name.
    ///
    /// # Errors
    /// A refusal.
    pub async fn list_agents(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<AgentInfo>, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let own = Some(turn.user()?.clone());
            service.page_of_agents(tx, turn, own, query.limit, query.after.as_deref()).await
        })
        .await
    }

    /// The tenant's agents, by name.
    ///
    /// # Errors
    /// A refusal.
    pub async fn admin_list_agents(
        &self,
        request: RequestContext,
        query: AdminAgentsQuery,
    ) -> Result<Page<AgentInfo>, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let only = query.user.as_deref().map(UserName::parse).transpose();
            let only = only.map_err(|error| Failure::invalid("user", error.to_string()))?;
            if let Some(user) = &only
                && users::find(tx, turn.tenant(), user).await?.is_none()
            {
                return Err(Refusal::NotFound.into());
            }
            service.page_of_agents(tx, turn, only, query.limit, query.after.as_deref()).await
        })
        .await
    }

    async fn page_of_agents(
        &self,
        tx: &mut Tx<'_>,
        turn: &Turn,
        owner: Option<UserName>,
        limit: Option<u32>,
        after: Option<&str>,
    ) -> Result<Page<AgentInfo>, Failure> {
        let limit = page::limit(limit)?;
        let [after] = page::read_text_cursor::<1>(after)?;
        let (tenant, owner) = (turn.tenant(), owner.as_ref());
        let rows = agents::list(tx, tenant, owner, &after, turn.now, limit + 1).await?;
        let infos =
            rows.iter().map(|row| self.agent_info(row, turn.now)).collect::<Result<_, _>>()?;
        let next = |info: &AgentInfo| page::text_cursor(&[info.agent.as_str()]);
        let infos: Vec<AgentInfo> = infos;
        Ok(page::cut(infos, limit, next, Clone::clone))
    }

    /// Cuts an agent off for ever, and its parts with it: it gets no further token, and its key is served to
    /// nobody. Tokens that it has already live until they end, but for those of a person server, which is told.
    /// Revoking again changes nothing.
    ///
    /// # Errors
    /// A refusal; [`Refusal::NotFound`] for an agent that is somebody else's.
    pub async fn revoke_agent(
        &self,
        request: RequestContext,
        agent: AgentId,
    ) -> Result<AgentCut, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(format!("agent {agent}"));
            let found = agents::find(tx, &agent).await?;
            let Some(row) = found.filter(|row| !row.state.is_gone(turn.now)) else {
                turn.refuse_strangers_first()?;
                return Err(Refusal::NotFound.into());
            };
            turn.authorize(tx, &object_of(turn, &row)?, None).await?;
            service.cut_agent(tx, turn, row).await
        })
        .await
    }

    async fn cut_agent(
        &self,
        tx: &mut Tx<'_>,
        turn: &Turn,
        mut row: Agent,
    ) -> Result<AgentCut, Failure> {
        if matches!(row.state, AgentState::Unproven { .. }) {
            // Somebody named a key, and it has signed nothing: it is not theirs to end. *Whoever knows the public half
            // would kill a key before its holder comes.*
            agents::forget_unproven(tx, &row.id).await?;
            row.state = AgentState::Revoked { at: turn.now };
            let agent = self.agent_info(&row, turn.now)?;
            return Ok(AgentCut { agent, sub_agents_revoked: 0 });
        }
        let revoked = AgentState::Revoked { at: turn.now };
        if agents::set_state(tx, &row.id, revoked).await? {
            row.state = revoked;
            if let Some(owner) = row.owner.clone().filter(|_| row.parent.is_none()) {
                let what = Happening::AgentRevoked { agent: row.agent.clone() };
                self.tell(tx, turn.news(&owner, what)?).await?;
            }
        }
        let parts = agents::revoke_parts(tx, &row.id, turn.now).await?;
        agent_tokens::call_in(tx, &row.id, turn.now).await?;
        Ok(AgentCut {
            agent: self.agent_info(&row, turn.now)?,
            sub_agents_revoked: u32::try_from(parts).unwrap_or(u32::MAX),
        })
    }

    /// An agent as its owner, or an administrator, sees it.
    pub(super) fn agent_info(&self, row: &Agent, now: Timestamp) -> Result<AgentInfo, Failure> {
        let state = match (row.state, may_act(row.state, &row.backing, now)) {
            (AgentState::Revoked { .. }, _) | (_, Err(Refusal::AgentRevoked { .. })) => {
                AgentStateName::Revoked
            }
            (_, Err(Refusal::AgentUnvouched)) => AgentStateName::Unvouched,
            (_, Err(_)) => AgentStateName::Held,
            (AgentState::Unproven { .. }, Ok(())) => AgentStateName::Unproven,
            (AgentState::Active, Ok(())) => AgentStateName::Active,
        };
        Ok(AgentInfo {
            agent: row.agent.clone(),
            spiffe_id: self.spiffe_of_agent(&row.tenant, &row.agent)?,
            state,
            door: row.door,
            owner: row.owner.clone(),
            introduced_by: row.introducer.clone(),
            parent: row.parent_agent.clone(),
            person_server: row.person_server.clone(),
            label: row.label.as_ref().map(ToString::to_string),
            thumbprint: row.thumbprint.clone(),
            enrolled_at: row.enrolled_at.into(),
            last_seen_at: row.last_seen_at.into(),
            token_until: row.token_until.into(),
        })
    }
}

/// Whose an agent is. One without an owner is the operator's, and nobody's own.
fn object_of(turn: &Turn, row: &Agent) -> Result<Object, Failure> {
    match &row.owner {
        Some(user) => Ok(Object::Owned { tenant: row.tenant.clone(), user: user.clone() }),
        None if turn.is(Action::AdminRevokeAgent) => turn.own(),
        None => Err(Refusal::NotFound.into()),
    }
}

/// Whether an agent may be called that: asked before a code is made that could let nobody in.
async fn name_is_free(
    tx: &mut Tx<'_>,
    provider: &AgentProvider,
    name: Option<&str>,
    now: Timestamp,
) -> Result<(), Failure> {
    let Some(name) = name else { return Ok(()) };
    let agent = asked_name(provider, "agent", name)?;
    if provider.config.reserves(agent.local(), None) {
        return Err(Refusal::AgentIdTaken.into());
    }
    let found = agents::find(tx, &agent).await?.filter(|row| !row.state.is_gone(now));
    match found.map(|row| may_act(row.state, &row.backing, now)) {
        // The same agent may come back by a code of another device.
        None | Some(Err(Refusal::AgentUnvouched)) => Ok(()),
        Some(_) => Err(Refusal::AgentIdTaken.into()),
    }
}

/// A lost reply: the same user asks with the same hash for the same code again.
fn repeated(
    turn: &Turn,
    act: &BoundAction,
    ttl: Seconds,
    name: Option<&String>,
    code: AgentCode,
) -> Result<AgentCode, Failure> {
    let object = Object::Owned { tenant: code.tenant.clone(), user: code.user.clone() };
    turn.authorize_again(&object, act)?;
    let same = code.name.as_ref() == name && code.expires_at == code.issued_at + ttl;
    if same && code.state == TokenState::Issued {
        return Ok(code);
    }
    Err(Failure::invalid("auth_hash", "This hash belongs to another code. Make a new secret."))
}

fn code_info(code: &AgentCode, now: Timestamp) -> AgentCodeInfo {
    let state = match &code.state {
        TokenState::Consumed { .. } => TokenStateName::Consumed,
        TokenState::Cancelled { .. } => TokenStateName::Cancelled,
        TokenState::Issued if code.made_on_revoked => TokenStateName::Cancelled,
        TokenState::Issued if code.expires_at.is_over(now) => TokenStateName::Expired,
        TokenState::Issued => TokenStateName::Issued,
    };
    AgentCodeInfo {
        id: code.id.clone(),
        name: code.name.clone(),
        state,
        issued_at: code.issued_at.into(),
        expires_at: code.expires_at.into(),
        agent: code.agent.clone(),
    }
}
