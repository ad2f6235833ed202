//! Recovery on a bare machine: from a sheet of paper, and perhaps a phone call, to an identity.

use crate::ask::{check_version, read_json};
use crate::client::Client;
use crate::drive::{Doer, drive};
use crate::enroll::misplaced;
use crate::failure::Failure;
use crate::http::{Http, Request};
use crate::passkey_door::{PasskeyDoor, door};
use crate::recovery_codes::told_of;
use crate::renew::{SignedPost, post_signed, renew};
use crate::security_key::Site;
use crate::shell::Shell;
use crate::state::{PendingRecovery, Profile, ProfileName, ShownCode};
use crate::texts;
use landfall_crypto::crockford::TypedCode;
use landfall_crypto::httpsig::RECOVERY;
use landfall_crypto::recovery_code::{RecoveryCode, device_check};
use landfall_crypto::secret::SecretText;
use landfall_crypto::server_line::ServerLine;
use landfall_flows::{
    Call, Effect, Flow, FlowNext, FlowView, Input, KeyRef, RecoverFacts, RecoverFlow, Reply, Saved,
};
use landfall_identity::id::RecoveryId;
use landfall_identity::recovery::Door as ProofDoor;
use landfall_identity::{DeviceName, Label, UserName};
use landfall_protocol::ceremony::{RecoverBeginRequest, RecoverRedeemRequest};
use landfall_protocol::meta::WellKnown;
use landfall_protocol::recovery::{
    Recovered, RecoveryBeginRequest, RecoveryCompleteRequest, RecoveryMailProveRequest,
    RecoveryMailRequest, RecoveryProveRequest, RecoveryShowRequest, RecoveryStatus,
    RecoveryWaitRequest,
};
use landfall_protocol::{ErrorCode, paths};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::time::Duration;

/// How often somebody who waits asks how it stands.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// What a person says who has lost every device.
pub struct RecoverRequest {
    /// The server, from the sheet.
    pub server: ServerLine,
    /// Their user name.
    pub user: UserName,
    /// What this machine will be called.
    pub device: DeviceName,
    /// What they call it.
    pub label: Option<Label>,
    /// A lost device, to be suspended in the same act.
    pub lost: Option<DeviceName>,
    /// A code of their sheet, if they have one.
    pub code: Option<RecoveryCode>,
    /// Whether an identity that this machine has on that server may be replaced.
    pub replace: bool,
}

/// A recovery that waits for the person's yes, for others, or goes on after an interruption.
pub struct Recovering {
    client: Client,
    pub(crate) pending: PendingRecovery,
    resumed: bool,
    _lock: File,
}

/// How far a recovery has come.
pub enum RecoveryProgress {
    /// Others must approve, or time must pass. Nothing is lost when this process ends.
    Waiting(RecoveryStatus),
    /// This machine has its identity.
    Done(Box<RecoveryEnd>),
}

/// What a recovery led to.
pub struct RecoveryEnd {
    /// The profile's name.
    pub name: ProfileName,
    /// Who this machine is now.
    pub profile: Profile,
    /// The code that takes the place of the used one, to be written on the sheet.
    pub successor: Option<SecretText>,
}

impl Client {
    /// Prepares a recovery. Asks nobody; whatever is wrong with this machine is found first.
    ///
    /// # Errors
    /// `profile-exists` (unless `replace`), `state-unwritable`, `key-unavailable`.
    pub fn recover(&self, request: RecoverRequest) -> Result<Recovering, Failure> {
        let lock = self.prepare_identity()?;
        if !request.replace {
            self.refuse_to_replace(&request.server.url)?;
        }
        if let Some(before) = self.home().pending_recovery()? {
            // Its key has led to nothing; a recovery that was begun with it ends by itself.
            self.delete_key_unless_used(&before.flow.facts().key);
        }
        let facts = RecoverFacts {
            server: request.server.url.origin().ascii_serialization(),
            user: request.user,
            device: request.device,
            label: request.label,
            lost: request.lost,
            key: format!("recover-{}", RecoveryId::from_bits(self.ambient().random())),
        };
        let code = request.code.as_ref().map(ShownCode::of).transpose()?;
        let flow = RecoverFlow::new(facts, code.is_some(), self.ambient().now());
        let ServerLine { url, trust } = request.server;
        let pending =
            PendingRecovery { flow, server: url, trust, code, mailed: None, successor: None };
        Ok(Recovering { client: self.clone(), pending, resumed: false, _lock: lock })
    }

    /// Takes up the recovery that is under way here, if there is one.
    ///
    /// # Errors
    /// `state-unwritable`.
    pub fn resume_recovery(&self) -> Result<Option<Recovering>, Failure> {
        let Some(pending) = self.home().pending_recovery()? else { return Ok(None) };
        let lock = self.prepare_identity()?;
        Ok(Some(Recovering { client: self.clone(), pending, resumed: true, _lock: lock }))
    }
}

impl Recovering {
    /// What to show.
    pub fn view(&self) -> FlowView {
        self.pending.flow.view(self.client.ambient().now())
    }

    /// Whether it goes on after an interruption, so that there is nothing left to ask.
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// What this machine shows and an administrator types, once the server knows its key.
    pub fn check_code(&self) -> Option<String> {
        check_code(&self.pending)
    }

    /// The person gives a code: the first, or another one.
    ///
    /// # Errors
    /// Never for a code that was read.
    pub fn give_code(&mut self, code: &RecoveryCode) -> Result<(), Failure> {
        self.pending.code = Some(ShownCode::of(code)?);
        self.pending.flow.give_code();
        Ok(())
    }

    /// The device that was lost, as far as it was said at the beginning.
    pub fn lost(&self) -> Option<DeviceName> {
        self.pending.flow.facts().lost.clone()
    }

    /// The person would rather wait for days than bring another proof, where that is possible.
    pub fn ask_to_wait(&mut self) {
        self.pending.flow.ask_to_wait();
    }

    /// Cuts off the device that is lost, when the person says which only now that this machine is in:
    /// one, and for a few minutes. It is revoked after a day unless somebody objects.
    ///
    /// # Errors
    /// What the server says: `invalid-field` for a device that is none, `recovery-over` when it is too
    /// late, so that it takes a passkey.
    pub async fn cut_off(&self, lost: DeviceName) -> Result<Recovered, Failure> {
        let flow = &self.pending.flow;
        let (Some(status), Some(key)) = (flow.status(), flow.key()) else {
            return Err(misplaced());
        };
        let PendingRecovery { server, trust, .. } = &self.pending;
        let http = Http::new(server, *trust, None, self.client.ambient())?;
        let body = RecoveryCompleteRequest {
            recovery_id: status.recovery_id.clone(),
            device: flow.facts().device.clone(),
            label: None,
            successor: None,
            suspend: Some(lost),
        };
        let path = paths::RECOVERY_COMPLETE;
        let to = SignedPost { profile: &RECOVERY, server, path, key };
        post_signed(&self.client, &http, &to, &body).await
    }

    /// The person wants to show a passkey: on a key that is plugged in, in this shell's browser or by
    /// hand. The next `run` asks for it.
    pub async fn use_passkey(&mut self, shell: &dyn Shell) {
        self.pending.flow.give_passkey(door(shell, None).await);
    }

    /// Whether a code by mail would help now: the server takes one, and none was shown yet.
    pub fn can_ask_by_mail(&self) -> bool {
        self.pending.flow.status().is_some_and(|status| {
            status.by_mail
                && status.held_until.is_none()
                && !status.proofs.contains(&ProofDoor::MailedCode)
        })
    }

    /// The person wants a code mailed to the addresses of their account. The next run asks for it.
    pub fn ask_by_mail(&mut self) {
        self.pending.flow.ask_by_mail();
    }

    /// The person has typed the code that was mailed. The next run shows it.
    ///
    /// # Errors
    /// [`ErrorCode::MailedCodeWrong`] for what cannot be one; nobody is asked.
    pub fn give_mailed_code(&mut self, typed: &str) -> Result<(), Failure> {
        let code = TypedCode::parse(typed)
            .map_err(|_| Failure::new(ErrorCode::MailedCodeWrong, texts::MAILED_CODE_FORM))?;
        self.pending.mailed = Some(code.to_text());
        self.pending.flow.give_mailed_code();
        Ok(())
    }

    /// The person takes another name for this machine: until it is in, for then it has one.
    pub fn rename(&mut self, device: DeviceName) {
        if !self.pending.flow.is_finished() {
            self.pending.flow.rename(device);
        }
    }

    /// The person names another lost device, or none; see [`Recovering::cut_off`] for afterwards.
    pub fn lose(&mut self, lost: Option<DeviceName>) {
        if !self.pending.flow.is_finished() {
            self.pending.flow.lose(lost);
        }
    }

    /// Goes on as far as it can: the person has said yes, or says "try again", or wants to know how it
    /// stands.
    ///
    /// # Errors
    /// What went wrong; an identity that was here before is untouched.
    pub async fn run(&mut self, shell: &dyn Shell) -> Result<RecoveryProgress, Failure> {
        let first = if self.resumed { Input::Resumed } else { Input::Begin };
        self.resumed = false;
        let mut doer = RecoverDoer {
            client: self.client.clone(),
            pending: self.pending.clone(),
            shell,
            door: PasskeyDoor::default(),
        };
        let ambient = self.client.ambient().clone();
        drive(&mut self.pending.flow, &mut doer, first, shell, &ambient).await;
        self.pending.code = doer.pending.code.take();
        self.pending.mailed = doer.pending.mailed.take();
        self.pending.successor = doer.pending.successor.take();
        let flow = &self.pending.flow;
        if let Some(problem) = flow.problem() {
            return Err(problem.clone().into());
        }
        if flow.is_finished() {
            return self.end().await.map(Box::new).map(RecoveryProgress::Done);
        }
        flow.status().cloned().map(RecoveryProgress::Waiting).ok_or_else(misplaced)
    }

    /// Asks again and again until something has changed.
    ///
    /// # Errors
    /// What went wrong. A server that cannot be reached for a while is not.
    pub async fn wait(&mut self, shell: &dyn Shell) -> Result<RecoveryProgress, Failure> {
        let before = self.pending.flow.status().cloned();
        let same = |now: &RecoveryStatus| {
            before.as_ref().is_some_and(|before| {
                (&before.proofs, before.state, before.held_until)
                    == (&now.proofs, now.state, now.held_until)
            })
        };
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match self.run(shell).await {
                Ok(RecoveryProgress::Waiting(status)) if same(&status) => {}
                Ok(progress) => return Ok(progress),
                Err(failure) if self.goes_on(&failure) => {
                    tracing::debug!(code = %failure.code(), "asking again");
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// The person has seen the new code: nothing of this needs to be kept any longer.
    ///
    /// # Errors
    /// `state-unwritable`.
    pub fn finish(self) -> Result<(), Failure> {
        self.client.home().forget_recovery()
    }

    fn goes_on(&self, failure: &Failure) -> bool {
        is_passing(failure.code()) && matches!(self.view().next, FlowNext::TryAgain)
    }

    async fn end(&self) -> Result<RecoveryEnd, Failure> {
        self.client.reload().await;
        let name = ProfileName::of(&self.pending.server);
        let missing = || Failure::new(ErrorCode::NoProfile, texts::NO_PROFILE);
        let profile = self.client.home().profile(&name)?.ok_or_else(missing)?;
        let successor = self.pending.successor.clone();
        Ok(RecoveryEnd { name, profile, successor })
    }
}

/// What the machine of a recovery shows.
pub(crate) fn check_code(pending: &PendingRecovery) -> Option<String> {
    let (status, key) = (pending.flow.status()?, pending.flow.key()?);
    Some(device_check(&status.recovery_id, &key.thumbprint))
}

/// What goes away by itself while somebody waits.
pub(crate) fn is_passing(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::ServerUnreachable
            | ErrorCode::Busy
            | ErrorCode::Unavailable
            | ErrorCode::ClockJumped
    )
}

struct RecoverDoer<'a> {
    client: Client,
    shell: &'a dyn Shell,
    door: PasskeyDoor,
    /// Its flow is a copy from the beginning; saving puts the current one in.
    pending: PendingRecovery,
}

impl RecoverDoer<'_> {
    async fn call(&mut self, call: Call) -> Result<Reply, Failure> {
        let PendingRecovery { server, trust, .. } = &self.pending;
        let http = Http::new(server, *trust, None, self.client.ambient())?;
        let well_known = http.send(&Request::new(Method::GET, paths::WELL_KNOWN)).await?;
        check_version(&read_json::<WellKnown>(&well_known)?)?;
        match call {
            Call::BeginRecovery { key, csr, user, device } => {
                let body = RecoveryBeginRequest { user, device, csr };
                let status = self.post(&http, paths::RECOVERY_BEGIN, &key, &body).await?;
                Ok(Reply::Recovery(status))
            }
            Call::ShowRecovery { key, recovery } => {
                let body = RecoveryShowRequest { recovery_id: recovery };
                let status = self.post(&http, paths::RECOVERY_SHOW, &key, &body).await?;
                Ok(Reply::Recovery(status))
            }
            Call::CompleteRecovery { key, recovery, device, label, lost } => {
                let successor = self.successor()?;
                let body = RecoveryCompleteRequest {
                    recovery_id: recovery,
                    device,
                    label,
                    successor: successor.as_ref().map(told_of).transpose()?,
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
            other => self.prove(&http, other).await,
        }
    }

    /// What shows something, or asks for what can be shown.
    async fn prove(&mut self, http: &Http, call: Call) -> Result<Reply, Failure> {
        match call {
            Call::ProveRecovery { key, recovery } => {
                let code = self.pending.code.as_ref().ok_or_else(misplaced)?;
                let body = RecoveryProveRequest {
                    recovery_id: recovery,
                    code: code.name.clone(),
                    auth: code.auth.to_string(),
                };
                let status = self.post(http, paths::RECOVERY_PROVE, &key, &body).await?;
                self.pending.code = None;
                Ok(Reply::Recovery(status))
            }
            Call::WaitRecovery { key, recovery } => {
                let body = RecoveryWaitRequest { recovery_id: recovery };
                let status = self.post(http, paths::RECOVERY_WAIT, &key, &body).await?;
                Ok(Reply::Recovery(status))
            }
            Call::BeginRecoverPasskey { key, recovery, by } => {
                let return_path = self.door.open(by, self.client.ambient()).await?;
                let body = RecoverBeginRequest { recovery_id: recovery, return_path };
                let begun = self.post(http, paths::RECOVER_BEGIN, &key, &body).await?;
                Ok(Reply::Ceremony(begun))
            }
            Call::RedeemRecoverPasskey { key, recovery, ceremony, completion } => {
                let body = RecoverRedeemRequest {
                    recovery_id: recovery,
                    ceremony_id: ceremony,
                    completion,
                };
                let status = self.post(http, paths::RECOVER_REDEEM, &key, &body).await?;
                Ok(Reply::Recovery(status))
            }
            Call::MailRecoveryCode { key, recovery } => {
                let body = RecoveryMailRequest { recovery_id: recovery };
                let status = self.post(http, paths::RECOVERY_MAIL, &key, &body).await?;
                Ok(Reply::Recovery(status))
            }
            Call::ProveRecoveryByMail { key, recovery } => {
                let code = self.pending.mailed.as_ref().ok_or_else(misplaced)?;
                let body =
                    RecoveryMailProveRequest { recovery_id: recovery, code: code.to_string() };
                let shown = self.post(http, paths::RECOVERY_MAIL_PROVE, &key, &body).await;
                // One that was looked at is of no more use; one that did not arrive still is.
                let looked_at = |failure: &Failure| failure.code() == ErrorCode::MailedCodeWrong;
                if shown.as_ref().err().is_none_or(looked_at) {
                    self.pending.mailed = None;
                }
                shown.map(Reply::Recovery)
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

    /// The code that takes the used one's place: made once, and on disk before it is spoken of.
    fn successor(&mut self) -> Result<Option<RecoveryCode>, Failure> {
        let status = self.pending.flow.status();
        if !status.is_some_and(|status| status.proofs.contains(&ProofDoor::RecoveryCode)) {
            return Ok(None);
        }
        let code = match &self.pending.successor {
            Some(text) => crate::recovery_codes::read_recovery_code(text)?,
            None => RecoveryCode::generate(self.client.ambient().random.as_ref()),
        };
        self.pending.successor = Some(code.to_text());
        self.client.home().save_recovery(&self.pending)?;
        Ok(Some(code))
    }
}

impl Doer<RecoverFlow> for RecoverDoer<'_> {
    fn save(&mut self, flow: &RecoverFlow, saved: Saved) -> Result<(), Failure> {
        match saved {
            Saved::Progress => {
                self.pending.flow = flow.clone();
                self.client.home().save_recovery(&self.pending)
            }
            Saved::Identity { key, issued } => {
                let PendingRecovery { server, trust, .. } = &self.pending;
                self.client.keep_identity(server, *trust, key, *issued)
            }
        }
    }

    fn forget(&mut self, flow: &RecoverFlow) {
        if let Err(failure) = self.client.home().forget_recovery() {
            tracing::debug!(code = %failure.code(), "a finished recovery is still on disk");
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
            Effect::Call(call) => self.call(call).await.map(Input::Replied),
            Effect::AskPasskey { begun, by } => {
                let PendingRecovery { server, trust, .. } = &self.pending;
                let http = Http::new(server, *trust, None, self.client.ambient())?;
                let site = Site { server, http: &http };
                self.door.ask(self.shell, by, &begun, &site).await
            }
            _ => Err(misplaced()),
        }
    }
}
