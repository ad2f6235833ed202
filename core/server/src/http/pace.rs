//! Answers that leave in even steps.
//!
//! *Whoever measures how long an answer takes, thousands of times, learns what it does not say:* whether there is
//! such a user, and whether they chose a plan of their own. So what strangers ask about somebody's account is answered
//! at the next whole step after it came, however much there was to look up.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use landfall_identity::Action;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// One step: several times what the longest of these answers takes, and nothing to somebody who waits for it.
pub const STEP: Duration = Duration::from_millis(20);

/// Whether this is something that a stranger asks about the account of somebody whom they name.
pub fn is_even(action: Action) -> bool {
    matches!(
        action,
        Action::BeginRecovery
            | Action::ReadRecovery
            | Action::ProveRecovery
            | Action::AskForWait
            | Action::MailRecoveryCode
            | Action::CompleteRecovery
            | Action::BeginRecoveryPasskey
            | Action::RedeemRecoveryPasskey
            | Action::BeginLink
            | Action::ReadLink
            | Action::AnswerLink
    )
}

/// Answers at the next step.
pub async fn pass(request: Request, next: Next) -> Response {
    let came = Instant::now();
    let answer = next.run(request).await;
    sleep_until(came + step_after(came.elapsed())).await;
    answer
}

/// The first whole step that is not over after this time.
fn step_after(took: Duration) -> Duration {
    let steps = took.as_nanos().div_ceil(STEP.as_nanos()).max(1);
    STEP.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_leaves_at_a_whole_step() {
        let after = |micros| step_after(Duration::from_micros(micros)).as_millis();
        assert_eq!(after(0), 20);
        assert_eq!((after(640), after(801)), (20, 20), "somebody and nobody");
        assert_eq!(after(20_000), 20);
        assert_eq!(after(20_001), 40);
        assert_eq!(after(130_000), 140);
    }
}
