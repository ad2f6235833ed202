//! Pairing, as the agent sees it: it names its future owner, shows a code, answers, shows six digits, and
//! enrols when they were equal.
//!
//! Nobody is told that it began: a stranger can name anybody. Every message is signed by the key that
//! begins, over its body as well.

use super::agent_message::{AgentMessage, Signed, Taken};
use super::agents_enrol::asked_name;
use super::link_new::read_word;
use super::perform::{Notes, note};
use super::recovery::place_of;
use super::{RequestContext, Service};
use crate::failure::Failure;
use crate::store::agent_pairings::{self, Pairing, PairingState};
use crate::store::agents;
use crate::store::{Lane, Tx, enrollments};
use landfall_crypto::aauth::{AgentKey, Scheme, SignatureFault};
use landfall_crypto::link::word_text;
use landfall_crypto::pairing::pairing_code;
use landfall_identity::agent_life::{AgentDoor, AgentState};
use landfall_identity::id::PairingId;
use landfall_identity::recovery::link::{
    Exchange, LINK_TTL, LINKS_PER_ACCOUNT, LINKS_PER_TENANT, Step, StepError,
};
use landfall_identity::recovery::{BEGUN_PER_PLACE, BEGUN_WINDOW};
use landfall_identity::{AgentId, Refusal, Timestamp};
use landfall_protocol::agent::{
    AgentPairingAnswerRequest, AgentPairingBeginRequest, AgentPairingShowRequest,
    AgentPairingStatus,
};
use landfall_protocol::link::{LinkApprover, LinkStage};

/// How the key is named: it is the one that will be enrolled.
const PAIR: Taken = Taken { schemes: &[Scheme::Hwk], digest: true };

impl Service {
    /// Begins a pairing. The same key again finds what it began.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`] for a place that begins too many; [`Refusal::AgentKeyKnown`] for a key that
    /// is enrolled; a name that is taken.
    pub async fn begin_agent_pairing(
        &self,
        request: RequestContext,
        message: AgentMessage,
        body: AgentPairingBeginRequest,
    ) -> Result<AgentPairingStatus, Failure> {
        let (provider, now) = (self.agent_provider()?, self.ambient.now());
        if !provider.config.takes(AgentDoor::Pairing) {
            return Err(Refusal::AgentDoorOff.into());
        }
        let thumbprint = self.pairing_key(&message, now)?.thumbprint().to_string();
        let agent = asked_name(&provider, "agent", &body.agent)?;
        let id = PairingId::from_bits(self.ambient.row_bits());
        let new = Pairing {
            code: pairing_code(&id, &thumbprint),
            id,
            tenant: self.settings.tenant.clone(),
            user: body.user,
            name: agent.local().to_owned(),
            thumbprint,
            place: place_of(&request),
            state: PairingState::Open,
            exchange: Exchange::Waiting,
            begun_at: now,
            expires_at: now + LINK_TTL,
        };
        let (service, action, notes) = (self.clone(), request.action, notes_of(&new));
        let record = self.record(request, notes.clone(), now);
        let work = async move |tx: &mut Tx<'_>| {
            service.may_be_agents(tx, &new.thumbprint, now).await?;
            // A name that somebody gave to a key which has signed nothing stands in nobody's way.
            let known = agents::by_thumbprint(tx, &new.thumbprint).await?;
            if known.is_some_and(|row| !matches!(row.state, AgentState::Unproven { .. })) {
                return Err(Refusal::AgentKeyKnown.into());
            }
            if provider.config.reserves(agent.local(), Some(new.thumbprint.as_str())) {
                return Err(Refusal::AgentIdTaken.into());
            }
            if agents::find(tx, &agent).await?.is_some() {
                return Err(Refusal::AgentIdTaken.into());
            }
            service.ask_rules_of_newcomer(action, (&new.tenant, &agent), &notes)?;
            let row = begin(tx, &new, now).await?;
            status(tx, row, now).await
        };
        self.store.write(Lane::Stranger, work, record).await
    }

    /// How a pairing stands, for the key that began it.
    ///
    /// # Errors
    /// [`Refusal::PairingOver`] for one that never was, or is another key's.
    pub async fn show_agent_pairing(
        &self,
        request: RequestContext,
        message: AgentMessage,
        body: AgentPairingShowRequest,
    ) -> Result<AgentPairingStatus, Failure> {
        let now = self.ambient.now();
        let key = self.pairing_key(&message, now)?.thumbprint();
        let (service, action, notes) = (self.clone(), request.action, Notes::default());
        let record = self.record_refusals(request, notes.clone(), now);
        let work = async move |tx: &mut Tx<'_>| {
            let row = own(tx, &body.pairing_id, key.as_str()).await?;
            about(&notes, &row);
            service.ask_rules_of_newcomer(
                action,
                (&row.tenant, &service.named_by(&row)?),
                &notes,
            )?;
            status(tx, row, now).await
        };
        self.store.write(Lane::Stranger, work, record).await
    }

    /// Answers the approver's commitment: that one, once.
    ///
    /// # Errors
    /// [`Refusal::LinkOutOfTurn`] for another commitment, or another answer to it; [`Refusal::PairingOver`].
    pub async fn answer_agent_pairing(
        &self,
        request: RequestContext,
        message: AgentMessage,
        body: AgentPairingAnswerRequest,
    ) -> Result<AgentPairingStatus, Failure> {
        let now = self.ambient.now();
        let key = self.pairing_key(&message, now)?.thumbprint();
        let commitment = read_word("commitment", &body.commitment)?;
        let nonce = read_word("nonce", &body.nonce)?;
        let row = self
            .store
            .glance(async |tx: &mut Tx<'_>| agent_pairings::find(tx, &body.pairing_id).await)?;
        let row = row.filter(|row| row.thumbprint == key.as_str()).ok_or(Refusal::PairingOver)?;
        let (service, action, notes) = (self.clone(), request.action, notes_of(&row));
        let record = self.record(request, notes.clone(), now);
        let work = async move |tx: &mut Tx<'_>| {
            let row = own(tx, &row.id, key.as_str()).await?;
            if !row.is_open(now) {
                return Err(Refusal::PairingOver.into());
            }
            service.ask_rules_of_newcomer(
                action,
                (&row.tenant, &service.named_by(&row)?),
                &notes,
            )?;
            match row.exchange.answer_with(&commitment, &nonce) {
                Ok(Step::Take(next)) => {
                    if !agent_pairings::step(tx, &row.id, &row.exchange, &next).await? {
                        return Err(Refusal::LinkOutOfTurn.into());
                    }
                    status(tx, Pairing { exchange: next, ..row }, now).await
                }
                Ok(Step::Again) => status(tx, row, now).await,
                Err(StepError::Taken | StepError::OutOfTurn) => Err(Refusal::LinkOutOfTurn.into()),
            }
        };
        self.store.write(Lane::Stranger, work, record).await
    }

    /// What the agent will be called.
    fn named_by(&self, row: &Pairing) -> Result<AgentId, Failure> {
        let provider = self.agent_provider()?;
        asked_name(&provider, "agent", &row.name)
    }

    fn pairing_key(&self, message: &AgentMessage, now: Timestamp) -> Result<AgentKey, Failure> {
        let provider = self.agent_provider()?;
        match self.signed_by(&provider, message, PAIR, now)? {
            Signed::Durable(key) => Ok(key),
            Signed::Named(_) | Signed::Token(_) => {
                Err(SignatureFault::unsupported_scheme(PAIR.schemes).into())
            }
        }
    }
}

fn notes_of(row: &Pairing) -> Notes {
    let notes = Notes::default();
    about(&notes, row);
    notes
}

fn about(notes: &Notes, row: &Pairing) {
    note(notes, |seen| {
        seen.tenant = Some(row.tenant.clone());
        seen.target = format!("pairing {} of {} as {}", row.id, row.user, row.name);
    });
}

/// The pairing, if this key began it.
async fn own(tx: &mut Tx<'_>, id: &PairingId, thumbprint: &str) -> Result<Pairing, Failure> {
    let found = agent_pairings::find(tx, id).await?;
    Ok(found.filter(|row| row.thumbprint == thumbprint).ok_or(Refusal::PairingOver)?)
}

async fn begin(tx: &mut Tx<'_>, new: &Pairing, now: Timestamp) -> Result<Pairing, Failure> {
    if let Some(row) = agent_pairings::of_key(tx, &new.thumbprint, now).await? {
        if row.user == new.user && row.name == new.name {
            return Ok(row);
        }
        let stopped = PairingState::Stopped;
        agent_pairings::set_state(tx, &row.id, row.state, stopped).await?;
    }
    if agent_pairings::begun_from(tx, &new.place, now - BEGUN_WINDOW).await? >= BEGUN_PER_PLACE {
        return Err(Refusal::RateLimited { retry_after: BEGUN_WINDOW }.into());
    }
    let (tenant, user) = (&new.tenant, &new.user);
    agent_pairings::make_room(tx, tenant, Some(user), LINKS_PER_ACCOUNT - 1, now).await?;
    agent_pairings::make_room(tx, tenant, None, LINKS_PER_TENANT - 1, now).await?;
    agent_pairings::insert(tx, new).await?;
    Ok(new.clone())
}

/// How far the two have come.
pub(super) fn stage_of(row: &Pairing, now: Timestamp) -> LinkStage {
    match (row.state, &row.exchange) {
        (PairingState::Stopped, _) => LinkStage::Over,
        (PairingState::Enrolled, _) => LinkStage::Approved,
        _ if row.expires_at.is_over(now) => LinkStage::Over,
        (PairingState::Approved, _) => LinkStage::Approved,
        (PairingState::Open, Exchange::Waiting) => LinkStage::Waiting,
        (PairingState::Open, Exchange::Claimed { .. }) => LinkStage::Claimed,
        (PairingState::Open, Exchange::Answered { .. }) => LinkStage::Answered,
        (PairingState::Open, Exchange::Revealed { .. }) => LinkStage::Revealed,
    }
}

async fn status(
    tx: &mut Tx<'_>,
    row: Pairing,
    now: Timestamp,
) -> Result<AgentPairingStatus, Failure> {
    let mut approver = None;
    if let (Some(by), Some(commitment)) = (row.exchange.claimed_by(), row.exchange.commitment()) {
        let lost = || Failure::internal("a pairing that no device has taken on");
        let device = enrollments::by_id(tx, by).await?.ok_or_else(lost)?;
        approver = Some(LinkApprover {
            device: device.device,
            thumbprint: device.thumbprint,
            commitment: word_text(commitment),
            nonce: row.exchange.reveal().map(word_text),
        });
    }
    Ok(AgentPairingStatus {
        stage: stage_of(&row, now),
        pairing_id: row.id,
        tenant: row.tenant,
        user: row.user,
        agent: row.name,
        approver,
        expires_at: row.expires_at.into(),
    })
}
