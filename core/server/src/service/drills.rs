//! Drills: the real ceremony, for no purpose but to see that it works.
//!
//! What is signed says that it is a drill: a signature with the tag of drills, or a challenge that
//! commits to the act of drilling. So nothing that a drill yields opens anything, and nothing that opens
//! something passes for a drill. Nothing is burnt, and the result stands in a table that no recovery
//! reads.

use super::readiness::drill_info;
use super::readiness_facts::leaves_its_device;
use super::recovery::{SignedMessage, right_code, take};
use super::{RequestContext, Service, Turn};
use crate::failure::Failure;
use crate::store::drills::{self, Drill};
use crate::store::{Tx, enrollments, passkeys, recovery_codes};
use landfall_crypto::httpsig::DRILL;
use landfall_crypto::key::PublicKey;
use landfall_identity::recovery::Door;
use landfall_identity::{BoundAction, Refusal};
use landfall_protocol::readiness::{DrillCodeRequest, DrillInfo};

impl Service {
    /// Tries a recovery code of the caller's, and burns nothing.
    ///
    /// # Errors
    /// As when a code is shown in a recovery; [`Refusal::SignatureInvalid`] for anything that the device
    /// did not sign as a drill, or that was taken before.
    pub async fn drill_code(
        &self,
        request: RequestContext,
        message: Option<SignedMessage<'_>>,
        body: DrillCodeRequest,
    ) -> Result<DrillInfo, Failure> {
        let verified = self.verified_drill(&request, message.as_ref())?;
        let key = self.pki.recovery_code_key();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(format!("drill: code {}", body.code));
            turn.authorize(tx, &turn.own()?, None).await?;
            take(tx, &verified.clone()?, turn.now).await?;
            let (tenant, user) = (turn.tenant(), turn.user()?);
            let found = recovery_codes::find(tx, tenant, user, &body.code).await?;
            let code = right_code(found, &body.auth, &key)?;
            done(tx, turn, Door::RecoveryCode, code.name.to_string(), true).await
        })
        .await
    }

    /// Takes note that a passkey worked. The touch was for this alone.
    ///
    /// # Errors
    /// A refusal.
    pub async fn drill_passkey(&self, request: RequestContext) -> Result<DrillInfo, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about("drill: passkey");
            turn.authorize(tx, &turn.own()?, Some(&BoundAction::DrillPasskey)).await?;
            let factor = turn.caller.session.as_ref().and_then(|session| session.factor.as_ref());
            let id = factor.map(|factor| factor.passkey.clone()).ok_or(Refusal::NoPasskey)?;
            turn.about(format!("drill: passkey {id}"));
            let found = passkeys::find(tx, turn.tenant(), turn.user()?, &id).await?;
            let row = found.ok_or(Refusal::NoPasskey)?;
            done(tx, turn, Door::Passkey, id.to_string(), leaves_its_device(&row)).await
        })
        .await
    }

    /// The digest of a message that the connection's own key signed as a drill. A refusal is told inside
    /// the use case, where it is written down.
    fn verified_drill(
        &self,
        request: &RequestContext,
        message: Option<&SignedMessage<'_>>,
    ) -> Result<Result<[u8; 32], Refusal>, Failure> {
        let invalid = Ok(Err(Refusal::SignatureInvalid));
        let (Some(peer), Some(message)) = (&request.peer, message) else { return invalid };
        let found = self.store.glance(async |tx: &mut Tx<'_>| {
            enrollments::by_thumbprint(tx, &peer.thumbprint).await
        })?;
        let Some(enrollment) = found else { return invalid };
        let key = PublicKey::from_spki(&enrollment.spki).map_err(Failure::internal)?;
        Ok(message.verify_as(&DRILL, &key, self.ambient.now()))
    }
}

async fn done(
    tx: &mut Tx<'_>,
    turn: &Turn,
    door: Door,
    thing: String,
    counts: bool,
) -> Result<DrillInfo, Failure> {
    let enrollment = turn.caller.enrollment.clone();
    let drill = Drill { door, thing, counts, enrollment, at: turn.now };
    drills::keep(tx, turn.tenant(), turn.user()?, &drill).await?;
    Ok(drill_info(&drill))
}
