//! Who may enrol an agent.
//!
//! Two dialects, one act: what they say is read here into a [`Wish`], and decided in [`super::agents_door`].

use super::agent_message::{AgentMessage, Signed, Taken};
use super::agent_tokens::Coming;
use super::agents::{InvalidServer, person_server};
use super::agents_door::Enrolment;
use super::notices::News;
use super::perform::{Notes, note};
use super::{RequestContext, Service};
use crate::config::AgentProvider;
use crate::failure::Failure;
use crate::store::agent_codes::{self, AgentCode};
use crate::store::agents::Agent;
use crate::store::{Lane, Tx};
use data_encoding::BASE32_NOPAD;
use landfall_crypto::aauth::{AgentKey, FaultCode, Scheme, SignatureFault};
use landfall_crypto::agent_code::AgentCodeText;
use landfall_crypto::door::AuthHash;
use landfall_identity::agent_life::AgentDoor;
use landfall_identity::id::AgentRowId;
use landfall_identity::notice::{By, Happening};
use landfall_identity::{AgentId, Label, Timestamp, UserName};
use landfall_protocol::agent::{AgentEnrolRequest, AgentEnrollRequest, AgentGranted};
use serde_json::Value;
use std::net::IpAddr;

/// How a key is named where it enrols: it must be the durable one.
const ENROL: Taken = Taken { schemes: &[Scheme::Hwk], digest: false };
/// Said of an agent that was known.
const EXISTING: &str = "existing";
/// Said of one that was not.
const ENROLLED: &str = "enrolled";

/// What somebody shows to be let in.
#[derive(Clone)]
pub(super) enum Shown {
    Nothing,
    /// A code, or a text that is none.
    Code(Option<AgentCodeText>),
    /// What other providers take.
    Assertion,
}

/// Everything that an enrolment asks for.
#[derive(Clone)]
pub(super) struct Wish {
    pub(super) key: AgentKey,
    pub(super) signed: bool,
    pub(super) agent: Option<AgentId>,
    pub(super) shown: Shown,
    pub(super) person_server: Option<String>,
    pub(super) label: Option<Label>,
    /// Whether the request came from this machine.
    pub(super) here: bool,
    /// The token that it is given, in the dialect that gives one at once.
    pub(super) token: Option<Coming>,
    /// What the row will be called, and the agent if nobody names it.
    pub(super) row: AgentRowId,
    pub(super) invented: String,
}

/// An enrolled agent, and whether it was known.
pub struct Enrolled {
    /// What the client hears.
    pub granted: AgentGranted,
    /// Whether it is new.
    pub new: bool,
}

impl Service {
    /// Enrols in the first dialect: the key and the name stand in the body. A signature, where there is
    /// one, is by that key; without it the agent is unproven.
    ///
    /// # Errors
    /// What [`Service::enrol`] refuses; a body that names no key.
    pub async fn enrol_agent(
        &self,
        request: RequestContext,
        message: AgentMessage,
        body: AgentEnrolRequest,
    ) -> Result<Enrolled, Failure> {
        let provider = self.agent_provider()?;
        let now = self.ambient.now();
        let signer = match message.is_signed() {
            true => Some(self.enrolling_key(&provider, &message, now)?),
            // Without a signature nothing else says that this server was meant: a page whose name was made
            // to lead here must not enrol anything.
            false if !message.is_for(&provider) => {
                let detail = "the request calls this server by another name";
                return Err(SignatureFault::new(FaultCode::InvalidRequest, detail).into());
            }
            false if provider.config.takes_unsigned() => None,
            false => {
                let detail = "sign the request with the key that enrols";
                return Err(SignatureFault::new(FaultCode::InvalidRequest, detail).into());
            }
        };
        let named = body.jwk.as_ref().map(|jwk| AgentKey::from_jwk(jwk, provider.config.profile));
        let named =
            named.transpose().map_err(|error| Failure::invalid("jwk", error.to_string()))?;
        let key = match (signer, named) {
            (Some(signer), Some(named)) if signer != named => {
                return Err(Failure::invalid("jwk", "It is not the key that signed the request."));
            }
            (Some(key), _) | (None, Some(key)) => key,
            (None, None) => return Err(Failure::invalid("jwk", "It is missing.")),
        };
        let agent = body.agent_id.as_deref().map(|text| asked_id(&provider, text)).transpose()?;
        let shown = match &body.attestation {
            None | Some(Value::Null) => Shown::Nothing,
            Some(Value::String(text)) => Shown::Code(AgentCodeText::parse(text).ok()),
            Some(_) => return Err(Failure::invalid("attestation", "It must be a text.")),
        };
        let coming = self.coming(now, now + provider.token_ttl());
        let wish = Wish {
            person_server: person_server(&provider, body.ps.as_deref())
                .map_err(InvalidServer::into_failure)?,
            token: Some(coming.clone()),
            ..self.wish(&request, key, signer.is_some(), agent, shown)
        };
        let (row, new) = self.enrol(&provider, request, wish, now).await?;
        let mut granted = self.granted(&provider, &row, &key, signer.is_some(), &coming)?;
        granted.status = Some(if new { ENROLLED } else { EXISTING }.to_owned());
        Ok(Enrolled { granted, new })
    }

    /// Enrols in the second dialect: the signature names the key, this provider the agent, and the token is
    /// asked for separately.
    ///
    /// # Errors
    /// What [`Service::enrol`] refuses.
    pub async fn enroll_agent(
        &self,
        request: RequestContext,
        message: AgentMessage,
        body: AgentEnrollRequest,
    ) -> Result<Enrolled, Failure> {
        let provider = self.agent_provider()?;
        let now = self.ambient.now();
        let key = self.enrolling_key(&provider, &message, now)?;
        let shown = match (&body.enrollment_assertion, &body.enrollment_token) {
            (Some(assertion), _) if !assertion.is_null() => Shown::Assertion,
            (_, Some(text)) => Shown::Code(AgentCodeText::parse(text).ok()),
            _ => Shown::Nothing,
        };
        let label = body.label.or(body.platform).map(Label::parse).transpose();
        let wish = Wish {
            person_server: person_server(&provider, body.ps.as_deref())
                .map_err(InvalidServer::into_failure)?,
            label: label.map_err(|error| Failure::invalid("label", error.to_string()))?,
            ..self.wish(&request, key, true, None, shown)
        };
        let (row, new) = self.enrol(&provider, request, wish, now).await?;
        let mut granted = self.named(&provider, &row);
        granted.status = Some(if new { ENROLLED } else { EXISTING }.to_owned());
        Ok(Enrolled { granted, new })
    }

    fn enrolling_key(
        &self,
        provider: &AgentProvider,
        message: &AgentMessage,
        now: Timestamp,
    ) -> Result<AgentKey, Failure> {
        match self.signed_by(provider, message, ENROL, now)? {
            Signed::Durable(key) => Ok(key),
            Signed::Named(_) | Signed::Token(_) => {
                Err(SignatureFault::unsupported_scheme(ENROL.schemes).into())
            }
        }
    }

    fn wish(
        &self,
        request: &RequestContext,
        key: AgentKey,
        signed: bool,
        agent: Option<AgentId>,
        shown: Shown,
    ) -> Wish {
        let source = request.personal.source.as_deref().unwrap_or_default();
        let invented = BASE32_NOPAD.encode(&self.ambient.random::<5>()).to_ascii_lowercase();
        Wish {
            key,
            signed,
            agent,
            shown,
            person_server: None,
            label: None,
            token: None,
            here: source.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback()),
            row: AgentRowId::from_bits(self.ambient.row_bits()),
            invented: format!("agent-{invented}"),
        }
    }

    /// Enrols a key, or finds the agent that it is. Answers with the agent, and whether it is new.
    ///
    /// # Errors
    /// [`Refusal::AgentKeyKnown`], [`Refusal::AgentIdTaken`], [`Refusal::AgentKeyRefused`]; what nobody
    /// lets in; what [`may_act`] refuses.
    async fn enrol(
        &self,
        provider: &AgentProvider,
        request: RequestContext,
        wish: Wish,
        now: Timestamp,
    ) -> Result<(Agent, bool), Failure> {
        let thumbprint = wish.key.thumbprint();
        let until = now + provider.token_ttl();
        let known = self.agent_of_key(thumbprint.as_str(), now);
        let code = self.right_code(&wish)?;
        // Whoever is known, or holds a right code, waits behind no stranger.
        let lane = if known.is_ok() || code.is_some() { Lane::Known } else { Lane::Stranger };
        let notes = match &known {
            Ok(row) if wish.signed => self.notes_of_agent(row)?,
            _ => self.notes_of_stranger(&wish, code.as_ref(), known.is_ok()),
        };
        let action = request.action;
        let record = self.record(request.clone(), notes.clone(), now);
        let (service, provider) = (self.clone(), provider.clone());
        let source = request.personal.source;
        let work = async move |tx: &mut Tx<'_>| {
            let asked = (action, &notes);
            let enrolment = Enrolment { service: &service, provider: &provider, asked, now, until };
            let (row, new) = enrolment.of(tx, &wish).await?;
            if new && let Some(owner) = &row.owner {
                service.tell(tx, news(&row, owner, source.clone(), now)).await?;
            }
            if let Some(token) = wish.token.as_ref().filter(|_| wish.signed) {
                token.keep(tx, &row).await?;
            }
            service.notes_after(&notes, &row, wish.signed)?;
            Ok((row, new))
        };
        self.store.write(lane, work, record).await
    }

    /// The code that was shown, when it is one of ours and its secret is right.
    fn right_code(&self, wish: &Wish) -> Result<Option<AgentCode>, Failure> {
        let Shown::Code(Some(text)) = &wish.shown else { return Ok(None) };
        let found =
            self.store.glance(async |tx: &mut Tx<'_>| agent_codes::find(tx, &text.id).await)?;
        Ok(found.filter(|code| text.auth.matches(&AuthHash::from_bytes(code.auth_hash))))
    }

    /// What the audit says of somebody who has proved no enrolled key: nothing, unless they hold a right
    /// code or name a key of ours.
    fn notes_of_stranger(&self, wish: &Wish, code: Option<&AgentCode>, known: bool) -> Notes {
        let notes = Notes::default();
        if code.is_some() || known {
            note(&notes, |seen| {
                seen.tenant = Some(self.settings.tenant.clone());
                seen.target = match (&wish.agent, code) {
                    (Some(agent), Some(code)) => format!("agent {agent}, by code {}", code.id),
                    (None, Some(code)) => format!("an agent, by code {}", code.id),
                    (Some(agent), None) => format!("agent {agent}, unsigned"),
                    (None, None) => "an agent, unsigned".to_owned(),
                };
            });
        }
        notes
    }

    /// And of the agent that it became, or was.
    fn notes_after(&self, notes: &Notes, row: &Agent, signed: bool) -> Result<(), Failure> {
        let (actor, parents) =
            (self.spiffe_of_agent(&row.tenant, &row.agent)?, self.parents_of_agent(row)?);
        note(notes, |seen| {
            seen.tenant = Some(row.tenant.clone());
            seen.target = format!("agent {}, by {}", row.agent, row.door.as_str());
            seen.parents = parents;
            seen.actor = signed.then_some(actor);
        });
        Ok(())
    }
}

/// The name that an agent asks for: one of ours, and no sub-agent's.
fn asked_id(provider: &AgentProvider, text: &str) -> Result<AgentId, Failure> {
    let wrong = |why: String| Failure::invalid("agent_id", why);
    let agent = AgentId::parse(text).map_err(|error| wrong(error.to_string()))?;
    if agent.domain() != provider.domain {
        return Err(wrong(format!("Agents here are called aauth:...@{}.", provider.domain)));
    }
    asked_name(provider, "agent_id", agent.local())
}

/// An agent of ours by the part before `@`, that has a name as a principal as well.
pub(super) fn asked_name(
    provider: &AgentProvider,
    field: &'static str,
    local: &str,
) -> Result<AgentId, Failure> {
    let wrong = |why: String| Failure::invalid(field, why);
    let agent = AgentId::new(local, &provider.domain).map_err(|error| wrong(error.to_string()))?;
    if agent.is_sub_agent() {
        return Err(wrong(
            "A name with + belongs to a sub-agent, which its agent asks for.".into(),
        ));
    }
    agent.segments().map_err(|error| wrong(error.to_string()))?;
    Ok(agent)
}

fn news(row: &Agent, owner: &UserName, source: Option<String>, at: Timestamp) -> News {
    let by = match (row.door, &row.introducer) {
        (AgentDoor::Pairing, Some(device)) => By::Device { device: device.clone() },
        (_, device) => By::Code { made_by: Some(owner.clone()), made_on: device.clone() },
    };
    News {
        tenant: row.tenant.clone(),
        user: owner.clone(),
        at,
        what: Happening::AgentEnrolled { agent: row.agent.clone() },
        by,
        source,
    }
}
