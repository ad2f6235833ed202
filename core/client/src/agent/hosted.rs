//! A service with an origin of its own is its own provider: it publishes its metadata and its key, and
//! issues its tokens to itself.

use super::error::AgentError;
use super::speak::{self, Speaker, Voice};
use super::tokens::{AgentToken, fresh_name};
use super::transport::{AgentRequest, AgentResponse, Transport};
use landfall_crypto::Ambient;
use landfall_crypto::aauth::documents::{AgentJwks, METADATA_PATH};
use landfall_crypto::aauth::{
    AgentClaims, AgentKeyPair, AgentSigner, Algorithm, KeySource, ProviderMetadata, Scheme,
    ServerId, agent_token,
};
use landfall_identity::{AgentId, Seconds, Timestamp};
use landfall_keystore::{KeyHandle, KeyStore, KeyStoreError, StoredAgentKey};
use serde::Serialize;
use serde_json::Map;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Where the keys are published.
pub const JWKS_PATH: &str = "/.well-known/jwks.json";

/// What a service that is its own provider is made of.
pub struct HostedSetup {
    /// Its origin.
    pub issuer: ServerId,
    /// What it is called as an agent: of the origin's own domain.
    pub agent: AgentId,
    /// Where its key lives.
    pub keys: Arc<dyn KeyStore>,
    /// What its key is called there. It is made when it is missing.
    pub key: KeyHandle,
    /// The algorithm of the key, where it must be made first.
    pub algorithm: Algorithm,
    /// The algorithm of an ephemeral key for each token; the published key signs requests itself when
    /// absent.
    pub ephemeral: Option<Algorithm>,
    /// The server of the person whom it acts for.
    pub person_server: Option<ServerId>,
    /// Clock and chance.
    pub ambient: Ambient,
}

/// Something that a service must publish, as `application/json`, to anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Under which path of its origin.
    pub path: &'static str,
    /// What.
    pub json: String,
}

/// A service that issues its own tokens. Cheap to clone; clones share the token.
#[derive(Clone)]
pub struct Hosted(Arc<Inner>);

impl fmt::Debug for Hosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hosted({})", self.0.setup.agent)
    }
}

struct Inner {
    setup: HostedSetup,
    key: Arc<StoredAgentKey>,
    transport: Transport,
    held: Mutex<Option<Held>>,
    ephemeral: std::sync::Mutex<Option<Algorithm>>,
}

#[derive(Clone)]
struct Held {
    token: AgentToken,
    signer: Arc<dyn AgentSigner>,
    renew_at: Timestamp,
}

impl Hosted {
    /// Finds the service's key, or makes it.
    ///
    /// # Errors
    /// [`AgentError::Key`] when there is no key and none can be made; [`AgentError::Request`] when the
    /// agent's name is not of the issuer's domain.
    pub fn open(setup: HostedSetup) -> Result<Self, AgentError> {
        if !setup.issuer.is_loopback() && setup.agent.domain() != setup.issuer.host() {
            return Err(AgentError::Request("an agent is named within its issuer's own domain"));
        }
        match setup.keys.agent_public(&setup.key) {
            Ok(_) => {}
            Err(KeyStoreError::NotFound(_)) => {
                setup.keys.create_agent(&setup.key, setup.algorithm)?;
            }
            Err(error) => return Err(error.into()),
        }
        let key = Arc::new(StoredAgentKey::find(setup.keys.clone(), &setup.key)?);
        let transport = Transport::new(None, setup.ambient.clone());
        let ephemeral = std::sync::Mutex::new(setup.ephemeral);
        let held = Mutex::new(None);
        Ok(Self(Arc::new(Inner { setup, key, transport, held, ephemeral })))
    }

    /// What the service must publish, so that its tokens are believed.
    ///
    /// # Errors
    /// [`AgentError::Request`] when they cannot be written.
    pub fn documents(&self) -> Result<[Document; 2], AgentError> {
        let issuer = &self.0.setup.issuer;
        let metadata = ProviderMetadata::new(issuer, format!("{issuer}{JWKS_PATH}"));
        let jwks = AgentJwks { keys: vec![self.0.key.agent_key().jwks_entry(&self.kid())] };
        Ok([document(METADATA_PATH, &metadata)?, document(JWKS_PATH, &jwks)?])
    }

    /// A token that holds now.
    ///
    /// # Errors
    /// [`AgentError::Signing`] when the key does not sign.
    pub async fn token(&self) -> Result<AgentToken, AgentError> {
        Ok(self.held(self.0.setup.ambient.now(), false).await?.token)
    }

    /// Signs `request` under `scheme`: the header fields to add.
    ///
    /// # Errors
    /// [`AgentError`] says why not.
    pub async fn sign(
        &self,
        request: &AgentRequest,
        scheme: Scheme,
    ) -> Result<Vec<(&'static str, String)>, AgentError> {
        speak::sign(self, request, scheme).await
    }

    /// Signs and sends `request`. See [`super::Agent::send`].
    ///
    /// # Errors
    /// [`AgentError`] when there is no answer, or no signature.
    pub async fn send(
        &self,
        request: &AgentRequest,
        scheme: Scheme,
    ) -> Result<AgentResponse, AgentError> {
        speak::send(self, request, scheme).await
    }

    fn kid(&self) -> String {
        self.0.key.agent_key().thumbprint().to_string()
    }

    fn ephemeral(&self) -> std::sync::MutexGuard<'_, Option<Algorithm>> {
        self.0.ephemeral.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn held(&self, now: Timestamp, anew: bool) -> Result<Held, AgentError> {
        let mut held = self.0.held.lock().await;
        let fresh = |held: &&Held| !anew && !held.renew_at.is_over(now);
        if let Some(held) = held.as_ref().filter(fresh) {
            return Ok(held.clone());
        }
        let next = self.issue(now)?;
        *held = Some(next.clone());
        Ok(next)
    }

    fn issue(&self, now: Timestamp) -> Result<Held, AgentError> {
        let setup = &self.0.setup;
        let signer: Arc<dyn AgentSigner> = match *self.ephemeral() {
            Some(algorithm) => Arc::new(AgentKeyPair::generate(algorithm)?),
            None => self.0.key.clone(),
        };
        let issued_at = Timestamp::from_seconds(now.seconds());
        let claims = AgentClaims {
            issuer: setup.issuer.clone(),
            agent: setup.agent.clone(),
            jti: fresh_name(&setup.ambient),
            key: signer.agent_key(),
            issued_at,
            expires_at: issued_at + agent_token::LIFE,
            person_server: setup.person_server.clone(),
            parent: setup.agent.parent(),
            audience: Vec::new(),
            extra: Map::new(),
        };
        let text = agent_token::mint(&claims, &self.kid(), self.0.key.as_ref())?;
        let token = AgentToken {
            text,
            agent: claims.agent,
            expires_at: claims.expires_at,
            key: claims.key,
            key_id: Some(self.kid()),
            jwks_uri: Some(format!("{}{JWKS_PATH}", setup.issuer)),
        };
        let renew_at = issued_at + Seconds(agent_token::LIFE.0 / 3 * 2);
        Ok(Held { token, signer, renew_at })
    }
}

fn document(path: &'static str, value: &impl Serialize) -> Result<Document, AgentError> {
    let json = serde_json::to_string(value);
    let json = json.map_err(|_| AgentError::Request("a document cannot be written"))?;
    Ok(Document { path, json })
}

impl Speaker for Hosted {
    fn transport(&self) -> &Transport {
        &self.0.transport
    }

    fn ambient(&self) -> &Ambient {
        &self.0.setup.ambient
    }

    async fn voice(&self, scheme: Scheme, now: Timestamp, anew: bool) -> Result<Voice, AgentError> {
        let key = || -> Arc<dyn AgentSigner> { self.0.key.clone() };
        match scheme {
            Scheme::Jwt => {
                let held = self.held(now, anew).await?;
                let source = KeySource::Jwt { jwt: held.token.text };
                Ok(Voice { source, signer: held.signer })
            }
            Scheme::JwksUri => {
                let source = KeySource::JwksUri {
                    id: self.0.setup.issuer.to_string(),
                    dwk: agent_token::DWK.to_owned(),
                    kid: self.kid(),
                };
                Ok(Voice { source, signer: key() })
            }
            Scheme::Hwk => {
                let source = KeySource::Hwk { key: self.0.key.agent_key() };
                Ok(Voice { source, signer: key() })
            }
            _ => Err(AgentError::Scheme("a service that issues its own tokens has no such key")),
        }
    }

    fn schemes(&self) -> &'static [Scheme] {
        &[Scheme::Jwt, Scheme::JwksUri, Scheme::Hwk]
    }

    async fn use_algorithm(&self, algorithm: Algorithm) -> bool {
        let mut ephemeral = self.ephemeral();
        let other = ephemeral.is_some_and(|one| one != algorithm);
        if other {
            *ephemeral = Some(algorithm);
        }
        other
    }
}
