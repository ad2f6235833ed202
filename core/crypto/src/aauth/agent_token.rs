//! Agent tokens: `aa-agent+jwt`, by which a provider says whose key an agent's is.

use super::Profile;
use super::fault::{FaultCode, SignatureFault};
use super::jws::{self, Confirmation, Header, Token, invalid};
use super::key::{AgentKey, AgentSigner, Signs};
use super::server_id::ServerId;
use crate::key::SignerError;
use landfall_identity::{AgentId, Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `typ` of the header.
pub const TYP: &str = "aa-agent+jwt";
/// `dwk`: the document that leads to the issuer's keys.
pub const DWK: &str = "aauth-agent.json";
/// How long one lives, unless configured otherwise.
pub const LIFE: Seconds = Seconds::hours(1);
/// The longest that one may live.
pub const LIFE_MAX: Seconds = Seconds::hours(24);
/// The longest `jti` or `kid`, in bytes.
const NAME_MAX: usize = 256;

/// What an agent token says.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentClaims {
    /// The provider: `iss`.
    pub issuer: ServerId,
    /// The agent: `sub`.
    pub agent: AgentId,
    /// The token's own name: `jti`.
    pub jti: String,
    /// The agent's key: `cnf.jwk`.
    pub key: AgentKey,
    /// When it was made: `iat`, in whole seconds.
    pub issued_at: Timestamp,
    /// When it ends: `exp`, in whole seconds.
    pub expires_at: Timestamp,
    /// The person server of the agent: `ps`.
    pub person_server: Option<ServerId>,
    /// Who made the agent, for a sub-agent: `parent_agent`.
    pub parent: Option<AgentId>,
    /// Whom it is for: `aud`. Empty: for anybody.
    pub audience: Vec<String>,
    /// The provider's own claims.
    pub extra: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    iss: String,
    dwk: String,
    sub: String,
    jti: String,
    cnf: Confirmation,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    ps: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    parent_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    aud: Option<Audience>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

/// One or several (RFC 7519 section 4.1.3).
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Makes a token; `kid` is the name of the signer's key in the issuer's JWKS.
///
/// # Errors
/// [`SignerError`] when the key's home does not sign.
pub fn mint(
    claims: &AgentClaims,
    kid: &str,
    signer: &dyn AgentSigner,
) -> Result<String, SignerError> {
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(&signer.agent_key(), TYP) };
    let jwk =
        serde_json::to_value(claims.key.jwk()).map_err(|error| SignerError(Box::new(error)))?;
    let aud = match claims.audience.as_slice() {
        [] => None,
        [one] => Some(Audience::One(one.clone())),
        several => Some(Audience::Several(several.to_vec())),
    };
    let wire = Wire {
        iss: claims.issuer.to_string(),
        dwk: DWK.to_owned(),
        sub: claims.agent.to_string(),
        jti: claims.jti.clone(),
        cnf: Confirmation { jwk },
        iat: claims.issued_at.seconds(),
        exp: claims.expires_at.seconds(),
        ps: claims.person_server.as_ref().map(ToString::to_string),
        parent_agent: claims.parent.as_ref().map(ToString::to_string),
        aud,
        extra: claims.extra.clone(),
    };
    jws::sign(&header, &wire, signer, Signs::AgentToken)
}

/// A token whose form is right. Nothing is proved yet.
#[derive(Debug, Clone)]
pub struct UnverifiedAgentToken {
    token: Token,
    kid: String,
    claims: AgentClaims,
}

/// Reads a token. Find the key that [`UnverifiedAgentToken::kid`] names in the JWKS of
/// [`UnverifiedAgentToken::issuer`], then call [`UnverifiedAgentToken::verify`].
///
/// # Errors
/// [`FaultCode::InvalidJwt`] when it is no agent token.
pub fn read(jwt: &str, profile: Profile) -> Result<UnverifiedAgentToken, SignatureFault> {
    let token = Token::read(jwt, &[TYP])?;
    let kid = token.header.kid.clone().unwrap_or_default();
    if kid.is_empty() || kid.len() > NAME_MAX {
        return Err(invalid("kid of the agent token is missing or too long"));
    }
    let claims = token.claims::<Wire>()?.read(profile)?;
    Ok(UnverifiedAgentToken { token, kid, claims })
}

impl Wire {
    fn read(self, profile: Profile) -> Result<AgentClaims, SignatureFault> {
        let server =
            |text: &str, detail| ServerId::parse_with_loopback(text).map_err(|_| invalid(detail));
        let agent = |text: String, detail| AgentId::parse(text).map_err(|_| invalid(detail));
        if self.dwk != DWK {
            return Err(invalid("dwk of the agent token is none of a provider"));
        }
        if self.jti.is_empty() || self.jti.len() > NAME_MAX {
            return Err(invalid("jti of the agent token is empty or too long"));
        }
        let claims = AgentClaims {
            issuer: server(&self.iss, "iss of the agent token names no server")?,
            agent: agent(self.sub, "sub of the agent token names no agent")?,
            jti: self.jti,
            key: AgentKey::from_jwk(&self.cnf.jwk, profile)
                .map_err(|_| invalid("cnf of the agent token holds no usable key"))?,
            issued_at: Timestamp::from_seconds(self.iat),
            expires_at: Timestamp::from_seconds(self.exp),
            person_server: self
                .ps
                .map(|ps| server(&ps, "ps of the agent token names no server"))
                .transpose()?,
            parent: self
                .parent_agent
                .map(|parent| agent(parent, "parent_agent of the agent token names no agent"))
                .transpose()?,
            audience: match self.aud {
                None => Vec::new(),
                Some(Audience::One(one)) => vec![one],
                Some(Audience::Several(several)) => several,
            },
            extra: self.extra,
        };
        claims.check().map(|()| claims)
    }
}

impl AgentClaims {
    /// What a token must not contradict itself in.
    fn check(&self) -> Result<(), SignatureFault> {
        // Otherwise one provider could speak for the agents of another. On loopback there are no hosts to
        // tell apart.
        if !self.issuer.is_loopback() && self.agent.domain() != self.issuer.host() {
            return Err(invalid("sub of the agent token is of another provider's domain"));
        }
        if self.agent.parent() != self.parent {
            return Err(invalid("parent_agent of the agent token is not the parent of sub"));
        }
        if self.issued_at >= self.expires_at || self.expires_at.since(self.issued_at) > LIFE_MAX {
            return Err(invalid("the agent token lives too long, or not at all"));
        }
        Ok(())
    }
}

impl UnverifiedAgentToken {
    /// The provider that it claims to be of.
    pub const fn issuer(&self) -> &ServerId {
        &self.claims.issuer
    }

    /// The name of the key in the issuer's JWKS.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The agent that it claims to be of.
    pub const fn agent(&self) -> &AgentId {
        &self.claims.agent
    }

    /// What it claims. For who has it from the issuer itself, or looks up what to check it with.
    pub const fn unproved(&self) -> &AgentClaims {
        &self.claims
    }

    /// What it is called.
    pub fn jti(&self) -> &str {
        &self.claims.jti
    }

    /// Checks signature and time; `skew` is how far `iat` may be ahead of `now`. The caller compares
    /// [`AgentClaims::key`] with the request's signature.
    ///
    /// # Errors
    /// [`SignatureFault`] says what is wrong with it.
    pub fn verify(
        &self,
        issuer_key: &AgentKey,
        now: Timestamp,
        skew: Seconds,
    ) -> Result<&AgentClaims, SignatureFault> {
        // An issuer's token names its algorithm fully, whatever else is taken.
        self.token.verify(issuer_key, Profile::Strict)?;
        let claims = &self.claims;
        if claims.issued_at > now + skew {
            let detail = "the agent token comes from the future; set the clock";
            return Err(SignatureFault::new(FaultCode::ClockSkew, detail));
        }
        if claims.expires_at.is_over(now) {
            return Err(SignatureFault::new(FaultCode::ExpiredJwt, "the agent token has expired"));
        }
        Ok(claims)
    }
}

#[cfg(test)]
#[path = "agent_token_tests.rs"]
mod tests;
