//! Agents on this machine: a key that is made and stays here, a name that its owner lets in, and tokens by
//! signing. What is kept is a local name; the key is in the key store.

use crate::ask::read_json;
use crate::client::{Client, key_handle};
use crate::enroll::misplaced;
use crate::failure::Failure;
use crate::http::{Http, Request};
use crate::link::tampered;
use crate::loss::Loss;
use crate::state::KeptAgent;
use crate::texts;
use landfall_crypto::Thumbprint;
use landfall_crypto::aauth::{self, Algorithm, KeySource, SignedFields, Signing};
use landfall_crypto::link::{LinkNonce, parse_word};
use landfall_crypto::pairing::{PairingTranscript, pairing_code};
use landfall_crypto::server_line::ServerLine;
use landfall_flows::KeyRef;
use landfall_identity::UserName;
use landfall_identity::id::RecoveryId;
use landfall_keystore::{KeyStoreError, StoredAgentKey};
use landfall_protocol::agent::{
    AgentGranted, AgentPairingAnswerRequest, AgentPairingBeginRequest, AgentPairingShowRequest,
    AgentPairingStatus,
};
use landfall_protocol::capability::{
    ApprovalInfo, ApprovalRaiseRequest, CapabilityIssued, CapabilityRequest,
};
use landfall_protocol::link::LinkStage;
use landfall_protocol::{ErrorCode, paths};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

/// Agents that one folder may hold.
pub(crate) const AGENTS_MAX: usize = 100;

/// A key that wants to become an agent of somebody.
pub struct NewAgent {
    client: Client,
    handle: String,
    server: ServerLine,
    key: KeyRef,
}

/// A pairing that this machine has begun.
pub struct AgentPairing {
    new: NewAgent,
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

/// A request that an agent's key has signed.
#[derive(Debug, Clone, Serialize)]
pub struct AgentSignedRequest {
    /// `Signature-Key`.
    pub signature_key: String,
    /// `Signature-Input`.
    pub signature_input: String,
    /// `Signature`.
    pub signature: String,
    /// `Content-Digest`, where there is a body.
    pub content_digest: Option<String>,
}

impl Client {
    /// Makes a key for an agent. `handle` is what it is called on this machine.
    ///
    /// # Errors
    /// `profile-exists` when an agent of this machine is called that; `key-unavailable`,
    /// `state-unwritable`.
    pub fn new_agent(&self, handle: &str, server: ServerLine) -> Result<NewAgent, Failure> {
        self.home().probe_writable()?;
        self.keys().probe_writable()?;
        if self.home().agent(handle)?.is_some() {
            return Err(Failure::new(ErrorCode::ProfileExists, texts::AGENT_EXISTS));
        }
        if self.home().agents()?.len() >= AGENTS_MAX {
            return Err(Failure::new(ErrorCode::TooManyAgents, texts::AGENTS_FULL));
        }
        let name = format!("agent-{}", RecoveryId::from_bits(self.ambient().random()));
        let key = self.keys().create_agent(&key_handle(&name)?, Algorithm::Ed25519)?;
        let key = KeyRef { handle: name, thumbprint: key.thumbprint().to_string() };
        Ok(NewAgent { client: self.clone(), handle: handle.to_owned(), server, key })
    }

    /// The agent of this machine that is called that; the only one when nothing is said.
    ///
    /// # Errors
    /// `not-found`.
    pub fn local_agent(&self, handle: Option<&str>) -> Result<KeptAgent, Failure> {
        let missing = || Failure::new(ErrorCode::NotFound, texts::NO_SUCH_AGENT);
        match handle {
            Some(handle) => self.home().agent(handle)?.ok_or_else(missing),
            None => match <[KeptAgent; 1]>::try_from(self.home().agents()?) {
                Ok([only]) => Ok(only),
                Err(_) => Err(missing()),
            },
        }
    }

    /// The agents of this machine, by name.
    ///
    /// # Errors
    /// When what is kept of one cannot be read.
    pub fn local_agents(&self) -> Result<Vec<KeptAgent>, Failure> {
        self.home().agents()
    }

    /// Takes an agent off this machine: its key is destroyed, its name free for another one. Whether the server still
    /// knows it is for its owner to say.
    ///
    /// # Errors
    /// `not-found`; when the key cannot be destroyed.
    pub fn forget_agent(&self, handle: &str) -> Result<KeptAgent, Failure> {
        let agent = self.local_agent(Some(handle))?;
        match self.keys().delete(&key_handle(&agent.key.handle)?) {
            Ok(()) | Err(KeyStoreError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
        self.home().forget_agent(handle)?;
        Ok(agent)
    }

    /// The agent's next token.
    ///
    /// # Errors
    /// What the server says: `agent-revoked`, `agent-held`, ...
    pub async fn agent_token(&self, agent: &KeptAgent) -> Result<AgentGranted, Failure> {
        let to = To { server: &agent.server, key: &agent.key };
        let http = Http::new(&agent.server, agent.trust, None, self.ambient())?;
        self.post_as_agent(&http, &to, paths::AGENT_TOKEN, &json!({})).await
    }

    /// Signs a request that a program will send by itself, with the agent's key and a token of it.
    ///
    /// # Errors
    /// `invalid-field` for an address that cannot be signed; what the server says to a token.
    pub async fn sign_as_agent(
        &self,
        agent: &KeptAgent,
        method: &str,
        url: &Url,
        body: &[u8],
    ) -> Result<AgentSignedRequest, Failure> {
        let granted = self.agent_token(agent).await?;
        let jwt = granted.agent_token.ok_or_else(unreadable)?;
        let target = Target { method, url, body };
        let fields = self.signed_by_agent(&agent.key, &target, &KeySource::Jwt { jwt })?;
        Ok(AgentSignedRequest {
            signature_key: fields.signature_key,
            signature_input: fields.signature_input,
            signature: fields.signature,
            content_digest: fields.content_digest,
        })
    }

    /// A capability for the agent: what it may do, where.
    ///
    /// # Errors
    /// `capability-too-wide` for what its owner has to allow first; what the server says.
    pub async fn agent_capability(
        &self,
        agent: &KeptAgent,
        request: &CapabilityRequest,
    ) -> Result<CapabilityIssued, Failure> {
        let to = To { server: &agent.server, key: &agent.key };
        let http = Http::new(&agent.server, agent.trust, None, self.ambient())?;
        self.post_as_agent(&http, &to, paths::CAPABILITIES, request).await
    }

    /// Asks the agent's owner for what it may not do.
    ///
    /// # Errors
    /// `capability-allowed` when nothing is missing; what the server says.
    pub async fn ask_owner(
        &self,
        agent: &KeptAgent,
        request: &ApprovalRaiseRequest,
    ) -> Result<ApprovalInfo, Failure> {
        let to = To { server: &agent.server, key: &agent.key };
        let http = Http::new(&agent.server, agent.trust, None, self.ambient())?;
        self.post_as_agent(&http, &to, paths::APPROVALS, request).await
    }

    fn signed_by_agent(
        &self,
        key: &KeyRef,
        target: &Target<'_>,
        source: &KeySource,
    ) -> Result<SignedFields, Failure> {
        let unavailable = || Failure::new(ErrorCode::KeyUnavailable, texts::KEY_UNAVAILABLE);
        let handle = key_handle(&key.handle)?;
        let signer =
            StoredAgentKey::find(self.keys().clone(), &handle).map_err(|_| unavailable())?;
        let authority = target.authority()?;
        let request = aauth::Request {
            method: target.method,
            authority: &authority,
            path: target.url.path(),
            query: target.url.query(),
            https: target.url.scheme() == "https",
            fields: &[("content-type", "application/json")],
            body: target.body,
        };
        let signing = Signing {
            source,
            created: self.ambient().now(),
            components: &[],
            digest: !target.body.is_empty(),
        };
        aauth::sign(&request, &signing, &signer).map_err(|_| unavailable())
    }

    /// Sends what an agent's durable key signs.
    async fn post_as_agent<T: DeserializeOwned>(
        &self,
        http: &Http,
        to: &To<'_>,
        path: &'static str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map(Zeroizing::new).map_err(|_| unreadable())?;
        let key = self.keys().agent_public(&key_handle(&to.key.handle)?)?;
        let url = to.server.join(path).map_err(|_| unreadable())?;
        let target = Target { method: "POST", url: &url, body: &body };
        let fields = self.signed_by_agent(to.key, &target, &KeySource::Hwk { key })?;
        let mut request = Request::new(Method::POST, path);
        request.headers = vec![
            ("signature-key", fields.signature_key),
            ("signature-input", fields.signature_input),
            ("signature", fields.signature),
        ];
        request.headers.extend(fields.content_digest.map(|digest| ("content-digest", digest)));
        request.body = Some(body);
        // All of them find what they did before.
        request.repeatable = true;
        request.loss = Loss::Again;
        read_json(&http.send(&request).await?)
    }
}

/// Which server, by which key.
struct To<'a> {
    server: &'a Url,
    key: &'a KeyRef,
}

/// What is signed.
struct Target<'a> {
    method: &'a str,
    url: &'a Url,
    body: &'a [u8],
}

impl Target<'_> {
    fn authority(&self) -> Result<String, Failure> {
        let host = self.url.host_str().ok_or_else(|| {
            Failure::new(ErrorCode::InvalidField, "The address must be https:// and a host.")
        })?;
        Ok(self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }
}

fn unreadable() -> Failure {
    Failure::new(ErrorCode::AnswerUnreadable, texts::UNREADABLE)
}

impl NewAgent {
    /// Enrols with a code, or by a pairing that was approved for this very key.
    ///
    /// # Errors
    /// What the server says: `agent-code-wrong`, `agent-door-shut`, ...
    pub async fn enroll(
        self,
        code: Option<&str>,
        label: Option<&str>,
    ) -> Result<KeptAgent, Failure> {
        let platform = std::env::consts::OS;
        let body = json!({ "enrollment_token": code, "label": label, "platform": platform });
        let granted: AgentGranted = self.ask(paths::AGENT_ENROLL, &body).await?;
        let kept = KeptAgent {
            handle: self.handle,
            agent: granted.agent.parse().map_err(|_| unreadable())?,
            server: self.server.url,
            trust: self.server.trust,
            key: self.key,
        };
        self.client.home().save_agent(&kept)?;
        Ok(kept)
    }

    /// Asks to be `user`'s agent, called `agent`.
    ///
    /// # Errors
    /// What the server says: `agent-id-taken`, `rate-limited`, ...
    pub async fn pair(self, user: UserName, agent: String) -> Result<AgentPairing, Failure> {
        let body = AgentPairingBeginRequest { user, agent };
        let status = self.ask(paths::PAIRING_BEGIN, &body).await?;
        Ok(AgentPairing { new: self, status, exchange: None })
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        path: &'static str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let http = Http::new(&self.server.url, self.server.trust, None, self.client.ambient())?;
        let to = To { server: &self.server.url, key: &self.key };
        let answer = self.client.post_as_agent(&http, &to, path, body).await;
        answer.map_err(|failed| failed.by_typed_line(self.server.trust))
    }
}

impl AgentPairing {
    /// The eight characters that the owner types.
    pub fn code(&self) -> String {
        pairing_code(&self.status.pairing_id, &self.new.key.thumbprint)
    }

    /// How it stands now. Answers the owner's device, once.
    ///
    /// # Errors
    /// `pairing-over`; `link-tampered` when what the server passes on does not hold together.
    pub async fn step(&mut self) -> Result<PairingStep, Failure> {
        let body = AgentPairingShowRequest { pairing_id: self.status.pairing_id.clone() };
        self.seen(self.new.ask(paths::PAIRING_SHOW, &body).await?)?;
        if let (Some(approver), None) = (&self.status.approver, &self.exchange) {
            let nonce = LinkNonce::generate(self.new.client.ambient().random.as_ref());
            let body = AgentPairingAnswerRequest {
                pairing_id: self.status.pairing_id.clone(),
                commitment: approver.commitment.clone(),
                nonce: nonce.to_text().to_string(),
            };
            self.exchange = Some((approver.commitment.clone(), nonce));
            self.seen(self.new.ask(paths::PAIRING_ANSWER, &body).await?)?;
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
        self.new.enroll(None, label).await
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
            server: self.new.server.url.origin().ascii_serialization(),
            tenant: self.status.tenant.clone(),
            user: self.status.user.clone(),
            pairing: self.status.pairing_id.clone(),
            agent: self.status.agent.clone(),
            key: thumbprint(&self.new.key.thumbprint)?,
            approver: approver.device.clone(),
            approver_key: thumbprint(&approver.thumbprint)?,
            commitment: word(commitment)?,
            answer: *nonce.word(),
            reveal: word(reveal)?,
        };
        if transcript.opens() { Ok(Some(transcript.check_code())) } else { Err(tampered()) }
    }
}
