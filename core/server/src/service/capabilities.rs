//! What agents may do elsewhere: issued within their ceiling, handed on smaller.

use super::agent_message::{AgentMessage, Signed, Taken};
use super::perform::note;
use super::{RequestContext, Service};
use crate::config::AgentProvider;
use crate::failure::Failure;
use crate::store::agents::{self, Agent};
use crate::store::{Lane, Tx, agent_approvals};
use landfall_crypto::aauth::{Scheme, SignatureFault};
use landfall_crypto::capability::CapabilityClaims;
use landfall_crypto::thumbprint::Thumbprint;
use landfall_identity::agent_life::{AgentState, may_act};
use landfall_identity::capability::{
    Allowance, CAPABILITY_TTL_MAX, CHAIN_MAX, Wanted, Words, missing,
};
use landfall_identity::{Action, AgentId, Refusal, Seconds, SpiffeId, Timestamp};
use landfall_protocol::capability::{
    CapabilityExchangeRequest, CapabilityIssued, CapabilityRequest,
};

/// How keys are named here: it is the durable one that a capability is bound to.
pub(super) const OWN_KEY: Taken = Taken { schemes: &[Scheme::Hwk], digest: true };

impl Service {
    /// A capability for the agent whose key has signed, bound to that key.
    ///
    /// # Errors
    /// [`Refusal::CapabilityTooWide`] for what neither the policy nor the owner allows: it says what; what
    /// [`may_act`] refuses.
    pub async fn issue_capability(
        &self,
        request: RequestContext,
        message: AgentMessage,
        body: CapabilityRequest,
    ) -> Result<CapabilityIssued, Failure> {
        let (provider, now) = (self.agent_provider()?, self.ambient.now());
        let thumbprint = self.own_key(&provider, &message, now)?;
        let row = self.agent_of_key(thumbprint.as_str(), now)?;
        let notes = self.notes_of_agent(&row)?;
        let (service, action) = (self.clone(), request.action);
        let record = self.record(request, notes.clone(), now);
        let asked = read_words(&body.scope, &body.audience);
        let ttl = body.ttl_seconds.map_or(CAPABILITY_TTL_MAX, Seconds);
        let ceilings = provider.ceilings();
        let (key, jti) = (thumbprint.clone(), self.new_jti());
        let coming = jti.clone();
        let work = async move |tx: &mut Tx<'_>| {
            let row = acting(tx, key.as_str(), now).await?;
            service.ask_rules_of_agent(action, &row, true, &notes)?;
            let (scope, audience) = asked.clone().map_err(WordsRefused::into_failure)?;
            if ttl.0 == 0 || ttl > CAPABILITY_TTL_MAX {
                return Err(Refusal::TtlNotAllowed { max: CAPABILITY_TTL_MAX }.into());
            }
            note(&notes, |seen| seen.target = format!("{scope} at {audience}"));
            let mut ceilings = ceilings.clone();
            ceilings.extend(agent_approvals::granted(tx, &row.id, now).await?);
            let lacks = missing(&ceilings, &scope, &audience);
            if !lacks.is_empty() {
                return Err(Refusal::CapabilityTooWide { missing: lacks.join(" ") }.into());
            }
            let until = no_longer_than(&row, now + ttl, now)?;
            note(&notes, |seen| seen.capability = Some(coming.clone()));
            Ok((row, Allowance { scope, audience, until }))
        };
        let (row, allowance) = self.store.write(Lane::Known, work, record).await?;
        self.capability(&row, thumbprint, Granted { allowance, chain: Vec::new(), jti }, now)
    }

    /// Hands a capability on: the same or less, to the agent itself or to a part of it. The key that it is
    /// bound to signs.
    ///
    /// # Errors
    /// [`Refusal::CapabilityInvalid`] for anything that is none of this key's; [`Refusal::CapabilityShrinks`];
    /// what [`may_act`] refuses of either.
    pub async fn exchange_capability(
        &self,
        request: RequestContext,
        message: AgentMessage,
        body: CapabilityExchangeRequest,
    ) -> Result<CapabilityIssued, Failure> {
        let (provider, now) = (self.agent_provider()?, self.ambient.now());
        let thumbprint = self.own_key(&provider, &message, now)?;
        let row = self.agent_of_key(thumbprint.as_str(), now)?;
        let notes = self.notes_of_agent(&row)?;
        let action = request.action;
        let record = self.record(request, notes.clone(), now);
        let held = self.pki.read_capability(&body.capability, now);
        let (service, to) = (self.clone(), body.agent.clone());
        let (wanted, jti) = (wanted(&body), self.new_jti());
        let coming = jti.clone();
        let work = async move |tx: &mut Tx<'_>| {
            let row = acting(tx, thumbprint.as_str(), now).await?;
            service.ask_rules_of_agent(action, &row, true, &notes)?;
            let held = held.as_ref().map_err(|_| Refusal::CapabilityInvalid)?;
            note(&notes, |seen| seen.capability = Some(held.jti.clone()));
            let whose = service.spiffe_of_agent(&row.tenant, &row.agent)?;
            // Whoever took it along has another key.
            if held.key != thumbprint || held.holder != whose {
                return Err(Refusal::CapabilityInvalid.into());
            }
            let wanted = wanted.clone().map_err(WordsRefused::into_failure)?;
            let mut allowance = held.allowance.shrink(&wanted, now)?;
            let to = receiver(tx, &row, to.as_ref(), now).await?;
            if to.id != row.id {
                // What it may not have by itself nobody hands to it.
                service.ask_rules_of_agent(Action::IssueCapability, &to, true, &notes)?;
            }
            allowance.until = no_longer_than(&to, allowance.until, now)?;
            note(&notes, |seen| {
                let (scope, audience) = (&allowance.scope, &allowance.audience);
                seen.target = format!("{scope} at {audience}, to {}, as {coming}", to.agent);
            });
            let mut chain = vec![whose];
            chain.extend(held.chain.iter().cloned());
            if chain.len() > CHAIN_MAX {
                return Err(Refusal::CapabilityHandedOn.into());
            }
            Ok((to, allowance, chain))
        };
        let (to, allowance, chain) = self.store.write(Lane::Known, work, record).await?;
        let key = Thumbprint::parse(to.thumbprint.as_str()).map_err(Failure::internal)?;
        self.capability(&to, key, Granted { allowance, chain, jti }, now)
    }

    /// The durable key that has signed a message.
    pub(super) fn own_key(
        &self,
        provider: &AgentProvider,
        message: &AgentMessage,
        now: Timestamp,
    ) -> Result<Thumbprint, Failure> {
        match self.signed_by(provider, message, OWN_KEY, now)? {
            Signed::Durable(key) => Ok(key.thumbprint()),
            Signed::Named(_) | Signed::Token(_) => {
                Err(SignatureFault::unsupported_scheme(OWN_KEY.schemes).into())
            }
        }
    }

    fn capability(
        &self,
        row: &Agent,
        key: Thumbprint,
        granted: Granted,
        now: Timestamp,
    ) -> Result<CapabilityIssued, Failure> {
        let Granted { allowance, chain, jti } = granted;
        let issued = CapabilityIssued {
            capability: String::new(),
            agent: row.agent.clone(),
            scope: allowance.scope.iter().map(str::to_owned).collect(),
            audience: allowance.audience.iter().map(str::to_owned).collect(),
            expires_at: allowance.until.into(),
        };
        let claims = CapabilityClaims {
            holder: self.spiffe_of_agent(&row.tenant, &row.agent)?,
            agent: row.agent.clone(),
            key,
            allowance,
            chain,
            jti,
            issued_at: now,
        };
        Ok(CapabilityIssued { capability: self.pki.sign_capability(&claims)?, ..issued })
    }
}

/// What a capability says beside whose it is.
struct Granted {
    allowance: Allowance,
    /// Who handed it on, the nearest first.
    chain: Vec<SpiffeId>,
    jti: String,
}

/// The agent of a key, which may act and has proved it.
pub(super) async fn acting(
    tx: &mut Tx<'_>,
    thumbprint: &str,
    now: Timestamp,
) -> Result<Agent, Failure> {
    let row = agents::by_thumbprint(tx, thumbprint).await?.ok_or(Refusal::AgentUnknown)?;
    may_act(row.state, &row.backing, now)?;
    match row.state {
        AgentState::Active => Ok(row),
        // Who has proved no key has no capability.
        AgentState::Unproven { .. } | AgentState::Revoked { .. } => {
            Err(Refusal::AgentUnknown.into())
        }
    }
}

/// A part holds nothing for longer than its own token lives, which its agent has given it.
fn no_longer_than(row: &Agent, until: Timestamp, now: Timestamp) -> Result<Timestamp, Refusal> {
    match row.parent {
        None => Ok(until),
        Some(_) if row.token_until.is_over(now) => Err(Refusal::AgentNested),
        Some(_) => Ok(until.min(row.token_until)),
    }
}

/// To whom it is handed: the agent itself, or a part of it. A sibling is neither.
async fn receiver(
    tx: &mut Tx<'_>,
    holder: &Agent,
    to: Option<&AgentId>,
    now: Timestamp,
) -> Result<Agent, Failure> {
    let Some(to) = to.filter(|to| **to != holder.agent) else { return Ok(holder.clone()) };
    let found = agents::find(tx, to).await?;
    let part = found.filter(|row| row.parent.as_ref() == Some(&holder.id));
    let part = part.ok_or(Refusal::AgentUnknown)?;
    acting(tx, &part.thumbprint, now).await
}

/// A field that holds no words.
#[derive(Debug, Clone, Copy)]
pub(super) struct WordsRefused(&'static str);

impl WordsRefused {
    pub(super) fn into_failure(self) -> Failure {
        Failure::invalid(self.0, "Give 1 to 32 words of up to 128 letters, digits and -._~:/.")
    }
}

pub(super) fn read_words(
    scope: &[String],
    audience: &[String],
) -> Result<(Words, Words), WordsRefused> {
    let scope = Words::new(scope).map_err(|_| WordsRefused("scope"))?;
    let audience = Words::new(audience).map_err(|_| WordsRefused("audience"))?;
    Ok((scope, audience))
}

fn wanted(body: &CapabilityExchangeRequest) -> Result<Wanted, WordsRefused> {
    let words = |field, words: &Option<Vec<String>>| {
        words.as_ref().map(Words::new).transpose().map_err(|_| WordsRefused(field))
    };
    Ok(Wanted {
        scope: words("scope", &body.scope)?,
        audience: words("audience", &body.audience)?,
        ttl: body.ttl_seconds.map(Seconds),
    })
}
