//! Ceremonies, app half: begin, send the person to the page, collect, redeem.

use crate::ask::Ask;
use crate::client::Client;
use crate::drive::{Doer, drive};
use crate::enroll::misplaced;
use crate::failure::Failure;
use crate::passkey_door::{PasskeyDoor, door};
use crate::security_key::Site;
use crate::shell::Shell;
use landfall_flows::{
    Call, Door, Effect, Input, RegisterFacts, RegisterPasskeyFlow, Reply, Saved, StepUpFacts,
    StepUpFlow,
};
use landfall_identity::passkey::Attachment;
use landfall_identity::{Action, Label};
use landfall_protocol::ceremony::{
    BoundActBody, CeremonyRedeemRequest, RegisterBeginRequest, StepUpBeginRequest,
};
use landfall_protocol::passkey::PasskeyInfo;
use landfall_protocol::session::SessionOpened;
use landfall_protocol::{ErrorCode, paths};

/// How often a registration takes another approval, because its page had to be begun again.
const TRIES_MAX: u32 = 3;

impl Client {
    /// Has a person prove with a passkey that they are here. Without `act`, the new session serves for
    /// ten minutes and is kept; with `act` it serves exactly that act, once, and is handed back.
    ///
    /// # Errors
    /// What the server says (`no-passkey`, `passkeys-unavailable`, ...), or `cancelled`.
    pub async fn step_up(
        &self,
        act: Option<BoundActBody>,
        attachment: Option<Attachment>,
        shell: &dyn Shell,
    ) -> Result<SessionOpened, Failure> {
        self.is_a_persons()?;
        let by = door(shell, attachment).await;
        self.step_up_by(act, attachment, by, shell).await.map(|(session, _)| session)
    }

    /// As [`Client::step_up`], beginning at a door; with the session the door where it ended.
    async fn step_up_by(
        &self,
        act: Option<BoundActBody>,
        attachment: Option<Attachment>,
        by: Door,
        shell: &dyn Shell,
    ) -> Result<(SessionOpened, Door), Failure> {
        let profile = self.profile()?;
        let (tenant, user, device) = profile.names().ok_or_else(misplaced)?;
        let facts = StepUpFacts {
            server: profile.server.origin().ascii_serialization(),
            tenant: tenant.clone(),
            user: user.clone(),
            device: device.clone(),
            act,
            attachment,
        };
        let mut flow = StepUpFlow::new(facts, by);
        let mut doer = CeremonyDoer::new(self, shell, None);
        drive(&mut flow, &mut doer, Input::Begin, shell, self.ambient()).await;
        match (flow.problem(), doer.outcome) {
            (Some(problem), _) => Err(problem.clone().into()),
            (None, Some(Reply::Session(session))) => Ok((session, flow.door())),
            (None, _) => Err(misplaced()),
        }
    }

    /// Registers a passkey: under the right that an enrolment gave, else after the person has approved
    /// exactly this with a passkey that exists.
    ///
    /// # Errors
    /// What the server says, or `cancelled`.
    pub async fn register_passkey(
        &self,
        attachment: Attachment,
        label: Label,
        shell: &dyn Shell,
    ) -> Result<PasskeyInfo, Failure> {
        self.register_as(Wanted { attachment, label, resident: false }, shell).await
    }

    /// Registers a key that is carried around as a way in of its own: one that opens the account on a
    /// machine that has nothing else.
    ///
    /// # Errors
    /// As [`Client::register_passkey`]; a key without room for it is refused.
    pub async fn register_root_key(
        &self,
        label: Label,
        shell: &dyn Shell,
    ) -> Result<PasskeyInfo, Failure> {
        let wanted = Wanted { attachment: Attachment::Roaming, label, resident: true };
        self.register_as(wanted, shell).await
    }

    async fn register_as(&self, wanted: Wanted, shell: &dyn Shell) -> Result<PasskeyInfo, Failure> {
        self.is_a_persons()?;
        let first = door(shell, Some(wanted.attachment)).await;
        match self.register(wanted.clone(), None, first, shell).await {
            (Err(failure), _) if failure.code() == ErrorCode::StepUpRequired => {}
            (other, _) => return other,
        }
        let Wanted { attachment, label, .. } = wanted.clone();
        let act = BoundActBody::AddPasskey { attachment, label };
        let mut by = door(shell, None).await;
        let mut tries = 1;
        loop {
            let approved = self.step_up_by(Some(act.clone()), None, by, shell).await;
            let (session, ended) = approved?;
            // A browser that could not show the first page shows no second one. A key that proved who is
            // here may be another one than the new one.
            let next = if ended == Door::Typed { Door::Typed } else { first };
            let (registered, ended) =
                self.register(wanted.clone(), Some(session), next, shell).await;
            by = ended;
            match registered {
                // Its page had to be begun again, and the approval serves one beginning: it takes another.
                Err(failure) if failure.code() == ErrorCode::StepUpSpent && tries < TRIES_MAX => {
                    tries += 1;
                }
                other => return other,
            }
        }
    }

    async fn register(
        &self,
        wanted: Wanted,
        session: Option<SessionOpened>,
        by: Door,
        shell: &dyn Shell,
    ) -> (Result<PasskeyInfo, Failure>, Door) {
        let facts = match self.register_facts(wanted) {
            Ok(facts) => facts,
            Err(failure) => return (Err(failure), by),
        };
        let mut flow = RegisterPasskeyFlow::new(facts, by);
        let mut doer = CeremonyDoer::new(self, shell, session);
        drive(&mut flow, &mut doer, Input::Begin, shell, self.ambient()).await;
        let registered = match (flow.problem(), doer.outcome) {
            (Some(problem), _) => Err(problem.clone().into()),
            (None, Some(Reply::Passkey(passkey))) => Ok(*passkey),
            (None, _) => Err(misplaced()),
        };
        (registered, flow.door())
    }

    fn register_facts(&self, wanted: Wanted) -> Result<RegisterFacts, Failure> {
        let profile = self.profile()?;
        let (tenant, user, device) = profile.names().ok_or_else(misplaced)?;
        Ok(RegisterFacts {
            server: profile.server.origin().ascii_serialization(),
            tenant: tenant.clone(),
            user: user.clone(),
            device: device.clone(),
            attachment: wanted.attachment,
            label: wanted.label,
            resident: wanted.resident,
        })
    }
}

/// Which passkey is asked for.
#[derive(Clone)]
struct Wanted {
    attachment: Attachment,
    label: Label,
    resident: bool,
}

struct CeremonyDoer<'a> {
    client: &'a Client,
    shell: &'a dyn Shell,
    /// The session that was opened for adding this passkey.
    session: Option<SessionOpened>,
    door: PasskeyDoor,
    outcome: Option<Reply>,
}

impl<'a> CeremonyDoer<'a> {
    fn new(client: &'a Client, shell: &'a dyn Shell, session: Option<SessionOpened>) -> Self {
        Self { client, shell, session, door: PasskeyDoor::default(), outcome: None }
    }

    async fn call(&mut self, call: Call) -> Result<Reply, Failure> {
        let client = self.client;
        match call {
            Call::BeginStepUp { act, attachment, by } => {
                let return_path = self.door.open(by, client.ambient()).await?;
                let body = StepUpBeginRequest { act, return_path, attachment };
                let ask = Ask::post(Action::BeginStepUp, paths::STEP_UP_BEGIN).json(&body)?;
                // Begun twice, the first ceremony is never used and ends by itself.
                client.ask(ask.repeatable()).await.map(Reply::Ceremony)
            }
            Call::BeginRegister { attachment, label, resident, by } => {
                let return_path = self.door.open(by, client.ambient()).await?;
                let body = RegisterBeginRequest { attachment, label, resident, return_path };
                let ask = Ask::post(Action::RegisterPasskey, paths::REGISTER_BEGIN).json(&body)?;
                // Beginning spends the session that was opened for it; under a grant it spends nothing.
                let ask = match &self.session {
                    Some(session) => ask.bound_to(session.clone()),
                    None => ask.repeatable(),
                };
                client.ask(ask).await.map(Reply::Ceremony)
            }
            Call::RedeemStepUp { ceremony, completion } => {
                let body = CeremonyRedeemRequest { ceremony_id: ceremony, completion };
                let ask = Ask::post(Action::RedeemStepUp, paths::STEP_UP_REDEEM).json(&body)?;
                let session: SessionOpened = client.ask(ask.repeatable()).await?;
                client.keep_session(&*client.live().await?, session.clone());
                Ok(Reply::Session(session))
            }
            Call::RedeemRegister { ceremony, completion } => {
                let body = CeremonyRedeemRequest { ceremony_id: ceremony, completion };
                let ask = Ask::post(Action::RedeemPasskey, paths::REGISTER_REDEEM).json(&body)?;
                client.ask(ask.repeatable()).await.map(|info| Reply::Passkey(Box::new(info)))
            }
            _ => Err(misplaced()),
        }
    }
}

impl<F: Sync> Doer<F> for CeremonyDoer<'_> {
    fn save(&mut self, _flow: &F, _saved: Saved) -> Result<(), Failure> {
        Ok(())
    }

    fn forget(&mut self, _flow: &F) {}

    async fn perform(&mut self, effect: Effect) -> Result<Input, Failure> {
        match effect {
            Effect::Call(call) => {
                let reply = self.call(call).await?;
                self.outcome = Some(reply.clone());
                Ok(Input::Replied(reply))
            }
            Effect::AskPasskey { begun, by } => {
                let live = self.client.live().await?;
                let site = Site { server: &live.profile.server, http: &live.http };
                self.door.ask(self.shell, by, &begun, &site).await
            }
            _ => Err(misplaced()),
        }
    }
}
