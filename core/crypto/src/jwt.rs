//! Signed tokens (JWT, RFC 7519), ES256 only.
//!
//! Each class of token has a key, a `typ` and an `aud` of its own ([`JwtClass`]), so that a token of
//! one class never passes as another (RFC 8725 section 3.11). Reading is strict: exactly our three
//! header fields, exactly the claims of the class, and the time is handed in. What a session token
//! permits is decided from the session's row; the token only names it, and the key it is bound to.

use crate::key::{KeyError, KeyPair, PublicKey, Signer};
use crate::thumbprint::{Jwk, Thumbprint};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use landfall_identity::caller::{ActorRole, Role};
use landfall_identity::id::SessionId;
use landfall_identity::{AuthStrength, DeviceName, SpiffeId, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The longest token that is looked at, in bytes.
pub const JWT_MAX: usize = 4096;

/// A class of tokens: what its header and its audience say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JwtClass {
    /// `typ` of the header.
    pub typ: &'static str,
    /// `aud` of the claims.
    pub aud: &'static str,
}

/// Session tokens: valid only on a connection of the key that `cnf.jkt` names.
pub const SESSION: JwtClass = JwtClass { typ: "landfall-session+jwt", aud: "landfall-session" };

/// What a session token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionClaims {
    /// Who speaks: `sub`.
    pub spiffe_id: SpiffeId,
    /// Whether they speak for themselves: `actor_role`.
    pub actor_role: ActorRole,
    /// A person's role in their tenant when it was made, `role`: for who reads the token. What it permits
    /// here is read from the row, each time.
    pub role: Option<Role>,
    /// The session: `sid`.
    pub session: SessionId,
    /// The key that the connection must be made with: `cnf.jkt`.
    pub key: Thumbprint,
    /// How strongly it was opened: `auth_strength`.
    pub strength: AuthStrength,
    /// When the key, or the person, was last seen to act: `auth_time`, in whole seconds.
    pub auth_time: Timestamp,
    /// By what (RFC 8176): `amr`.
    pub amr: Vec<String>,
    /// When it was made: `iat`, in whole seconds.
    pub issued_at: Timestamp,
    /// When it ends: `exp`, in whole seconds.
    pub expires_at: Timestamp,
    /// The one act that it serves: base64url of SHA-256 over the act's canonical bytes.
    pub bound: Option<String>,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// Not a token of this class: shape, header, claims, issuer or audience.
    #[error("it is not such a token")]
    Malformed,
    /// Signed by a key that we do not know.
    #[error("its key is not known")]
    UnknownKey,
    /// The signature is false.
    #[error("its signature does not verify")]
    Signature,
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// It comes from the future: somebody's clock was turned back.
    #[error("it is not valid yet")]
    NotYet,
    /// The library failed to make it.
    #[error("the cryptographic library failed")]
    Library,
}

/// Signs tokens of one class.
pub struct JwtSigner {
    class: JwtClass,
    issuer: String,
    header: Header,
    key: EncodingKey,
    public: PublicKey,
}

impl JwtSigner {
    /// A signer for `class`, with a key that signs nothing else.
    ///
    /// # Errors
    /// When the library cannot write the key.
    pub fn new(class: JwtClass, issuer: &str, key: &KeyPair) -> Result<Self, KeyError> {
        let public = key.public_key();
        Ok(Self {
            class,
            issuer: issuer.to_owned(),
            header: header_of(class, &public.thumbprint()),
            key: EncodingKey::from_ec_der(key.to_pkcs8()?.expose()),
            public,
        })
    }

    /// The key's entry in `jwks.json`.
    pub fn jwk(&self) -> Jwk {
        self.public.jwk().for_signatures()
    }

    /// Who checks what this signs.
    pub fn verifier(&self) -> JwtVerifier {
        JwtVerifier::new(self.class, &self.issuer, &[self.public])
    }

    /// Signs a session token.
    ///
    /// # Errors
    /// [`JwtError::Library`] when the library fails; [`JwtError::Malformed`] when this signer is for
    /// another class.
    pub fn sign_session(&self, claims: &SessionClaims) -> Result<String, JwtError> {
        if self.class != SESSION {
            return Err(JwtError::Malformed);
        }
        self.sign(&SessionWire::of(claims, &self.issuer))
    }

    fn sign<C: Serialize>(&self, claims: &C) -> Result<String, JwtError> {
        jsonwebtoken::encode(&self.header, claims, &self.key).map_err(|_| JwtError::Library)
    }
}

/// Checks tokens of one class. It knows the current key, and older ones for as long as tokens live.
pub struct JwtVerifier {
    class: JwtClass,
    issuer: String,
    keys: Vec<(Header, DecodingKey)>,
    validation: Validation,
}

impl JwtVerifier {
    /// A verifier that takes what any of `keys` signed for `issuer`.
    pub fn new(class: JwtClass, issuer: &str, keys: &[PublicKey]) -> Self {
        let entry = |key: &PublicKey| {
            (header_of(class, &key.thumbprint()), DecodingKey::from_ec_der(key.point()))
        };
        let mut validation = Validation::new(Algorithm::ES256);
        // The library would read the machine's clock; times are checked against the one handed in.
        validation.validate_exp = false;
        validation.set_audience(&[class.aud]);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        let keys = keys.iter().map(entry).collect();
        Self { class, issuer: issuer.to_owned(), keys, validation }
    }

    /// Reads a session token at `now`. The caller compares [`SessionClaims::key`] with the
    /// connection's key, and looks the session up.
    ///
    /// # Errors
    /// [`JwtError`] says what is wrong with it.
    pub fn verify_session(&self, token: &str, now: Timestamp) -> Result<SessionClaims, JwtError> {
        if self.class != SESSION {
            return Err(JwtError::Malformed);
        }
        let claims = self.verify::<SessionWire>(token)?.read(&self.issuer)?;
        if claims.expires_at.is_over(now) {
            return Err(JwtError::Expired);
        }
        if claims.issued_at > now {
            return Err(JwtError::NotYet);
        }
        Ok(claims)
    }

    fn verify<C: DeserializeOwned>(&self, token: &str) -> Result<C, JwtError> {
        use jsonwebtoken::errors::ErrorKind;
        if token.len() > JWT_MAX {
            return Err(JwtError::Malformed);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| JwtError::Malformed)?;
        let same_kid = |(own, _): &&(Header, DecodingKey)| own.kid == header.kid;
        let (own, key) = self.keys.iter().find(same_kid).ok_or(JwtError::UnknownKey)?;
        // Also refuses `crit`, `jwk`, `x5u` and whatever else a header may carry.
        if *own != header {
            return Err(JwtError::Malformed);
        }
        match jsonwebtoken::decode::<C>(token, key, &self.validation) {
            Ok(data) => Ok(data.claims),
            Err(error) if *error.kind() == ErrorKind::InvalidSignature => Err(JwtError::Signature),
            Err(_) => Err(JwtError::Malformed),
        }
    }
}

/// The document that `/.well-known/jwks.json` serves (RFC 7517 section 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    /// The keys, current ones and those whose tokens still live.
    pub keys: Vec<Jwk>,
}

fn header_of(class: JwtClass, kid: &Thumbprint) -> Header {
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some(class.typ.to_owned());
    header.kid = Some(kid.to_string());
    header
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionWire {
    iss: String,
    aud: String,
    sub: SpiffeId,
    actor_role: ActorRole,
    /// Of the name, for who reads no SPIFFE IDs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    machine: Option<DeviceName>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    role: Option<Role>,
    sid: SessionId,
    iat: i64,
    exp: i64,
    cnf: Confirmation,
    auth_strength: AuthStrength,
    auth_time: i64,
    amr: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    bound: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    jkt: Thumbprint,
}

impl SessionWire {
    fn of(claims: &SessionClaims, issuer: &str) -> Self {
        Self {
            iss: issuer.to_owned(),
            aud: SESSION.aud.to_owned(),
            sub: claims.spiffe_id.clone(),
            actor_role: claims.actor_role,
            machine: claims.spiffe_id.principal.machine().cloned(),
            role: claims.role,
            sid: claims.session.clone(),
            iat: claims.issued_at.seconds(),
            exp: claims.expires_at.seconds(),
            cnf: Confirmation { jkt: claims.key.clone() },
            auth_strength: claims.strength,
            auth_time: claims.auth_time.seconds(),
            amr: claims.amr.clone(),
            bound: claims.bound.clone(),
        }
    }

    fn read(self, issuer: &str) -> Result<SessionClaims, JwtError> {
        // The library also takes lists here; a token of ours has one issuer and one audience.
        let of_machine = self.machine.as_ref() == self.sub.principal.machine();
        if self.iss != issuer || self.aud != SESSION.aud || self.iat >= self.exp || !of_machine {
            return Err(JwtError::Malformed);
        }
        Ok(SessionClaims {
            spiffe_id: self.sub,
            actor_role: self.actor_role,
            role: self.role,
            session: self.sid,
            key: self.cnf.jkt,
            strength: self.auth_strength,
            auth_time: Timestamp::from_seconds(self.auth_time),
            amr: self.amr,
            issued_at: Timestamp::from_seconds(self.iat),
            expires_at: Timestamp::from_seconds(self.exp),
            bound: self.bound,
        })
    }
}

#[cfg(test)]
#[path = "jwt_tests.rs"]
mod tests;
