//! Linking, as the approver sees it: find, touch, take on, reveal, compare, approve.
//!
//! The person touches once, for exactly this link, this name and this key. Taking the link on takes that
//! touch, so that a stolen laptop cannot snatch it; approving spends it, after the person has compared
//! what both devices show. What is written then is a proof of the recovery that the link is, and counts
//! as long as the approving device may act.

use super::link_new::read_word;
use super::{RequestContext, Service, Turn};
use crate::failure::Failure;
use crate::store::recoveries::{self, ProofRow, Recovery};
use crate::store::{Tx, enrollments, links};
use landfall_crypto::crockford::TypedCode;
use landfall_crypto::link::word_text;
use landfall_identity::authorize::Object;
use landfall_identity::id::{EnrollmentId, RecoveryId};
use landfall_identity::notice::Happening;
use landfall_identity::recovery::Door;
use landfall_identity::recovery::link::{Exchange, Step, StepError};
use landfall_identity::spiffe::Principal;
use landfall_identity::{BoundAction, DeviceName, Refusal};
use landfall_protocol::link::{
    LinkClaimRequest, LinkFindRequest, LinkInfo, LinkRevealRequest, LinkStage,
};

/// A link, with the recovery that it is.
struct Linked {
    row: Recovery,
    exchange: Exchange,
}

impl Service {
    /// The new device of the caller's own account that shows a code.
    ///
    /// # Errors
    /// [`Refusal::LinkUnknown`] when none does; [`Refusal::LinkTaken`]; [`Refusal::DeviceNameTaken`].
    pub async fn find_link(
        &self,
        request: RequestContext,
        body: LinkFindRequest,
    ) -> Result<LinkInfo, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let code = TypedCode::parse(&body.code).map_err(|_| {
                Failure::invalid("code", "The new device shows eight characters. Type those.")
            })?;
            let code = code.to_text();
            turn.about(format!("the new device that shows {}", *code));
            let found = links::by_code(tx, turn.tenant(), turn.user()?, &code, turn.now).await?;
            let id = found.ok_or(Refusal::LinkUnknown)?;
            let linked = load(tx, turn, &id).await?;
            if linked.exchange != Exchange::Waiting {
                return Err(taken(tx, &linked.exchange).await?.into());
            }
            name_is_free(tx, &linked.row).await?;
            info(tx, turn, linked).await
        })
        .await
    }

    /// How far a link of the caller's own account has come.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn watch_link(
        &self,
        request: RequestContext,
        id: RecoveryId,
    ) -> Result<LinkInfo, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let linked = load(tx, turn, &id).await?;
            turn.authorize(tx, &object(&linked.row), None).await?;
            info(tx, turn, linked).await
        })
        .await
    }

    /// The caller's device takes the link on, and no other does afterwards. The touch for it is spent
    /// by approving.
    ///
    /// # Errors
    /// A refusal; [`Refusal::LinkTaken`] when another device was first.
    pub async fn claim_link(
        &self,
        request: RequestContext,
        id: RecoveryId,
        body: LinkClaimRequest,
    ) -> Result<LinkInfo, Failure> {
        let commitment = read_word("commitment", &body.commitment)?;
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let linked = load(tx, turn, &id).await?;
            turn.authorize_again(&object(&linked.row), &act(&linked.row))?;
            may_link(tx, turn, &linked).await?;
            let own = &turn.caller.enrollment;
            let step = linked.exchange.take_on(own, &commitment);
            advance(tx, turn, linked, step).await
        })
        .await
    }

    /// Reveals what the caller's device committed to, once the new device has answered.
    ///
    /// # Errors
    /// A refusal; [`Refusal::LinkOutOfTurn`] before that, or for another nonce.
    pub async fn reveal_link(
        &self,
        request: RequestContext,
        id: RecoveryId,
        body: LinkRevealRequest,
    ) -> Result<LinkInfo, Failure> {
        let nonce = read_word("nonce", &body.nonce)?;
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let linked = load(tx, turn, &id).await?;
            turn.authorize(tx, &object(&linked.row), None).await?;
            is_open(turn, &linked.row)?;
            let step = linked.exchange.reveal_with(&turn.caller.enrollment, &nonce);
            advance(tx, turn, linked, step).await
        })
        .await
    }

    /// The codes are equal: the new device may come in, with the key that was approved and no other.
    ///
    /// # Errors
    /// A refusal; [`Refusal::LinkOutOfTurn`] before both could know the check code.
    pub async fn approve_link(
        &self,
        request: RequestContext,
        id: RecoveryId,
    ) -> Result<LinkInfo, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let linked = load(tx, turn, &id).await?;
            let own = &turn.caller.enrollment;
            if approved_by(tx, &id).await?.as_ref() == Some(own) {
                // A lost reply: the touch was spent on it.
                turn.authorize_again(&object(&linked.row), &act(&linked.row))?;
                return info(tx, turn, linked).await;
            }
            turn.authorize(tx, &object(&linked.row), Some(&act(&linked.row))).await?;
            may_link(tx, turn, &linked).await?;
            if let Err(error) = linked.exchange.may_approve(own) {
                return Err(refused(tx, &linked.exchange, error).await?);
            }
            let proof = ProofRow {
                door: Door::Device,
                by: own_name(turn)?.to_string(),
                thing: own.to_string(),
                reason: None,
                at: turn.now,
            };
            recoveries::add_proof(tx, &id, &proof).await?;
            info(tx, turn, linked).await
        })
        .await
    }

    /// "That device is not in front of me": ends a link that the caller's device has taken on, approved
    /// or not.
    ///
    /// # Errors
    /// [`Refusal::LinkTaken`] for another device's; [`Refusal::RecoveryOver`].
    pub async fn stop_link(
        &self,
        request: RequestContext,
        id: RecoveryId,
    ) -> Result<LinkInfo, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let linked = load(tx, turn, &id).await?;
            turn.authorize(tx, &object(&linked.row), None).await?;
            match linked.exchange.claimed_by() {
                Some(by) if *by == turn.caller.enrollment => {}
                Some(_) => return Err(taken(tx, &linked.exchange).await?.into()),
                None => return Err(Refusal::LinkOutOfTurn.into()),
            }
            if !recoveries::stop(tx, &id, turn.now).await? {
                return Err(Refusal::RecoveryOver.into());
            }
            let what = Happening::RecoveryStopped { device: linked.row.device };
            service.tell(tx, turn.news(turn.user()?, what)?).await?;
            let stopped = load(tx, turn, &id).await?;
            info(tx, turn, stopped).await
        })
        .await
    }
}

/// What the touch is for.
fn act(row: &Recovery) -> BoundAction {
    BoundAction::ApproveLink {
        link: row.id.clone(),
        user: row.user.clone(),
        device: row.device.clone(),
        thumbprint: row.thumbprint.clone(),
    }
}

fn object(row: &Recovery) -> Object {
    Object::Owned { tenant: row.tenant.clone(), user: row.user.clone() }
}

/// Whether a touch for `wanted` would lead anywhere: asked before anybody is asked to touch.
///
/// # Errors
/// The refusal that taking it on would meet.
pub(super) async fn foresee(
    tx: &mut Tx<'_>,
    turn: &Turn,
    id: &RecoveryId,
    wanted: &BoundAction,
) -> Result<(), Failure> {
    let row = recoveries::find(tx, id).await?.ok_or(Refusal::NotFound)?;
    let exchange = links::find(tx, id).await?.ok_or(Refusal::NotFound)?;
    if act(&row) != *wanted {
        return Err(Refusal::NotFound.into());
    }
    may_link(tx, turn, &Linked { row, exchange }).await
}

/// Whether the caller's device may go on with it: open, not another device's, the name still free.
async fn may_link(tx: &mut Tx<'_>, turn: &Turn, linked: &Linked) -> Result<(), Failure> {
    is_open(turn, &linked.row)?;
    if linked.exchange.claimed_by().is_some_and(|by| *by != turn.caller.enrollment) {
        return Err(taken(tx, &linked.exchange).await?.into());
    }
    name_is_free(tx, &linked.row).await
}

fn is_open(turn: &Turn, row: &Recovery) -> Result<(), Refusal> {
    match row.state.is_open(row.expires_at, turn.now) {
        true => Ok(()),
        false => Err(Refusal::RecoveryOver),
    }
}

async fn name_is_free(tx: &mut Tx<'_>, row: &Recovery) -> Result<(), Failure> {
    match enrollments::find(tx, &row.tenant, &row.user, &row.device).await? {
        Some(_) => Err(Refusal::DeviceNameTaken.into()),
        None => Ok(()),
    }
}

async fn load(tx: &mut Tx<'_>, turn: &Turn, id: &RecoveryId) -> Result<Linked, Failure> {
    turn.about(format!("link {id}"));
    let found = (recoveries::find(tx, id).await?, links::find(tx, id).await?);
    let (Some(row), Some(exchange)) = found else {
        turn.refuse_strangers_first()?;
        return Err(Refusal::NotFound.into());
    };
    if row.user == *turn.user()? {
        turn.about(format!("link {id} of {} as {}", row.user, row.device));
    }
    Ok(Linked { row, exchange })
}

/// Writes a step that is allowed; a lost reply finds it written.
async fn advance(
    tx: &mut Tx<'_>,
    turn: &Turn,
    linked: Linked,
    step: Result<Step, StepError>,
) -> Result<LinkInfo, Failure> {
    let Linked { row, exchange } = linked;
    let exchange = match step {
        Ok(Step::Take(next)) => {
            if !links::step(tx, &row.id, &exchange, &next).await? {
                return Err(Refusal::LinkOutOfTurn.into());
            }
            next
        }
        Ok(Step::Again) => exchange,
        Err(error) => return Err(refused(tx, &exchange, error).await?),
    };
    info(tx, turn, Linked { row, exchange }).await
}

pub(super) async fn refused(
    tx: &mut Tx<'_>,
    exchange: &Exchange,
    error: StepError,
) -> Result<Failure, Failure> {
    Ok(match error {
        StepError::Taken => taken(tx, exchange).await?.into(),
        StepError::OutOfTurn => Refusal::LinkOutOfTurn.into(),
    })
}

/// Says which device has taken it on: it is the caller's own account.
pub(super) async fn taken(tx: &mut Tx<'_>, exchange: &Exchange) -> Result<Refusal, Failure> {
    let Some(by) = exchange.claimed_by() else { return Ok(Refusal::LinkOutOfTurn) };
    let device = enrollments::by_id(tx, by).await?.map(|device| device.device.to_string());
    Ok(Refusal::LinkTaken { device: device.unwrap_or_default() })
}

/// The device that approved it.
async fn approved_by(tx: &mut Tx<'_>, id: &RecoveryId) -> Result<Option<EnrollmentId>, Failure> {
    let proofs = recoveries::proofs(tx, id).await?;
    let proof = proofs.into_iter().find(|proof| proof.door == Door::Device);
    proof.map(|proof| EnrollmentId::parse(proof.thing).map_err(Failure::internal)).transpose()
}

fn own_name(turn: &Turn) -> Result<&DeviceName, Failure> {
    match &turn.caller.spiffe_id.principal {
        Principal::Human { device, .. } => Ok(device),
        _ => Err(Refusal::Forbidden.into()),
    }
}

async fn info(tx: &mut Tx<'_>, turn: &Turn, linked: Linked) -> Result<LinkInfo, Failure> {
    let Linked { row, exchange } = linked;
    let open = row.state.is_open(row.expires_at, turn.now);
    let stage = match &exchange {
        _ if !open => LinkStage::Over,
        _ if approved_by(tx, &row.id).await?.is_some() => LinkStage::Approved,
        Exchange::Waiting => LinkStage::Waiting,
        Exchange::Claimed { .. } => LinkStage::Claimed,
        Exchange::Answered { .. } => LinkStage::Answered,
        Exchange::Revealed { .. } => LinkStage::Revealed,
    };
    Ok(LinkInfo {
        id: row.id,
        user: row.user,
        device: row.device,
        thumbprint: row.thumbprint,
        source: row.place,
        stage,
        answer: exchange.answer().map(word_text),
        begun_at: row.begun_at.into(),
        expires_at: row.expires_at.into(),
    })
}
