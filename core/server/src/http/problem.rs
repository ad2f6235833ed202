//! From a failure to the problem that leaves: what happened, why, and what to do next.
//!
//! A handler answers with a [`Refused`]; [`render`] writes it once the request's id is at hand.

mod agents;
mod limits;
mod recovery;
mod workloads;

pub use agents::AgentAnswer;

use self::limits::next_step_of_limits;
use self::recovery::next_step_of_recovery;
use crate::failure::Failure;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use landfall_identity::refusal::Young;
use landfall_identity::{Refusal, Seconds, Timestamp};
use landfall_protocol::{At, ErrorCode, Problem};

/// When to come back to a busy server.
const BUSY_RETRY: Seconds = Seconds(1);
/// When to come back to one that does not reach its database.
const UNAVAILABLE_RETRY: Seconds = Seconds(5);

/// An answer that is not a yes, on its way out.
#[derive(Debug, Clone)]
pub struct Refused {
    /// What will be sent; the request id is still missing.
    pub problem: Box<Problem>,
    /// Whether the request never reached a use case, which would have written the audit row.
    pub unread: bool,
    /// What agents' clients look for in it, beside that.
    pub agent: Option<Box<AgentAnswer>>,
}

impl Refused {
    /// A request that could not be read.
    pub fn unread(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { problem: Box::new(Problem::new(code, detail)), unread: true, agent: None }
    }

    /// As an agent's client reads it.
    pub fn for_agent(mut self) -> Self {
        let answer = || Box::new(AgentAnswer::of_problem(&self.problem));
        self.agent = Some(self.agent.take().unwrap_or_else(answer));
        self
    }

    /// As [`Self::unread`], for one field.
    pub fn field(code: ErrorCode, field: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut refused = Self::unread(code, detail);
        refused.problem.field = Some(field.into());
        refused
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        let agent = match &failure {
            Failure::Agent(fault) => Some(Box::new(AgentAnswer::of_fault(fault))),
            _ => None,
        };
        Self { problem: Box::new(problem(failure)), unread: false, agent }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Failure::from(refusal).into()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the problem that a response carries, if it carries one.
pub fn render(response: Response, request_id: &str) -> Response {
    let refused = response.extensions().get::<Refused>().cloned();
    let Some(Refused { problem, agent, .. }) = refused else { return response };
    let mut problem = *problem;
    problem.request_id = Some(request_id.to_owned());
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let status = agent.as_ref().and_then(|answer| answer.status()).unwrap_or(status);
    // A problem holds texts and numbers only; writing it cannot fail.
    let mut body = serde_json::to_value(&problem).unwrap_or_default();
    if let (Some(answer), Some(body)) = (&agent, body.as_object_mut()) {
        answer.write(body);
    }
    let body = body.to_string();
    let (mut parts, _) = response.into_parts();
    for (name, value) in agent.iter().flat_map(|answer| answer.fields()) {
        parts.headers.insert(name.clone(), value.clone());
    }
    parts.status = status;
    parts.headers.remove(http::header::CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(seconds) = problem.retry_after_seconds {
        parts.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    Response::from_parts(parts, body.into())
}

fn problem(failure: Failure) -> Problem {
    match failure {
        Failure::Refused(refusal) => of_refusal(&refusal),
        Failure::Invalid { field, why } => {
            let mut problem = Problem::new(ErrorCode::InvalidField, sentence(&why));
            problem.field = Some(field.to_owned());
            problem
        }
        Failure::Agent(fault) => Problem::new(ErrorCode::AgentSignature, sentence(fault.detail)),
        Failure::Busy => {
            retry(ErrorCode::Busy, "Nothing was done. Try again in a moment.", BUSY_RETRY)
        }
        Failure::Unavailable => retry(
            ErrorCode::Unavailable,
            "Nothing was done. Try again in a moment; if it stays, tell whoever runs this server.",
            UNAVAILABLE_RETRY,
        ),
        Failure::Internal(error) => {
            // Within the request's span, which carries its id.
            tracing::error!(%error, "a request failed on our side");
            Problem::new(
                ErrorCode::Internal,
                "It is not your fault. Try again; if it stays, give the request id to whoever runs \
                 this server.",
            )
        }
    }
}

fn of_refusal(refusal: &Refusal) -> Problem {
    let mut problem = Problem::new(ErrorCode::from(refusal), next_step(refusal));
    match refusal {
        Refusal::NameMissing { field } => problem.field = Some((*field).to_owned()),
        Refusal::TtlNotAllowed { .. } => problem.field = Some("ttl_seconds".to_owned()),
        Refusal::ClockSkew { server_time } => problem.server_time = Some((*server_time).into()),
        Refusal::RateLimited { retry_after } | Refusal::WorkloadKeysUnavailable { retry_after } => {
            problem.retry_after_seconds = Some(retry_after.0);
        }
        // Others may be there, and are not asked.
        Refusal::FreezeOneself => {
            problem.title = "An administrator's freeze is not for oneself".to_owned();
        }
        // Nobody has cancelled it.
        Refusal::InviterOut => problem.title = "This code cannot be used now".to_owned(),
        // Whoever hears it has tried once.
        Refusal::PlaceBusy { retry_after } => {
            problem.title = "Too many tries from this network".to_owned();
            problem.retry_after_seconds = Some(retry_after.0);
        }
        Refusal::RecoveryHeld { left, .. } => problem.retry_after_seconds = Some(left.0),
        // It is not the passkey that is young.
        Refusal::Probation { what: Young::Vouch, .. } => {
            problem.title = "Your word does not count yet".to_owned();
        }
        Refusal::SuccessorMissing => problem.field = Some("successor".to_owned()),
        _ => {}
    }
    problem
}

/// Why, and what to do next.
fn next_step(refusal: &Refusal) -> String {
    match refusal {
        Refusal::CertificateRequired => {
            "This address serves enrolled machines only. Enrol this one with a code first: landfall \
             enroll."
        }
        Refusal::NotEnrolled => {
            "This server does not know the key of this machine. If you have no other device, get back in: \
             landfall recover. Otherwise a code from another of your devices, or from an administrator, \
             enrols it again."
        }
        Refusal::CertificateExpired => {
            "Renew it with the machine's own key; Landfall does so by itself when it runs."
        }
        Refusal::DeviceRevoked => {
            "It was cut off for ever, on purpose. If this is your machine, it can come in under a new name: \
             landfall recover if you have no other device, otherwise with a code from another of yours."
        }
        Refusal::DeviceSuspended => {
            "It was cut off for now. Resume it from another of your devices (landfall device resume NAME), \
             or ask an administrator. Without either, get in anew with what you have kept: landfall recover \
             --replace."
        }
        Refusal::MachineRevoked => {
            "It was cut off for ever, on purpose. Whoever runs this machine asks an operator for a new one: landfall \
             device provision."
        }
        Refusal::MachineSuspended => {
            "It was cut off for now, the whole machine or this key of it. An operator sees which and lets it work again: \
             landfall admin provisioned list, then resume or enable."
        }
        Refusal::SessionRequired => "Open a session first: landfall login.",
        Refusal::SessionOver => "Open another one: landfall login.",
        Refusal::SessionOfAnotherKey => {
            "A session works only on the machine that opened it. Open one here: landfall login."
        }
        Refusal::PolicyForbids { admin: true } => {
            "The tenant's rules do not let you; the audit says which one. Administrators can always change them: \
             landfall admin policy show, then landfall admin policy set FILE."
        }
        Refusal::PolicyForbids { admin: false } => {
            "The tenant's rules do not let you. Which one, an administrator or an auditor sees in the audit."
        }
        Refusal::OtherKind => {
            "It is for others than whoever asks: a person does it, on a device of their own."
        }
        Refusal::Forbidden => "Your role does not allow it. An administrator may be able to do it.",
        other => return next_step_of_freezes(other),
    }
    .to_owned()
}

fn next_step_of_freezes(refusal: &Refusal) -> String {
    match refusal {
        Refusal::AccountFrozen => {
            "Nothing works until it is unfrozen. If a device is lost, cut it off first: landfall device lost \
             NAME. Then, with your passkey: landfall unfreeze. Without one: landfall recover --replace, or \
             ask an administrator, who alone ends it where an administrator has stopped the account."
        }
        Refusal::FrozenSinceCode => {
            "Somebody answered the emergency code with a freeze, perhaps whoever reads that administrator's mail. \
             Whoever runs the server can make another administrator, of whom no such mail is sent: \
             landfall-server break-glass NAME --new, with --stop USER for whoever must not answer."
        }
        Refusal::FrozenSinceBegun => {
            "It was frozen after this had begun, so this makes no device, and nothing of yours was used up. \
             If it was you, begin again: landfall recover --anew. Or call an administrator, who can approve \
             this one in spite of the freeze. When the freeze ends otherwise, this ends with it."
        }
        Refusal::FrozenByAdmin => {
            "Nothing that you hold ends that. Call an administrator: landfall admin unfreeze, on their machine, does."
        }
        Refusal::StoppedAccount => {
            "No word counts for an account that an administrator has stopped. If they should come back: landfall \
             admin unfreeze, which also stops what was begun before. Then they begin again, and you approve that."
        }
        Refusal::FreezeOneself => {
            "It would take another administrator to end it. To stop your own account, which your passkey ends: \
             landfall freeze. To be stopped until somebody else says so, ask another administrator."
        }
        other => return next_step_of_proofs(other),
    }
    .to_owned()
}

fn next_step_of_proofs(refusal: &Refusal) -> String {
    match refusal {
        Refusal::StepUpRequired { bound: true, .. } => {
            "It takes your passkey for exactly this. Confirm it and ask again.".to_owned()
        }
        Refusal::StepUpRequired { bound: false, .. } => {
            "It takes a passkey used within the last ten minutes: landfall login --step-up."
                .to_owned()
        }
        Refusal::StepUpForAnotherAct => {
            "What you confirmed with your passkey is not what was asked for. Confirm this one."
                .to_owned()
        }
        Refusal::StepUpSpent => {
            "A confirmation serves once. Confirm again with your passkey.".to_owned()
        }
        Refusal::Probation { until, what } => young(*what, &time(*until)),
        Refusal::FactorOnTarget => {
            "Use a passkey that does not live on that device, or ask an administrator.".to_owned()
        }
        Refusal::NotFound => {
            "There is no such thing here, or it is not yours. Check its name.".to_owned()
        }
        other => next_step_of_tokens(other),
    }
}

/// What a passkey on probation may do from when on, and who or what helps until then.
fn young(what: Young, until: &str) -> String {
    match what {
        Young::RevokeDevice => format!(
            "It may revoke that device from {until}. Until then an older passkey or an administrator \
             can; suspending it works at once."
        ),
        Young::RemovePasskey => {
            format!("It may remove that passkey from {until}. Until then an older passkey can.")
        }
        Young::RemoveAddress => {
            format!("It may remove that address from {until}. Until then an older passkey can.")
        }
        Young::ReplaceCodes => {
            format!("It may replace those codes from {until}. Until then an older passkey can.")
        }
        Young::LoosenPlan => {
            format!("It may open a further way in from {until}. Until then an older passkey can.")
        }
        Young::RemoveGuardian => {
            format!("It may remove that guardian from {until}. Until then an older passkey can.")
        }
        Young::VouchForAdmin => format!(
            "You became an administrator lately. Your word lets another administrator back in from {until}; \
             until then somebody who has been one for longer can give theirs."
        ),
        Young::Vouch => format!(
            "A guardian's word counts from a day after they were chosen, yours from {until}. Others who \
             were chosen before can help now, and so can an administrator."
        ),
        Young::ChangePlan => {
            format!("It may change that plan from {until}. Until then an older passkey can.")
        }
        Young::ChangeRole => format!(
            "It may change that role from {until}. Until then an older passkey, or another \
             administrator's, can."
        ),
        Young::StopAccount => format!(
            "It may stop that account, or let it go, from {until}. Until then an older passkey, or another \
             administrator's, can."
        ),
        Young::Unfreeze => format!(
            "It may end the freeze from {until}. Until then an older passkey or an administrator can."
        ),
    }
}

fn next_step_of_tokens(refusal: &Refusal) -> String {
    match refusal {
        Refusal::TokenInvalid => {
            "Check that you copied all of it. If it still fails, ask for another code.".to_owned()
        }
        Refusal::TokenExpired { at } => format!("It ended at {}. Ask for another code.", time(*at)),
        Refusal::TokenUsed { at, device } => format!(
            "It was used at {} for {device}. If that was not you, freeze the account at once; \
             otherwise ask for another code.",
            time(*at)
        ),
        Refusal::TokenCancelled { at } => {
            format!("It was withdrawn at {}. Ask for another code.", time(*at))
        }
        Refusal::InviterOut => {
            "Whoever made it can invite nobody now. Call them. If they can again, this one works until its time \
             is over; else another administrator makes another one."
                .to_owned()
        }
        Refusal::TokenNamesAnother => {
            "Leave the names out, or give those that the code carries.".to_owned()
        }
        Refusal::NameMissing { field } => {
            format!("The code leaves the {field} open. Give its name.")
        }
        Refusal::TtlNotAllowed { max } => {
            format!("Ask for a lifetime from 1 to {} seconds.", max.0)
        }
        Refusal::UserExists => {
            "Choose another name, or have a device of that user make a code for another device."
                .to_owned()
        }
        Refusal::DeviceNameTaken => {
            "Device names are given once, so that revoking never hits a namesake. Choose another."
                .to_owned()
        }
        Refusal::AlreadyClaimed => "Ask the administrator for an invitation.".to_owned(),
        other => next_step_of_keys(other),
    }
}

fn next_step_of_keys(refusal: &Refusal) -> String {
    match refusal {
        Refusal::CsrMalformed => "Send one PKCS#10 request as PEM, at most 8 KiB.".to_owned(),
        Refusal::CsrSignature => "Sign the request with the key that it carries.".to_owned(),
        Refusal::KeyUnsupported => "Make a P-256 key.".to_owned(),
        Refusal::KeyInUse => "Make a new key for this machine.".to_owned(),
        Refusal::SignatureInvalid => {
            "It must be made by an enrolled key over exactly this request. If this machine was \
             enrolled here, enrol it again."
                .to_owned()
        }
        Refusal::ClockSkew { server_time } => {
            format!(
                "Here it is {}. Set the machine's clock, or sign with that time.",
                time(*server_time)
            )
        }
        Refusal::RenewalTooLate => {
            "Ask another of your devices, or an administrator, for a code and enrol again."
                .to_owned()
        }
        other => next_step_of_ceremonies(other),
    }
}

fn next_step_of_ceremonies(refusal: &Refusal) -> String {
    match refusal {
        Refusal::CeremonyOver => {
            "It was used, has ended, or was begun elsewhere. Begin again from the app.".to_owned()
        }
        Refusal::CeremonyPending => "Finish on the page that the app opened, then ask again.".to_owned(),
        Refusal::CompletionWrong { tries_left: 0 } => {
            "No try is left. Begin again from the app.".to_owned()
        }
        Refusal::CompletionWrong { tries_left } => {
            format!("Look at the page again; tries left: {tries_left}.")
        }
        Refusal::PasskeyRefused => {
            "Use a passkey that is registered here, and unlock it when it asks.".to_owned()
        }
        Refusal::PasskeySuspicious => {
            "Its counter or flags contradict what it said before. Use another passkey, and have this \
             one looked into."
                .to_owned()
        }
        Refusal::NoPasskey => {
            "Register one first, on a device that you enrolled within the last ten minutes: landfall webauthn \
             register. Otherwise get \
             in anew with what you have kept, and make one then: landfall recover --replace. An \
             administrator can help, too."
                .to_owned()
        }
        Refusal::WrongAttachment => {
            "Use the kind of passkey that was asked for, or ask for a kind that you have. Yours: landfall \
             webauthn list."
                .to_owned()
        }
        Refusal::PasskeyModelRefused => {
            "Whoever runs this server takes only some models of security key. Ask them which, and use one of those. Nothing was registered.".to_owned()
        }
        Refusal::PasskeyRegistered => "Use it as it is, or register another one.".to_owned(),
        Refusal::LastPasskey => {
            "Without it you cannot confirm anything any more. Register another first, or say that \
             you mean it."
                .to_owned()
        }
        Refusal::PasskeysUnavailable => {
            "Browsers take passkeys only on a trusted name or on localhost. Whoever runs this server \
             can see what is missing: landfall-server config check."
                .to_owned()
        }
        other => next_step_of_recovery(other),
    }
}

fn retry(code: ErrorCode, detail: &str, after: Seconds) -> Problem {
    let mut problem = Problem::new(code, detail);
    problem.retry_after_seconds = Some(after.0);
    problem
}

/// A span as people say it, in the words that the programs use beside it.
fn duration(span: Seconds) -> String {
    match span.0 {
        0..=90 => format!("{} s", span.0),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

fn time(at: Timestamp) -> String {
    At(at).to_text().unwrap_or_else(|| "another time".to_owned())
}

/// A rule's text as a sentence: "it is empty" becomes "It is empty."
pub fn sentence(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).chain(['.']).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
