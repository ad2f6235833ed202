//! What a client does where a person waits, or where a crash must resume: as state machines without
//! IO.
//!
//! A flow is fed [`Input`]s with the time at which they happened and answers with a [`Step`]: the
//! effects that an engine must carry out, in their order, and a [`FlowView`] that every shell renders
//! alike. A flow reads no clock, opens no socket, makes no key and holds no door secret; so each
//! transition, each crash and each late answer can be tried in a test.
//!
//! What must survive a crash is saved *before* the call that depends on it. That is why effects are
//! ordered, and why an engine stops at the first one that fails.

mod ceremony;
pub mod enroll;
pub mod io;
pub mod link;
pub mod recover;
mod recover_state;
pub mod register_passkey;
pub mod remedy;
pub mod screen;
pub mod step_up;
mod track;
pub mod view;

pub use enroll::{EnrollFacts, EnrollFlow};
pub use io::{Call, Door, Effect, Flow, Input, KeyRef, LinkSeen, Reply, Saved, Step};
pub use link::{LinkFacts, LinkFlow};
pub use recover::{RecoverFacts, RecoverFlow};
pub use register_passkey::{RegisterFacts, RegisterPasskeyFlow};
pub use remedy::Remedy;
pub use screen::{
    CodesSheet, Copied, NewToken, QrPicture, RecoveryChange, RecoveryHere, RecoveryPreview,
    RecoveryStage, RecoveryTyped, Revealed, SavedSheet, SheetFormat, Standing, TokenPreview,
};
pub use step_up::{StepUpFacts, StepUpFlow};
pub use view::{
    FlowAbout, FlowFailure, FlowName, FlowNext, FlowOtherWay, FlowStep, FlowStepId, FlowStepState,
    FlowView, KeyPin,
};
