//! A new machine, and another one at hand that lets it in: this one makes a key, shows a code, answers
//! what the other commits to, shows six digits, and becomes a device when they were equal.
//!
//! The flow holds no nonce and computes no digits: the engine does, and hands in what came of it. The
//! key's name and the link's are saved before each call that depends on them, so that a closed lid loses
//! nothing within the ten minutes that a link lives. One link answers one commitment; whatever goes
//! wrong after that begins anew, with another key, for whoever sits in between could otherwise try until
//! the digits fit.

use crate::io::{Call, Effect, Flow, Input, KeyRef, LinkSeen, Reply, Saved, Step};
use crate::track::Track;
use crate::view::{
    FlowAbout, FlowFailure, FlowName, FlowNext, FlowOtherWay, FlowStepId, FlowView, PATIENCE,
    after_patience,
};
use landfall_identity::id::RecoveryId;
use landfall_identity::spiffe::Principal;
use landfall_identity::{DeviceName, Label, Timestamp, UserName};
use landfall_protocol::enroll::CertIssued;
use landfall_protocol::link::LinkStatus;
use landfall_protocol::recovery::{Recovered, RecoveryStateName};
use landfall_protocol::{At, ErrorCode, Problem};
use serde::{Deserialize, Serialize};

/// What the person said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkFacts {
    /// The server's address.
    pub server: String,
    /// Whose account it is.
    pub user: UserName,
    /// What this machine will be called: it is what the other device approves.
    pub device: DeviceName,
    /// What the person calls it.
    pub label: Option<Label>,
    /// The local name of the key, the same on every try.
    pub key: String,
}

/// The flow.
#[derive(Clone, Serialize, Deserialize)]
pub struct LinkFlow {
    facts: LinkFacts,
    /// What the server said last.
    status: Option<LinkStatus>,
    /// What this machine shows.
    shown: Option<Shown>,
    /// Whether the commitment was answered: a link answers one.
    answered: bool,
    /// When the server was asked last: it is asked again and again, so that the step's own age says
    /// nothing of the line.
    asked_at: Option<Timestamp>,
    state: State,
    track: Track,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    code: String,
    scan: String,
    check_code: Option<String>,
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
    /// The server is asked how it stands.
    Looking { key: KeyRef, link: RecoveryId },
    /// The approver's commitment is answered.
    Answering { key: KeyRef, link: RecoveryId, commitment: String },
    /// The other device is waited for.
    Waiting { key: KeyRef, link: RecoveryId },
    /// The certificate is asked for.
    Completing { key: KeyRef, link: RecoveryId, again: bool },
    /// The link is over; the key asks for a renewal, in case the last answer was lost.
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

const STOPPED: &str = "The other device said no: this machine was not in front of anybody there, or \
                       the digits were not the same. If that was you, begin again.";
const OVER: &str =
    "Ten minutes have passed, or others took its place. Begin again; nothing was used.";
const SOMEBODY_ELSE: &str = "The server made this machine a device of somebody else. Nothing was \
                             kept. Do not go on over this network, and tell whoever runs the server.";

impl LinkFlow {
    /// The person calls this machine something else.
    pub fn relabel(&mut self, label: Label) {
        self.facts.label = Some(label);
    }

    /// A flow that waits for the person's yes.
    pub fn new(facts: LinkFacts, now: Timestamp) -> Self {
        let mut track = Track::new(&STEPS);
        track.reach(FlowStepId::Confirm, now);
        Self {
            facts,
            status: None,
            shown: None,
            answered: false,
            asked_at: None,
            state: State::Confirm,
            track,
        }
    }

    /// What it is about.
    pub fn facts(&self) -> &LinkFacts {
        &self.facts
    }

    /// What the server said last.
    pub fn status(&self) -> Option<&LinkStatus> {
        self.status.as_ref()
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
            | State::Looking { .. }
            | State::Answering { .. }
            | State::Completing { .. }
            | State::Renewing { .. } => {
                self.asked_at = Some(now);
                let saved = vec![Effect::Save(Saved::Progress), Effect::WakeAt(now + PATIENCE)];
                saved.into_iter().chain(self.call(&state).map(Effect::Call)).collect()
            }
        };
        self.state = state;
        effects
    }

    fn call(&self, state: &State) -> Option<Call> {
        let LinkFacts { user, device, label, .. } = &self.facts;
        Some(match state.clone() {
            State::Beginning { key, csr } => {
                Call::BeginLink { key, csr, user: user.clone(), device: device.clone() }
            }
            State::Looking { key, link } => Call::ShowLink { key, link },
            State::Answering { key, link, commitment } => {
                Call::AnswerLink { key, link, commitment }
            }
            State::Completing { key, link, .. } => Call::CompleteRecovery {
                key,
                recovery: link,
                device: device.clone(),
                label: label.clone(),
                lost: None,
            },
            State::Renewing { key, .. } => Call::RenewCertificate { key },
            _ => return None,
        })
    }

    fn begin(&mut self, now: Timestamp) -> Vec<Effect> {
        match self.state.clone() {
            State::Confirm => self.enter(State::MakingKey, now),
            State::Waiting { key, link } => self.enter(State::Looking { key, link }, now),
            State::Failed { resume: Some(resume), .. } => match *resume {
                State::Waiting { key, link } => self.enter(State::Looking { key, link }, now),
                state => self.enter(state, now),
            },
            _ => vec![],
        }
    }

    fn resumed(&mut self, now: Timestamp) -> Vec<Effect> {
        match self.state.clone() {
            State::Waiting { key, link } => self.enter(State::Looking { key, link }, now),
            State::Completing { key, link, .. } => {
                self.enter(State::Completing { key, link, again: true }, now)
            }
            state @ (State::MakingKey
            | State::Signing { .. }
            | State::Beginning { .. }
            | State::Looking { .. }
            | State::Answering { .. }
            | State::Renewing { .. }) => self.enter(state, now),
            State::Failed { resume: Some(_), .. } => self.begin(now),
            State::Confirm | State::Kept { .. } | State::Failed { .. } => vec![],
        }
    }

    fn replied(&mut self, reply: Reply, now: Timestamp) -> Vec<Effect> {
        match (self.state.clone(), reply) {
            (
                State::Beginning { key, .. }
                | State::Looking { key, .. }
                | State::Answering { key, .. },
                Reply::Link(seen),
            ) => self.go_on(key, *seen, now),
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
    fn go_on(&mut self, key: KeyRef, seen: LinkSeen, now: Timestamp) -> Vec<Effect> {
        let LinkSeen { status, code, scan, check_code } = seen;
        let link = status.recovery.recovery_id.clone();
        let state = status.recovery.state;
        self.answered |= matches!(self.state, State::Answering { .. });
        let unanswered = status.approver.as_ref().filter(|_| !self.answered);
        let commitment = unanswered.map(|approver| approver.commitment.clone());
        self.shown = Some(Shown { code, scan, check_code });
        self.status = Some(status);
        match (state, commitment) {
            (RecoveryStateName::Ready, _) => {
                self.enter(State::Completing { key, link, again: false }, now)
            }
            (RecoveryStateName::Completed, _) => {
                self.enter(State::Completing { key, link, again: true }, now)
            }
            (RecoveryStateName::Stopped, _) => {
                self.fail(Problem::new(ErrorCode::RecoveryStopped, STOPPED), now)
            }
            (RecoveryStateName::Over, _) => {
                self.fail(Problem::new(ErrorCode::RecoveryOver, OVER), now)
            }
            (_, Some(commitment)) => self.enter(State::Answering { key, link, commitment }, now),
            (
                RecoveryStateName::Unproved
                | RecoveryStateName::Held
                | RecoveryStateName::Unheard
                | RecoveryStateName::Contested,
                None,
            ) => self.enter(State::Waiting { key, link }, now),
        }
    }

    fn keep(&mut self, key: KeyRef, issued: Box<CertIssued>, now: Timestamp) -> Vec<Effect> {
        let LinkFacts { user, device, .. } = &self.facts;
        let ours = matches!(
            &issued.spiffe_id.principal,
            Principal::Human { user: of, device: called, .. } if of == user && called == device
        );
        if !ours {
            return self.fail(Problem::new(ErrorCode::LinkTampered, SOMEBODY_ELSE), now);
        }
        self.track.complete(now);
        self.state = State::Kept { key: key.clone() };
        vec![Effect::Save(Saved::Identity { key, issued }), Effect::Forget]
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
            // The approving device was cut off between the question and the act.
            State::Completing { key, link, .. }
                if matches!(
                    problem.code,
                    ErrorCode::RecoveryUnproved | ErrorCode::RecoveryHeld
                ) =>
            {
                self.enter(State::Waiting { key, link }, now)
            }
            _ => self.fail(problem, now),
        }
    }

    /// Records a failure: one that can be resumed keeps what was saved, any other forgets it.
    fn fail(&mut self, problem: Problem, now: Timestamp) -> Vec<Effect> {
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
        let detail = "Nothing is lost for ten minutes. Run the same again to go on.";
        self.fail(Problem::new(ErrorCode::Cancelled, detail), now)
    }
}

/// Where a failure can go on from: everywhere but where it is over, or where somebody is in between.
fn resume_point(state: &State, code: ErrorCode) -> Option<State> {
    if matches!(
        code,
        ErrorCode::RecoveryOver
            | ErrorCode::RecoveryStopped
            | ErrorCode::KeyInUse
            | ErrorCode::DeviceNameTaken
            | ErrorCode::LinkOutOfTurn
            | ErrorCode::LinkTampered
    ) {
        return None;
    }
    match state.clone() {
        State::Confirm | State::Failed { .. } => None,
        State::Looking { key, link } => Some(State::Waiting { key, link }),
        State::Completing { key, link, .. } => Some(State::Completing { key, link, again: true }),
        state => Some(state),
    }
}

fn step_of(state: &State) -> Option<FlowStepId> {
    Some(match state {
        State::Confirm => FlowStepId::Confirm,
        State::MakingKey => FlowStepId::MakeKey,
        State::Beginning { .. } => FlowStepId::Introduce,
        State::Looking { .. } | State::Answering { .. } | State::Waiting { .. } => {
            FlowStepId::Prove
        }
        State::Completing { .. } | State::Renewing { .. } => FlowStepId::AskServer,
        State::Signing { .. } | State::Kept { .. } | State::Failed { .. } => return None,
    })
}

impl Flow for LinkFlow {
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
        let next = self.next();
        let since = self.asked_at.filter(|_| next == FlowNext::Wait);
        let recovery = self.status.as_ref().map(|status| &status.recovery);
        FlowView {
            flow: FlowName::Link,
            about: FlowAbout {
                server: self.facts.server.clone(),
                tenant: recovery.map(|recovery| recovery.tenant.clone()),
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
            expires_at: recovery.map(|recovery| At(recovery.expires_at.0)),
        }
    }
}

impl LinkFlow {
    fn next(&self) -> FlowNext {
        match &self.state {
            State::Confirm => FlowNext::Confirm,
            State::Waiting { .. } => self.shown(),
            State::Kept { .. } => FlowNext::Finished,
            State::Failed { resume: Some(_), .. } => FlowNext::TryAgain,
            State::Failed { resume: None, .. } => FlowNext::StartOver,
            _ => FlowNext::Wait,
        }
    }

    fn shown(&self) -> FlowNext {
        let approver = self.status.as_ref().and_then(|status| status.approver.as_ref());
        let approver = approver.map(|approver| approver.device.clone());
        match (&self.shown, approver) {
            (Some(Shown { check_code: Some(digits), .. }), Some(approver)) => {
                FlowNext::CompareCode { digits: digits.clone(), approver }
            }
            (Some(Shown { code, scan, .. }), approver) => {
                FlowNext::ShowCode { code: code.clone(), scan: scan.clone(), approver }
            }
            (None, _) => FlowNext::Wait,
        }
    }
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
