//! Opening and closing sessions.

use super::{RequestContext, Service, Turn};
use crate::failure::Failure;
use crate::store::{Tx, enrollments, sessions};
use landfall_identity::authorize::Object;
use landfall_identity::id::SessionId;
use landfall_identity::session::{CERT_ONLY_TTL, SessionFacts};
use landfall_identity::{AuthStrength, Role, SpiffeId};
use landfall_protocol::session::SessionOpened;

/// `cert-only` sessions that one device may have open; the oldest makes room.
pub const SESSIONS_MAX: u32 = 16;

impl Service {
    /// Opens a `cert-only` session for the key of this connection.
    ///
    /// # Errors
    /// A refusal: not enrolled, expired, revoked, suspended.
    pub async fn open_session(
        &self,
        mut request: RequestContext,
    ) -> Result<SessionOpened, Failure> {
        // An old session has no say in a new one: nothing is refreshed and nothing rides along.
        request.bearer = None;
        let thumbprint =
            request.peer.as_ref().map(|peer| peer.thumbprint.clone()).unwrap_or_default();
        let id = SessionId::from_bits(self.ambient.row_bits());
        let ((spiffe_id, role), facts) = self
            .perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
                turn.about(format!("session {id}"));
                turn.authorize(tx, &Object::Own, None).await?;
                let facts = SessionFacts {
                    id: id.clone(),
                    strength: AuthStrength::CertOnly,
                    auth_time: turn.now,
                    expires_at: turn.now + CERT_ONLY_TTL,
                    factor: None,
                    bound_to: None,
                };
                let enrollment = &turn.caller.enrollment;
                sessions::keep_newest(tx, enrollment, SESSIONS_MAX - 1, turn.now).await?;
                sessions::insert(tx, turn.tenant(), enrollment, &facts).await?;
                enrollments::touch(tx, &turn.caller.enrollment, turn.now).await?;
                Ok(((turn.caller.spiffe_id.clone(), turn.caller.role), facts))
            })
            .await?;
        self.opened((&spiffe_id, role), &thumbprint, &facts)
    }

    /// Closes the session in hand. Its token is worth nothing from here on, after a restart too.
    ///
    /// # Errors
    /// A refusal.
    pub async fn close_session(&self, request: RequestContext) -> Result<(), Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &Object::Own, None).await?;
            if let Some(session) = &turn.caller.session {
                turn.about(format!("session {}", session.id));
                sessions::end(tx, &session.id, turn.now).await?;
            }
            Ok(())
        })
        .await
    }

    /// Signs the token of a session that is in the database.
    ///
    /// # Errors
    /// [`Failure::Internal`] when signing fails.
    pub(super) fn opened(
        &self,
        (spiffe_id, role): (&SpiffeId, Role),
        thumbprint: &str,
        facts: &SessionFacts,
    ) -> Result<SessionOpened, Failure> {
        Ok(SessionOpened {
            id: facts.id.clone(),
            token: self.pki.sign_session(spiffe_id, role, thumbprint, facts, self.ambient.now())?,
            auth_strength: facts.strength,
            auth_time_at: facts.auth_time.into(),
            expires_at: facts.expires_at.into(),
            bound: facts.bound_to.is_some(),
        })
    }
}
