//! Runs a flow: carries out its effects in their order and feeds it with what comes of them.

use crate::failure::Failure;
use crate::shell::{Shell, Signal};
use landfall_crypto::Ambient;
use landfall_flows::{Effect, Flow, FlowNext, Input, Saved, Step};
use landfall_identity::Timestamp;
use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::time::Duration;

/// Carries out effects.
pub(crate) trait Doer<F> {
    /// Writes to disk.
    fn save(&mut self, flow: &F, saved: Saved) -> Result<(), Failure>;
    /// Deletes what was saved.
    fn forget(&mut self, flow: &F);
    /// Everything that takes time.
    fn perform(&mut self, effect: Effect) -> impl Future<Output = Result<Input, Failure>> + Send;
}

/// Runs `flow` from `first` until nothing is left to do, and shows every change.
pub(crate) async fn drive<F: Flow>(
    flow: &mut F,
    doer: &mut impl Doer<F>,
    first: Input,
    shell: &dyn Shell,
    ambient: &Ambient,
) {
    let mut wakes = BTreeSet::new();
    let mut next = Some(first);
    while let Some(input) = next.take() {
        let Step { effects, view } = flow.step(input, ambient.now());
        shell.show(&view);
        let mut queue = VecDeque::from(effects);
        while let Some(effect) = queue.pop_front() {
            let outcome = match effect {
                Effect::WakeAt(at) => {
                    wakes.insert(at);
                    continue;
                }
                Effect::Save(saved) => match doer.save(flow, saved) {
                    Ok(()) => continue,
                    Err(failure) => Outcome::Input(Input::Failed(failure.into_problem())),
                },
                Effect::Forget => {
                    doer.forget(flow);
                    continue;
                }
                effect => wait(flow, doer.perform(effect), &mut wakes, shell, ambient).await,
            };
            match outcome {
                // Only the last effect of a step yields an input; a failure drops the others.
                Outcome::Input(input) => {
                    next = Some(input);
                    break;
                }
                Outcome::Turned(effects) => queue = effects.into(),
            }
        }
    }
}

enum Outcome {
    Input(Input),
    /// Time or the person turned the flow elsewhere; what was going on is dropped.
    Turned(Vec<Effect>),
}

async fn wait<F: Flow>(
    flow: &mut F,
    work: impl Future<Output = Result<Input, Failure>> + Send,
    wakes: &mut BTreeSet<Timestamp>,
    shell: &dyn Shell,
    ambient: &Ambient,
) -> Outcome {
    tokio::pin!(work);
    loop {
        let side = tokio::select! {
            done = &mut work => {
                let failed = |failure: Failure| Input::Failed(failure.into_problem());
                return Outcome::Input(done.unwrap_or_else(failed));
            }
            () = alarm(wakes, ambient) => Input::Tick,
            signal = shell.signal() => match signal {
                Signal::Cancel => Input::Cancelled,
                Signal::OtherWay => Input::OtherWay,
            },
        };
        let Step { effects, view } = flow.step(side, ambient.now());
        shell.show(&view);
        let goes_on = matches!(
            view.next,
            FlowNext::Wait | FlowNext::UsePasskey { .. } | FlowNext::UseSecurityKey { .. }
        );
        if !effects.is_empty() || !goes_on {
            return Outcome::Turned(effects);
        }
    }
}

/// Waits for the earliest wake-up and takes it off the list; for ever when there is none.
async fn alarm(wakes: &mut BTreeSet<Timestamp>, ambient: &Ambient) {
    let Some(first) = wakes.first().copied() else { return std::future::pending().await };
    let millis = first.millis().saturating_sub(ambient.now().millis());
    tokio::time::sleep(Duration::from_millis(u64::try_from(millis).unwrap_or(0))).await;
    wakes.remove(&first);
}
