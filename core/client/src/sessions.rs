//! Open sessions, kept until they are over. Their tokens work on connections of this device's key
//! alone.

use landfall_identity::{AuthStrength, Seconds, Timestamp};
use landfall_protocol::At;
use landfall_protocol::session::SessionOpened;
use serde::{Deserialize, Serialize};

/// A session that ends within this time is not used any more: it would end on the way.
const MARGIN: Seconds = Seconds(5);

/// The sessions of one profile.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Sessions {
    cert_only: Option<SessionOpened>,
    human: Option<SessionOpened>,
}

/// Whether a person has stepped up, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HumanState {
    /// When the `cert+human` session ends.
    pub until: At,
}

impl Sessions {
    /// Takes a session over, unless it serves one act only: such a one is handed along instead.
    pub(crate) fn keep(&mut self, session: SessionOpened) {
        if session.bound {
            return;
        }
        match session.auth_strength {
            AuthStrength::CertOnly => self.cert_only = Some(session),
            AuthStrength::CertHuman => self.human = Some(session),
        }
    }

    pub(crate) fn live(&self, strength: AuthStrength, now: Timestamp) -> Option<&SessionOpened> {
        let session = match strength {
            AuthStrength::CertOnly => self.cert_only.as_ref(),
            AuthStrength::CertHuman => self.human.as_ref(),
        };
        session.filter(|session| !session.expires_at.0.is_over(now + MARGIN))
    }

    pub(crate) fn drop_strength(&mut self, strength: AuthStrength) {
        match strength {
            AuthStrength::CertOnly => self.cert_only = None,
            AuthStrength::CertHuman => self.human = None,
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &SessionOpened> {
        [&self.human, &self.cert_only].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_identity::id::SessionId;

    fn session(strength: AuthStrength, bound: bool) -> SessionOpened {
        SessionOpened {
            id: SessionId::from_bits([1; 16]),
            token: "t".into(),
            auth_strength: strength,
            auth_time_at: At(Timestamp::from_seconds(0)),
            expires_at: At(Timestamp::from_seconds(100)),
            bound,
        }
    }

    #[test]
    fn a_session_is_used_until_just_before_it_ends() {
        let mut sessions = Sessions::default();
        sessions.keep(session(AuthStrength::CertOnly, false));
        let live =
            |at| sessions.live(AuthStrength::CertOnly, Timestamp::from_seconds(at)).is_some();
        assert!(live(94));
        assert!(!live(95));
        assert!(sessions.live(AuthStrength::CertHuman, Timestamp::from_seconds(0)).is_none());
    }

    #[test]
    fn a_session_for_one_act_is_never_kept() {
        let mut sessions = Sessions::default();
        sessions.keep(session(AuthStrength::CertHuman, true));
        assert!(sessions.all().next().is_none());
    }
}
