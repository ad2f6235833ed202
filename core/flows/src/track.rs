//! Named steps with their times.

use crate::view::{FlowStep, FlowStepId, FlowStepState};
use landfall_identity::Timestamp;
use landfall_protocol::At;
use serde::{Deserialize, Serialize};

/// The steps of one flow, of which at most one is `now`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Track(Vec<FlowStep>);

impl Track {
    /// All steps pending.
    pub(crate) fn new(ids: &[FlowStepId]) -> Self {
        let pending = |id: &FlowStepId| FlowStep {
            id: *id,
            state: FlowStepState::Pending,
            started_at: None,
            finished_at: None,
        };
        Self(ids.iter().map(pending).collect())
    }

    /// Makes `id` the current step: those before it are done, those after it pending (again).
    pub(crate) fn reach(&mut self, id: FlowStepId, now: Timestamp) {
        let place = self.0.iter().position(|step| step.id == id).unwrap_or(self.0.len());
        for (index, step) in self.0.iter_mut().enumerate() {
            if index < place {
                finish(step, FlowStepState::Done, now);
            } else if index > place {
                *step = FlowStep {
                    id: step.id,
                    state: FlowStepState::Pending,
                    started_at: None,
                    finished_at: None,
                };
            } else if step.state != FlowStepState::Now {
                *step = FlowStep {
                    id: step.id,
                    state: FlowStepState::Now,
                    started_at: Some(At(now)),
                    finished_at: None,
                };
            }
        }
    }

    /// Everything is done.
    pub(crate) fn complete(&mut self, now: Timestamp) {
        for step in &mut self.0 {
            finish(step, FlowStepState::Done, now);
        }
    }

    /// The current step went wrong.
    pub(crate) fn fail(&mut self, now: Timestamp) {
        if let Some(step) = self.0.iter_mut().find(|step| step.state == FlowStepState::Now) {
            finish(step, FlowStepState::Failed, now);
        }
    }

    /// When the current step began.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        let current = self.0.iter().find(|step| step.state == FlowStepState::Now);
        current.and_then(|step| step.started_at).map(|at| at.0)
    }

    pub(crate) fn steps(&self) -> Vec<FlowStep> {
        self.0.clone()
    }
}

fn finish(step: &mut FlowStep, state: FlowStepState, now: Timestamp) {
    if step.state == FlowStepState::Done {
        return;
    }
    step.state = state;
    step.started_at.get_or_insert(At(now));
    step.finished_at = Some(At(now));
}
