//! A passkey proves that a person is here: a new session, for ten minutes or for one act.

use crate::ceremony::{Ceremony, Purpose};
use crate::io::{Call, Door, Flow, Input, Reply, Step};
use crate::view::{FlowAbout, FlowName, FlowView};
use landfall_identity::id::CeremonyId;
use landfall_identity::passkey::Attachment;
use landfall_identity::{DeviceName, TenantName, Timestamp, UserName};
use landfall_protocol::Problem;
use landfall_protocol::ceremony::BoundActBody;
use serde::{Deserialize, Serialize};

/// Who steps up, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepUpFacts {
    /// The server's address.
    pub server: String,
    /// The tenant.
    pub tenant: TenantName,
    /// The user.
    pub user: UserName,
    /// This machine.
    pub device: DeviceName,
    /// The one act to confirm; none for an ordinary step-up.
    pub act: Option<BoundActBody>,
    /// Only this kind of passkey.
    pub attachment: Option<Attachment>,
}

impl Purpose for StepUpFacts {
    const NAME: FlowName = FlowName::StepUp;

    fn begin(&self, by: Door) -> Call {
        Call::BeginStepUp { act: self.act.clone(), attachment: self.attachment, by }
    }

    fn redeem(&self, ceremony: CeremonyId, completion: String) -> Call {
        Call::RedeemStepUp { ceremony, completion }
    }

    fn ends(reply: &Reply) -> bool {
        matches!(reply, Reply::Session(_))
    }

    fn about(&self) -> FlowAbout {
        FlowAbout {
            server: self.server.clone(),
            tenant: Some(self.tenant.clone()),
            user: self.user.clone(),
            device: self.device.clone(),
            token_kind: None,
            act: self.act.clone(),
            attachment: self.attachment,
        }
    }
}

/// The flow.
#[derive(Clone, Serialize, Deserialize)]
pub struct StepUpFlow(Ceremony<StepUpFacts>);

impl StepUpFlow {
    /// A flow that waits to begin.
    pub fn new(facts: StepUpFacts, by: Door) -> Self {
        Self(Ceremony::new(facts, by))
    }

    /// What went wrong, if something ended it.
    pub fn problem(&self) -> Option<&Problem> {
        self.0.problem()
    }

    /// Where the passkey was asked for last: not where it began, when that failed.
    pub fn door(&self) -> Door {
        self.0.door()
    }

    /// Whether the new session is there.
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl Flow for StepUpFlow {
    fn step(&mut self, input: Input, now: Timestamp) -> Step {
        let effects = self.0.take(input, now);
        Step { effects, view: self.view(now) }
    }

    fn view(&self, now: Timestamp) -> FlowView {
        self.0.view(now)
    }
}

#[cfg(test)]
#[path = "step_up_tests.rs"]
mod tests;
