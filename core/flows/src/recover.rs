//! Back in with no device at all: a bare machine makes a key, tells the server whose device it shall be,
//! shows what it can, and becomes one when the plan is satisfied.
//!
//! The flow never sees a code: the engine adds its halves to the one call that needs them. The key's
//! name and the recovery's are saved before each call that depends on them, so that a closed lid or an
//! empty battery loses nothing: the same key finds its recovery again, and at the end the same
//! certificate. What takes hours ends a run of the flow, not the flow: `begin` asks again how it stands.

use crate::io::{Call, Effect, Flow, Input, KeyRef, Reply, Saved, Step};
use crate::track::Track;
use crate::view::{
    FlowAbout, FlowFailure, FlowName, FlowNext, FlowOtherWay, FlowStepId, FlowView, PATIENCE,
    after_patience,
};
use landfall_identity::id::RecoveryId;
use landfall_identity::{DeviceName, Label, TenantName, Timestamp, UserName};
use landfall_protocol::enroll::CertIssued;
use landfall_protocol::recovery::{Recovered, RecoveryStateName, RecoveryStatus};
use landfall_protocol::{At, ErrorCode, Problem};
use serde::{Deserialize, Serialize};

/// What the person said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverFacts {
    /// The server's address.
    pub server: String,
    /// Whose account it is.
    pub user: UserName,
    /// What this machine will be called.
    pub device: DeviceName,
    /// What the person calls it.
    pub label: Option<Label>,
    /// A lost device, to be suspended in the same act.
    pub lost: Option<DeviceName>,
    /// The local name of the key, the same on every try.
    pub key: String,
}

/// The flow.
#[derive(Clone, Serialize, Deserialize)]
pub struct RecoverFlow {
    facts: RecoverFacts,
    /// Whether the person has given a code that was not shown to the server yet.
    code: bool,
    /// Whether the person wants days of waiting to stand in for a proof.
    #[serde(default)]
    wait: bool,
    /// What the server said last.
    status: Option<RecoveryStatus>,
    state: State,
    track: Track,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// Nothing has happened; the person reads.
    Confirm,
    /// A key is being made, or found again.
    MakingKey,
    /// It signs its certificate request.
    Signing { key: KeyRef },
    /// The server is told whose device this shall be.
    Beginning { key: KeyRef, csr: String },
    /// The code is shown.
    Proving { key: KeyRef, recovery: RecoveryId },
    /// The server is asked how it stands.
    Looking { key: KeyRef, recovery: RecoveryId },
    /// The waiting period is asked for.
    AskingToWait { key: KeyRef, recovery: RecoveryId },
    /// Somebody must approve, or time must pass.
    Waiting { key: KeyRef, recovery: RecoveryId },
    /// The certificate is asked for.
    Completing { key: KeyRef, recovery: RecoveryId, again: bool },
    /// The recovery is over; the key asks for a renewal, in case the last answer was lost.
    Renewing { key: KeyRef, over: Problem },
    /// This machine has its identity.
    Kept { key: KeyRef },
    /// It went wrong. With `resume`, `begin` goes on from there.
    Failed { problem: Problem, resume: Option<Box<State>> },
}

const STEPS: [FlowStepId; 6] = [
    FlowStepId::Confirm,
    FlowStepId::MakeKey,
    FlowStepId::Introduce,
    FlowStepId::Prove,
    FlowStepId::AskServer,
    FlowStepId::Keep,
];

impl RecoverFlow {
    /// A flow that waits for the person's yes. `code`: they have given a recovery code.
    pub fn new(facts: RecoverFacts, code: bool, now: Timestamp) -> Self {
        let mut track = Track::new(&STEPS);
        track.reach(FlowStepId::Confirm, now);
        Self { facts, code, wait: false, status: None, state: State::Confirm, track }
    }

    /// What it is about.
    pub fn facts(&self) -> &RecoverFacts {
        &self.facts
    }

    /// What the server said last.
    pub fn status(&self) -> Option<&RecoveryStatus> {
        self.status.as_ref()
    }

    /// The key it has made, if it has.
    pub fn key(&self) -> Option<&KeyRef> {
        key_of(&self.state)
    }

    /// Whether this machine has its identity.
    pub fn is_finished(&self) -> bool {
        matches!(self.state, State::Kept { .. })
    }

    /// What went wrong, if something did.
    pub fn problem(&self) -> Option<&Problem> {
        match &self.state {
            State::Failed { problem, .. } => Some(problem),
            _ => None,
        }
    }

    /// The person gives a code, the first or another one: the next `begin` shows it.
    pub fn give_code(&mut self) {
        self.code = true;
    }

    /// The person wants to wait where a proof is missing: asked for as soon as that is possible.
    pub fn ask_to_wait(&mut self) {
        self.wait = true;
    }

    /// The person takes another name for this machine.
    pub fn rename(&mut self, device: DeviceName) {
        self.facts.device = device;
    }

    /// The person names another lost device, or none.
    pub fn lose(&mut self, lost: Option<DeviceName>) {
        self.facts.lost = lost;
    }

    fn enter(&mut self, state: State, now: Timestamp) -> Vec<Effect> {
        if let Some(step) = step_of(&state) {
            self.track.reach(step, now);
        }
        let effects = match &state {
            State::Confirm | State::Failed { .. } => vec![],
            State::MakingKey => {
                let name = self.facts.key.clone();
                vec![Effect::Save(Saved::Progress), Effect::CreateKey { name }]
            }
            State::Signing { key } => vec![Effect::BuildCsr { key: key.clone() }],
            State::Waiting { .. } | State::Kept { .. } => vec![Effect::Save(Saved::Progress)],
            State::Beginning { .. }
            | State::Proving { .. }
            | State::Looking { .. }
            | State::AskingToWait { .. }
            | State::Completing { .. }
            | State::Renewing { .. } => {
                let saved = vec![Effect::Save(Saved::Progress), Effect::WakeAt(now + PATIENCE)];
                saved.into_iter().chain(self.call(&state).map(Effect::Call)).collect()
            }
        };
        self.state = state;
        effects
    }

    fn call(&self, state: &State) -> Option<Call> {
        let RecoverFacts { user, device, label, lost, .. } = &self.facts;
        Some(match state.clone() {
            State::Beginning { key, csr } => {
                Call::BeginRecovery { key, csr, user: user.clone(), device: device.clone() }
            }
            State::Proving { key, recovery } => Call::ProveRecovery { key, recovery },
            State::Looking { key, recovery } => Call::ShowRecovery { key, recovery },
            State::AskingToWait { key, recovery } => Call::WaitRecovery { key, recovery },
            State::Completing { key, recovery, .. } => Call::CompleteRecovery {
                key,
                recovery,
                device: device.clone(),
                label: label.clone(),
                lost: lost.clone(),
            },
            State::Renewing { key, .. } => Call::RenewCertificate { key },
            _ => return None,
        })
    }

    fn begin(&mut self, now: Timestamp) -> Vec<Effect> {
        match self.state.clone() {
            State::Confirm => self.enter(State::MakingKey, now),
            State::Waiting { key, recovery } => self.look(key, recovery, now),
            State::Failed { resume: Some(resume), .. } => match *resume {
                State::Waiting { key, recovery } => self.look(key, recovery, now),
                state => self.enter(state, now),
            },
            _ => vec![],
        }
    }

    fn look(&mut self, key: KeyRef, recovery: RecoveryId, now: Timestamp) -> Vec<Effect> {
        let state = match self.code {
            true => State::Proving { key, recovery },
            false => State::Looking { key, recovery },
        };
        self.enter(state, now)
    }

    fn resumed(&mut self, now: Timestamp) -> Vec<Effect> {
        match self.state.clone() {
            State::Waiting { key, recovery }
            | State::Looking { key, recovery }
            | State::AskingToWait { key, recovery } => self.look(key, recovery, now),
            State::Completing { key, recovery, .. } => {
                self.enter(State::Completing { key, recovery, again: true }, now)
            }
            state @ (State::MakingKey
            | State::Signing { .. }
            | State::Beginning { .. }
            | State::Proving { .. }
            | State::Renewing { .. }) => self.enter(state, now),
            State::Failed { resume: Some(_), .. } => self.begin(now),
            State::Confirm | State::Kept { .. } | State::Failed { .. } => vec![],
        }
    }

    fn replied(&mut self, reply: Reply, now: Timestamp) -> Vec<Effect> {
        match (self.state.clone(), reply) {
            (State::Beginning { key, .. }, Reply::Recovery(status)) => {
                let recovery = status.recovery_id.clone();
                self.status = Some(status);
                match self.code {
                    true => self.enter(State::Proving { key, recovery }, now),
                    false => self.go_on(key, recovery, now),
                }
            }
            (State::Proving { key, recovery }, Reply::Recovery(status)) => {
                self.code = false;
                self.status = Some(status);
                self.go_on(key, recovery, now)
            }
            (State::AskingToWait { key, recovery }, Reply::Recovery(status)) => {
                self.wait = false;
                self.status = Some(status);
                self.go_on(key, recovery, now)
            }
            (State::Looking { key, recovery }, Reply::Recovery(status)) => {
                self.status = Some(status);
                self.go_on(key, recovery, now)
            }
            (State::Completing { key, .. }, Reply::Recovered(recovered)) => {
                let Recovered { issued, .. } = *recovered;
                self.keep(key, Box::new(issued), now)
            }
            (State::Renewing { key, .. }, Reply::Certificate(issued)) => {
                self.keep(key, issued, now)
            }
            _ => vec![],
        }
    }

    /// What the server's word leads to.
    fn go_on(&mut self, key: KeyRef, recovery: RecoveryId, now: Timestamp) -> Vec<Effect> {
        let state = self.status.as_ref().map(|status| status.state);
        match state {
            Some(RecoveryStateName::Ready) => {
                self.enter(State::Completing { key, recovery, again: false }, now)
            }
            Some(RecoveryStateName::Completed) => {
                self.enter(State::Completing { key, recovery, again: true }, now)
            }
            Some(RecoveryStateName::Stopped) => {
                let detail = "Somebody with your passkey, or an administrator, said no.";
                self.fail(Problem::new(ErrorCode::RecoveryStopped, detail), now)
            }
            Some(RecoveryStateName::Over) => {
                let detail = "Its time is over. Begin again; nothing of yours was used.";
                self.fail(Problem::new(ErrorCode::RecoveryOver, detail), now)
            }
            Some(RecoveryStateName::Unproved) if self.wants_to_wait() => {
                self.enter(State::AskingToWait { key, recovery }, now)
            }
            Some(
                RecoveryStateName::Unproved
                | RecoveryStateName::Held
                | RecoveryStateName::Unheard
                | RecoveryStateName::Contested,
            )
            | None => self.enter(State::Waiting { key, recovery }, now),
        }
    }

    /// Whether the person would rather wait, and may.
    fn wants_to_wait(&self) -> bool {
        self.wait && self.status.as_ref().is_some_and(|status| status.may_wait_days.is_some())
    }

    fn keep(&mut self, key: KeyRef, issued: Box<CertIssued>, now: Timestamp) -> Vec<Effect> {
        self.track.complete(now);
        self.state = State::Kept { key: key.clone() };
        // What was saved stays until the person has seen the new code.
        vec![Effect::Save(Saved::Identity { key, issued }), Effect::Save(Saved::Progress)]
    }

    fn failed(&mut self, problem: Problem, now: Timestamp) -> Vec<Effect> {
        match self.state.clone() {
            // An answer was lost before, and now it is over: the key may be enrolled already.
            State::Completing { key, again: true, .. }
                if problem.code == ErrorCode::RecoveryOver =>
            {
                self.enter(State::Renewing { key, over: problem }, now)
            }
            State::Renewing { over, .. } if problem.code == ErrorCode::SignatureInvalid => {
                self.fail(over, now)
            }
            // Somebody was cut off, or objected, between the question and the act.
            State::Completing { key, recovery, .. }
                if matches!(
                    problem.code,
                    ErrorCode::RecoveryUnproved
                        | ErrorCode::RecoveryHeld
                        | ErrorCode::RecoveryUnheard
                        | ErrorCode::RecoveryContested
                ) =>
            {
                self.enter(State::Waiting { key, recovery }, now)
            }
            _ => self.fail(problem, now),
        }
    }

    /// Records a failure: one that can be resumed keeps what was saved, any other forgets it.
    fn fail(&mut self, problem: Problem, now: Timestamp) -> Vec<Effect> {
        if is_about_the_code(problem.code) {
            self.code = false;
        }
        let resume = resume_point(&self.state, problem.code);
        let forget = resume.is_none();
        self.track.fail(now);
        self.state = State::Failed { problem, resume: resume.map(Box::new) };
        vec![if forget { Effect::Forget } else { Effect::Save(Saved::Progress) }]
    }

    fn cancelled(&mut self, now: Timestamp) -> Vec<Effect> {
        if matches!(self.state, State::Kept { .. } | State::Failed { .. }) {
            return vec![];
        }
        let detail = "Nothing is lost. Run the same again to go on.";
        self.fail(Problem::new(ErrorCode::Cancelled, detail), now)
    }
}

/// Whether another code may do what this one did not.
fn is_about_the_code(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::RecoveryCodeWrong
            | ErrorCode::RecoveryCodeUsed
            | ErrorCode::RecoveryCodeReplaced
    )
}

/// Where a failure can go on from: everywhere but where the server called it over.
fn resume_point(state: &State, code: ErrorCode) -> Option<State> {
    if matches!(code, ErrorCode::RecoveryOver | ErrorCode::RecoveryStopped | ErrorCode::KeyInUse) {
        return None;
    }
    match state.clone() {
        State::Confirm | State::Failed { .. } => None,
        State::Proving { key, recovery }
        | State::Looking { key, recovery }
        | State::AskingToWait { key, recovery } => Some(State::Waiting { key, recovery }),
        State::Completing { key, recovery, .. } => {
            Some(State::Completing { key, recovery, again: true })
        }
        state => Some(state),
    }
}

fn step_of(state: &State) -> Option<FlowStepId> {
    Some(match state {
        State::Confirm => FlowStepId::Confirm,
        State::MakingKey => FlowStepId::MakeKey,
        State::Beginning { .. } => FlowStepId::Introduce,
        State::Proving { .. }
        | State::Looking { .. }
        | State::AskingToWait { .. }
        | State::Waiting { .. } => FlowStepId::Prove,
        State::Completing { .. } | State::Renewing { .. } => FlowStepId::AskServer,
        State::Signing { .. } | State::Kept { .. } | State::Failed { .. } => return None,
    })
}

fn key_of(state: &State) -> Option<&KeyRef> {
    match state {
        State::Confirm | State::MakingKey => None,
        State::Signing { key }
        | State::Beginning { key, .. }
        | State::Proving { key, .. }
        | State::Looking { key, .. }
        | State::AskingToWait { key, .. }
        | State::Waiting { key, .. }
        | State::Completing { key, .. }
        | State::Renewing { key, .. }
        | State::Kept { key } => Some(key),
        State::Failed { resume, .. } => resume.as_deref().and_then(key_of),
    }
}

impl Flow for RecoverFlow {
    fn step(&mut self, input: Input, now: Timestamp) -> Step {
        let effects = match input {
            Input::Begin => self.begin(now),
            Input::Resumed => self.resumed(now),
            Input::KeyReady { key } if self.state == State::MakingKey => {
                self.enter(State::Signing { key }, now)
            }
            Input::Signed { csr } => match self.state.clone() {
                State::Signing { key } => self.enter(State::Beginning { key, csr }, now),
                _ => vec![],
            },
            Input::Replied(reply) => self.replied(reply, now),
            Input::Failed(problem) if !matches!(self.state, State::Failed { .. }) => {
                self.failed(problem, now)
            }
            Input::Cancelled => self.cancelled(now),
            // Late, doubled and foreign inputs change nothing.
            Input::KeyReady { .. }
            | Input::PasskeyAnswered { .. }
            | Input::Mistyped(_)
            | Input::Failed(_)
            | Input::OtherWay
            | Input::Tick => vec![],
        };
        Step { effects, view: self.view(now) }
    }

    fn view(&self, now: Timestamp) -> FlowView {
        let held_until = self.status.as_ref().and_then(|status| status.held_until);
        let next = match &self.state {
            State::Confirm => FlowNext::Confirm,
            State::Waiting { .. } => FlowNext::AwaitOthers { held_until },
            State::Kept { .. } => FlowNext::Finished,
            State::Failed { resume: Some(_), .. } => FlowNext::TryAgain,
            State::Failed { resume: None, .. } => FlowNext::StartOver,
            _ => FlowNext::Wait,
        };
        let since = self.track.since().filter(|_| next == FlowNext::Wait);
        FlowView {
            flow: FlowName::Recover,
            about: FlowAbout {
                server: self.facts.server.clone(),
                tenant: self.tenant(),
                user: self.facts.user.clone(),
                device: self.facts.device.clone(),
                token_kind: None,
                act: None,
                attachment: None,
            },
            steps: self.track.steps(),
            next,
            other_way: after_patience(since, now, FlowOtherWay::CheckConnection),
            failure: self.problem().map(FlowFailure::from),
            expires_at: self.status.as_ref().map(|status| At(status.expires_at.0)),
        }
    }
}

impl RecoverFlow {
    /// The tenant, once the server has named it.
    fn tenant(&self) -> Option<TenantName> {
        self.status.as_ref().map(|status| status.tenant.clone())
    }
}

#[cfg(test)]
#[path = "recover_tests.rs"]
mod tests;
