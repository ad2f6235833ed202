//! A new passkey: under an enrolment grant, or a session that was opened for exactly this.

use crate::ceremony::{Ceremony, Purpose};
use crate::io::{Call, Door, Flow, Input, Reply, Step};
use crate::view::{FlowAbout, FlowName, FlowView};
use landfall_identity::id::CeremonyId;
use landfall_identity::passkey::Attachment;
use landfall_identity::{DeviceName, Label, TenantName, Timestamp, UserName};
use landfall_protocol::Problem;
use serde::{Deserialize, Serialize};

/// Whose passkey, and which kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterFacts {
    /// The server's address.
    pub server: String,
    /// The tenant.
    pub tenant: TenantName,
    /// The user.
    pub user: UserName,
    /// This machine.
    pub device: DeviceName,
    /// Where the passkey shall live.
    pub attachment: Attachment,
    /// What the person calls it.
    pub label: Label,
    /// Whether it must be one that opens the account on a bare machine: found without a user name.
    pub resident: bool,
}

impl Purpose for RegisterFacts {
    const NAME: FlowName = FlowName::RegisterPasskey;

    fn begin(&self, by: Door) -> Call {
        let Self { attachment, label, resident, .. } = self.clone();
        Call::BeginRegister { attachment, label, resident, by }
    }

    fn redeem(&self, ceremony: CeremonyId, completion: String) -> Call {
        Call::RedeemRegister { ceremony, completion }
    }

    fn ends(reply: &Reply) -> bool {
        matches!(reply, Reply::Passkey(_))
    }

    fn about(&self) -> FlowAbout {
        FlowAbout {
            server: self.server.clone(),
            tenant: Some(self.tenant.clone()),
            user: self.user.clone(),
            device: self.device.clone(),
            token_kind: None,
            act: None,
            attachment: Some(self.attachment),
        }
    }
}

/// The flow.
#[derive(Clone, Serialize, Deserialize)]
pub struct RegisterPasskeyFlow(Ceremony<RegisterFacts>);

impl RegisterPasskeyFlow {
    /// A flow that waits to begin.
    pub fn new(facts: RegisterFacts, by: Door) -> Self {
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

    /// Whether the passkey is registered.
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl Flow for RegisterPasskeyFlow {
    fn step(&mut self, input: Input, now: Timestamp) -> Step {
        let effects = self.0.take(input, now);
        Step { effects, view: self.view(now) }
    }

    fn view(&self, now: Timestamp) -> FlowView {
        self.0.view(now)
    }
}
