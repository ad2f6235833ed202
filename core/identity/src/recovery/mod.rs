//! Getting back in with no enrolled device at hand: which proofs suffice, and what could be lost first.
//!
//! A [`Plan`] is policy as data. It is read by three functions and by nothing else: [`Plan::check`] (may
//! a tenant, or a user, choose it?), [`Plan::verdict`] (do these proofs open the door, and when?) and
//! [`Readiness::of`] (who could get in today, and which single loss locks this user out?). Because the
//! engine and the readiness screen read the same plan by the same function, what the screen promises is
//! what the engine does.

mod choice;
mod code;
mod guardian;
pub mod link;
mod mailed;
mod plan;
mod process;
mod readiness;
mod shown;
mod verdict;
mod wait;
mod ways;

pub use code::{CODES_PER_USER, CodeName, CodeNameError, CodeState};
pub use guardian::{GUARDIANS_PER_USER, Guardianship};
pub use mailed::{
    MAILED_CODE_TTL, MAILS_PER_PLACE, MAILS_PLACE_WITHIN, MAILS_UNPROVED_LONG,
    MAILS_UNPROVED_LONG_MAX, MAILS_UNPROVED_MAX, MailShare, MailsAsked,
};
pub use plan::{Door, Hold, Plan, PlanError, Preset, WAIT_MAX, WAIT_MIN};
pub use process::{
    BEGUN_PER_PLACE, BEGUN_WINDOW, Completion, MESSAGES_MAX, MESSAGES_WINDOW, OPEN_PER_ACCOUNT,
    RECOVERY_TTL, RESUME_TTL, RecoveryState, TRIES_MAX, UNPROVED_SHOWN,
};
pub use readiness::{Need, Readiness, Remedy, Standing, Thing, ThingKind, WayIn};
pub use shown::{Carried, Shown, witnessed};
pub use verdict::{Evidence, Lives, Proof, Verdict};
pub use wait::{
    LAST_LEG, Leg, OBJECTIONS_MAX, OBJECTIONS_WINDOW, Objection, PICK_UP, WaitClock, WaitState,
};
pub use ways::Way;
