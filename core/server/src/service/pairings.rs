//! Pairing, as the owner sees it: find, touch, take on, reveal, compare, approve. As with a link, nobody is
//! asked: the owner comes and gets it, and touches once, for exactly this agent and this key.

use super::link_new::read_word;
use super::links::{refused, taken};
use super::pairing_new::stage_of;
use super::{RequestContext, Service, Turn};
use crate::failure::Failure;
use crate::store::Tx;
use crate::store::agent_pairings::{self, Pairing, PairingState};
use landfall_crypto::crockford::TypedCode;
use landfall_crypto::link::word_text;
use landfall_identity::authorize::Object;
use landfall_identity::id::PairingId;
use landfall_identity::recovery::link::{Exchange, Step, StepError};
use landfall_identity::{BoundAction, Refusal};
use landfall_protocol::agent::AgentPairingInfo;
use landfall_protocol::link::{LinkClaimRequest, LinkFindRequest, LinkRevealRequest};

impl Service {
    /// The agent that shows a code and names the caller as its owner.
    ///
    /// # Errors
    /// [`Refusal::PairingUnknown`] when none does; [`Refusal::LinkTaken`].
    pub async fn find_agent_pairing(
        &self,
        request: RequestContext,
        body: LinkFindRequest,
    ) -> Result<AgentPairingInfo, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let code = TypedCode::parse(&body.code).map_err(|_| {
                Failure::invalid("code", "The agent shows eight characters. Type those.")
            })?;
            let code = code.to_text();
            turn.about(format!("the agent that shows {}", *code));
            let (tenant, user) = (turn.tenant(), turn.user()?);
            let found = agent_pairings::by_code(tx, tenant, user, &code, turn.now).await?;
            let row = found.ok_or(Refusal::PairingUnknown)?;
            turn.about(about(&row));
            if row.exchange != Exchange::Waiting {
                return Err(taken(tx, &row.exchange).await?.into());
            }
            Ok(info(turn, row))
        })
        .await
    }

    /// How far a pairing of the caller's own has come.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn watch_agent_pairing(
        &self,
        request: RequestContext,
        id: PairingId,
    ) -> Result<AgentPairingInfo, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let row = load(tx, turn, &id).await?;
            turn.authorize(tx, &object(&row), None).await?;
            Ok(info(turn, row))
        })
        .await
    }

    /// The caller's device takes the pairing on, and no other does afterwards. The touch for it is spent by
    /// approving.
    ///
    /// # Errors
    /// A refusal; [`Refusal::LinkTaken`] when another device was first.
    pub async fn claim_agent_pairing(
        &self,
        request: RequestContext,
        id: PairingId,
        body: LinkClaimRequest,
    ) -> Result<AgentPairingInfo, Failure> {
        let commitment = read_word("commitment", &body.commitment)?;
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let row = load(tx, turn, &id).await?;
            turn.authorize_again(&object(&row), &act(&row))?;
            may_pair(tx, turn, &row).await?;
            let step = row.exchange.take_on(&turn.caller.enrollment, &commitment);
            advance(tx, turn, row, step).await
        })
        .await
    }

    /// Reveals what the caller's device committed to, once the agent has answered.
    ///
    /// # Errors
    /// A refusal; [`Refusal::LinkOutOfTurn`] before that, or for another nonce.
    pub async fn reveal_agent_pairing(
        &self,
        request: RequestContext,
        id: PairingId,
        body: LinkRevealRequest,
    ) -> Result<AgentPairingInfo, Failure> {
        let nonce = read_word("nonce", &body.nonce)?;
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let row = load(tx, turn, &id).await?;
            turn.authorize(tx, &object(&row), None).await?;
            is_open(turn, &row)?;
            let step = row.exchange.reveal_with(&turn.caller.enrollment, &nonce);
            advance(tx, turn, row, step).await
        })
        .await
    }

    /// The codes are equal: the agent may enrol, with the key that was approved and no other.
    ///
    /// # Errors
    /// A refusal; [`Refusal::LinkOutOfTurn`] before both could know the check code.
    pub async fn approve_agent_pairing(
        &self,
        request: RequestContext,
        id: PairingId,
    ) -> Result<AgentPairingInfo, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let mut row = load(tx, turn, &id).await?;
            let own = &turn.caller.enrollment;
            let mine = row.exchange.claimed_by() == Some(own);
            if mine && matches!(row.state, PairingState::Approved | PairingState::Enrolled) {
                // A lost reply: the touch was spent on it.
                turn.authorize_again(&object(&row), &act(&row))?;
                return Ok(info(turn, row));
            }
            turn.authorize(tx, &object(&row), Some(&act(&row))).await?;
            may_pair(tx, turn, &row).await?;
            if let Err(error) = row.exchange.may_approve(own) {
                return Err(refused(tx, &row.exchange, error).await?);
            }
            let (from, to) = (PairingState::Open, PairingState::Approved);
            if !agent_pairings::set_state(tx, &row.id, from, to).await? {
                return Err(Refusal::PairingOver.into());
            }
            row.state = to;
            Ok(info(turn, row))
        })
        .await
    }

    /// "That agent is not mine": ends a pairing that the caller's device has taken on, approved or not.
    ///
    /// # Errors
    /// [`Refusal::LinkTaken`] for another device's; [`Refusal::PairingOver`].
    pub async fn stop_agent_pairing(
        &self,
        request: RequestContext,
        id: PairingId,
    ) -> Result<AgentPairingInfo, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let mut row = load(tx, turn, &id).await?;
            turn.authorize(tx, &object(&row), None).await?;
            match row.exchange.claimed_by() {
                Some(by) if *by == turn.caller.enrollment => {}
                Some(_) => return Err(taken(tx, &row.exchange).await?.into()),
                None => return Err(Refusal::LinkOutOfTurn.into()),
            }
            let live = matches!(row.state, PairingState::Open | PairingState::Approved);
            let stopped = PairingState::Stopped;
            if !live || !agent_pairings::set_state(tx, &row.id, row.state, stopped).await? {
                return Err(Refusal::PairingOver.into());
            }
            row.state = stopped;
            Ok(info(turn, row))
        })
        .await
    }
}

/// What the touch is for.
fn act(row: &Pairing) -> BoundAction {
    BoundAction::PairAgent {
        pairing: row.id.clone(),
        user: row.user.clone(),
        agent: row.name.clone(),
        thumbprint: row.thumbprint.clone(),
    }
}

fn object(row: &Pairing) -> Object {
    Object::Owned { tenant: row.tenant.clone(), user: row.user.clone() }
}

/// Whether a touch for `wanted` would lead anywhere: asked before anybody is asked to touch.
///
/// # Errors
/// The refusal that taking it on would meet.
pub(super) async fn foresee(
    tx: &mut Tx<'_>,
    turn: &Turn,
    id: &PairingId,
    wanted: &BoundAction,
) -> Result<(), Failure> {
    let row = agent_pairings::find(tx, id).await?.ok_or(Refusal::NotFound)?;
    if act(&row) != *wanted {
        return Err(Refusal::NotFound.into());
    }
    may_pair(tx, turn, &row).await
}

/// Whether the caller's device may go on with it: open, and not another device's.
async fn may_pair(tx: &mut Tx<'_>, turn: &Turn, row: &Pairing) -> Result<(), Failure> {
    is_open(turn, row)?;
    if row.exchange.claimed_by().is_some_and(|by| *by != turn.caller.enrollment) {
        return Err(taken(tx, &row.exchange).await?.into());
    }
    Ok(())
}

fn is_open(turn: &Turn, row: &Pairing) -> Result<(), Refusal> {
    if row.is_open(turn.now) { Ok(()) } else { Err(Refusal::PairingOver) }
}

async fn load(tx: &mut Tx<'_>, turn: &Turn, id: &PairingId) -> Result<Pairing, Failure> {
    turn.about(format!("pairing {id}"));
    let Some(row) = agent_pairings::find(tx, id).await? else {
        turn.refuse_strangers_first()?;
        return Err(Refusal::NotFound.into());
    };
    if row.user == *turn.user()? {
        turn.about(about(&row));
    }
    Ok(row)
}

fn about(row: &Pairing) -> String {
    format!("pairing {} of {} as {}", row.id, row.user, row.name)
}

/// Writes a step that is allowed; a lost reply finds it written.
async fn advance(
    tx: &mut Tx<'_>,
    turn: &Turn,
    mut row: Pairing,
    step: Result<Step, StepError>,
) -> Result<AgentPairingInfo, Failure> {
    match step {
        Ok(Step::Take(next)) => {
            if !agent_pairings::step(tx, &row.id, &row.exchange, &next).await? {
                return Err(Refusal::LinkOutOfTurn.into());
            }
            row.exchange = next;
        }
        Ok(Step::Again) => {}
        Err(error) => return Err(refused(tx, &row.exchange, error).await?),
    }
    Ok(info(turn, row))
}

fn info(turn: &Turn, row: Pairing) -> AgentPairingInfo {
    AgentPairingInfo {
        stage: stage_of(&row, turn.now),
        answer: row.exchange.answer().map(word_text),
        id: row.id,
        user: row.user,
        agent: row.name,
        thumbprint: row.thumbprint,
        source: row.place,
        begun_at: row.begun_at.into(),
        expires_at: row.expires_at.into(),
    }
}
