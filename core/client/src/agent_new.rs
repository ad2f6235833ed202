//! Agents that are being let in on this machine: with a code, or side by side with a device of their
//! owner's. What was begun is kept until its end is known, so that a lost answer can be asked for again
//! with the same key, and no key outlives a no.

use crate::agent_here::{AGENTS_MAX, To, unreadable};
use crate::client::{Client, key_handle};
use crate::enroll::misplaced;
use crate::failure::Failure;
use crate::http::Http;
use crate::link::tampered;
use crate::state::{BegunBy, KeptAgent, PendingAgent};
use crate::texts;
use landfall_crypto::Thumbprint;
use landfall_crypto::aauth::Algorithm;
use landfall_crypto::agent_code::AgentCodeText;
use landfall_crypto::link::{LinkNonce, parse_word};
use landfall_crypto::pairing::{PairingTranscript, pairing_code};
use landfall_crypto::recovery_code::RecoveryCode;
use landfall_crypto::secret::SecretText;
use landfall_crypto::server_line::ServerLine;
use landfall_flows::{KeyRef, Remedy};
use landfall_identity::UserName;
use landfall_identity::id::RecoveryId;
use landfall_keystore::KeyStoreError;
use landfall_protocol::agent::{
    AgentGranted, AgentPairingAnswerRequest, AgentPairingBeginRequest, AgentPairingShowRequest,
    AgentPairingStatus,
};
use landfall_protocol::link::LinkStage;
use landfall_protocol::{ErrorCode, paths};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// What wants to become an agent of somebody. It has no key before something is sent.
pub struct NewAgent {
    client: Client,
    handle: String,
    server: ServerLine,
    /// What was begun under this name, and whose end nobody has heard.
    before: Option<PendingAgent>,
}

/// A key that was shown to the server, or is about to be.
struct Begun {
    client: Client,
    pending: PendingAgent,
    /// Whether the server may know the key already.
    shown: bool,
}

/// A pairing that this machine has begun.
pub struct AgentPairing {
    begun: Begun,
    status: AgentPairingStatus,
    /// The one commitment that is answered, and with what.
    exchange: Option<(String, LinkNonce)>,
}

/// How far a pairing has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PairingStep {
    /// Nobody has come yet, or the two are at it.
    Waiting,
    /// Both show these six digits.
    Digits(String),
    /// The agent may enrol.
    Approved,
}

impl Client {
    /// Something that may become an agent. `handle` is what it is called on this machine. What was begun
    /// under this name at the same server goes on, with its key.
    ///
    /// # Errors
    /// `profile-exists` when an agent of this machine is called that, or is being let in elsewhere;
    /// `key-unavailable`, `state-unwritable`.
    pub fn new_agent(&self, handle: &str, server: ServerLine) -> Result<NewAgent, Failure> {
        self.home().probe_writable()?;
        self.keys().probe_writable()?;
        if self.home().agent(handle)?.is_some() {
            return Err(Failure::new(ErrorCode::ProfileExists, texts::agent_exists(handle)));
        }
        if self.home().agents()?.len() >= AGENTS_MAX {
            return Err(Failure::new(ErrorCode::TooManyAgents, texts::AGENTS_FULL));
        }
        let before = self.begun_before(handle)?;
        if let Some(before) = before.as_ref().filter(|before| before.server != server.url) {
            return Err(begun_already(before));
        }
        Ok(NewAgent { client: self.clone(), handle: handle.to_owned(), server, before })
    }

    /// What was begun under this name, if it can go on. A pairing that ended with its program cannot, and
    /// nothing can without its key.
    fn begun_before(&self, handle: &str) -> Result<Option<PendingAgent>, Failure> {
        let Some(pending) = self.home().pending_agent(handle)? else { return Ok(None) };
        match self.keys().agent_public(&key_handle(&pending.key.handle)?) {
            Ok(_) if pending.by != BegunBy::Pairing => return Ok(Some(pending)),
            Ok(_) | Err(KeyStoreError::NotFound(_) | KeyStoreError::Damaged(_)) => {}
            // It may be there, and be looked at another time.
            Err(error) => return Err(error.into()),
        }
        self.destroy_agent_key(&pending.key)?;
        self.home().forget_pending_agent(handle)?;
        Ok(None)
    }

    /// Gives up what was begun under this name: its key is destroyed. Tells whether there was anything.
    ///
    /// # Errors
    /// When the key cannot be destroyed.
    pub fn forget_new_agent(&self, handle: &str) -> Result<bool, Failure> {
        let Some(pending) = self.home().pending_agent(handle)? else { return Ok(false) };
        self.destroy_agent_key(&pending.key)?;
        self.home().forget_pending_agent(handle)?;
        Ok(true)
    }

    /// Whether something was begun under this name, and its end was never heard.
    ///
    /// # Errors
    /// When what is kept of it cannot be read.
    pub fn has_new_agent(&self, handle: &str) -> Result<bool, Failure> {
        self.home().pending_agent(handle).map(|pending| pending.is_some())
    }
}

impl NewAgent {
    /// Whether a device of its owner has let it in already, and the answer was lost: [`Self::go_on`].
    pub fn is_approved(&self) -> bool {
        self.before.as_ref().is_some_and(|before| before.by == BegunBy::Approval)
    }

    /// Enrols with a code. What is no agent's code is not sent, and makes no key: it may be a secret that
    /// the server must not see.
    ///
    /// # Errors
    /// `token-unreadable`, `token-mistyped`; what the server says: `agent-code-wrong`, ...
    pub async fn enroll(self, code: &str, label: Option<&str>) -> Result<KeptAgent, Failure> {
        let code = read_code(code)?;
        self.begin(BegunBy::Code)?.enroll(Some(&code), label).await
    }

    /// Goes on where a device of its owner had let it in.
    ///
    /// # Errors
    /// What the server says: `agent-door-shut` when that was too long ago, ...
    pub async fn go_on(self, label: Option<&str>) -> Result<KeptAgent, Failure> {
        self.begin(BegunBy::Approval)?.enroll(None, label).await
    }

    /// Asks to be `user`'s agent, called `agent`.
    ///
    /// # Errors
    /// What the server says: `agent-id-taken`, `rate-limited`, ...
    pub async fn pair(self, user: UserName, agent: String) -> Result<AgentPairing, Failure> {
        if let Some(before) = &self.before {
            return Err(begun_already(before));
        }
        let mut begun = self.begin(BegunBy::Pairing)?;
        let body = AgentPairingBeginRequest { user, agent };
        let status = begun.ask(paths::PAIRING_BEGIN, &body).await?;
        begun.shown = true;
        Ok(AgentPairing { begun, status, exchange: None })
    }

    /// The key: the one that was made before, or a new one. On disk, with what it is for, before anybody
    /// sees it.
    fn begin(self, by: BegunBy) -> Result<Begun, Failure> {
        let Self { client, handle, server, before } = self;
        if let Some(before) = before {
            // The line that was typed last: the one before may have had a slip in it.
            let pending = PendingAgent { trust: server.trust, ..before };
            return Ok(Begun { client, pending, shown: true });
        }
        let name = format!("agent-{}", RecoveryId::from_bits(client.ambient().random()));
        let key = client.keys().create_agent(&key_handle(&name)?, Algorithm::Ed25519)?;
        let key = KeyRef { handle: name, thumbprint: key.thumbprint().to_string() };
        let ServerLine { url, trust } = server;
        let pending = PendingAgent { handle, server: url, trust, key, by };
        let begun = Begun { client, pending, shown: false };
        match begun.client.home().save_pending_agent(&begun.pending) {
            Ok(()) => Ok(begun),
            Err(failure) => {
                begun.give_up();
                Err(failure)
            }
        }
    }
}

impl Begun {
    async fn enroll(self, code: Option<&str>, label: Option<&str>) -> Result<KeptAgent, Failure> {
        let platform = std::env::consts::OS;
        let body = json!({ "enrollment_token": code, "label": label, "platform": platform });
        let granted: AgentGranted = self.ask(paths::AGENT_ENROLL, &body).await?;
        let Self { client, pending, .. } = self;
        let kept = KeptAgent {
            handle: pending.handle,
            agent: granted.agent.parse().map_err(|_| unreadable())?,
            server: pending.server,
            trust: pending.trust,
            key: pending.key,
        };
        client.home().save_agent(&kept)?;
        client.home().forget_pending_agent(&kept.handle)?;
        Ok(kept)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        path: &'static str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let PendingAgent { handle, server, trust, key, .. } = &self.pending;
        let http = Http::new(server, *trust, None, self.client.ambient())?;
        let to = To { server, key, handle };
        let answer = self.client.post_as_agent(&http, &to, path, body).await;
        answer.map_err(|failed| self.after(failed).by_typed_line(*trust))
    }

    /// Nothing is kept of what is over.
    fn after(&self, failure: Failure) -> Failure {
        if is_over(&failure, self.shown) {
            self.give_up();
        }
        failure
    }

    fn give_up(&self) {
        let destroyed = self.client.destroy_agent_key(&self.pending.key);
        let forgotten =
            destroyed.and_then(|()| self.client.home().forget_pending_agent(&self.pending.handle));
        if let Err(failure) = forgotten {
            tracing::debug!(code = %failure.code(), "something is left of an agent that was not let in");
        }
    }
}

/// Whether no agent can have the key, nor get it any more. A key that the server may know (`shown`) is given
/// up for those answers only that no agent's key ever gets.
fn is_over(failure: &Failure, shown: bool) -> bool {
    use ErrorCode as C;
    match failure.code() {
        C::AgentCodeWrong | C::TokenExpired | C::TokenUsed | C::TokenCancelled => true,
        C::TokenNamesAnother | C::AgentDoorShut | C::AgentIdTaken | C::AgentKeyRefused => true,
        C::AgentRevoked | C::PairingOver | C::LinkTampered => true,
        _ if shown => false,
        // It never went out.
        C::ServerNotTrusted => true,
        C::ServerUnreachable => failure.problem().detail.starts_with(texts::UNREACHABLE),
        code => matches!(code.status(), 400..=499) && failure.remedy() != Remedy::Retry,
    }
}

fn begun_already(before: &PendingAgent) -> Failure {
    let server = before.server.origin().ascii_serialization();
    let by_code = before.by == BegunBy::Code;
    let detail = texts::agent_begun(&before.handle, &server, by_code);
    Failure::new(ErrorCode::ProfileExists, detail)
}

/// An agent's code, as it is sent; or what the text is instead, where that can be told.
fn read_code(text: &str) -> Result<SecretText, Failure> {
    if let Ok(code) = AgentCodeText::parse(text) {
        return Ok(code.to_text());
    }
    let begins = |head: &str| text.trim_start().starts_with(head);
    let (code, detail) = if begins("lfa1.") {
        (ErrorCode::TokenMistyped, texts::AGENT_CODE_MISTYPED)
    } else if begins("lf1.") {
        (ErrorCode::TokenUnreadable, texts::AGENT_CODE_OF_DEVICE)
    } else if RecoveryCode::parse(text).is_ok() {
        (ErrorCode::TokenUnreadable, texts::AGENT_CODE_OF_RECOVERY)
    } else {
        (ErrorCode::TokenUnreadable, texts::AGENT_CODE_FORM)
    };
    Err(Failure::new(code, detail).about("code"))
}

impl AgentPairing {
    /// The eight characters that the owner types.
    pub fn code(&self) -> String {
        pairing_code(&self.status.pairing_id, &self.begun.pending.key.thumbprint)
    }

    /// How it stands now. Answers the owner's device, once.
    ///
    /// # Errors
    /// `pairing-over`; `link-tampered` when what the server passes on does not hold together.
    pub async fn step(&mut self) -> Result<PairingStep, Failure> {
        let step = self.look().await;
        step.map_err(|failure| self.begun.after(failure))
    }

    async fn look(&mut self) -> Result<PairingStep, Failure> {
        let body = AgentPairingShowRequest { pairing_id: self.status.pairing_id.clone() };
        self.seen(self.begun.ask(paths::PAIRING_SHOW, &body).await?)?;
        if let (Some(approver), None) = (&self.status.approver, &self.exchange) {
            let nonce = LinkNonce::generate(self.begun.client.ambient().random.as_ref());
            let body = AgentPairingAnswerRequest {
                pairing_id: self.status.pairing_id.clone(),
                commitment: approver.commitment.clone(),
                nonce: nonce.to_text().to_string(),
            };
            self.exchange = Some((approver.commitment.clone(), nonce));
            self.seen(self.begun.ask(paths::PAIRING_ANSWER, &body).await?)?;
        }
        match self.status.stage {
            LinkStage::Over => Err(Failure::new(ErrorCode::PairingOver, texts::PAIRING_OVER)),
            LinkStage::Approved => Ok(PairingStep::Approved),
            _ => Ok(self.digits()?.map_or(PairingStep::Waiting, PairingStep::Digits)),
        }
    }

    /// The owner has compared: the agent enrols.
    ///
    /// # Errors
    /// What the server says.
    pub async fn enroll(self, label: Option<&str>) -> Result<KeptAgent, Failure> {
        let mut begun = self.begun;
        // From here on another run can end it.
        begun.pending.by = BegunBy::Approval;
        begun.client.home().save_pending_agent(&begun.pending)?;
        begun.enroll(None, label).await
    }

    /// What the server says must be about what was asked.
    fn seen(&mut self, status: AgentPairingStatus) -> Result<(), Failure> {
        let facts = |status: &AgentPairingStatus| {
            (status.pairing_id.clone(), status.user.clone(), status.agent.clone())
        };
        if facts(&status) != facts(&self.status) {
            return Err(tampered());
        }
        self.status = status;
        Ok(())
    }

    fn digits(&self) -> Result<Option<String>, Failure> {
        let (Some(approver), Some((commitment, nonce))) = (&self.status.approver, &self.exchange)
        else {
            return Ok(None);
        };
        if approver.commitment != *commitment {
            return Err(tampered());
        }
        let Some(reveal) = &approver.nonce else { return Ok(None) };
        let word = |text: &str| parse_word(text).map_err(|_| tampered());
        let thumbprint = |text: &str| Thumbprint::parse(text).map_err(|_| misplaced());
        let transcript = PairingTranscript {
            server: self.begun.pending.server.origin().ascii_serialization(),
            tenant: self.status.tenant.clone(),
            user: self.status.user.clone(),
            pairing: self.status.pairing_id.clone(),
            agent: self.status.agent.clone(),
            key: thumbprint(&self.begun.pending.key.thumbprint)?,
            approver: approver.device.clone(),
            approver_key: thumbprint(&approver.thumbprint)?,
            commitment: word(commitment)?,
            answer: *nonce.word(),
            reveal: word(reveal)?,
        };
        if transcript.opens() { Ok(Some(transcript.check_code())) } else { Err(tampered()) }
    }
}

#[cfg(test)]
#[path = "agent_new_tests.rs"]
mod tests;
