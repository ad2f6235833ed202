//! Naming JWTs: by one, a durable key says which ephemeral key speaks for it in the next minutes.
//!
//! Two forms. The self-anchored one carries the durable key in its header and its thumbprint in `iss`, and
//! proves itself. The older one of the guide names the durable key by its thumbprint alone; it is checked
//! with the key that was *enrolled*, so the key never comes from the request.

use super::Profile;
use super::fault::{FaultCode, SignatureFault};
use super::jws::{self, Confirmation, Header, Token, invalid};
use super::key::{AgentKey, AgentSigner, Signs};
use crate::key::SignerError;
use crate::secret::sha256;
use crate::thumbprint::Thumbprint;
use data_encoding::BASE64URL_NOPAD;
use landfall_identity::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};

/// `typ` of the self-anchored form.
pub const TYP: &str = "jkt-s256+jwt";
/// `typ` of the guide's form.
pub const GUIDE_TYP: &str = "naming+jwt";
/// How long one lives, as clients make them.
pub const LIFE: Seconds = Seconds::minutes(5);
/// The longest that one may live, unless configured otherwise.
pub const LIFE_MAX: Seconds = Seconds::minutes(10);
/// The longest `jti`, in bytes.
const JTI_MAX: usize = 256;

const URN: &str = "urn:jkt:sha-256:";

/// Which form to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamingForm<'a> {
    /// The drafts' own.
    SelfAnchored,
    /// The guide's, for a provider that knows no other.
    GuideEra {
        /// The provider.
        issuer: &'a str,
    },
}

/// What a provider takes.
#[derive(Debug, Clone, Copy)]
pub struct NamingRules<'a> {
    /// How lenient it is.
    pub profile: Profile,
    /// Whether the guide's form is taken; never with [`Profile::Strict`].
    pub guide_era: bool,
    /// The provider itself: `iss` of the guide's form.
    pub issuer: &'a str,
    /// The longest life. See [`LIFE_MAX`].
    pub max_life: Seconds,
    /// How far `iat` may be ahead of our time.
    pub skew: Seconds,
}

/// What a naming JWT says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamingClaims {
    /// The durable key: who speaks.
    pub durable: Thumbprint,
    /// The key that signs for it.
    pub ephemeral: AgentKey,
    /// What to remember until [`Self::expires_at`], beside [`Self::durable`], so that it counts once: its
    /// `jti`, or a hash of it where it has none.
    pub replay_id: String,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whether it is of the guide's form.
    pub guide_era: bool,
}

/// A naming JWT whose form, times and keys are right. The self-anchored form is proved; whether its key
/// is enrolled, nobody has asked yet.
#[derive(Debug, Clone)]
pub struct UnverifiedNaming {
    token: Token,
    claims: NamingClaims,
    profile: Profile,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    iss: String,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    jti: Option<String>,
    /// Never made: by the newest draft such a token names nobody but its key.
    #[serde(skip_serializing, default)]
    sub: Option<serde_json::Value>,
    cnf: Confirmation,
}

/// Makes a naming JWT.
///
/// # Errors
/// [`SignerError`] when the key's home does not sign.
pub fn make(
    durable: &dyn AgentSigner,
    ephemeral: &AgentKey,
    form: NamingForm<'_>,
    jti: &str,
    now: Timestamp,
) -> Result<String, SignerError> {
    let key = durable.agent_key();
    let thumbprint = key.thumbprint();
    let json = |key: &AgentKey| {
        serde_json::to_value(key.jwk()).map_err(|error| SignerError(Box::new(error)))
    };
    let (header, iss) = match form {
        NamingForm::SelfAnchored => {
            let header = Header { jwk: Some(json(&key)?), ..Header::new(&key, TYP) };
            (header, format!("{URN}{thumbprint}"))
        }
        NamingForm::GuideEra { issuer } => {
            let kid = Some(thumbprint.to_string());
            (Header { kid, ..Header::new(&key, GUIDE_TYP) }, issuer.to_owned())
        }
    };
    let claims = Wire {
        iss,
        iat: now.seconds(),
        exp: (now + LIFE).seconds(),
        jti: Some(jti.to_owned()),
        sub: None,
        cnf: Confirmation { jwk: json(ephemeral)? },
    };
    jws::sign(&header, &claims, durable, Signs::NamingJwt)
}

/// Reads a naming JWT; `jkt` is what `Signature-Key` says beside it. In the drafts' order: type, key,
/// issuer, signature (of the self-anchored form), times. Then look up the enrolment of
/// [`UnverifiedNaming::durable`].
///
/// # Errors
/// [`SignatureFault`] says what is wrong with it.
pub fn read(
    jwt: &str,
    jkt: Option<&Thumbprint>,
    rules: &NamingRules<'_>,
    now: Timestamp,
) -> Result<UnverifiedNaming, SignatureFault> {
    let guide_era = rules.guide_era && rules.profile.is_compatible();
    let types: &[&str] = if guide_era { &[TYP, GUIDE_TYP] } else { &[TYP] };
    let token = Token::read(jwt, types)?;
    let wire: Wire = token.claims()?;
    let guide_era = token.header.typ == GUIDE_TYP;
    let durable = if guide_era {
        durable_of_the_guide(&token, &wire, rules)?
    } else {
        self_anchored(&token, &wire, rules)?
    };
    let (issued_at, expires_at) = check_times(&wire, rules, now)?;
    let ephemeral = AgentKey::from_jwk(&wire.cnf.jwk, rules.profile)
        .map_err(|_| invalid("cnf of the naming JWT holds no usable key"))?;
    if ephemeral.thumbprint() == durable {
        return Err(invalid("a naming JWT names another key than its own"));
    }
    if jkt.is_some_and(|jkt| *jkt != ephemeral.thumbprint()) {
        return Err(invalid("jkt is not the thumbprint of the key that the naming JWT names"));
    }
    let replay_id = match wire.jti {
        Some(jti) if !jti.is_empty() && jti.len() <= JTI_MAX => format!("jti:{jti}"),
        Some(_) => return Err(invalid("jti of the naming JWT is empty or too long")),
        None if rules.profile.is_compatible() => {
            format!("sha-256:{}", BASE64URL_NOPAD.encode(&sha256(token.signed().as_bytes())))
        }
        None => return Err(invalid("the naming JWT has no jti")),
    };
    let claims = NamingClaims { durable, ephemeral, replay_id, issued_at, expires_at, guide_era };
    Ok(UnverifiedNaming { token, claims, profile: rules.profile })
}

fn self_anchored(
    token: &Token,
    wire: &Wire,
    rules: &NamingRules<'_>,
) -> Result<Thumbprint, SignatureFault> {
    if !rules.profile.is_compatible() && (wire.sub.is_some() || token.header.kid.is_some()) {
        return Err(invalid("a naming JWT of this draft has neither sub nor kid"));
    }
    let jwk = token.header.jwk.as_ref();
    let jwk = jwk.ok_or_else(|| invalid("the naming JWT carries no key"))?;
    let key = AgentKey::from_jwk(jwk, rules.profile)
        .map_err(|_| invalid("the naming JWT carries no usable key"))?;
    let thumbprint = key.thumbprint();
    if wire.iss.strip_prefix(URN) != Some(thumbprint.as_str()) {
        return Err(invalid("iss of the naming JWT is not the thumbprint of its key"));
    }
    token.verify(&key, rules.profile)?;
    Ok(thumbprint)
}

fn durable_of_the_guide(
    token: &Token,
    wire: &Wire,
    rules: &NamingRules<'_>,
) -> Result<Thumbprint, SignatureFault> {
    if wire.iss != rules.issuer {
        return Err(invalid("iss of the naming JWT is another provider"));
    }
    let kid = token.header.kid.as_deref().unwrap_or_default();
    Thumbprint::parse(kid).map_err(|_| invalid("kid of the naming JWT is no thumbprint"))
}

fn check_times(
    wire: &Wire,
    rules: &NamingRules<'_>,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), SignatureFault> {
    let (issued_at, expires_at) =
        (Timestamp::from_seconds(wire.iat), Timestamp::from_seconds(wire.exp));
    if issued_at >= expires_at || expires_at.since(issued_at) > rules.max_life {
        return Err(invalid("the naming JWT lives too long, or not at all"));
    }
    if issued_at > now + rules.skew {
        let detail = "the naming JWT comes from the future; set the clock";
        return Err(SignatureFault::new(FaultCode::ClockSkew, detail));
    }
    if expires_at.is_over(now) {
        return Err(SignatureFault::new(FaultCode::ExpiredJwt, "the naming JWT has expired"));
    }
    Ok((issued_at, expires_at))
}

impl UnverifiedNaming {
    /// The durable key: look its enrolment up by this.
    pub const fn durable(&self) -> &Thumbprint {
        &self.claims.durable
    }

    /// Whether it is of the guide's form, so that nothing is proved before [`Self::confirm`].
    pub const fn is_guide_era(&self) -> bool {
        self.claims.guide_era
    }

    /// Checks it with the enrolled key.
    ///
    /// # Errors
    /// [`FaultCode::InvalidJwt`] when that key did not make it.
    pub fn confirm(self, enrolled: &AgentKey) -> Result<NamingClaims, SignatureFault> {
        if enrolled.thumbprint() != self.claims.durable {
            return Err(invalid("the naming JWT is another key's"));
        }
        self.token.verify(enrolled, self.profile)?;
        Ok(self.claims)
    }
}

#[cfg(test)]
#[path = "naming_tests.rs"]
mod tests;
