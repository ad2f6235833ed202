//! Capability tokens: what an agent may do somewhere, for a while, bound to its key (RFC 7800), with
//! everybody through whose hands it came inside (RFC 8693 section 4.1).
//!
//! They have a key and a `typ` of their own, so that no capability passes as a session, nor the other way
//! round. ES256 alone; the time is handed in.

use crate::jwt::{JWT_MAX, JwtError};
use crate::key::{KeyError, KeyPair, PublicKey, Signer};
use crate::thumbprint::{Jwk, Thumbprint};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use landfall_identity::caller::ActorRole;
use landfall_identity::capability::{Allowance, CHAIN_MAX, Words};
use landfall_identity::{AgentId, SpiffeId, Timestamp};
use serde::{Deserialize, Serialize};

/// `typ` of the header.
pub const TYP: &str = "landfall-capability+jwt";

/// What a capability token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapabilityClaims {
    /// Who may use it: `sub`.
    pub holder: SpiffeId,
    /// The same as an agent: `agent`.
    pub agent: AgentId,
    /// The key that must sign whatever it is shown with: `cnf.jkt`.
    pub key: Thumbprint,
    /// What is allowed, where, until when: `scope`, `aud`, `exp`.
    pub allowance: Allowance,
    /// Through whose hands it came, nearest first: `act`.
    pub chain: Vec<SpiffeId>,
    /// Its own name: `jti`.
    pub jti: String,
    /// When it was made: `iat`.
    pub issued_at: Timestamp,
}

/// Signs and reads capability tokens.
pub struct CapabilityIssuer {
    issuer: String,
    header: Header,
    signs: EncodingKey,
    reads: DecodingKey,
    public: PublicKey,
}

impl CapabilityIssuer {
    /// An issuer with a key that signs nothing else.
    ///
    /// # Errors
    /// When the library cannot write the key.
    pub fn new(issuer: &str, key: &KeyPair) -> Result<Self, KeyError> {
        let public = key.public_key();
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(TYP.to_owned());
        header.kid = Some(public.thumbprint().to_string());
        Ok(Self {
            issuer: issuer.to_owned(),
            header,
            signs: EncodingKey::from_ec_der(key.to_pkcs8()?.expose()),
            reads: DecodingKey::from_ec_der(public.point()),
            public,
        })
    }

    /// The key's entry in `jwks.json`.
    pub fn jwk(&self) -> Jwk {
        self.public.jwk().for_signatures()
    }

    /// The key's public name.
    pub fn thumbprint(&self) -> Thumbprint {
        self.public.thumbprint()
    }

    /// Signs a token.
    ///
    /// # Errors
    /// [`JwtError::Library`]; [`JwtError::Malformed`] for a chain that is too long.
    pub fn sign(&self, claims: &CapabilityClaims) -> Result<String, JwtError> {
        if claims.chain.len() > CHAIN_MAX {
            return Err(JwtError::Malformed);
        }
        let wire = Wire::of(claims, &self.issuer);
        jsonwebtoken::encode(&self.header, &wire, &self.signs).map_err(|_| JwtError::Library)
    }

    /// Reads a token of this issuer at `now`.
    ///
    /// # Errors
    /// [`JwtError`] says what is wrong with it.
    pub fn read(&self, token: &str, now: Timestamp) -> Result<CapabilityClaims, JwtError> {
        if token.len() > JWT_MAX {
            return Err(JwtError::Malformed);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| JwtError::Malformed)?;
        // Also refuses `crit`, `jwk`, `x5u` and whatever else a header may carry.
        if header != self.header {
            return Err(JwtError::Malformed);
        }
        let mut validation = Validation::new(Algorithm::ES256);
        // The library would read the machine's clock; times are checked against the one handed in. Whom it
        // is for is what is being read.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        let wire = jsonwebtoken::decode::<Wire>(token, &self.reads, &validation);
        let claims = match wire {
            Ok(data) => data.claims.read(&self.issuer)?,
            Err(error) if *error.kind() == ErrorKind::InvalidSignature => {
                return Err(JwtError::Signature);
            }
            Err(_) => return Err(JwtError::Malformed),
        };
        if claims.allowance.until.is_over(now) {
            return Err(JwtError::Expired);
        }
        if claims.issued_at > now {
            return Err(JwtError::NotYet);
        }
        Ok(claims)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    iss: String,
    sub: SpiffeId,
    agent: AgentId,
    actor_role: ActorRole,
    aud: Vec<String>,
    scope: String,
    jti: String,
    iat: i64,
    exp: i64,
    cnf: Confirmation,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    act: Option<Act>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    jkt: Thumbprint,
}

/// Who handed it on, and who had handed it to them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Act {
    sub: SpiffeId,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    act: Option<Box<Act>>,
}

impl Wire {
    fn of(claims: &CapabilityClaims, issuer: &str) -> Self {
        let nest = |inner: Option<Act>, sub: &SpiffeId| {
            Some(Act { sub: sub.clone(), act: inner.map(Box::new) })
        };
        Self {
            iss: issuer.to_owned(),
            sub: claims.holder.clone(),
            agent: claims.agent.clone(),
            actor_role: ActorRole::Agent,
            aud: claims.allowance.audience.iter().map(str::to_owned).collect(),
            scope: claims.allowance.scope.to_string(),
            jti: claims.jti.clone(),
            iat: claims.issued_at.seconds(),
            exp: claims.allowance.until.seconds(),
            cnf: Confirmation { jkt: claims.key.clone() },
            act: claims.chain.iter().rev().fold(None, nest),
        }
    }

    fn read(self, issuer: &str) -> Result<CapabilityClaims, JwtError> {
        if self.iss != issuer || self.iat >= self.exp {
            return Err(JwtError::Malformed);
        }
        let mut chain = Vec::new();
        let mut act = self.act;
        while let Some(Act { sub, act: inner }) = act {
            if chain.len() >= CHAIN_MAX {
                return Err(JwtError::Malformed);
            }
            chain.push(sub);
            act = inner.map(|inner| *inner);
        }
        let malformed = |_| JwtError::Malformed;
        Ok(CapabilityClaims {
            holder: self.sub,
            agent: self.agent,
            key: self.cnf.jkt,
            allowance: Allowance {
                scope: Words::parse(&self.scope).map_err(malformed)?,
                audience: Words::new(self.aud).map_err(malformed)?,
                until: Timestamp::from_seconds(self.exp),
            },
            chain,
            jti: self.jti,
            issued_at: Timestamp::from_seconds(self.iat),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> SpiffeId {
        SpiffeId::parse(&format!("spiffe://a.example/tenant/home/agent/{name}/instance/MAIN"))
            .unwrap()
    }

    fn claims(chain: Vec<SpiffeId>) -> CapabilityClaims {
        CapabilityClaims {
            holder: id("part"),
            agent: AgentId::new("one+part", "a.example").unwrap(),
            key: Thumbprint::parse("A".repeat(43)).unwrap(),
            allowance: Allowance {
                scope: Words::parse("read write").unwrap(),
                audience: Words::parse("https://b.example").unwrap(),
                until: Timestamp::from_seconds(200),
            },
            chain,
            jti: "j".into(),
            issued_at: Timestamp::from_seconds(100),
        }
    }

    #[test]
    fn what_is_signed_is_read_back_until_it_is_over_and_by_its_own_key_alone() {
        let key = KeyPair::generate().unwrap();
        let issuer = CapabilityIssuer::new("https://a.example", &key).unwrap();
        let said = claims(vec![id("one"), id("two")]);
        let token = issuer.sign(&said).unwrap();
        let at = Timestamp::from_seconds;
        assert_eq!(issuer.read(&token, at(199)), Ok(said));
        assert_eq!(issuer.read(&token, at(200)), Err(JwtError::Expired));
        assert_eq!(issuer.read(&token, at(99)), Err(JwtError::NotYet));
        let elsewhere = CapabilityIssuer::new("https://b.example", &key).unwrap();
        assert_eq!(elsewhere.read(&token, at(150)), Err(JwtError::Malformed));
        let other =
            CapabilityIssuer::new("https://a.example", &KeyPair::generate().unwrap()).unwrap();
        assert!(other.read(&token, at(150)).is_err());
        let too_long = claims(vec![id("one"); CHAIN_MAX + 1]);
        assert_eq!(issuer.sign(&too_long), Err(JwtError::Malformed));
    }

    #[test]
    fn no_session_passes_as_a_capability() {
        let key = KeyPair::generate().unwrap();
        let issuer = CapabilityIssuer::new("https://a.example", &key).unwrap();
        let token = issuer.sign(&claims(Vec::new())).unwrap();
        let sessions =
            crate::jwt::JwtSigner::new(crate::jwt::SESSION, "https://a.example", &key).unwrap();
        assert!(sessions.verifier().verify_session(&token, Timestamp::from_seconds(150)).is_err());
    }
}
