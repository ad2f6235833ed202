//! A code becomes this machine's identity.
//!
//! The flow never sees the code's secret: the engine adds it to the one call that needs it. The key's
//! name, the request and the fact that the server may have been asked are saved before the call, so a
//! lost answer is asked for again with the same key and the same request, and the server answers with
//! the same certificate. Once the code's time is over, the same key asks for a renewal instead.

use crate::io::{Call, Effect, Flow, Input, KeyRef, Reply, Saved, Step};
use crate::track::Track;
use crate::view::{
    FlowAbout, FlowFailure, FlowName, FlowNext, FlowOtherWay, FlowStepId, FlowView, PATIENCE,
    after_patience,
};
use landfall_identity::id::TokenId;
use landfall_identity::token::TokenKind;
use landfall_identity::{DeviceName, Label, TenantName, Timestamp, UserName};
use landfall_protocol::enroll::CertIssued;
use landfall_protocol::{At, ErrorCode, Problem};
use serde::{Deserialize, Serialize};

/// What the code says, and what the person added. All names are settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrollFacts {
    /// The code's public name.
    pub token: TokenId,
    /// What it is for.
    pub kind: TokenKind,
    /// The server's address.
    pub server: String,
    /// The tenant.
    pub tenant: TenantName,
    /// The user.
    pub user: UserName,
    /// The device.
    pub device: DeviceName,
    /// What the person calls it.
    pub label: Option<Label>,
    /// When the code ends.
    pub expires_at: Timestamp,
}

/// The flow.
#[derive(Clone, Serialize, Deserialize)]
pub struct EnrollFlow {
    facts: EnrollFacts,
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
    /// It signs its request.
    Signing { key: KeyRef },
    /// The server is asked. `again`: an answer may have been lost before.
    Asking { key: KeyRef, csr: String, again: bool },
    /// The code is over; the key asks for a renewal, in case the first answer was lost.
    Renewing { key: KeyRef, csr: String, expired: Problem },
    /// The certificate is here and is being written down.
    Keeping { key: KeyRef, csr: String },
    /// It went wrong. With `resume`, `begin` goes on from there.
    Failed { problem: Problem, resume: Option<Box<State>> },
}

const STEPS: [FlowStepId; 4] =
    [FlowStepId::Confirm, FlowStepId::MakeKey, FlowStepId::AskServer, FlowStepId::Keep];

impl EnrollFlow {
    /// A flow that waits for the person's yes.
    pub fn new(facts: EnrollFacts, now: Timestamp) -> Self {
        let mut track = Track::new(&STEPS);
        track.reach(FlowStepId::Confirm, now);
        Self { facts, state: State::Confirm, track }
    }

    /// What it is about.
    pub fn facts(&self) -> &EnrollFacts {
        &self.facts
    }

    /// The key it has made, if it has.
    pub fn key(&self) -> Option<&KeyRef> {
        key_of(&self.state)
    }

    /// Whether this machine has its identity.
    pub fn is_finished(&self) -> bool {
        matches!(self.state, State::Keeping { .. })
    }

    /// What went wrong, if something did.
    pub fn problem(&self) -> Option<&Problem> {
        match &self.state {
            State::Failed { problem, .. } => Some(problem),
            _ => None,
        }
    }

    fn enter(&mut self, state: State, now: Timestamp) -> Vec<Effect> {
        let effects = match &state {
            State::Confirm => {
                self.track.reach(FlowStepId::Confirm, now);
                vec![]
            }
            State::MakingKey => {
                self.track.reach(FlowStepId::MakeKey, now);
                let name = self.facts.token.to_string();
                vec![Effect::Save(Saved::Progress), Effect::CreateKey { name }]
            }
            State::Signing { key } => vec![Effect::BuildCsr { key: key.clone() }],
            State::Asking { csr, .. } => {
                self.track.reach(FlowStepId::AskServer, now);
                let call = Call::IssueCertificate {
                    csr: csr.clone(),
                    user: self.facts.user.clone(),
                    device: self.facts.device.clone(),
                    label: self.facts.label.clone(),
                };
                waiting_call(call, now)
            }
            State::Renewing { key, .. } => {
                self.track.reach(FlowStepId::AskServer, now);
                waiting_call(Call::RenewCertificate { key: key.clone() }, now)
            }
            State::Keeping { .. } | State::Failed { .. } => vec![],
        };
        self.state = state;
        effects
    }

    fn begin(&mut self, now: Timestamp) -> Vec<Effect> {
        match &self.state {
            State::Confirm if self.facts.expires_at.is_over(now) => {
                let detail = "Nothing was used. Ask for a new code; it is made in a minute.";
                self.fail(Problem::new(ErrorCode::TokenExpired, detail), now)
            }
            State::Confirm => self.enter(State::MakingKey, now),
            State::Failed { resume: Some(resume), .. } => {
                let resume = (**resume).clone();
                self.enter(resume, now)
            }
            _ => vec![],
        }
    }

    fn resumed(&mut self, now: Timestamp) -> Vec<Effect> {
        match self.state.clone() {
            State::Asking { key, csr, .. } | State::Keeping { key, csr } => {
                self.enter(State::Asking { key, csr, again: true }, now)
            }
            state @ (State::MakingKey | State::Signing { .. } | State::Renewing { .. }) => {
                self.enter(state, now)
            }
            State::Confirm | State::Failed { .. } => vec![],
        }
    }

    fn replied(&mut self, reply: Reply, now: Timestamp) -> Vec<Effect> {
        let (
            State::Asking { key, csr, .. } | State::Renewing { key, csr, .. },
            Reply::Certificate(issued),
        ) = (self.state.clone(), reply)
        else {
            return vec![];
        };
        self.keep(key, csr, issued, now)
    }

    fn keep(
        &mut self,
        key: KeyRef,
        csr: String,
        issued: Box<CertIssued>,
        now: Timestamp,
    ) -> Vec<Effect> {
        self.track.complete(now);
        self.state = State::Keeping { key: key.clone(), csr };
        vec![Effect::Save(Saved::Identity { key, issued }), Effect::Forget]
    }

    fn failed(&mut self, problem: Problem, now: Timestamp) -> Vec<Effect> {
        match self.state.clone() {
            // An answer was lost before, and now the code is over: the key may be enrolled already.
            State::Asking { key, csr, again: true } if problem.code == ErrorCode::TokenExpired => {
                self.enter(State::Renewing { key, csr, expired: problem }, now)
            }
            State::Renewing { expired, .. } if problem.code == ErrorCode::NotEnrolled => {
                self.fail(expired, now)
            }
            _ => self.fail(problem, now),
        }
    }

    /// Records a failure: one that can be resumed keeps what was saved, any other forgets it.
    fn fail(&mut self, problem: Problem, now: Timestamp) -> Vec<Effect> {
        let resume = resume_point(&self.state, problem.code);
        let spent_nothing = resume.is_none();
        self.track.fail(now);
        self.state = State::Failed { problem, resume: resume.map(Box::new) };
        if spent_nothing { vec![Effect::Forget] } else { vec![] }
    }

    fn cancelled(&mut self, now: Timestamp) -> Vec<Effect> {
        if matches!(self.state, State::Keeping { .. } | State::Failed { .. }) {
            return vec![];
        }
        let detail = match &self.state {
            State::Asking { .. } | State::Renewing { .. } => {
                "The server may have answered already. Run the same again to go on; nothing is lost."
            }
            _ => "Nothing was used. The code still works until its time is over.",
        };
        self.fail(Problem::new(ErrorCode::Cancelled, detail), now)
    }
}

/// Where a failure can go on from. Once the server may have been asked, what was saved is kept
/// whenever the same request again can still succeed.
fn resume_point(state: &State, code: ErrorCode) -> Option<State> {
    let transient = matches!(
        code,
        ErrorCode::ServerUnreachable
            | ErrorCode::AnswerUnreadable
            | ErrorCode::Busy
            | ErrorCode::Unavailable
            | ErrorCode::Internal
            | ErrorCode::RateLimited
            | ErrorCode::ClockJumped
            | ErrorCode::ClockSkew
            | ErrorCode::Cancelled
            | ErrorCode::StateUnwritable
            | ErrorCode::StateExposed
            | ErrorCode::StateBusy
            | ErrorCode::KeyUnavailable
    );
    match state {
        State::Asking { key, csr, .. } if transient => {
            Some(State::Asking { key: key.clone(), csr: csr.clone(), again: true })
        }
        State::Renewing { .. } if transient => Some(state.clone()),
        State::Keeping { key, csr } => {
            Some(State::Asking { key: key.clone(), csr: csr.clone(), again: true })
        }
        State::MakingKey | State::Signing { .. } if transient && code != ErrorCode::Cancelled => {
            Some(State::MakingKey)
        }
        _ => None,
    }
}

fn waiting_call(call: Call, now: Timestamp) -> Vec<Effect> {
    vec![Effect::Save(Saved::Progress), Effect::WakeAt(now + PATIENCE), Effect::Call(call)]
}

fn key_of(state: &State) -> Option<&KeyRef> {
    match state {
        State::Confirm | State::MakingKey => None,
        State::Signing { key }
        | State::Asking { key, .. }
        | State::Renewing { key, .. }
        | State::Keeping { key, .. } => Some(key),
        State::Failed { resume, .. } => resume.as_deref().and_then(key_of),
    }
}

impl Flow for EnrollFlow {
    fn step(&mut self, input: Input, now: Timestamp) -> Step {
        let effects = match input {
            Input::Begin => self.begin(now),
            Input::Resumed => self.resumed(now),
            Input::KeyReady { key } if self.state == State::MakingKey => {
                self.enter(State::Signing { key }, now)
            }
            Input::Signed { csr } => match self.state.clone() {
                State::Signing { key } => self.enter(State::Asking { key, csr, again: false }, now),
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
        let next = match &self.state {
            State::Confirm => FlowNext::Confirm,
            State::Keeping { .. } => FlowNext::Finished,
            State::Failed { resume: Some(_), .. } => FlowNext::TryAgain,
            State::Failed { resume: None, .. } => FlowNext::StartOver,
            _ => FlowNext::Wait,
        };
        let asking = matches!(self.state, State::Asking { .. } | State::Renewing { .. });
        let since = self.track.since().filter(|_| asking);
        FlowView {
            flow: FlowName::Enroll,
            about: FlowAbout {
                server: self.facts.server.clone(),
                tenant: Some(self.facts.tenant.clone()),
                user: self.facts.user.clone(),
                device: self.facts.device.clone(),
                token_kind: Some(self.facts.kind),
                act: None,
                attachment: None,
            },
            steps: self.track.steps(),
            next,
            other_way: after_patience(since, now, FlowOtherWay::CheckConnection),
            failure: self.problem().map(FlowFailure::from),
            expires_at: Some(At(self.facts.expires_at)),
        }
    }
}

#[cfg(test)]
#[path = "enroll_tests.rs"]
mod tests;
