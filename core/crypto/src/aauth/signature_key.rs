//! `Signature-Key`: where the key of a request's signature comes from (draft-hardt-httpbis-signature-key).

use super::Profile;
use super::fault::{FaultCode, SignatureFault};
use super::fields::{Member, unreadable};
use super::key::AgentKey;
use crate::thumbprint::Thumbprint;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};
use sfv::{BareItem, ListEntry, Parameters};

/// The longest URL or name in a parameter, in bytes.
const PARAMETER_MAX: usize = 2048;

/// A way to name a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// The key itself.
    Hwk,
    /// A durable key that names an ephemeral one.
    JktJwt,
    /// A key that an issuer publishes, found through its metadata.
    JwksUri,
    /// A token that names the key.
    Jwt,
    /// A token whose issuer's key signs the request too. Not taken.
    SelfJwt,
    /// A key of a JWKS. Not taken.
    Jwks,
    /// A certificate. Not taken.
    X509,
    /// A key of an earlier request. Not taken.
    Cached,
}

impl Scheme {
    /// Every scheme that the drafts name.
    pub const ALL: [Self; 8] = [
        Self::Hwk,
        Self::JktJwt,
        Self::JwksUri,
        Self::Jwt,
        Self::SelfJwt,
        Self::Jwks,
        Self::X509,
        Self::Cached,
    ];

    /// Its token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hwk => "hwk",
            Self::JktJwt => "jkt-jwt",
            Self::JwksUri => "jwks_uri",
            Self::Jwt => "jwt",
            Self::SelfJwt => "self-jwt",
            Self::Jwks => "jwks",
            Self::X509 => "x509",
            Self::Cached => "cached",
        }
    }

    /// The scheme that `text` names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.as_str() == text)
    }
}

/// Where a request's key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// The key itself.
    Hwk {
        /// The key.
        key: AgentKey,
    },
    /// A naming JWT, by a durable key for an ephemeral one. See [`super::naming`].
    JktJwt {
        /// The naming JWT.
        jwt: String,
        /// The ephemeral key's thumbprint, which older clients add.
        jkt: Option<Thumbprint>,
    },
    /// A key that `id` publishes: its metadata under `/.well-known/{dwk}` names the JWKS.
    JwksUri {
        /// The issuer. Not yet judged as a [`super::ServerId`].
        id: String,
        /// Its metadata document.
        dwk: String,
        /// The key's name in its JWKS.
        kid: String,
    },
    /// The older form of [`Self::JwksUri`]: the JWKS itself.
    JwksDirect {
        /// Where the JWKS is.
        uri: String,
        /// The key's name in it.
        kid: String,
    },
    /// A token that confirms the key. See [`super::agent_token`].
    Jwt {
        /// The token.
        jwt: String,
    },
    /// A scheme that is not taken, known or not.
    Unsupported(String),
}

impl KeySource {
    /// Its scheme, when it is one that is taken.
    pub const fn scheme(&self) -> Option<Scheme> {
        match self {
            Self::Hwk { .. } => Some(Scheme::Hwk),
            Self::JktJwt { .. } => Some(Scheme::JktJwt),
            Self::JwksUri { .. } | Self::JwksDirect { .. } => Some(Scheme::JwksUri),
            Self::Jwt { .. } => Some(Scheme::Jwt),
            Self::Unsupported(_) => None,
        }
    }

    /// The scheme of a member, before anything else of it is judged.
    pub(super) fn scheme_of(member: &Member<'_>) -> Option<Scheme> {
        let token = member.raw.split([';', ' ', '\t']).next().unwrap_or_default();
        Scheme::parse(token)
    }

    /// Reads a member of the field.
    pub(super) fn read(member: &Member<'_>, profile: Profile) -> Result<Self, SignatureFault> {
        let Some(ListEntry::Item(item)) = member.value(profile) else {
            return Err(unreadable("Signature-Key cannot be read"));
        };
        let Some(scheme) = item.bare_item.as_token() else {
            return Err(unreadable("Signature-Key names no scheme"));
        };
        let parameters = Reader { parameters: &item.params, profile };
        match Scheme::parse(scheme.as_str()) {
            Some(Scheme::Hwk) => parameters.hwk(),
            Some(Scheme::JktJwt) => parameters.jkt_jwt(),
            Some(Scheme::JwksUri) => parameters.jwks_uri(),
            Some(Scheme::Jwt) => Ok(Self::Jwt { jwt: parameters.needed("jwt")? }),
            _ => Ok(Self::Unsupported(scheme.as_str().to_owned())),
        }
    }

    /// The member of the field, as the newest revision writes it. `None` for what is not taken, or for a
    /// text that no structured field can hold.
    pub fn member(&self, label: &str) -> Option<String> {
        let quoted = |text: &str| {
            let plain = text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
            plain.then(|| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
        };
        let rest = match self {
            Self::Hwk { key } => {
                let jwk = key.jwk();
                let (kty, crv, x, alg) = (jwk.kty, jwk.crv, &jwk.x, jwk.alg);
                let y = jwk.y.as_ref().map(|y| format!(r#";y="{y}""#)).unwrap_or_default();
                format!(r#"hwk;kty="{kty}";crv="{crv}";x="{x}"{y};alg="{alg}""#)
            }
            Self::JktJwt { jwt, .. } => format!("jkt-jwt;jwt={}", quoted(jwt)?),
            Self::Jwt { jwt } => format!("jwt;jwt={}", quoted(jwt)?),
            Self::JwksUri { id, dwk, kid } => {
                format!("jwks_uri;id={};dwk={};kid={}", quoted(id)?, quoted(dwk)?, quoted(kid)?)
            }
            Self::JwksDirect { uri, kid } => {
                format!("jwks_uri;uri={};kid={}", quoted(uri)?, quoted(kid)?)
            }
            Self::Unsupported(_) => return None,
        };
        Some(format!("{label}={rest}"))
    }
}

struct Reader<'a> {
    parameters: &'a Parameters,
    profile: Profile,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> Result<Option<String>, SignatureFault> {
        let Some(value) = self.parameters.get(name) else { return Ok(None) };
        // Some clients write short values as tokens.
        let token = value.as_token().filter(|_| self.profile.is_compatible());
        let text = value.as_string().map(|text| text.as_str()).or(token.map(|t| t.as_str()));
        let text = text.ok_or_else(|| unreadable("a parameter of Signature-Key is no text"))?;
        Ok(Some(text.to_owned()))
    }

    fn needed(&self, name: &str) -> Result<String, SignatureFault> {
        self.text(name)?.ok_or_else(|| unreadable("a parameter of Signature-Key is missing"))
    }

    fn short(&self, name: &str) -> Result<String, SignatureFault> {
        let text = self.needed(name)?;
        if text.is_empty() || text.len() > PARAMETER_MAX {
            return Err(unreadable("a parameter of Signature-Key is empty or too long"));
        }
        Ok(text)
    }

    fn thumbprint(&self) -> Result<Option<Thumbprint>, SignatureFault> {
        if !self.profile.is_compatible() {
            return Ok(None);
        }
        let parsed = self.text("jkt")?.map(Thumbprint::parse).transpose();
        parsed.map_err(|_| unreadable("jkt in Signature-Key is no thumbprint"))
    }

    fn hwk(&self) -> Result<KeySource, SignatureFault> {
        if self.profile.is_compatible() && !self.parameters.contains_key("kty") {
            return self.hwk_of_the_guide();
        }
        if self.parameters.contains_key("kid") {
            return Err(invalid_key("kid has no place in hwk"));
        }
        let mut jwk = Map::new();
        for (name, value) in self.parameters {
            // A parameter that is no text is none of a key's.
            if !matches!(value, BareItem::Boolean(_)) {
                let text = self.needed(name.as_str())?;
                jwk.insert(name.as_str().to_owned(), Value::String(text));
            }
        }
        let key = AgentKey::from_jwk(&Value::Object(jwk), self.profile)?;
        Ok(KeySource::Hwk { key })
    }

    /// `hwk;jkt="...";jwk="..."`, the JWK as base64url of its JSON.
    fn hwk_of_the_guide(&self) -> Result<KeySource, SignatureFault> {
        let no_key = || invalid_key("hwk carries no key");
        let jwk = self.text("jwk")?.ok_or_else(no_key)?;
        let jwk = jwk.trim_end_matches('=');
        let jwk = BASE64URL_NOPAD.decode(jwk.as_bytes()).map_err(|_| no_key())?;
        let key = AgentKey::from_jwk_text(&jwk, self.profile)?;
        if self.thumbprint()?.is_some_and(|jkt| jkt != key.thumbprint()) {
            return Err(invalid_key("jkt is not the thumbprint of the key beside it"));
        }
        Ok(KeySource::Hwk { key })
    }

    fn jkt_jwt(&self) -> Result<KeySource, SignatureFault> {
        Ok(KeySource::JktJwt { jwt: self.needed("jwt")?, jkt: self.thumbprint()? })
    }

    fn jwks_uri(&self) -> Result<KeySource, SignatureFault> {
        let kid = self.short("kid")?;
        if self.profile.is_compatible() && !self.parameters.contains_key("id") {
            return Ok(KeySource::JwksDirect { uri: self.short("uri")?, kid });
        }
        Ok(KeySource::JwksUri { id: self.short("id")?, dwk: self.short("dwk")?, kid })
    }
}

const fn invalid_key(detail: &'static str) -> SignatureFault {
    SignatureFault::new(FaultCode::InvalidKey, detail)
}

#[cfg(test)]
#[path = "signature_key_tests.rs"]
mod tests;
