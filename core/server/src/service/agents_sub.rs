//! Parts of an agent: one level deep, never wider than it and never longer.

use super::agent_message::{AgentMessage, Signed, Taken};
use super::agent_tokens::Coming;
use super::perform::note;
use super::{RequestContext, Service};
use crate::failure::Failure;
use crate::store::agents::{self, Agent};
use crate::store::{Lane, Tx};
use landfall_crypto::aauth::{AgentClaims, AgentKey, Scheme, SignatureFault};
use landfall_identity::agent_life::{
    AgentDoor, AgentState, Backing, SUB_AGENTS_MAX, may_act, meets, sub_agent_until,
};
use landfall_identity::id::AgentRowId;
use landfall_identity::{AgentId, Refusal, Timestamp};
use landfall_protocol::agent::{AgentGranted, SubAgentTokenRequest};

/// How keys are named here: by the agent's own token.
const PART: Taken = Taken { schemes: &[Scheme::Jwt], digest: true };

/// What the part will be.
struct Part {
    row: AgentRowId,
    agent: AgentId,
    key: AgentKey,
    coming: Coming,
}

impl Service {
    /// A token for a part of an agent, asked for by the agent with its own. The same part with the same key
    /// gets another one.
    ///
    /// # Errors
    /// [`Failure::Agent`]; [`Refusal::AgentNested`] for a part of a part; [`Refusal::AgentKeyRefused`] for
    /// a key that is the agent's own, or that somebody else holds; what [`meets`] and [`may_act`] refuse.
    pub async fn issue_sub_agent_token(
        &self,
        request: RequestContext,
        message: AgentMessage,
        body: SubAgentTokenRequest,
    ) -> Result<AgentGranted, Failure> {
        let provider = self.agent_provider()?;
        let now = self.ambient.now();
        let Signed::Token(claims) = self.signed_by(&provider, &message, PART, now)? else {
            return Err(SignatureFault::unsupported_scheme(PART.schemes).into());
        };
        let agent = claims.agent.clone();
        let found = self.store.glance(async |tx: &mut Tx<'_>| agents::find(tx, &agent).await)?;
        let parent = found.filter(|row| !row.state.is_gone(now)).ok_or(Refusal::AgentUnknown)?;
        let notes = self.notes_of_agent(&parent)?;
        let (service, action) = (self.clone(), request.action);
        let record = self.record(request, notes.clone(), now);
        let part = self.part(&claims, &body, &provider, now);
        let work = async move |tx: &mut Tx<'_>| {
            let parent = agents::find(tx, &agent).await?.ok_or(Refusal::AgentUnknown)?;
            if parent.parent.is_some() {
                return Err(Refusal::AgentNested.into());
            }
            may_act(parent.state, &parent.backing, now)?;
            if parent.state != AgentState::Active {
                return Err(Refusal::AgentUnknown.into());
            }
            service.ask_rules_of_agent(action, &parent, true, &notes)?;
            let part = part.as_ref().map_err(Clone::clone).map_err(Unusable::into_failure)?;
            note(&notes, |seen| seen.target = format!("agent {}", part.agent));
            let thumbprint = part.key.thumbprint().to_string();
            let own = [parent.thumbprint.as_str(), claims.key.thumbprint().as_str()]
                .contains(&thumbprint.as_str());
            if own {
                return Err(Refusal::AgentKeyRefused.into());
            }
            service.may_be_agents(tx, &thumbprint, now).await?;
            let row = settle(tx, &parent, part, thumbprint, now).await?;
            // And under its own name: a rule may be about the part alone.
            service.ask_rules_of_agent(action, &row, true, &notes)?;
            part.coming.keep(tx, &row).await?;
            Ok((row, part.key, part.coming.clone()))
        };
        let (row, key, coming) = self.store.write(Lane::Known, work, record).await?;
        self.granted(&provider, &row, &key, true, &coming)
    }

    fn part(
        &self,
        claims: &AgentClaims,
        body: &SubAgentTokenRequest,
        provider: &crate::config::AgentProvider,
        now: Timestamp,
    ) -> Result<Part, Unusable> {
        // A token of a part names one: whoever shows it is told so, whatever they ask for.
        let base = claims.agent.parent().unwrap_or_else(|| claims.agent.clone());
        let agent = base.sub_agent(&body.discriminator).ok().filter(|id| id.segments().is_ok());
        let agent = agent.ok_or(Unusable::Discriminator)?;
        let key = AgentKey::from_jwk(&body.cnf_jwk, provider.config.profile)
            .map_err(|error| Unusable::Key(error.to_string()))?;
        let until = sub_agent_until(claims.expires_at, now, provider.token_ttl());
        let row = AgentRowId::from_bits(self.ambient.row_bits());
        Ok(Part { row, agent, key, coming: self.coming(now, until) })
    }
}

/// Why a part cannot be made of what was sent.
#[derive(Clone)]
enum Unusable {
    Discriminator,
    Key(String),
}

impl Unusable {
    fn into_failure(self) -> Failure {
        match self {
            Self::Discriminator => Failure::invalid(
                "discriminator",
                "It may hold a-z, 0-9, '-', '_' and '.', and must fit behind the agent's own name.",
            ),
            Self::Key(why) => Failure::invalid("cnf_jwk", why),
        }
    }
}

/// Finds the part, or adds it.
async fn settle(
    tx: &mut Tx<'_>,
    parent: &Agent,
    part: &Part,
    thumbprint: String,
    now: Timestamp,
) -> Result<Agent, Failure> {
    agents::drop_gone(tx, &thumbprint, part.agent.as_str(), now).await?;
    let known = agents::by_thumbprint(tx, &thumbprint).await?;
    let holder = agents::find(tx, &part.agent).await?;
    let key_of_asked = holder.as_ref().map(|row| row.thumbprint.as_str());
    meets(known.as_ref().map(|row| &row.agent), Some(&part.agent), key_of_asked, &thumbprint)?;
    if let Some(row) = known {
        may_act(row.state, &row.backing, now)?;
        agents::saw(tx, &row.id, parent.person_server.as_deref(), part.coming.until, now).await?;
    } else {
        if agents::count_parts(tx, &parent.id, now).await? >= SUB_AGENTS_MAX {
            return Err(Refusal::TooManyAgents.into());
        }
        let row = Agent {
            id: part.row.clone(),
            tenant: parent.tenant.clone(),
            agent: part.agent.clone(),
            thumbprint,
            jwk: serde_json::to_string(&part.key.jwk()).map_err(Failure::internal)?,
            state: AgentState::Active,
            door: AgentDoor::Parent,
            owner: parent.owner.clone(),
            introduced_by: parent.introduced_by.clone(),
            parent: Some(parent.id.clone()),
            person_server: parent.person_server.clone(),
            label: None,
            enrolled_at: now,
            last_seen_at: now,
            token_until: part.coming.until,
            backing: Backing::default(),
            introducer: None,
            parent_agent: None,
        };
        agents::insert(tx, &row).await?;
    }
    Ok(agents::find(tx, &part.agent).await?.ok_or(Refusal::AgentUnknown)?)
}
