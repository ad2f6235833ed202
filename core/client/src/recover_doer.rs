//! What a recovery's flow asks for, carried out: its calls, its key, its files, its passkey.

use crate::ask::{check_version, read_json};
use crate::client::Client;
use crate::drive::Doer;
use crate::enroll::misplaced;
use crate::failure::Failure;
use crate::http::{Http, Request};
use crate::passkey_door::PasskeyDoor;
use crate::recovery_codes::told_of;
use crate::renew::{SignedPost, post_signed, renew};
use crate::security_key::Site;
use crate::shell::Shell;
use crate::state::PendingRecovery;
use landfall_crypto::httpsig::RECOVERY;
use landfall_crypto::recovery_code::RecoveryCode;
use landfall_flows::{Call, Effect, Input, KeyRef, RecoverFlow, Reply, Saved};
use landfall_identity::recovery::Door as ProofDoor;
use landfall_protocol::ceremony::{RecoverBeginRequest, RecoverRedeemRequest};
use landfall_protocol::meta::WellKnown;
use landfall_protocol::recovery::{
    Recovered, RecoveryBeginRequest, RecoveryCompleteRequest, RecoveryMailProveRequest,
    RecoveryMailRequest, RecoveryProveRequest, RecoveryShowRequest, RecoveryWaitRequest,
};
use landfall_protocol::{ErrorCode, paths};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) struct RecoverDoer<'a> {
    client: Client,
    shell: &'a dyn Shell,
    door: PasskeyDoor,
    /// Its flow is a copy from the beginning; saving puts the current one in.
    pub(super) pending: PendingRecovery,
}

impl<'a> RecoverDoer<'a> {
    pub(super) fn new(client: Client, pending: PendingRecovery, shell: &'a dyn Shell) -> Self {
        Self { client, shell, door: PasskeyDoor::default(), pending }
    }
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
            Effect::Call(call) => {
                let trust = self.pending.trust;
                let replied = self.call(call).await.map_err(|failed| failed.by_typed_line(trust));
                replied.map(Input::Replied)
            }
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
