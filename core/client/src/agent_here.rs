//! Agents on this machine: a key that is made and stays here, a name that its owner lets in, and tokens by
//! signing. What is kept is a local name; the key is in the key store.

use crate::ask::read_json;
use crate::client::{Client, key_handle};
use crate::failure::Failure;
use crate::http::{Http, Request};
use crate::loss::Loss;
use crate::state::KeptAgent;
use crate::texts;
use landfall_crypto::aauth::{self, KeySource, SignedFields, Signing};
use landfall_flows::KeyRef;
use landfall_keystore::{KeyStoreError, StoredAgentKey};
use landfall_protocol::agent::AgentGranted;
use landfall_protocol::capability::{
    ApprovalInfo, ApprovalRaiseRequest, CapabilityIssued, CapabilityRequest,
};
use landfall_protocol::{ErrorCode, paths};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

/// Agents that one folder may hold.
pub(crate) const AGENTS_MAX: usize = 100;

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

    /// What is said instead of `missing` where agents are at home and no person is: nobody has lost a device.
    pub(crate) fn agents_alone(&self, missing: &Failure) -> Result<Option<String>, Failure> {
        if missing.code() != ErrorCode::NoProfile || !self.home().profiles()?.is_empty() {
            return Ok(None);
        }
        let agents = self.local_agents()?;
        let names: Vec<_> = agents.iter().map(|agent| agent.handle.as_str()).collect();
        Ok((!names.is_empty()).then(|| texts::agents_alone(&names.join(", "))))
    }

    /// `failure`, or what is true of a machine that has agents and no person.
    #[must_use]
    pub fn or_agents_alone(&self, failure: Failure) -> Failure {
        match self.agents_alone(&failure) {
            Ok(Some(detail)) => Failure::new(failure.code(), detail),
            _ => failure,
        }
    }

    /// Takes an agent off this machine: its key is destroyed, its name free for another one. Whether the server still
    /// knows it is for its owner to say.
    ///
    /// # Errors
    /// `not-found`; when the key cannot be destroyed.
    pub fn forget_agent(&self, handle: &str) -> Result<KeptAgent, Failure> {
        let agent = self.local_agent(Some(handle))?;
        self.destroy_agent_key(&agent.key)?;
        self.home().forget_agent(handle)?;
        Ok(agent)
    }

    pub(crate) fn destroy_agent_key(&self, key: &KeyRef) -> Result<(), Failure> {
        match self.keys().delete(&key_handle(&key.handle)?) {
            Ok(()) | Err(KeyStoreError::NotFound(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The agent's next token.
    ///
    /// # Errors
    /// What the server says: `agent-revoked`, `agent-held`, ...
    pub async fn agent_token(&self, agent: &KeptAgent) -> Result<AgentGranted, Failure> {
        let to = To::of(agent);
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
        let fields = self.signed_by_agent(&To::of(agent), &target, &KeySource::Jwt { jwt })?;
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
        let to = To::of(agent);
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
        let to = To::of(agent);
        let http = Http::new(&agent.server, agent.trust, None, self.ambient())?;
        self.post_as_agent(&http, &to, paths::APPROVALS, request).await
    }

    fn signed_by_agent(
        &self,
        to: &To<'_>,
        target: &Target<'_>,
        source: &KeySource,
    ) -> Result<SignedFields, Failure> {
        let unavailable = || to.keyless();
        let handle = key_handle(&to.key.handle)?;
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
    pub(crate) async fn post_as_agent<T: DeserializeOwned>(
        &self,
        http: &Http,
        to: &To<'_>,
        path: &'static str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map(Zeroizing::new).map_err(|_| unreadable())?;
        let key = self.keys().agent_public(&key_handle(&to.key.handle)?);
        let key = key.map_err(|error| match error {
            KeyStoreError::NotFound(_) | KeyStoreError::Damaged(_) => to.keyless(),
            other => other.into(),
        })?;
        let url = to.server.join(path).map_err(|_| unreadable())?;
        let target = Target { method: "POST", url: &url, body: &body };
        let fields = self.signed_by_agent(to, &target, &KeySource::Hwk { key })?;
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

/// Which server, by which key, and what the key's agent is called on this machine.
pub(crate) struct To<'a> {
    pub(crate) server: &'a Url,
    pub(crate) key: &'a KeyRef,
    pub(crate) handle: &'a str,
}

impl<'a> To<'a> {
    fn of(agent: &'a KeptAgent) -> Self {
        Self { server: &agent.server, key: &agent.key, handle: &agent.handle }
    }

    /// Its key is lost or damaged. *An agent's key comes back by no `--replace`.*
    fn keyless(&self) -> Failure {
        Failure::new(ErrorCode::KeyUnavailable, texts::agent_keyless(self.handle))
    }
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

pub(crate) fn unreadable() -> Failure {
    Failure::new(ErrorCode::AnswerUnreadable, texts::UNREADABLE)
}
