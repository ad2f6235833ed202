//! An agent's request as it came, and whose key signed it.

use super::Service;
use crate::config::AgentProvider;
use crate::failure::Failure;
use crate::store::Tx;
use crate::store::agents::{self, Agent};
use landfall_crypto::aauth::message::{self, Demands, Request};
use landfall_crypto::aauth::{
    AgentClaims, AgentKey, FaultCode, KeySource, NamingClaims, NamingRules, Profile, Scheme,
    SignatureFault, Unverified, agent_token, naming,
};
use landfall_identity::{Refusal, Seconds, Timestamp};

/// How far a signature's time may be from ours.
const WINDOW: Seconds = Seconds(60);
/// The longest that a naming token may live.
const NAMING_MAX: Seconds = Seconds::minutes(10);
/// The fields of a signature.
const FIELDS: [&str; 3] = ["signature", "signature-input", "signature-key"];

/// A request of an agent.
#[derive(Clone)]
pub struct AgentMessage {
    /// The method.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// What stands behind `?`.
    pub query: Option<String>,
    /// What the request called this server.
    pub authority: String,
    /// Whether it came over TLS.
    pub https: bool,
    /// The header fields in their order.
    pub fields: Vec<(String, String)>,
    /// The body as sent.
    pub body: Vec<u8>,
}

/// Whose key has signed, and so what a token may be bound to.
pub(super) enum Signed {
    /// The durable key itself.
    Durable(AgentKey),
    /// A key that an enrolled one has named.
    Named(Box<NamingClaims>),
    /// The key of an agent's token.
    Token(Box<AgentClaims>),
}

/// What a route takes.
#[derive(Clone, Copy)]
pub(super) struct Taken {
    /// How keys may be named.
    pub schemes: &'static [Scheme],
    /// Whether the body must be covered.
    pub digest: bool,
}

impl AgentMessage {
    /// Whether it carries any part of a signature.
    pub(super) fn is_signed(&self) -> bool {
        self.fields
            .iter()
            .any(|(name, _)| FIELDS.iter().any(|field| name.eq_ignore_ascii_case(field)))
    }

    /// Whether it calls this server by one of its names.
    pub(super) fn is_for(&self, provider: &AgentProvider) -> bool {
        let called = message::normal_authority(&self.authority, self.https);
        provider.authorities.contains(&called)
    }

    fn read(
        &self,
        provider: &AgentProvider,
        taken: Taken,
        now: Timestamp,
    ) -> Result<Unverified, SignatureFault> {
        let fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let request = Request {
            method: &self.method,
            authority: &self.authority,
            path: &self.path,
            query: self.query.as_deref(),
            https: self.https,
            fields: &fields,
            body: &self.body,
        };
        let demands = Demands {
            profile: provider.config.profile,
            window: WINDOW,
            authorities: &provider.authorities,
            schemes: taken.schemes,
            digest: taken.digest,
        };
        message::read(&request, &demands, now)
    }
}

impl Service {
    /// Whose key has signed a message. An enrolled key is looked up only when a naming token names one:
    /// the very key that is checked comes from our table, or proves itself.
    ///
    /// # Errors
    /// [`Failure::Agent`]; [`Refusal::AgentUnknown`] when nobody has the key that a naming token names.
    pub(super) fn signed_by(
        &self,
        provider: &AgentProvider,
        message: &AgentMessage,
        taken: Taken,
        now: Timestamp,
    ) -> Result<Signed, Failure> {
        let unverified = message.read(provider, taken, now)?;
        match unverified.source() {
            KeySource::Hwk { key } => {
                let key = *key;
                unverified.verify(&key, None)?;
                Ok(Signed::Durable(key))
            }
            KeySource::JktJwt { jwt, jkt } => {
                let rules = NamingRules {
                    profile: provider.config.profile,
                    guide_era: provider.config.takes_guide_naming(),
                    issuer: provider.issuer.as_str(),
                    max_life: NAMING_MAX,
                    skew: WINDOW,
                };
                let named = naming::read(jwt, jkt.as_ref(), &rules, now)?;
                let row = self.agent_of_key(named.durable().as_str(), now)?;
                let claims = named.confirm(&key_of(&row)?)?;
                unverified.verify(&claims.ephemeral, None)?;
                Ok(Signed::Named(Box::new(claims)))
            }
            KeySource::Jwt { jwt } => {
                let claims = self.own_token(provider, jwt, now)?;
                unverified.verify(&claims.key, None)?;
                Ok(Signed::Token(Box::new(claims)))
            }
            _ => Err(SignatureFault::unsupported_scheme(taken.schemes).into()),
        }
    }

    /// What a token of our own says.
    fn own_token(
        &self,
        provider: &AgentProvider,
        jwt: &str,
        now: Timestamp,
    ) -> Result<AgentClaims, Failure> {
        let token = agent_token::read(jwt, provider.config.profile)?;
        if *token.issuer() != provider.issuer {
            let detail = "the agent token is another provider's";
            return Err(SignatureFault::new(FaultCode::InvalidJwt, detail).into());
        }
        if token.kid() != self.pki.agent_provider_kid()? {
            let detail = "the agent token names a key that is none of ours";
            return Err(SignatureFault::new(FaultCode::InvalidJwt, detail).into());
        }
        Ok(token.verify(&self.pki.agent_provider_key()?, now, WINDOW)?.clone())
    }

    /// The agent of a key, as far as it is known outside the transaction. Strangers never reach the writer
    /// by this way.
    pub(super) fn agent_of_key(&self, thumbprint: &str, now: Timestamp) -> Result<Agent, Failure> {
        let found = self
            .store
            .glance(async |tx: &mut Tx<'_>| agents::by_thumbprint(tx, thumbprint).await)?;
        Ok(found.filter(|row| !row.state.is_gone(now)).ok_or(Refusal::AgentUnknown)?)
    }
}

/// An agent's durable key, as it was enrolled.
pub(super) fn key_of(row: &Agent) -> Result<AgentKey, Failure> {
    AgentKey::from_jwk_text(row.jwk.as_bytes(), Profile::Compatible).map_err(Failure::internal)
}
