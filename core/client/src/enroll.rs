//! Enrolment: from a pasted code to an identity on this machine.

use crate::ask::{check_version, read_json};
use crate::client::Client;
use crate::drive::{Doer, drive};
use crate::failure::Failure;
use crate::http::{Http, Request};
use crate::loss::Loss;
use crate::renew::renew;
use crate::shell::Shell;
use crate::state::{Pending, Profile, ProfileName};
use crate::texts;
use landfall_crypto::token::{TokenError, TokenPayload, TokenText};
use landfall_flows::{Call, Effect, EnrollFacts, EnrollFlow, Flow, FlowView, Input, Reply, Saved};
use landfall_identity::{DeviceName, Label, UserName};
use landfall_protocol::enroll::{CertIssueRequest, CertIssued};
use landfall_protocol::meta::WellKnown;
use landfall_protocol::{ErrorCode, paths};
use reqwest::Method;
use std::fs::File;
use zeroize::Zeroizing;

/// What the person adds to a code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GivenNames {
    /// The user, where the code leaves it open.
    pub user: Option<UserName>,
    /// The device, where the code leaves it open.
    pub device: Option<DeviceName>,
    /// What the person calls the device.
    pub label: Option<Label>,
}

/// An enrolment that waits for the person's yes, or goes on after a crash.
pub struct Enrolling {
    client: Client,
    pending: Pending,
    resumed: bool,
    /// Whether another enrolment goes by the number of this code, and is given up for it.
    displaces: bool,
    _lock: File,
}

/// What an enrolment led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The profile's name.
    pub name: ProfileName,
    /// Who this machine is now.
    pub profile: Profile,
}

impl Client {
    /// Reads a code and prepares an enrolment. Asks nobody: whatever is wrong with the code, the names
    /// or this machine is found before anything is spent. When the same code was begun with before,
    /// that enrolment is taken up again; one that was begun with another code of the same number gives
    /// way to this one.
    ///
    /// # Errors
    /// `token-unreadable`, `token-mistyped`, `token-too-new`, `token-expired`, `name-missing`,
    /// `token-names-another`, `profile-exists` (unless `replace`), `state-unwritable`,
    /// `key-unavailable`.
    pub fn enroll(
        &self,
        pasted: &str,
        names: GivenNames,
        replace: bool,
    ) -> Result<Enrolling, Failure> {
        let token = read_token(pasted)?;
        let lock = self.prepare_identity()?;
        let begun = self.home().pending_of(&token.payload.id)?;
        let displaces = match begun {
            Some(pending) if is_of(&pending, &token) => return Ok(self.resuming(pending, lock)),
            other => other.is_some(),
        };
        let now = self.ambient().now();
        if token.payload.exp.is_over(now) {
            return Err(Failure::new(ErrorCode::TokenExpired, texts::TOKEN_OVER));
        }
        if !replace {
            self.refuse_to_replace(&token.payload.url)?;
        }
        let facts = settle(&token.payload, names)?;
        let pending = Pending {
            flow: EnrollFlow::new(facts, now),
            server: token.payload.url.clone(),
            trust: token.payload.trust,
            auth: token.secret.auth().to_text(),
        };
        Ok(Enrolling { client: self.clone(), pending, resumed: false, displaces, _lock: lock })
    }

    /// Takes up the enrolment that was interrupted last, if there is one.
    ///
    /// # Errors
    /// `state-unwritable`.
    pub fn resume_enroll(&self) -> Result<Option<Enrolling>, Failure> {
        let Some(pending) = self.home().pending().pop() else { return Ok(None) };
        let lock = self.prepare_identity()?;
        Ok(Some(self.resuming(pending, lock)))
    }

    fn resuming(&self, pending: Pending, lock: File) -> Enrolling {
        let client = self.clone();
        Enrolling { client, pending, resumed: true, displaces: false, _lock: lock }
    }
}

/// Whether an enrolment was begun with this very code, and not with one that only has its number.
fn is_of(pending: &Pending, token: &TokenText) -> bool {
    let (facts, payload) = (pending.flow.facts(), &token.payload);
    pending.server == payload.url
        && pending.trust == payload.trust
        && *pending.auth == **token.secret.auth().to_text()
        && (facts.kind, &facts.tenant) == (payload.kind, &payload.tenant)
        && facts.expires_at == payload.exp
        && payload.user.as_ref().is_none_or(|user| *user == facts.user)
        && payload.device.as_ref().is_none_or(|device| *device == facts.device)
}

/// Reads a pasted code.
///
/// # Errors
/// `token-unreadable`, `token-mistyped`, `token-too-new`.
pub(crate) fn read_token(pasted: &str) -> Result<TokenText, Failure> {
    TokenText::parse(pasted).map_err(|error| match error {
        TokenError::OtherVersion => Failure::new(ErrorCode::TokenTooNew, texts::TOKEN_TOO_NEW),
        TokenError::CutShort | TokenError::Checksum => {
            Failure::new(ErrorCode::TokenMistyped, texts::TOKEN_MISTYPED)
        }
        TokenError::Empty
        | TokenError::NotAToken
        | TokenError::TooLong
        | TokenError::Malformed(_) => {
            Failure::new(ErrorCode::TokenUnreadable, texts::TOKEN_UNREADABLE)
        }
    })
}

/// Joins what the code says with what the person says; they may not contradict each other.
fn settle(token: &TokenPayload, names: GivenNames) -> Result<EnrollFacts, Failure> {
    let missing = |field: &str, text| Failure::new(ErrorCode::NameMissing, text).about(field);
    Ok(EnrollFacts {
        token: token.id.clone(),
        kind: token.kind,
        server: token.url.origin().ascii_serialization(),
        tenant: token.tenant.clone(),
        user: agree(token.user.clone(), names.user)?
            .ok_or_else(|| missing("user", texts::USER_MISSING))?,
        device: agree(token.device.clone(), names.device)?
            .ok_or_else(|| missing("device", texts::DEVICE_MISSING))?,
        label: names.label,
        expires_at: token.exp,
    })
}

fn agree<T: PartialEq>(theirs: Option<T>, ours: Option<T>) -> Result<Option<T>, Failure> {
    match (theirs, ours) {
        (Some(theirs), Some(ours)) if theirs != ours => {
            Err(Failure::new(ErrorCode::TokenNamesAnother, texts::NAMES_ANOTHER))
        }
        (theirs, ours) => Ok(theirs.or(ours)),
    }
}

impl Enrolling {
    /// What to show before the person says yes.
    pub fn view(&self) -> FlowView {
        self.pending.flow.view(self.client.ambient().now())
    }

    /// Whether it goes on after an interruption, so that there is nothing left to ask.
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Whether an enrolment that was begun with another code of the same number is given up for it.
    pub fn displaces_another(&self) -> bool {
        self.displaces
    }

    /// Goes on: the person has said yes, or says "try again". Can be called again after a failure
    /// whose view says `try-again`.
    ///
    /// # Errors
    /// What went wrong; an identity that was here before is untouched.
    pub async fn run(&mut self, shell: &dyn Shell) -> Result<Enrolled, Failure> {
        let first = if self.resumed { Input::Resumed } else { Input::Begin };
        self.resumed = false;
        let mut doer = EnrollDoer { client: self.client.clone(), pending: self.pending.clone() };
        let ambient = self.client.ambient().clone();
        drive(&mut self.pending.flow, &mut doer, first, shell, &ambient).await;
        if let Some(problem) = self.pending.flow.problem() {
            return Err(problem.clone().into());
        }
        self.client.reload().await;
        let name = ProfileName::of(&self.pending.server);
        let missing = || Failure::new(ErrorCode::NoProfile, texts::NO_PROFILE);
        let profile = self.client.home().profile(&name)?.ok_or_else(missing)?;
        Ok(Enrolled { name, profile })
    }
}

struct EnrollDoer {
    client: Client,
    /// Its flow is a copy from the beginning; saving puts the current one in.
    pending: Pending,
}

impl EnrollDoer {
    async fn call(&self, call: Call) -> Result<Reply, Failure> {
        let Pending { server, trust, .. } = &self.pending;
        let http = Http::new(server, *trust, None, self.client.ambient())?;
        let well_known = http.send(&Request::new(Method::GET, paths::WELL_KNOWN)).await?;
        check_version(&read_json::<WellKnown>(&well_known)?)?;
        match call {
            Call::IssueCertificate { csr, user, device, label } => {
                let body = CertIssueRequest {
                    token_id: self.pending.flow.facts().token.clone(),
                    auth: self.pending.auth.to_string(),
                    csr,
                    user: Some(user),
                    device: Some(device),
                    label,
                };
                let mut request = Request::new(Method::POST, paths::CERT_ISSUE);
                request.body = serde_json::to_vec(&body).ok().map(Zeroizing::new);
                // The same key is answered with the same certificate.
                request.repeatable = true;
                request.loss = Loss::Again;
                let issued: CertIssued = read_json(&http.send(&request).await?)?;
                Ok(Reply::Certificate(Box::new(issued)))
            }
            Call::RenewCertificate { key } => {
                let issued = renew(&http, server, &key, &self.client).await?;
                Ok(Reply::Certificate(Box::new(issued)))
            }
            _ => Err(misplaced()),
        }
    }
}

impl Doer<EnrollFlow> for EnrollDoer {
    fn save(&mut self, flow: &EnrollFlow, saved: Saved) -> Result<(), Failure> {
        match saved {
            Saved::Progress => {
                self.pending.flow = flow.clone();
                self.client.home().save_pending(&self.pending)
            }
            Saved::Identity { key, issued } => {
                let Pending { server, trust, .. } = &self.pending;
                self.client.keep_identity(server, *trust, key, *issued)
            }
        }
    }

    fn forget(&mut self, flow: &EnrollFlow) {
        let token = &flow.facts().token;
        if let Err(failure) = self.client.home().forget_pending(token) {
            tracing::debug!(code = %failure.code(), "a finished enrolment is still on disk");
        }
        self.client.delete_key_unless_used(token.as_str());
    }

    async fn perform(&mut self, effect: Effect) -> Result<Input, Failure> {
        match effect {
            Effect::CreateKey { name } => {
                self.client.create_key(&name).map(|key| Input::KeyReady { key })
            }
            Effect::BuildCsr { key } => {
                self.client.build_csr(&key).map(|csr| Input::Signed { csr })
            }
            Effect::Call(call) => self.call(call).await.map(Input::Replied),
            _ => Err(misplaced()),
        }
    }
}

/// An effect of another flow: cannot happen, and is answered rather than trusted.
pub(crate) fn misplaced() -> Failure {
    Failure::new(ErrorCode::Internal, "Please report this: a flow asked for what it does not do.")
}
