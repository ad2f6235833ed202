//! Agents, as their own clients see this provider: who it is, and the next token.

use super::agent_message::{AgentMessage, Signed, Taken, key_of};
use super::agent_tokens::Coming;
use super::perform::{Notes, note};
use super::{RequestContext, Service};
use crate::config::AgentProvider;
use crate::failure::Failure;
use crate::store::agents::{self, Agent};
use crate::store::{Lane, Tx};
use landfall_crypto::aauth::documents::AgentJwks;
use landfall_crypto::aauth::{
    AgentClaims, AgentKey, FaultCode, NamingClaims, ProviderMetadata, Scheme, ServerId,
    SignatureFault, agent_token,
};
use landfall_identity::agent_life::{AgentDoor, AgentState, REPLAYS_PER_KEY, may_act};
use landfall_identity::caller::ActorRole;
use landfall_identity::spiffe::{Principal, SpiffeId};
use landfall_identity::{AgentId, Refusal, Seconds, TenantName};
use landfall_protocol::agent::{AgentGranted, AgentTokenRequest};
use landfall_protocol::paths;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How keys may be named where a durable key asks for its next token.
const REFRESH: Taken = Taken { schemes: &[Scheme::Hwk, Scheme::JktJwt], digest: false };
/// When to come back who has asked for too many tokens.
const NAMING_PAUSE: Seconds = Seconds::minutes(10);

impl Service {
    /// The provider, where this server is one.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub(super) fn agent_provider(&self) -> Result<Arc<AgentProvider>, Failure> {
        Ok(self.settings.agents.clone().ok_or(Refusal::NotFound)?)
    }

    /// What this provider is (AAuth, agent provider metadata).
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where this server is none.
    pub fn agent_metadata(&self) -> Result<ProviderMetadata, Failure> {
        let provider = self.agent_provider()?;
        let at = |path: &str| format!("{}{path}", provider.base);
        Ok(ProviderMetadata {
            enrol_endpoint: Some(at(paths::AGENT_ENROL)),
            refresh_endpoint: Some(at(paths::AGENT_REFRESH)),
            ..ProviderMetadata::new(&provider.issuer, at(paths::AGENT_PROVIDER_KEYS))
        })
    }

    /// The keys that sign agents' tokens, and nothing else.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where this server is no provider.
    pub fn agent_provider_keys(&self) -> Result<AgentJwks, Failure> {
        self.agent_provider()?;
        let key = self.pki.agent_provider_key()?;
        Ok(AgentJwks { keys: vec![key.jwks_entry(self.pki.agent_provider_kid()?.as_str())] })
    }

    /// The key of one agent that may act.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for everybody else: who proved no key has none that others may believe.
    pub async fn agent_keys(&self, agent: &AgentId) -> Result<AgentJwks, Failure> {
        self.agent_provider()?;
        let now = self.ambient.now();
        let found = self.store.read(async |tx: &mut Tx<'_>| agents::find(tx, agent).await).await?;
        let may = |row: &Agent| {
            row.state == AgentState::Active && may_act(row.state, &row.backing, now).is_ok()
        };
        let row = found.filter(may).ok_or(Refusal::NotFound)?;
        Ok(AgentJwks { keys: vec![key_of(&row)?.jwks_entry(row.id.as_str())] })
    }

    /// An agent's next token, by its durable key or by one that it has named. The first one proves the key
    /// of an agent that enrolled without.
    ///
    /// # Errors
    /// [`Failure::Agent`] for a signature that is not taken, a naming token that was used before among
    /// them; what [`may_act`] refuses.
    pub async fn refresh_agent(
        &self,
        request: RequestContext,
        message: AgentMessage,
        body: AgentTokenRequest,
    ) -> Result<AgentGranted, Failure> {
        let provider = self.agent_provider()?;
        let now = self.ambient.now();
        let (thumbprint, bound, naming) = match self.signed_by(&provider, &message, REFRESH, now)? {
            Signed::Durable(key) => (key.thumbprint().to_string(), key, None),
            Signed::Named(claims) => (claims.durable.to_string(), claims.ephemeral, Some(claims)),
            Signed::Token(_) => {
                return Err(SignatureFault::unsupported_scheme(REFRESH.schemes).into());
            }
        };
        let row = self.agent_of_key(&thumbprint, now)?;
        let notes = self.notes_of_agent(&row)?;
        let (service, action) = (self.clone(), request.action);
        let record = self.record(request, notes.clone(), now);
        let asked = person_server(&provider, body.ps.as_deref());
        let coming = self.coming(now, now + provider.token_ttl());
        let kept = coming.clone();
        let work = async move |tx: &mut Tx<'_>| {
            let mut row =
                agents::by_thumbprint(tx, &thumbprint).await?.ok_or(Refusal::AgentUnknown)?;
            if row.parent.is_some() {
                return Err(Refusal::AgentNested.into());
            }
            may_act(row.state, &row.backing, now)?;
            service.ask_rules_of_agent(action, &row, true, &notes)?;
            if let Some(claims) = &naming {
                take_naming(tx, claims).await?;
            }
            let asked = asked.clone().map_err(InvalidServer::into_failure)?;
            row.person_server = settle_server(&row, asked)?;
            prove(tx, &mut row).await?;
            agents::saw(tx, &row.id, row.person_server.as_deref(), kept.until, now).await?;
            kept.keep(tx, &row).await?;
            Ok(row)
        };
        let row = self.store.write(Lane::Known, work, record).await?;
        self.granted(&provider, &row, &bound, true, &coming)
    }

    /// An agent's name as a principal.
    pub(super) fn spiffe_of_agent(
        &self,
        tenant: &TenantName,
        agent: &AgentId,
    ) -> Result<SpiffeId, Failure> {
        let (name, instance) = agent.segments().map_err(Failure::internal)?;
        let principal = Principal::Agent { tenant: tenant.clone(), name, instance };
        Ok(SpiffeId::new(self.pki.trust_domain().clone(), principal))
    }

    /// Whom an agent acts for, nearest first: the agent above it, and its owner on the device through which
    /// it came.
    pub(super) fn parents_of_agent(&self, row: &Agent) -> Result<Vec<SpiffeId>, Failure> {
        let mut parents = Vec::new();
        if let Some(parent) = &row.parent_agent {
            parents.push(self.spiffe_of_agent(&row.tenant, parent)?);
        }
        if let (Some(user), Some(device)) = (&row.owner, &row.introducer) {
            let (tenant, user, device) = (row.tenant.clone(), user.clone(), device.clone());
            let principal = Principal::Human { tenant, user, device };
            parents.push(SpiffeId::new(self.pki.trust_domain().clone(), principal));
        }
        Ok(parents)
    }

    /// What the audit says of an agent whose key has signed.
    pub(super) fn notes_of_agent(&self, row: &Agent) -> Result<Notes, Failure> {
        let notes = Notes::default();
        let actor = self.spiffe_of_agent(&row.tenant, &row.agent)?;
        let parents = self.parents_of_agent(row)?;
        note(&notes, |seen| {
            seen.tenant = Some(row.tenant.clone());
            seen.target = format!("agent {}", row.agent);
            seen.actor = Some(actor);
            seen.parents = parents;
        });
        Ok(notes)
    }

    /// A token, and what else the clients of either dialect look for. Who has proved no key gets one that
    /// says nothing of anybody else.
    pub(super) fn granted(
        &self,
        provider: &AgentProvider,
        row: &Agent,
        bound: &AgentKey,
        signed: bool,
        coming: &Coming,
    ) -> Result<AgentGranted, Failure> {
        let (until, now) = (coming.until, coming.now);
        let proved = signed && row.state == AgentState::Active;
        let until = match row.state {
            AgentState::Unproven { until: gone } => gone.min(until),
            AgentState::Active | AgentState::Revoked { .. } => until,
        };
        let mut extra = Map::new();
        extra.insert("actor_role".to_owned(), json!(ActorRole::Agent));
        if proved {
            let spiffe_id = self.spiffe_of_agent(&row.tenant, &row.agent)?.to_string();
            extra.insert("spiffe_id".to_owned(), Value::String(spiffe_id));
        } else {
            extra.insert("assurance".to_owned(), json!("unproven"));
        }
        let server = row.person_server.as_deref().filter(|_| proved);
        let server = server.map(ServerId::parse_with_loopback).transpose();
        let claims = AgentClaims {
            issuer: provider.issuer.clone(),
            agent: row.agent.clone(),
            jti: coming.jti.clone(),
            key: *bound,
            issued_at: now,
            expires_at: until,
            person_server: server.map_err(Failure::internal)?,
            parent: row.parent_agent.clone(),
            audience: Vec::new(),
            extra,
        };
        let token = self.pki.sign_agent_token(&claims)?;
        let granted = self.named(provider, row);
        Ok(AgentGranted {
            agent_token: Some(token),
            token_type: Some(agent_token::TYP.to_owned()),
            expires_in: Some(until.since(now).0),
            ..granted
        })
    }

    /// What an agent and its key are called here.
    pub(super) fn named(&self, provider: &AgentProvider, row: &Agent) -> AgentGranted {
        let keys = paths::fill(paths::AGENT_KEYS, &[row.agent.as_str()]);
        AgentGranted {
            agent: row.agent.to_string(),
            agent_id: row.agent.to_string(),
            key_id: row.id.to_string(),
            jwks_uri: format!("{}{keys}", provider.base),
            parent_agent: row.parent_agent.as_ref().map(ToString::to_string),
            ..AgentGranted::default()
        }
    }
}

/// Its key has signed: from here on it is what its owner believed it to be.
pub(super) async fn prove(tx: &mut Tx<'_>, row: &mut Agent) -> Result<(), Failure> {
    let proved = row.state.proved();
    if proved != row.state && agents::set_state(tx, &row.id, proved).await? {
        row.state = proved;
    }
    Ok(())
}

/// Takes a naming token, once; a refusal later in the same act leaves nothing of it.
async fn take_naming(tx: &mut Tx<'_>, claims: &NamingClaims) -> Result<(), Failure> {
    let durable = claims.durable.as_str();
    if !agents::take_naming(tx, durable, &claims.replay_id, claims.expires_at).await? {
        let detail = "this naming token was used before";
        return Err(SignatureFault::new(FaultCode::InvalidJwt, detail).into());
    }
    // One more than there is room for, the one in hand counted.
    let kept = agents::count_naming(tx, durable, REPLAYS_PER_KEY + 1).await?;
    if kept > REPLAYS_PER_KEY {
        return Err(Refusal::RateLimited { retry_after: NAMING_PAUSE }.into());
    }
    Ok(())
}

/// The text names no person server.
#[derive(Debug, Clone, Copy)]
pub(super) struct InvalidServer;

impl InvalidServer {
    pub(super) fn into_failure(self) -> Failure {
        Failure::invalid("ps", "It must be https:// and a host, and nothing else.")
    }
}

/// The server of a person, as it was sent. On the loopback it may be there as well.
pub(super) fn person_server(
    provider: &AgentProvider,
    text: Option<&str>,
) -> Result<Option<String>, InvalidServer> {
    let parse = match provider.issuer.is_loopback() {
        true => ServerId::parse_with_loopback,
        false => ServerId::parse,
    };
    let parsed = text.map(parse).transpose().map_err(|_| InvalidServer)?;
    Ok(parsed.map(|id| id.to_string()))
}

/// Whom an agent acts for is said once, by itself: what was said before its key has signed is no word of its own.
///
/// *Whoever knows the public key of an agent that the operator has listed would say it for good, without a signature:* only
/// where a code was shown with the key somebody stands behind such a word.
pub(super) fn settle_server(row: &Agent, asked: Option<String>) -> Result<Option<String>, Refusal> {
    let unproven = row.state != AgentState::Active;
    let kept = row.person_server.as_ref().filter(|_| !unproven || row.door == AgentDoor::LinkCode);
    match (kept, asked) {
        (Some(kept), Some(asked)) if *kept != asked && row.state == AgentState::Active => {
            Err(Refusal::AgentServerDiffers)
        }
        (kept, None) => Ok(kept.cloned()),
        (_, asked) => Ok(asked),
    }
}
