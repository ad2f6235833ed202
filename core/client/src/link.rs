//! Linking on the new machine: shows a code, meets the other device, and becomes one itself.

use crate::ask::{check_version, read_json};
use crate::client::Client;
use crate::drive::{Doer, drive};
use crate::enroll::{Enrolled, misplaced};
use crate::failure::Failure;
use crate::http::{Http, Request};
use crate::renew::{SignedPost, post_signed, renew};
use crate::shell::Shell;
use crate::state::{KeptExchange, PendingLink, ProfileName};
use crate::texts;
use landfall_crypto::Thumbprint;
use landfall_crypto::httpsig::RECOVERY;
use landfall_crypto::link::{LinkNonce, LinkScan, LinkTranscript, parse_word};
use landfall_crypto::recovery_code::device_check;
use landfall_crypto::server_line::ServerLine;
use landfall_flows::{
    Call, Effect, Flow, FlowNext, FlowView, Input, KeyRef, LinkFacts, LinkFlow, LinkSeen, Reply,
    Saved,
};
use landfall_identity::id::RecoveryId;
use landfall_identity::{DeviceName, Label, UserName};
use landfall_protocol::link::{LinkAnswerRequest, LinkBeginRequest, LinkShowRequest, LinkStatus};
use landfall_protocol::meta::WellKnown;
use landfall_protocol::recovery::{Recovered, RecoveryCompleteRequest};
use landfall_protocol::{ErrorCode, paths};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::time::Duration;

/// How often somebody who waits asks how it stands, before another device has taken it on.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// And afterwards, when two people look at two screens.
const LOOK_SOON: Duration = Duration::from_millis(400);

/// What a person says whose other device is at hand.
pub struct LinkRequest {
    /// The server, from a sheet or from the other device.
    pub server: ServerLine,
    /// Their user name.
    pub user: UserName,
    /// What this machine will be called.
    pub device: DeviceName,
    /// What they call it.
    pub label: Option<Label>,
    /// Whether an identity that this machine has on that server may be replaced.
    pub replace: bool,
}

/// A link that waits for the person's yes, for the other device, or goes on after an interruption.
pub struct Linking {
    client: Client,
    pending: PendingLink,
    resumed: bool,
    _lock: File,
}

/// How far a link has come.
pub enum LinkProgress {
    /// The view says what to show. Nothing is lost when this process ends.
    Waiting(Box<FlowView>),
    /// This machine has its identity.
    Done(Box<Enrolled>),
}

impl Client {
    /// Prepares a link. Asks nobody; whatever is wrong with this machine is found first.
    ///
    /// # Errors
    /// `profile-exists` (unless `replace`), `state-unwritable`, `key-unavailable`.
    pub fn link(&self, request: LinkRequest) -> Result<Linking, Failure> {
        let lock = self.prepare_identity()?;
        if !request.replace {
            self.refuse_to_replace(&request.server.url)?;
        }
        if let Some(before) = self.home().pending_link()? {
            // Its key has led to nothing; a link that was begun with it ends by itself.
            self.delete_key_unless_used(&before.flow.facts().key);
        }
        let facts = LinkFacts {
            server: request.server.url.origin().ascii_serialization(),
            user: request.user,
            device: request.device,
            label: request.label,
            key: format!("link-{}", RecoveryId::from_bits(self.ambient().random())),
        };
        let flow = LinkFlow::new(facts, self.ambient().now());
        let ServerLine { url, trust } = request.server;
        let pending = PendingLink { flow, server: url, trust, exchange: None };
        Ok(Linking { client: self.clone(), pending, resumed: false, _lock: lock })
    }

    /// Takes up the link that is under way here, if there is one.
    ///
    /// # Errors
    /// `state-unwritable`.
    pub fn resume_link(&self) -> Result<Option<Linking>, Failure> {
        let Some(pending) = self.home().pending_link()? else { return Ok(None) };
        let lock = self.prepare_identity()?;
        Ok(Some(Linking { client: self.clone(), pending, resumed: true, _lock: lock }))
    }
}

impl Linking {
    /// What to show.
    pub fn view(&self) -> FlowView {
        self.pending.flow.view(self.client.ambient().now())
    }

    /// The server that it is about, and how to know it.
    pub fn server(&self) -> ServerLine {
        let PendingLink { server, trust, .. } = &self.pending;
        ServerLine { url: server.clone(), trust: *trust }
    }

    /// Whether nothing would be lost with it: the server never answered, or its ten minutes are over.
    pub fn is_idle(&self) -> bool {
        let now = self.client.ambient().now();
        self.view().expires_at.is_none_or(|at| at.0.is_over(now))
    }

    /// The person calls this machine something else: until it is in.
    pub fn relabel(&mut self, label: Label) {
        if self.view().next != FlowNext::Finished {
            self.pending.flow.relabel(label);
        }
    }

    /// Whether it goes on after an interruption, so that there is nothing left to ask.
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Goes on as far as it can: the person has said yes, or says "try again", or wants to know how it
    /// stands.
    ///
    /// # Errors
    /// What went wrong; an identity that was here before is untouched.
    pub async fn run(&mut self, shell: &dyn Shell) -> Result<LinkProgress, Failure> {
        let first = if self.resumed { Input::Resumed } else { Input::Begin };
        self.resumed = false;
        let mut doer = LinkDoer { client: self.client.clone(), pending: self.pending.clone() };
        let ambient = self.client.ambient().clone();
        drive(&mut self.pending.flow, &mut doer, first, shell, &ambient).await;
        self.pending.exchange = doer.pending.exchange.take();
        let flow = &self.pending.flow;
        if let Some(problem) = flow.problem() {
            return Err(problem.clone().into());
        }
        if flow.is_finished() {
            return self.end().await.map(Box::new).map(LinkProgress::Done);
        }
        Ok(LinkProgress::Waiting(Box::new(self.view())))
    }

    /// Asks again and again until there is something else to show.
    ///
    /// # Errors
    /// What went wrong. A server that cannot be reached for a while is not.
    pub async fn wait(&mut self, shell: &dyn Shell) -> Result<LinkProgress, Failure> {
        let before = self.view().next;
        loop {
            let claimed = self.pending.exchange.is_some();
            tokio::time::sleep(if claimed { LOOK_SOON } else { LOOK_EVERY }).await;
            match self.run(shell).await {
                Ok(LinkProgress::Waiting(view)) if view.next == before => {}
                Ok(progress) => return Ok(progress),
                Err(failure) if self.goes_on(&failure) => {
                    tracing::debug!(code = %failure.code(), "asking again");
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    fn goes_on(&self, failure: &Failure) -> bool {
        let transient = matches!(
            failure.code(),
            ErrorCode::ServerUnreachable
                | ErrorCode::Busy
                | ErrorCode::Unavailable
                | ErrorCode::ClockJumped
        );
        transient && matches!(self.view().next, FlowNext::TryAgain)
    }

    async fn end(&self) -> Result<Enrolled, Failure> {
        self.client.reload().await;
        let name = ProfileName::of(&self.pending.server);
        let missing = || Failure::new(ErrorCode::NoProfile, texts::NO_PROFILE);
        let profile = self.client.home().profile(&name)?.ok_or_else(missing)?;
        Ok(Enrolled { name, profile })
    }
}

struct LinkDoer {
    client: Client,
    /// Its flow is a copy from the beginning; saving puts the current one in.
    pending: PendingLink,
}

impl LinkDoer {
    async fn call(&mut self, call: Call) -> Result<Reply, Failure> {
        let PendingLink { server, trust, .. } = &self.pending;
        let http = Http::new(server, *trust, None, self.client.ambient())?;
        let well_known = http.send(&Request::new(Method::GET, paths::WELL_KNOWN)).await?;
        check_version(&read_json::<WellKnown>(&well_known)?)?;
        match call {
            Call::BeginLink { key, csr, user, device } => {
                let body = LinkBeginRequest { user, device, csr };
                let status = self.post(&http, paths::LINK_BEGIN, &key, &body).await?;
                self.seen(status, &key)
            }
            Call::ShowLink { key, link } => {
                let body = LinkShowRequest { link_id: link };
                let status = self.post(&http, paths::LINK_SHOW, &key, &body).await?;
                self.seen(status, &key)
            }
            Call::AnswerLink { key, link, commitment } => {
                let nonce = self.nonce_for(&commitment)?.to_text().to_string();
                let body = LinkAnswerRequest { link_id: link, commitment, nonce };
                let status = self.post(&http, paths::LINK_ANSWER, &key, &body).await?;
                self.seen(status, &key)
            }
            Call::CompleteRecovery { key, recovery, device, label, lost } => {
                let body = RecoveryCompleteRequest {
                    recovery_id: recovery,
                    device,
                    label,
                    successor: None,
                    suspend: lost,
                };
                let done: Recovered =
                    self.post(&http, paths::RECOVERY_COMPLETE, &key, &body).await?;
                Ok(Reply::Recovered(Box::new(done)))
            }
            Call::RenewCertificate { key } => {
                let issued = renew(&http, server, &key, &self.client).await?;
                Ok(Reply::Certificate(Box::new(issued)))
            }
            _ => Err(misplaced()),
        }
    }

    /// Sends a message that the key signs.
    async fn post<T: DeserializeOwned>(
        &self,
        http: &Http,
        path: &'static str,
        key: &KeyRef,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let to = SignedPost { profile: &RECOVERY, server: &self.pending.server, path, key };
        post_signed(&self.client, http, &to, body).await
    }

    /// The nonce that answers a commitment: made once, on disk before it is sent, and for no other
    /// commitment ever.
    fn nonce_for(&mut self, commitment: &str) -> Result<LinkNonce, Failure> {
        if let Some(kept) = &self.pending.exchange {
            if kept.commitment != commitment {
                return Err(tampered());
            }
            return LinkNonce::parse(&kept.nonce).map_err(|_| tampered());
        }
        let nonce = LinkNonce::generate(self.client.ambient().random.as_ref());
        let kept = KeptExchange { commitment: commitment.to_owned(), nonce: nonce.to_text() };
        self.pending.exchange = Some(kept);
        self.client.home().save_link(&self.pending)?;
        Ok(nonce)
    }

    /// What this machine makes of the server's word.
    fn seen(&self, status: LinkStatus, key: &KeyRef) -> Result<Reply, Failure> {
        let PendingLink { server, trust, .. } = &self.pending;
        let code = device_check(&status.recovery.recovery_id, &key.thumbprint);
        let own = Thumbprint::parse(key.thumbprint.as_str()).map_err(|_| misplaced())?;
        let server = ServerLine { url: server.clone(), trust: *trust };
        let scan = LinkScan { code: code.clone(), key: own.clone(), server }.to_string();
        let check_code = self.check_code(&status, own)?;
        Ok(Reply::Link(Box::new(LinkSeen { status, code, scan, check_code })))
    }

    /// The six digits, once the other device has revealed what it had committed to.
    fn check_code(&self, status: &LinkStatus, key: Thumbprint) -> Result<Option<String>, Failure> {
        let (Some(approver), Some(kept)) = (&status.approver, &self.pending.exchange) else {
            return Ok(None);
        };
        if approver.commitment != kept.commitment {
            return Err(tampered());
        }
        let Some(reveal) = &approver.nonce else { return Ok(None) };
        let facts = self.pending.flow.facts();
        let word = |text: &str| parse_word(text).map_err(|_| tampered());
        let transcript = LinkTranscript {
            server: facts.server.clone(),
            tenant: status.recovery.tenant.clone(),
            user: facts.user.clone(),
            link: status.recovery.recovery_id.clone(),
            device: facts.device.clone(),
            key,
            approver: approver.device.clone(),
            approver_key: Thumbprint::parse(approver.thumbprint.as_str())
                .map_err(|_| tampered())?,
            commitment: word(&kept.commitment)?,
            answer: word(&kept.nonce)?,
            reveal: word(reveal)?,
        };
        if transcript.opens() { Ok(Some(transcript.check_code())) } else { Err(tampered()) }
    }
}

/// What the other side said does not hold together.
pub(crate) fn tampered() -> Failure {
    Failure::new(ErrorCode::LinkTampered, texts::LINK_TAMPERED)
}

impl Doer<LinkFlow> for LinkDoer {
    fn save(&mut self, flow: &LinkFlow, saved: Saved) -> Result<(), Failure> {
        match saved {
            Saved::Progress => {
                self.pending.flow = flow.clone();
                self.client.home().save_link(&self.pending)
            }
            Saved::Identity { key, issued } => {
                let PendingLink { server, trust, .. } = &self.pending;
                self.client.keep_identity(server, *trust, key, *issued)
            }
        }
    }

    fn forget(&mut self, flow: &LinkFlow) {
        if let Err(failure) = self.client.home().forget_link() {
            tracing::debug!(code = %failure.code(), "a finished link is still on disk");
        }
        self.client.delete_key_unless_used(&flow.facts().key);
    }

    async fn perform(&mut self, effect: Effect) -> Result<Input, Failure> {
        match effect {
            Effect::CreateKey { name } => {
                self.client.create_key(&name).map(|key| Input::KeyReady { key })
            }
            Effect::BuildCsr { key } => {
                self.client.build_csr(&key).map(|csr| Input::Signed { csr })
            }
            Effect::Call(call) => {
                let trust = self.pending.trust;
                let replied = self.call(call).await.map_err(|failed| failed.by_typed_line(trust));
                replied.map(Input::Replied)
            }
            _ => Err(misplaced()),
        }
    }
}
