//! Recovery on a bare machine: from a sheet of paper, and perhaps a phone call, to an identity.

use self::doer::RecoverDoer;
use crate::client::Client;
use crate::drive::drive;
use crate::enroll::misplaced;
use crate::failure::Failure;
use crate::http::Http;
use crate::passkey_door::door;
use crate::renew::{SignedPost, post_signed};
use crate::shell::Shell;
use crate::state::{PendingRecovery, Profile, ProfileName, ShownCode};
use crate::texts;
use landfall_crypto::crockford::TypedCode;
use landfall_crypto::httpsig::RECOVERY;
use landfall_crypto::recovery_code::{RecoveryCode, device_check};
use landfall_crypto::secret::SecretText;
use landfall_crypto::server_line::ServerLine;
use landfall_flows::{Flow, FlowNext, FlowView, Input, RecoverFacts, RecoverFlow};
use landfall_identity::id::RecoveryId;
use landfall_identity::recovery::Door as ProofDoor;
use landfall_identity::{DeviceName, Label, UserName};
use landfall_protocol::recovery::{Recovered, RecoveryCompleteRequest, RecoveryStatus};
use landfall_protocol::{ErrorCode, Problem, paths};
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

    /// The server that it is about, and how to know it.
    pub fn server(&self) -> ServerLine {
        let PendingRecovery { server, trust, .. } = &self.pending;
        ServerLine { url: server.clone(), trust: *trust }
    }

    /// Whether nothing that the server knows would be lost with it: it never answered, or the time that it
    /// gave is over. What is finished here and was not seen yet would be.
    pub fn is_idle(&self) -> bool {
        let flow = &self.pending.flow;
        let now = self.client.ambient().now();
        !flow.is_finished() && flow.status().is_none_or(|status| status.expires_at.0.is_over(now))
    }

    /// Whether the server that answered was not the one that the line names, before anything was begun there.
    pub fn is_mistrusted(&self) -> bool {
        let flow = &self.pending.flow;
        let untrusted = |problem: &Problem| problem.code == ErrorCode::ServerNotTrusted;
        flow.status().is_none() && flow.problem().is_some_and(untrusted)
    }

    /// Whether a freeze that came after its beginning has stopped it.
    pub fn is_stopped_by_freeze(&self) -> bool {
        let flow = &self.pending.flow;
        flow.problem().is_some_and(|problem| problem.code == ErrorCode::AccountFrozen)
            || flow.status().is_some_and(|status| status.account_frozen)
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

    /// The person calls this machine something else: until it is in.
    pub fn relabel(&mut self, label: Label) {
        if !self.pending.flow.is_finished() {
            self.pending.flow.relabel(label);
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
        let mut doer = RecoverDoer::new(self.client.clone(), self.pending.clone(), shell);
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

#[path = "recover_doer.rs"]
mod doer;
