//! Back in with no device at all: a bare machine makes a key, tells the server whose device it shall be,
//! shows what it can, and becomes one when the plan is satisfied.
//!
//! The flow never sees a code: the engine adds its halves to the one call that needs them. The key's
//! name and the recovery's are saved before each call that depends on them, so that a closed lid or an
//! empty battery loses nothing: the same key finds its recovery again, and at the end the same
//! certificate. What takes hours ends a run of the flow, not the flow: `begin` asks again how it stands.

use crate::ceremony::Ceremony;
use crate::io::{Call, Door, Effect, Flow, Input, KeyRef, Reply, Saved, Step};
use crate::recover_state::{
    ByMail, STEPS, ShowPasskey, State, is_about_the_code, key_of, name_taken, resume_point, step_of,
};
use crate::track::Track;
use crate::view::{FlowStepId, FlowView, PATIENCE};
use landfall_identity::id::RecoveryId;
use landfall_identity::{DeviceName, Label, Timestamp, UserName};
use landfall_protocol::enroll::CertIssued;
use landfall_protocol::recovery::{Recovered, RecoveryStateName, RecoveryStatus};
use landfall_protocol::{ErrorCode, Problem};
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
    /// How the person wants to show a passkey, if they do and have not yet.
    #[serde(default)]
    passkey: Option<Door>,
    /// What the person wants of the door by mail.
    #[serde(default)]
    mail: ByMail,
    /// Whether the person has taken another name than the one that it began with.
    #[serde(default)]
    renamed: bool,
    /// What the server said last.
    status: Option<RecoveryStatus>,
    /// When the server was asked last: it is asked again and again, so that the step's own age says
    /// nothing of the line.
    #[serde(default)]
    asked_at: Option<Timestamp>,
    state: State,
    track: Track,
}

impl RecoverFlow {
    /// A flow that waits for the person's yes. `code`: they have given a recovery code.
    pub fn new(facts: RecoverFacts, code: bool, now: Timestamp) -> Self {
        let mut track = Track::new(&STEPS);
        track.reach(FlowStepId::Confirm, now);
        Self {
            facts,
            code,
            wait: false,
            passkey: None,
            mail: ByMail::Nothing,
            renamed: false,
            status: None,
            asked_at: None,
            state: State::Confirm,
            track,
        }
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

    /// The person wants to show a passkey: the next `begin` asks for it, after the code if there is one.
    pub fn give_passkey(&mut self, by: Door) {
        self.passkey = Some(by);
    }

    /// The person wants a code by mail: the next `begin` asks for it.
    pub fn ask_by_mail(&mut self) {
        self.mail = ByMail::Ask;
    }

    /// The person has typed the code that was mailed: the next `begin` shows it.
    pub fn give_mailed_code(&mut self) {
        self.mail = ByMail::Show;
    }

    /// The person takes another name for this machine.
    pub fn rename(&mut self, device: DeviceName) {
        self.renamed |= self.facts.device != device;
        self.facts.device = device;
    }

    /// The person calls this machine something else.
    pub fn relabel(&mut self, label: Label) {
        self.facts.label = Some(label);
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
            // Entered by `show_passkey`, which has its own effects.
            State::ShowingPasskey { .. } => vec![],
            State::Beginning { .. }
            | State::Proving { .. }
            | State::Asking { .. }
            | State::ShowingMailed { .. }
            | State::Looking { .. }
            | State::AskingToWait { .. }
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
        let RecoverFacts { user, device, label, lost, .. } = &self.facts;
        Some(match state.clone() {
            State::Beginning { key, csr } => {
                Call::BeginRecovery { key, csr, user: user.clone(), device: device.clone() }
            }
            State::Proving { key, recovery } => Call::ProveRecovery { key, recovery },
            State::Asking { key, recovery } => Call::MailRecoveryCode { key, recovery },
            State::ShowingMailed { key, recovery } => Call::ProveRecoveryByMail { key, recovery },
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
        let state = match (self.code, self.passkey, self.mail) {
            (true, ..) => State::Proving { key, recovery },
            (false, Some(by), _) => return self.show_passkey(key, recovery, by, now),
            (false, None, ByMail::Ask) => State::Asking { key, recovery },
            (false, None, ByMail::Show) => State::ShowingMailed { key, recovery },
            (false, None, ByMail::Nothing) => State::Looking { key, recovery },
        };
        self.enter(state, now)
    }

    /// What is on disk meanwhile is that it waits: with the process the ceremony ends.
    fn show_passkey(
        &mut self,
        key: KeyRef,
        recovery: RecoveryId,
        by: Door,
        now: Timestamp,
    ) -> Vec<Effect> {
        let mut effects =
            self.enter(State::Waiting { key: key.clone(), recovery: recovery.clone() }, now);
        let (about, key_of) = (self.about(), key.clone());
        let purpose = ShowPasskey { key: key_of, recovery: recovery.clone(), about };
        let mut ceremony = Box::new(Ceremony::new(purpose, by));
        effects.extend(ceremony.take(Input::Begin, now));
        self.state = State::ShowingPasskey { key, recovery, ceremony };
        effects
    }

    /// Lets the ceremony go on, and takes over where it ends.
    fn in_ceremony(&mut self, input: Input, now: Timestamp) -> Vec<Effect> {
        let State::ShowingPasskey { key, recovery, ceremony } = &mut self.state else {
            return vec![];
        };
        let (key, recovery) = (key.clone(), recovery.clone());
        if let Input::Replied(Reply::Recovery(status)) = &input {
            self.status = Some(status.clone());
        }
        let effects = ceremony.take(input, now);
        let (finished, problem) = (ceremony.is_finished(), ceremony.problem().cloned());
        if finished {
            self.passkey = None;
            return self.go_on(key, recovery, now);
        }
        match problem {
            Some(problem) => self.fail(problem, now),
            None => effects,
        }
    }

    fn resumed(&mut self, now: Timestamp) -> Vec<Effect> {
        match self.state.clone() {
            State::Waiting { key, recovery }
            | State::Looking { key, recovery }
            | State::Asking { key, recovery }
            | State::ShowingMailed { key, recovery }
            | State::AskingToWait { key, recovery } => self.look(key, recovery, now),
            State::Completing { key, recovery, .. } => {
                self.enter(State::Completing { key, recovery, again: true }, now)
            }
            state @ (State::MakingKey
            | State::Signing { .. }
            | State::Beginning { .. }
            | State::Proving { .. }
            | State::Renewing { .. }) => self.enter(state, now),
            State::ShowingPasskey { key, recovery, .. } => self.look(key, recovery, now),
            State::Failed { resume: Some(_), .. } => self.begin(now),
            State::Confirm | State::Kept { .. } | State::Failed { .. } => vec![],
        }
    }

    fn replied(&mut self, reply: Reply, now: Timestamp) -> Vec<Effect> {
        match (self.state.clone(), reply) {
            (State::Beginning { key, .. }, Reply::Recovery(status)) => {
                let recovery = status.recovery_id.clone();
                self.status = Some(status);
                match self.code || self.passkey.is_some() {
                    true => self.look(key, recovery, now),
                    false => self.go_on(key, recovery, now),
                }
            }
            (State::Proving { key, recovery }, Reply::Recovery(status)) => {
                self.code = false;
                self.status = Some(status);
                self.after_code(key, recovery, now)
            }
            (State::AskingToWait { key, recovery }, Reply::Recovery(status)) => {
                self.wait = false;
                self.status = Some(status);
                self.go_on(key, recovery, now)
            }
            (
                State::Asking { key, recovery }
                | State::ShowingMailed { key, recovery }
                | State::Looking { key, recovery },
                Reply::Recovery(status),
            ) => {
                self.mail = ByMail::Nothing;
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

    /// After the code comes the passkey, if the code did not open the door.
    fn after_code(&mut self, key: KeyRef, recovery: RecoveryId, now: Timestamp) -> Vec<Effect> {
        let open = self.status.as_ref().is_some_and(|status| {
            matches!(status.state, RecoveryStateName::Unproved | RecoveryStateName::Held)
        });
        match self.passkey.filter(|_| open) {
            Some(by) => self.show_passkey(key, recovery, by, now),
            None => self.go_on(key, recovery, now),
        }
    }

    /// What the server's word leads to.
    fn go_on(&mut self, key: KeyRef, recovery: RecoveryId, now: Timestamp) -> Vec<Effect> {
        if !self.renamed && self.status.as_ref().is_some_and(|status| status.device_taken) {
            return self.fail(name_taken(), now);
        }
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
                let detail = "It is over: after a day, or because very many machines began one for this account. Begin again, \
                     and show a code or a passkey at once: what has shown something cannot be pushed out. Nothing of \
                     yours was used.";
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
        // A passkey that did not help is asked for again only when the person says so: what they wait
        // for meanwhile goes on.
        if matches!(self.state, State::ShowingPasskey { .. }) {
            self.passkey = None;
        }
        // Asked for again, or typed again, only when the person says so.
        if matches!(
            problem.code,
            ErrorCode::MailedCodeWrong | ErrorCode::RateLimited | ErrorCode::MailUnavailable
        ) {
            self.mail = ByMail::Nothing;
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

impl Flow for RecoverFlow {
    fn step(&mut self, input: Input, now: Timestamp) -> Step {
        let showing = matches!(self.state, State::ShowingPasskey { .. });
        let effects = match input {
            Input::Resumed => self.resumed(now),
            input if showing => self.in_ceremony(input, now),
            Input::Begin => self.begin(now),
            Input::KeyReady { key } if matches!(self.state, State::MakingKey) => {
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
        self.seen(now)
    }
}

#[path = "recover_view.rs"]
mod seen;

#[cfg(test)]
#[path = "recover_tests.rs"]
mod tests;
