//! What a shell shows of a flow: plain data, no logic.

use crate::remedy::Remedy;
use landfall_identity::passkey::Attachment;
use landfall_identity::token::TokenKind;
use landfall_identity::{DeviceName, Seconds, TenantName, Timestamp, UserName};
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::{At, ErrorCode, Problem};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How long a person waits before another way is offered.
pub const PATIENCE: Seconds = Seconds(8);

/// One flow at one moment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FlowView {
    /// Which flow.
    pub flow: FlowName,
    /// What it is about, so that a person can tell before anything is spent.
    pub about: FlowAbout,
    /// The steps, in their order.
    pub steps: Vec<FlowStep>,
    /// What the person can do now.
    pub next: FlowNext,
    /// Another way, once the wait is long.
    pub other_way: Option<FlowOtherWay>,
    /// What went wrong last.
    pub failure: Option<FlowFailure>,
    /// When the code or the ceremony ends.
    pub expires_at: Option<At>,
}

/// A flow's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub enum FlowName {
    /// A code becomes this machine's identity.
    Enroll,
    /// A passkey proves a present person.
    StepUp,
    /// A new passkey.
    RegisterPasskey,
    /// A bare machine becomes a device of somebody who has none left.
    Recover,
    /// A bare machine becomes a device that another one at hand lets in.
    Link,
}

/// What a flow is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FlowAbout {
    /// The server's address.
    pub server: String,
    /// The tenant, once it is known.
    #[ts(type = "string | null")]
    pub tenant: Option<TenantName>,
    /// The user.
    #[ts(type = "string")]
    pub user: UserName,
    /// This machine.
    #[ts(type = "string")]
    pub device: DeviceName,
    /// What the code is for, where there is one.
    #[ts(type = "\"claim\" | \"invite\" | \"device\" | null")]
    pub token_kind: Option<TokenKind>,
    /// The one act that is confirmed, where there is one.
    pub act: Option<BoundActBody>,
    /// The kind of passkey, where one is asked for.
    #[ts(type = "\"platform\" | \"roaming\" | null")]
    pub attachment: Option<Attachment>,
}

/// One named step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FlowStep {
    /// Which.
    pub id: FlowStepId,
    /// Where it stands.
    pub state: FlowStepState,
    /// When it began.
    pub started_at: Option<At>,
    /// When it ended, well or not.
    pub finished_at: Option<At>,
}

/// The steps of all flows. A shell has a text for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub enum FlowStepId {
    /// The person reads what the code is for and says yes.
    Confirm,
    /// This machine makes its key.
    MakeKey,
    /// The server is asked for a certificate.
    AskServer,
    /// The identity is kept on this machine.
    Keep,
    /// The server prepares the ceremony.
    Prepare,
    /// The person uses the passkey in the browser.
    UsePasskey,
    /// The person touches a security key that is plugged in here.
    UseSecurityKey,
    /// The app collects what the browser half yielded.
    Collect,
    /// The server is told whose device this machine shall be.
    Introduce,
    /// What opens the account is shown, approved, waited for.
    Prove,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub enum FlowStepState {
    /// Not begun.
    Pending,
    /// Going on.
    Now,
    /// Done.
    Done,
    /// It went wrong.
    Failed,
}

/// What the person can do now.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "do", rename_all = "kebab-case")]
#[ts(export)]
pub enum FlowNext {
    /// Read what it is about and say yes, or stop. Nothing has been spent.
    Confirm,
    /// Wait; the step that is `now` says for what.
    Wait,
    /// Use the passkey on this page.
    UsePasskey {
        /// The page. Its fragment is secret: not for logs.
        page_url: String,
        /// Two digits that the page shows as well.
        match_number: String,
        /// Whether the page will show a code to type here.
        typed: bool,
    },
    /// Touch the security key that is plugged into this machine.
    UseSecurityKey {
        /// Its PIN is asked for. The flow does not know; the shell that speaks to the key does.
        pin: Option<KeyPin>,
    },
    /// Somebody must approve, or time must pass; `begin` asks how it stands. This can take hours, and
    /// nothing is lost when it is closed meanwhile.
    AwaitOthers {
        /// When the wait is over, when nothing but time is missing.
        held_until: Option<At>,
    },
    /// Show these to the device that lets this one in; `begin` asks how it stands. Nothing is lost
    /// when it is closed meanwhile.
    ShowCode {
        /// Eight characters, to be typed there.
        code: String,
        /// The same as a text for a QR code, with this machine's key and the server.
        scan: String,
        /// The device that has taken it on, once one has.
        #[ts(type = "string | null")]
        approver: Option<DeviceName>,
    },
    /// Show these six digits, for the person to type into the device that lets this one in; `begin`
    /// asks how it stands.
    CompareCode {
        /// The digits. Both devices have computed them; no server has.
        digits: String,
        /// The device that lets this one in.
        #[ts(type = "string")]
        approver: DeviceName,
    },
    /// Try again from where it stopped: `begin`.
    TryAgain,
    /// This flow is over; begin a new one.
    StartOver,
    /// Done.
    Finished,
}

/// A security key wants its PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct KeyPin {
    /// Whether the one before was wrong.
    pub wrong: bool,
    /// How many tries the key leaves before it locks itself for good, where it says so.
    pub tries_left: Option<u32>,
}

/// What a person may turn to when a wait is long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub enum FlowOtherWay {
    /// Look at the network: the server has not answered yet.
    CheckConnection,
    /// Open the page on another device and type the code that it shows.
    TypeCode,
    /// Leave the security key and use the page in a browser. Offered at once.
    UseBrowser,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FlowFailure {
    /// The stable code.
    pub code: ErrorCode,
    /// What kind of thing helps. A shell has a text for each.
    pub remedy: Remedy,
    /// What happened.
    pub title: String,
    /// Why, and what to do next.
    pub detail: String,
    /// When trying again makes sense.
    pub retry_after_seconds: Option<u64>,
    /// What to quote when asking for help.
    pub request_id: Option<String>,
}

impl From<&Problem> for FlowFailure {
    fn from(problem: &Problem) -> Self {
        Self {
            code: problem.code,
            remedy: Remedy::of(problem.code),
            title: problem.title.clone(),
            detail: problem.detail.clone(),
            retry_after_seconds: problem.retry_after_seconds,
            request_id: problem.request_id.clone(),
        }
    }
}

/// The other way, once somebody has waited since `since` for longer than [`PATIENCE`].
pub(crate) fn after_patience(
    since: Option<Timestamp>,
    now: Timestamp,
    way: FlowOtherWay,
) -> Option<FlowOtherWay> {
    since.filter(|since| (*since + PATIENCE).is_over(now)).map(|_| way)
}
