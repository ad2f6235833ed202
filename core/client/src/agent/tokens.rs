//! An enrolled agent: its key by a local name, its token, and the next one before that is over.

use super::error::AgentError;
use super::speak::{self, Speaker, Voice, refusal_of};
use super::transport::{AgentRequest, AgentResponse, Transport};
use data_encoding::BASE64URL_NOPAD;
use landfall_crypto::aauth::documents::METADATA_PATH;
use landfall_crypto::aauth::naming::{self, NamingForm};
use landfall_crypto::aauth::{
    AgentKey, AgentKeyPair, AgentSigner, Algorithm, FaultCode, KeySource, Profile,
    ProviderMetadata, Scheme, ServerId, agent_token,
};
use landfall_crypto::token::Trust;
use landfall_crypto::{Ambient, Thumbprint};
use landfall_identity::{AgentId, Seconds, Timestamp};
use landfall_keystore::{KeyHandle, KeyStore, StoredAgentKey};
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Mutex;
use url::Url;

/// How often a refresh is tried when no answer comes.
const TRIES_MAX: usize = 3;

/// With which keys an agent speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keys {
    /// With its durable key alone.
    #[default]
    One,
    /// Its durable key names an ephemeral one for each token, and signs nothing else.
    Two {
        /// The ephemeral keys' algorithm. A server that takes another one is followed.
        ephemeral: Algorithm,
        /// Whether the provider knows only the guide's form of naming JWT.
        guide_era: bool,
    },
}

/// What an agent is made of. Of these, a configuration keeps the provider and the key's local name.
#[derive(Clone)]
pub struct AgentSetup {
    /// Who issues its tokens.
    pub provider: ServerId,
    /// How to know that it is that provider.
    pub trust: Trust,
    /// Where its key lives.
    pub keys: Arc<dyn KeyStore>,
    /// What its key is called there.
    pub key: KeyHandle,
    /// With which keys it speaks.
    pub mode: Keys,
    /// Clock and chance.
    pub ambient: Ambient,
}

/// A token that holds now, with what its provider said beside it.
#[derive(Clone)]
pub struct AgentToken {
    /// The token. It counts only beside signatures of its key.
    pub text: String,
    /// Who the agent is.
    pub agent: AgentId,
    /// When the token ends.
    pub expires_at: Timestamp,
    /// The key that it confirms.
    pub key: AgentKey,
    /// What the durable key is called in the agent's own JWKS, where the provider publishes one.
    pub key_id: Option<String>,
    /// Where that JWKS is.
    pub jwks_uri: Option<String>,
}

impl fmt::Debug for AgentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentToken({})", self.agent)
    }
}

/// An enrolled agent. Cheap to clone; clones share the token.
#[derive(Clone)]
pub struct Agent(pub(super) Arc<Inner>);

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Agent({})", self.thumbprint())
    }
}

pub(super) struct Inner {
    pub(super) setup: AgentSetup,
    pub(super) durable: Arc<StoredAgentKey>,
    transport: Transport,
    state: Mutex<State>,
}

struct State {
    metadata: Option<ProviderMetadata>,
    held: Option<Held>,
    mode: Keys,
}

#[derive(Clone)]
struct Held {
    token: AgentToken,
    signer: Arc<dyn AgentSigner>,
    renew_at: Timestamp,
}

/// What providers answer, in any dialect: the token, and perhaps more.
#[derive(Deserialize)]
pub(super) struct Granted {
    agent_token: Option<String>,
    key_id: Option<String>,
    jwks_uri: Option<String>,
}

impl Agent {
    /// Finds the agent whose key is called so. Nothing is asked of the provider yet.
    ///
    /// # Errors
    /// [`AgentError::Key`] when there is no such key.
    pub fn load(setup: AgentSetup) -> Result<Self, AgentError> {
        let durable = Arc::new(StoredAgentKey::find(setup.keys.clone(), &setup.key)?);
        let base = Url::parse(setup.provider.as_str())
            .map_err(|_| AgentError::Insecure(setup.provider.to_string()))?;
        let transport = Transport::new(Some((base, setup.trust)), setup.ambient.clone());
        let state = State { metadata: None, held: None, mode: setup.mode };
        Ok(Self(Arc::new(Inner { setup, durable, transport, state: Mutex::new(state) })))
    }

    /// The public name of its durable key, by which its provider finds it.
    pub fn thumbprint(&self) -> Thumbprint {
        self.0.durable.agent_key().thumbprint()
    }

    /// A token that holds now: the one that there is, or the next one.
    ///
    /// # Errors
    /// [`AgentError::Refused`] when the provider has ended this agent; others when it cannot be asked.
    pub async fn token(&self) -> Result<AgentToken, AgentError> {
        Ok(self.held(self.0.setup.ambient.now(), false).await?.token)
    }

    /// Fetches the next token now.
    ///
    /// # Errors
    /// As [`Self::token`].
    pub async fn refresh(&self) -> Result<AgentToken, AgentError> {
        Ok(self.held(self.0.setup.ambient.now(), true).await?.token)
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

    /// Signs and sends `request`, first under `scheme`; what the server has against the signature is
    /// answered where it can be. The last answer is returned, whatever its status.
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

    /// The provider's metadata, read once.
    ///
    /// # Errors
    /// [`AgentError`] when it cannot be read, or names another issuer.
    pub async fn metadata(&self) -> Result<ProviderMetadata, AgentError> {
        let mut state = self.0.state.lock().await;
        self.metadata_in(&mut state).await
    }

    async fn metadata_in(&self, state: &mut State) -> Result<ProviderMetadata, AgentError> {
        if let Some(metadata) = &state.metadata {
            return Ok(metadata.clone());
        }
        let answer =
            self.0.transport.send(&AgentRequest::get(self.at(METADATA_PATH)?), &[]).await?;
        if !answer.is_success() {
            return Err(refusal_of(&answer));
        }
        let provider = &self.0.setup.provider;
        let metadata = ProviderMetadata::read(&answer.body, provider)
            .map_err(|_| AgentError::Unreadable(provider.to_string()))?;
        state.metadata = Some(metadata.clone());
        Ok(metadata)
    }

    /// An address of the provider's.
    pub(super) fn at(&self, path: &str) -> Result<Url, AgentError> {
        let provider = &self.0.setup.provider;
        let unreadable = || AgentError::Unreadable(provider.to_string());
        Url::parse(provider.as_str()).and_then(|base| base.join(path)).map_err(|_| unreadable())
    }

    /// The token in use, renewed when two thirds of its life are over. A renewal that fails is let go
    /// while the token still holds.
    async fn held(&self, now: Timestamp, anew: bool) -> Result<Held, AgentError> {
        let mut state = self.0.state.lock().await;
        let fresh = |held: &&Held| !anew && !held.renew_at.is_over(now);
        if let Some(held) = state.held.as_ref().filter(fresh) {
            return Ok(held.clone());
        }
        let refreshed = self.fetch(&mut state).await;
        match (refreshed, &state.held) {
            (Ok(held), _) => {
                state.held = Some(held.clone());
                Ok(held)
            }
            (Err(error), Some(held)) if !anew && !held.token.expires_at.is_over(now) => {
                tracing::warn!(%error, "an agent's token could not be renewed yet");
                Ok(held.clone())
            }
            (Err(error), _) => Err(error),
        }
    }

    async fn fetch(&self, state: &mut State) -> Result<Held, AgentError> {
        let metadata = self.metadata_in(state).await?;
        let url = match &metadata.refresh_endpoint {
            Some(endpoint) => Url::parse(endpoint)
                .map_err(|_| AgentError::Unreadable(self.0.setup.provider.to_string()))?,
            None => self.at("/refresh")?,
        };
        let request = AgentRequest::post_json(url, b"{}".to_vec());
        let mut tries = 1;
        loop {
            let once = Refreshing::new(self, state.mode)?;
            match speak::send(&once, &request, once.scheme()).await {
                Ok(answer) => return self.taken(&answer, once.signer()),
                // A naming JWT counts once, so each try is made anew; a refresh changes nothing else.
                Err(AgentError::Unreachable(_)) if tries < TRIES_MAX => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads the token out of an answer, and sees that it is ours.
    fn taken(
        &self,
        answer: &AgentResponse,
        signer: Arc<dyn AgentSigner>,
    ) -> Result<Held, AgentError> {
        if !answer.is_success() {
            return Err(refusal_of(answer));
        }
        let provider = &self.0.setup.provider;
        let unreadable = || AgentError::Unreadable(provider.to_string());
        let granted: Granted = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
        let text = granted.agent_token.ok_or_else(unreadable)?;
        let read = agent_token::read(&text, Profile::Compatible).map_err(|_| unreadable())?;
        let claims = read.unproved();
        if claims.issuer != *provider || claims.key != signer.agent_key() {
            return Err(unreadable());
        }
        let life = claims.expires_at.since(claims.issued_at);
        let token = AgentToken {
            agent: claims.agent.clone(),
            expires_at: claims.expires_at,
            key: claims.key,
            key_id: granted.key_id,
            jwks_uri: granted.jwks_uri,
            text,
        };
        let renew_at = claims.issued_at + Seconds(life.0 / 3 * 2);
        Ok(Held { token, signer, renew_at })
    }

    /// Takes the token of an enrolment, where the provider gave one.
    pub(super) async fn keep(&self, answer: &AgentResponse) -> Result<(), AgentError> {
        let durable: Arc<dyn AgentSigner> = self.0.durable.clone();
        let mut state = self.0.state.lock().await;
        if state.mode == Keys::One && has_token(answer) {
            state.held = Some(self.taken(answer, durable)?);
        }
        Ok(())
    }
}

fn has_token(answer: &AgentResponse) -> bool {
    serde_json::from_slice::<Granted>(&answer.body).is_ok_and(|it| it.agent_token.is_some())
}

/// A name that is used once.
pub(super) fn fresh_name(ambient: &Ambient) -> String {
    BASE64URL_NOPAD.encode(&ambient.random::<16>())
}

fn naming_jwt(
    agent: &Agent,
    ephemeral: &AgentKey,
    guide_era: bool,
    now: Timestamp,
) -> Result<String, AgentError> {
    let setup = &agent.0.setup;
    let form = match guide_era {
        false => NamingForm::SelfAnchored,
        true => NamingForm::GuideEra { issuer: setup.provider.as_str() },
    };
    let jti = fresh_name(&setup.ambient);
    Ok(naming::make(agent.0.durable.as_ref(), ephemeral, form, &jti, now)?)
}

/// One refresh, which a provider may have something against as anybody may.
struct Refreshing<'a> {
    agent: &'a Agent,
    mode: Keys,
    signer: std::sync::Mutex<Arc<dyn AgentSigner>>,
}

impl<'a> Refreshing<'a> {
    fn new(agent: &'a Agent, mode: Keys) -> Result<Self, AgentError> {
        let signer: Arc<dyn AgentSigner> = match mode {
            Keys::One => agent.0.durable.clone(),
            Keys::Two { ephemeral, .. } => Arc::new(AgentKeyPair::generate(ephemeral)?),
        };
        Ok(Self { agent, mode, signer: std::sync::Mutex::new(signer) })
    }

    fn scheme(&self) -> Scheme {
        match self.mode {
            Keys::One => Scheme::Hwk,
            Keys::Two { .. } => Scheme::JktJwt,
        }
    }

    fn signer(&self) -> Arc<dyn AgentSigner> {
        self.signer.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

impl Speaker for Refreshing<'_> {
    fn transport(&self) -> &Transport {
        &self.agent.0.transport
    }

    fn ambient(&self) -> &Ambient {
        &self.agent.0.setup.ambient
    }

    async fn voice(&self, _: Scheme, now: Timestamp, _: bool) -> Result<Voice, AgentError> {
        let signer = self.signer();
        let key = signer.agent_key();
        let source = match self.mode {
            Keys::One => KeySource::Hwk { key },
            Keys::Two { guide_era, .. } => {
                let jwt = naming_jwt(self.agent, &key, guide_era, now)?;
                KeySource::JktJwt { jwt, jkt: None }
            }
        };
        Ok(Voice { source, signer })
    }

    fn schemes(&self) -> &'static [Scheme] {
        &[]
    }

    async fn use_algorithm(&self, algorithm: Algorithm) -> bool {
        let Keys::Two { .. } = self.mode else { return false };
        let mut signer = self.signer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let other = signer.agent_key().algorithm() != algorithm;
        match AgentKeyPair::generate(algorithm) {
            Ok(key) if other => {
                *signer = Arc::new(key);
                true
            }
            _ => false,
        }
    }
}

impl Speaker for Agent {
    fn transport(&self) -> &Transport {
        &self.0.transport
    }

    fn ambient(&self) -> &Ambient {
        &self.0.setup.ambient
    }

    async fn voice(&self, scheme: Scheme, now: Timestamp, anew: bool) -> Result<Voice, AgentError> {
        let durable = || -> Arc<dyn AgentSigner> { self.0.durable.clone() };
        match scheme {
            Scheme::Hwk => {
                let source = KeySource::Hwk { key: self.0.durable.agent_key() };
                Ok(Voice { source, signer: durable() })
            }
            Scheme::Jwt => {
                let held = self.held(self.0.setup.ambient.now(), anew).await?;
                let source = KeySource::Jwt { jwt: held.token.text };
                Ok(Voice { source, signer: held.signer })
            }
            Scheme::JktJwt => {
                let (algorithm, guide_era) = match self.0.state.lock().await.mode {
                    Keys::Two { ephemeral, guide_era } => (ephemeral, guide_era),
                    Keys::One => (self.0.durable.agent_key().algorithm(), false),
                };
                let signer = AgentKeyPair::generate(algorithm)?;
                let jwt = naming_jwt(self, &signer.public_key(), guide_era, now)?;
                let source = KeySource::JktJwt { jwt, jkt: None };
                Ok(Voice { source, signer: Arc::new(signer) })
            }
            Scheme::JwksUri => {
                let token = self.held(self.0.setup.ambient.now(), anew).await?.token;
                let (Some(uri), Some(kid)) = (token.jwks_uri, token.key_id) else {
                    return Err(AgentError::Scheme("its provider publishes no keys of its agents"));
                };
                Ok(Voice { source: KeySource::JwksDirect { uri, kid }, signer: durable() })
            }
            _ => Err(AgentError::Scheme("the scheme is not spoken here")),
        }
    }

    fn schemes(&self) -> &'static [Scheme] {
        &[Scheme::Jwt, Scheme::JwksUri, Scheme::JktJwt, Scheme::Hwk]
    }

    async fn use_algorithm(&self, algorithm: Algorithm) -> bool {
        let mut state = self.0.state.lock().await;
        match &mut state.mode {
            Keys::Two { ephemeral, .. } if *ephemeral != algorithm => {
                *ephemeral = algorithm;
                true
            }
            _ => false,
        }
    }
}

impl AgentError {
    /// Whether the provider does not know this agent's key, or has ended it: enrol again.
    pub fn is_over(&self) -> bool {
        let revoked = matches!(self, Self::Signature { code: FaultCode::RevokedJwt, .. });
        revoked || matches!(self, Self::Refused { status: 403, .. })
    }
}
