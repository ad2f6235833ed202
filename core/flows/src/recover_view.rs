//! What a recovery shows.

use super::{RecoverFlow, State};
use crate::view::{
    FlowAbout, FlowFailure, FlowName, FlowNext, FlowOtherWay, FlowView, after_patience,
};
use landfall_identity::{TenantName, Timestamp};
use landfall_protocol::At;

impl RecoverFlow {
    /// What to show at `now`.
    pub(super) fn seen(&self, now: Timestamp) -> FlowView {
        let held_until = self.status.as_ref().and_then(|status| status.held_until);
        let ceremony = match &self.state {
            State::ShowingPasskey { ceremony, .. } => Some(ceremony.view(now)),
            _ => None,
        };
        let next = match &self.state {
            State::ShowingPasskey { ceremony, .. } => ceremony.view(now).next,
            State::Confirm => FlowNext::Confirm,
            State::Waiting { .. } => FlowNext::AwaitOthers { held_until },
            State::Kept { .. } => FlowNext::Finished,
            State::Failed { resume: Some(_), .. } => FlowNext::TryAgain,
            State::Failed { resume: None, .. } => FlowNext::StartOver,
            _ => FlowNext::Wait,
        };
        let since = self.asked_at.filter(|_| next == FlowNext::Wait);
        FlowView {
            flow: FlowName::Recover,
            about: self.about(),
            steps: self.track.steps(),
            next,
            other_way: match &ceremony {
                Some(view) => view.other_way,
                None => after_patience(since, now, FlowOtherWay::CheckConnection),
            },
            failure: self
                .problem()
                .map(FlowFailure::from)
                .or_else(|| ceremony.as_ref().and_then(|view| view.failure.clone())),
            expires_at: ceremony
                .and_then(|view| view.expires_at)
                .or_else(|| self.status.as_ref().map(|status| At(status.expires_at.0))),
        }
    }

    pub(super) fn about(&self) -> FlowAbout {
        FlowAbout {
            server: self.facts.server.clone(),
            tenant: self.tenant(),
            user: self.facts.user.clone(),
            device: self.facts.device.clone(),
            token_kind: None,
            act: None,
            attachment: None,
        }
    }

    /// The tenant, once the server has named it.
    fn tenant(&self) -> Option<TenantName> {
        self.status.as_ref().map(|status| status.tenant.clone())
    }
}
