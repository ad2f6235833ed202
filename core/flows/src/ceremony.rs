//! The app half of a passkey ceremony, shared by step-up and registration.
//!
//! Nothing of it is written to disk: a ceremony can always be begun again, and what it holds (the
//! page's secret, the completion) had better end with the process. It can still be serialised, for
//! shells that pass it along.

use crate::io::{Call, Door, Effect, Input, Reply};
use crate::track::Track;
use crate::view::{
    FlowAbout, FlowFailure, FlowName, FlowNext, FlowOtherWay, FlowStep, FlowStepId, FlowView,
    PATIENCE, after_patience,
};
use landfall_identity::Timestamp;
use landfall_identity::id::CeremonyId;
use landfall_protocol::ceremony::CeremonyBegun;
use landfall_protocol::{ErrorCode, Problem};
use serde::{Deserialize, Serialize};

/// How often the page's code is asked for before the ceremony is given up: as often as a server
/// takes one. Whatever a shell answers, it is not asked for ever.
pub(crate) const TYPED_TRIES: u32 = 3;

/// What differs between ceremonies.
pub(crate) trait Purpose {
    const NAME: FlowName;
    fn begin(&self, by: Door) -> Call;
    fn redeem(&self, ceremony: CeremonyId, completion: String) -> Call;
    /// Whether this reply ends the ceremony.
    fn ends(reply: &Reply) -> bool;
    fn about(&self) -> FlowAbout;
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Ceremony<P> {
    pub(crate) purpose: P,
    by: Door,
    state: State,
    track: Track,
    /// How often the passkey was asked for in the ceremony that runs.
    asked: u32,
    /// What went wrong and was survived, such as a mistyped code.
    note: Option<Problem>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Ready,
    Beginning,
    Waiting { begun: CeremonyBegun },
    Redeeming { begun: CeremonyBegun, completion: String },
    Done,
    Failed { problem: Problem, redeem: Option<Box<(CeremonyBegun, String)>> },
}

const STEPS: [FlowStepId; 3] = [FlowStepId::Prepare, FlowStepId::UsePasskey, FlowStepId::Collect];

impl<P: Purpose> Ceremony<P> {
    pub(crate) fn new(purpose: P, by: Door) -> Self {
        let track = Track::new(&STEPS);
        Self { purpose, by, state: State::Ready, track, asked: 0, note: None }
    }

    /// Where the passkey is asked for now.
    pub(crate) fn door(&self) -> Door {
        self.by
    }

    pub(crate) fn problem(&self) -> Option<&Problem> {
        match &self.state {
            State::Failed { problem, .. } => Some(problem),
            _ => None,
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.state, State::Done)
    }

    pub(crate) fn take(&mut self, input: Input, now: Timestamp) -> Vec<Effect> {
        match (input, self.state.clone()) {
            (Input::Begin, State::Ready) => self.begin(now),
            (Input::Begin, State::Failed { redeem, .. }) => match redeem {
                Some(again) if !again.0.expires_at.0.is_over(now) => {
                    self.redeem(again.0, again.1, now)
                }
                _ => self.begin(now),
            },
            (Input::Replied(Reply::Ceremony(begun)), State::Beginning) => self.wait(begun, now),
            (Input::PasskeyAnswered { completion }, State::Waiting { begun }) => {
                self.redeem(begun, completion, now)
            }
            (Input::Mistyped(problem), State::Waiting { begun }) => {
                self.ask_again(begun, problem, now)
            }
            (Input::Replied(reply), State::Redeeming { .. }) if P::ends(&reply) => {
                self.track.complete(now);
                self.state = State::Done;
                vec![]
            }
            (Input::Failed(problem), state) => self.failed(problem, state, now),
            (Input::OtherWay, State::Waiting { begun }) => match self.by {
                Door::SecurityKey => self.turn_to_browser(begun, None, now),
                Door::Loopback => {
                    self.by = Door::Typed;
                    self.begin(now)
                }
                Door::Typed => vec![],
            },
            (Input::Resumed, state) => self.resumed(state, now),
            (Input::Cancelled, State::Done | State::Failed { .. }) => vec![],
            (Input::Cancelled, _) => {
                let detail = "Nothing was changed. Begin again when you are ready.";
                self.fail(Problem::new(ErrorCode::Cancelled, detail), None, now)
            }
            (Input::Tick, State::Waiting { begun }) if begun.expires_at.0.is_over(now) => {
                let detail = "Nobody used the passkey in time. Nothing was changed; begin again.";
                self.fail(Problem::new(ErrorCode::CeremonyOver, detail), None, now)
            }
            // Late, doubled and foreign inputs change nothing.
            _ => vec![],
        }
    }

    fn begin(&mut self, now: Timestamp) -> Vec<Effect> {
        self.track.reach(FlowStepId::Prepare, now);
        self.state = State::Beginning;
        self.asked = 0;
        self.note = None;
        vec![Effect::WakeAt(now + PATIENCE), Effect::Call(self.purpose.begin(self.by))]
    }

    fn wait(&mut self, begun: CeremonyBegun, now: Timestamp) -> Vec<Effect> {
        self.track.reach(FlowStepId::UsePasskey, now);
        self.state = State::Waiting { begun: begun.clone() };
        self.asked += 1;
        vec![
            Effect::WakeAt(now + PATIENCE),
            Effect::WakeAt(begun.expires_at.0),
            Effect::AskPasskey { begun, by: self.by },
        ]
    }

    fn redeem(&mut self, begun: CeremonyBegun, completion: String, now: Timestamp) -> Vec<Effect> {
        // A browser comes back only after the passkey was used; what is typed may be anything, and the
        // step is not called done before the server has agreed.
        if self.by != Door::Typed {
            self.track.reach(FlowStepId::Collect, now);
        }
        let call = self.purpose.redeem(begun.ceremony_id.clone(), completion.clone());
        self.state = State::Redeeming { begun, completion };
        self.note = None;
        vec![Effect::WakeAt(now + PATIENCE), Effect::Call(call)]
    }

    /// A new process: a typed code can still be entered; a redirect has nobody to come back to.
    fn resumed(&mut self, state: State, now: Timestamp) -> Vec<Effect> {
        match state {
            State::Beginning => self.begin(now),
            State::Waiting { begun }
                if self.by == Door::Typed && !begun.expires_at.0.is_over(now) =>
            {
                self.wait(begun, now)
            }
            State::Waiting { .. } => self.begin(now),
            State::Redeeming { begun, completion } => self.redeem(begun, completion, now),
            State::Ready | State::Done | State::Failed { .. } => vec![],
        }
    }

    fn failed(&mut self, problem: Problem, state: State, now: Timestamp) -> Vec<Effect> {
        match state {
            State::Ready | State::Done | State::Failed { .. } => vec![],
            // Nobody has signed anything yet: the page can still be opened.
            State::Waiting { begun }
                if self.by == Door::SecurityKey
                    && problem.code == ErrorCode::SecurityKeyUnusable =>
            {
                self.turn_to_browser(begun, Some(problem), now)
            }
            // No browser here: the page can be opened elsewhere and its code typed.
            State::Beginning | State::Waiting { .. }
                if self.by == Door::Loopback && problem.code == ErrorCode::BrowserUnavailable =>
            {
                self.by = Door::Typed;
                let effects = self.begin(now);
                self.note = Some(problem);
                effects
            }
            // The server looked at what was typed. A shell that could not even ask (`Waiting`) has
            // nothing more to say, whatever its reason: that ends it.
            State::Redeeming { begun, .. }
                if self.by == Door::Typed && is_about_the_code(problem.code) =>
            {
                self.ask_again(begun, problem, now)
            }
            State::Redeeming { begun, completion } if is_transient(problem.code) => {
                self.fail(problem, Some(Box::new((begun, completion))), now)
            }
            _ => self.fail(problem, None, now),
        }
    }

    /// Leaves the key and opens the page of the same ceremony, if it is not over.
    fn turn_to_browser(
        &mut self,
        begun: CeremonyBegun,
        why: Option<Problem>,
        now: Timestamp,
    ) -> Vec<Effect> {
        self.by = Door::Loopback;
        let effects = match begun.expires_at.0.is_over(now) {
            true => self.begin(now),
            false => self.wait(begun, now),
        };
        self.note = why;
        effects
    }

    /// Has the person type the code once more, while time and tries are left.
    fn ask_again(&mut self, begun: CeremonyBegun, problem: Problem, now: Timestamp) -> Vec<Effect> {
        if self.by != Door::Typed || begun.expires_at.0.is_over(now) {
            return self.fail(problem, None, now);
        }
        if self.asked >= TYPED_TRIES {
            let detail = format!(
                "{TYPED_TRIES} tries brought no right code. Nothing was changed; begin again."
            );
            return self.fail(Problem::new(ErrorCode::CompletionWrong, detail), None, now);
        }
        let effects = self.wait(begun, now);
        self.note = Some(problem);
        effects
    }

    fn fail(
        &mut self,
        problem: Problem,
        redeem: Option<Box<(CeremonyBegun, String)>>,
        now: Timestamp,
    ) -> Vec<Effect> {
        self.track.fail(now);
        self.state = State::Failed { problem, redeem };
        vec![]
    }

    pub(crate) fn view(&self, now: Timestamp) -> FlowView {
        let (next, expires_at) = match &self.state {
            State::Ready => (FlowNext::Confirm, None),
            State::Beginning => (FlowNext::Wait, None),
            State::Redeeming { begun, .. } => (FlowNext::Wait, Some(begun.expires_at)),
            State::Waiting { begun } if self.by == Door::SecurityKey => {
                (FlowNext::UseSecurityKey { pin: None }, Some(begun.expires_at))
            }
            State::Waiting { begun } => (
                FlowNext::UsePasskey {
                    page_url: begun.page_url.clone(),
                    match_number: begun.match_number.clone(),
                    typed: self.by == Door::Typed,
                },
                Some(begun.expires_at),
            ),
            State::Done => (FlowNext::Finished, None),
            State::Failed { .. } => (FlowNext::TryAgain, None),
        };
        FlowView {
            flow: P::NAME,
            about: self.purpose.about(),
            steps: self.steps(),
            next,
            other_way: self.other_way(now),
            failure: self.problem().or(self.note.as_ref()).map(FlowFailure::from),
            expires_at,
        }
    }

    /// The steps, and where the passkey is used by its own name.
    fn steps(&self) -> Vec<FlowStep> {
        let mut steps = self.track.steps();
        if self.by == Door::SecurityKey {
            let used = steps.iter_mut().filter(|step| step.id == FlowStepId::UsePasskey);
            used.for_each(|step| step.id = FlowStepId::UseSecurityKey);
        }
        steps
    }

    fn other_way(&self, now: Timestamp) -> Option<FlowOtherWay> {
        let way = match self.state {
            State::Waiting { .. } if self.by == Door::SecurityKey => {
                return Some(FlowOtherWay::UseBrowser);
            }
            State::Waiting { .. } if self.by == Door::Loopback => FlowOtherWay::TypeCode,
            State::Beginning | State::Redeeming { .. } => FlowOtherWay::CheckConnection,
            _ => return None,
        };
        after_patience(self.track.since(), now, way)
    }
}

/// What a person can mend by typing again.
fn is_about_the_code(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::CompletionWrong | ErrorCode::CeremonyPending)
}

fn is_transient(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::ServerUnreachable
            | ErrorCode::AnswerUnreadable
            | ErrorCode::Busy
            | ErrorCode::Unavailable
            | ErrorCode::Internal
            | ErrorCode::RateLimited
    )
}
