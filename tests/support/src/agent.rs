//! An agent that speaks to the provider by itself, as clients in the field do: every part of a message can
//! be bent where a test wants it bent.

use crate::raw::{Answer, Raw};
use crate::world::World;
use anyhow::Context;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use landfall_crypto::aauth::naming::{self, NamingForm};
use landfall_crypto::aauth::{AgentKey, AgentKeyPair, Algorithm, KeySource};
use landfall_crypto::ambient::Ambient;
use landfall_crypto::secret::sha256;
use reqwest::Method;
use serde_json::{Value, json};

/// How an agent reaches the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Through {
    /// TLS, by the server's own CA, without a client certificate.
    Tls,
    /// The plain listener on the loopback.
    Plain,
}

/// An agent with a durable key.
pub struct SoftAgent {
    /// The key.
    pub key: AgentKeyPair,
    /// What the server is called.
    pub authority: String,
    raw: Raw,
    ambient: Ambient,
}

/// A message, right until a test bends it.
#[derive(Clone)]
pub struct Forged {
    /// What is sent.
    pub method: Method,
    /// Where to.
    pub path: String,
    /// What is sent as the body.
    pub body: String,
    /// What the signature says of these.
    pub signed: Signed,
    /// The whole `Signature-Key`.
    pub key_field: String,
    /// The label in `Signature-Input`.
    pub input_label: String,
    /// The label in `Signature`.
    pub signature_label: String,
    /// What is covered.
    pub components: Vec<String>,
    /// The parameters behind the components: `;created=...`.
    pub parameters: String,
    /// Further header fields.
    pub further: Vec<(String, String)>,
    /// Whether `Content-Digest` is sent.
    pub digest: bool,
}

/// What is signed, where it need not be what is sent.
#[derive(Clone)]
pub struct Signed {
    /// `@method`.
    pub method: String,
    /// `@authority`.
    pub authority: String,
    /// `@path`.
    pub path: String,
    /// The body whose digest is sent.
    pub body: String,
}

impl Forged {
    /// The message at another time.
    #[must_use]
    pub fn created(mut self, seconds: i64) -> Self {
        self.parameters = format!(";created={seconds}");
        self
    }

    /// Without one of the components.
    #[must_use]
    pub fn without(mut self, component: &str) -> Self {
        self.components.retain(|one| one != component);
        self
    }

    fn digest_field(&self) -> String {
        format!("sha-256=:{}:", BASE64.encode(&sha256(self.signed.body.as_bytes())))
    }

    /// The header fields, with a signature by `key`.
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn fields(&self, key: &AgentKeyPair) -> anyhow::Result<Vec<(String, String)>> {
        let names: Vec<_> = self.components.iter().map(|name| format!("\"{name}\"")).collect();
        let params = format!("({}){}", names.join(" "), self.parameters);
        let mut base = String::new();
        for component in &self.components {
            let value = match component.as_str() {
                "@method" => self.signed.method.clone(),
                "@authority" => self.signed.authority.clone(),
                "@path" => self.signed.path.clone(),
                "signature-key" => self.key_field.clone(),
                "content-digest" => self.digest_field(),
                "content-type" => "application/json".to_owned(),
                other => {
                    let found = self.further.iter().find(|(name, _)| name == other);
                    found.map(|(_, value)| value.clone()).unwrap_or_default()
                }
            };
            base.push_str(&format!("\"{component}\": {value}\n"));
        }
        base.push_str(&format!("\"@signature-params\": {params}"));
        let signature = key.sign(base.as_bytes())?;
        let mut fields = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("signature-key".to_owned(), self.key_field.clone()),
            ("signature-input".to_owned(), format!("{}={params}", self.input_label)),
            (
                "signature".to_owned(),
                format!("{}=:{}:", self.signature_label, BASE64.encode(signature.bytes())),
            ),
        ];
        if self.digest {
            fields.push(("content-digest".to_owned(), self.digest_field()));
        }
        fields.extend(self.further.iter().cloned());
        Ok(fields)
    }
}

impl SoftAgent {
    /// A new agent before the world's server.
    ///
    /// # Errors
    /// When no key can be made, or there is no plain listener.
    pub fn new(world: &World, algorithm: Algorithm, through: Through) -> anyhow::Result<Self> {
        let (raw, authority) = match through {
            Through::Tls => (Raw::stranger(world)?, world.server().https_addr),
            Through::Plain => {
                let address = world.server().agents_addr.context("no plain listener")?;
                (Raw::to_agents(world)?, address)
            }
        };
        Ok(Self {
            key: AgentKeyPair::generate(algorithm)?,
            authority: authority.to_string(),
            raw,
            ambient: world.ambient.clone(),
        })
    }

    /// Its key, as a JSON Web Key.
    ///
    /// # Errors
    /// Never.
    pub fn jwk(&self) -> anyhow::Result<Value> {
        Ok(serde_json::to_value(self.key.public_key().jwk())?)
    }

    /// Its key's public name.
    pub fn thumbprint(&self) -> String {
        self.key.public_key().thumbprint().to_string()
    }

    /// Now, in whole seconds.
    pub fn now(&self) -> i64 {
        self.ambient.now().seconds()
    }

    /// A right message whose `Signature-Key` is this.
    pub fn message(&self, path: &str, body: &Value, source: &KeySource) -> Forged {
        let key_field = source.member("sig").unwrap_or_default();
        let body = body.to_string();
        let covered =
            ["@method", "@authority", "@path", "signature-key", "content-digest", "content-type"];
        Forged {
            method: Method::POST,
            path: path.to_owned(),
            signed: Signed {
                method: "POST".to_owned(),
                authority: self.authority.clone(),
                path: path.to_owned(),
                body: body.clone(),
            },
            body,
            key_field,
            input_label: "sig".to_owned(),
            signature_label: "sig".to_owned(),
            components: covered.map(str::to_owned).to_vec(),
            parameters: format!(";created={}", self.now()),
            further: Vec::new(),
            digest: true,
        }
    }

    /// A right message by the durable key itself.
    pub fn by_key(&self, path: &str, body: &Value) -> Forged {
        self.message(path, body, &KeySource::Hwk { key: self.key.public_key() })
    }

    /// Sends a message, signed by `key`.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub async fn send(&self, message: &Forged, key: &AgentKeyPair) -> anyhow::Result<Answer> {
        let fields = message.fields(key)?;
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.raw.send_text(message.method.clone(), &message.path, &fields, &message.body).await
    }

    /// Sends what its own key signs.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(&self.by_key(path, body), &self.key).await
    }

    /// Sends without a signature.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub async fn unsigned(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.raw.send(Method::POST, path, None, Some(body)).await
    }

    /// Reads what anybody may.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.raw.send(Method::GET, path, None, None).await
    }

    /// A naming token for another key, five minutes long.
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn naming(&self, ephemeral: &AgentKey, jti: &str) -> anyhow::Result<String> {
        self.naming_as(ephemeral, jti, NamingForm::SelfAnchored)
    }

    /// As [`SoftAgent::naming`], in either form.
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn naming_as(
        &self,
        ephemeral: &AgentKey,
        jti: &str,
        form: NamingForm<'_>,
    ) -> anyhow::Result<String> {
        let made = naming::make(&self.key, ephemeral, form, jti, self.ambient.now());
        made.context("no naming token")
    }

    /// A right message by a key that a naming token names.
    pub fn by_naming(&self, path: &str, body: &Value, jwt: &str) -> Forged {
        self.message(path, body, &KeySource::JktJwt { jwt: jwt.to_owned(), jkt: None })
    }

    /// A right message by the key of an agent's token.
    pub fn by_token(&self, path: &str, body: &Value, token: &str) -> Forged {
        self.message(path, body, &KeySource::Jwt { jwt: token.to_owned() })
    }
}

/// What a token says.
///
/// # Errors
/// When it is none.
pub fn claims(token: &str) -> anyhow::Result<Value> {
    part(token, 1)
}

/// A part of a token.
///
/// # Errors
/// When it has none.
pub fn part(token: &str, place: usize) -> anyhow::Result<Value> {
    let text = token.split('.').nth(place).context("no such part")?;
    Ok(serde_json::from_slice(&BASE64URL_NOPAD.decode(text.as_bytes())?)?)
}

/// A token of these parts, signed by `key`, whatever they say.
///
/// # Errors
/// When the key does not sign.
pub fn jwt(header: &Value, payload: &Value, key: &AgentKeyPair) -> anyhow::Result<String> {
    let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let text = format!("{}.{}", encode(header), encode(payload));
    let signature = key.sign(text.as_bytes())?;
    Ok(format!("{text}.{}", BASE64URL_NOPAD.encode(signature.bytes())))
}

/// The parts of a right naming token, to be bent.
///
/// # Errors
/// Never.
pub fn naming_parts(
    durable: &AgentKeyPair,
    ephemeral: &AgentKey,
    now: i64,
    jti: &str,
) -> anyhow::Result<(Value, Value)> {
    let key = durable.public_key();
    let header = json!({
        "typ": "jkt-s256+jwt",
        "alg": durable.algorithm().name(),
        "jwk": key.jwk(),
    });
    let payload = json!({
        "iss": format!("urn:jkt:sha-256:{}", key.thumbprint()),
        "iat": now,
        "exp": now + 300,
        "jti": jti,
        "cnf": { "jwk": ephemeral.jwk() },
    });
    Ok((header, payload))
}
