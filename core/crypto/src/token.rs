//! The printed form of a bootstrap token: `lf1.<payload>.<secret>.<checksum>`.
//!
//! The payload says what the client must know before it asks anybody; the secret is the door; the
//! checksum finds a bad paste before any lookup. None of it is signed: the server's row decides.

use crate::crockford;
use crate::door::DoorSecret;
use crate::secret::{SecretText, sha256};
use data_encoding::BASE64URL_NOPAD;
use landfall_identity::id::TokenId;
use landfall_identity::token::TokenKind;
use landfall_identity::{DeviceName, Role, TenantName, Timestamp, UserName};
use serde::{Deserialize, Serialize};
use std::fmt;
use url::Url;
use zeroize::Zeroizing;

/// The version that this code writes and reads.
const VERSION: &str = "lf1";
/// The longest token text, after white space is dropped.
pub const TOKEN_MAX: usize = 2048;
/// The longest paste that is looked at: a token, and every character on a line of its own.
const PASTE_MAX: usize = 4 * TOKEN_MAX;
/// Characters of the checksum: 40 bits.
const CHECKSUM_LENGTH: usize = 8;

/// How the client may trust the server that the token names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Trust {
    /// A certificate that browsers trust.
    WebPki,
    /// A chain that ends in the root certificate with this SHA-256 (over its DER).
    Pin([u8; 32]),
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WebPki => f.write_str("webpki"),
            Self::Pin(hash) => write!(f, "pin:{}", BASE64URL_NOPAD.encode(hash)),
        }
    }
}

impl TryFrom<String> for Trust {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let refused = "trust is neither `webpki` nor `pin:` and 32 bytes in base64url";
        if text == "webpki" {
            return Ok(Self::WebPki);
        }
        let pin = text.strip_prefix("pin:").ok_or(refused)?;
        let hash = BASE64URL_NOPAD.decode(pin.as_bytes()).map_err(|_| refused)?;
        hash.as_slice().try_into().map(Self::Pin).map_err(|_| refused)
    }
}

impl From<Trust> for String {
    fn from(trust: Trust) -> String {
        trust.to_string()
    }
}

/// What a token tells its reader. A claim, not a right: the server's row decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenPayload {
    /// The token's public name.
    pub id: TokenId,
    /// What it is for.
    pub kind: TokenKind,
    /// The server: an `https` origin.
    pub url: Url,
    /// How to trust it.
    pub trust: Trust,
    /// The tenant.
    pub tenant: TenantName,
    /// The user; a claim token leaves the name to the claimant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<UserName>,
    /// The device; claims and invitations may leave the name to their reader.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub device: Option<DeviceName>,
    /// When it ends, in whole seconds.
    #[serde(with = "epoch_seconds")]
    pub exp: Timestamp,
    /// Whether the secret's other half opens a vault.
    pub vault: bool,
    /// An invited user's role.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<Role>,
}

impl TokenPayload {
    fn check(&self) -> Result<(), TokenError> {
        let malformed = |what| Err(TokenError::Malformed(what));
        let bare = self.url.username().is_empty()
            && self.url.password().is_none()
            && self.url.path() == "/"
            && self.url.query().is_none()
            && self.url.fragment().is_none();
        if self.url.scheme() != "https" || self.url.host().is_none() || !bare {
            return malformed("its server is not an https origin");
        }
        if self.kind != TokenKind::Claim && self.user.is_none() {
            return malformed("it names no user");
        }
        if self.kind == TokenKind::Device && self.device.is_none() {
            return malformed("it names no device");
        }
        if self.kind != TokenKind::Device && self.vault {
            return malformed("only a device's token can carry a vault half");
        }
        Ok(())
    }
}

/// Why a text is not a token that can be used. No message repeats the text: it is a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nothing but white space.
    #[error("nothing was pasted")]
    Empty,
    /// Something else altogether.
    #[error("this is not a Landfall token; one begins with `lf1.`")]
    NotAToken,
    /// A token of a version that this program does not know.
    #[error("the token is of another version; update this program and paste it again")]
    OtherVersion,
    /// Parts are missing.
    #[error("the token is cut short; copy all of it, up to its last eight characters")]
    CutShort,
    /// The checksum is of another text.
    #[error("the token was changed on its way, or its end is missing; copy it again")]
    Checksum,
    /// Longer than any token.
    #[error("this is too long to be a token")]
    TooLong,
    /// The checksum fits, and yet it says nothing sensible: its maker is at fault.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
}

/// A token as it is printed and pasted. Holds the secret: no `Debug`, no `Display`.
#[derive(Clone)]
pub struct TokenText {
    /// What it tells.
    pub payload: TokenPayload,
    /// What it opens.
    pub secret: DoorSecret,
}

impl TokenText {
    /// Prints the token.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] or [`TokenError::TooLong`] when the payload breaks the rules that
    /// reading enforces, so that no token is made which nobody could use.
    pub fn print(&self) -> Result<SecretText, TokenError> {
        self.payload.check()?;
        let json = serde_json::to_vec(&self.payload)
            .map_err(|_| TokenError::Malformed("its payload cannot be written"))?;
        let secret = Zeroizing::new(BASE64URL_NOPAD.encode(self.secret.expose()));
        let body = Zeroizing::new(format!(
            "{VERSION}.{}.{}",
            BASE64URL_NOPAD.encode(&json),
            secret.as_str()
        ));
        if body.len() + 1 + CHECKSUM_LENGTH > TOKEN_MAX {
            return Err(TokenError::TooLong);
        }
        Ok(SecretText::new(format!("{}.{}", body.as_str(), checksum(&body))))
    }

    /// Reads a pasted token. White space and line breaks are forgiven, everything else is taken
    /// exactly as it stands.
    ///
    /// # Errors
    /// [`TokenError`] says what is wrong, in words for the person who pasted it.
    pub fn parse(pasted: &str) -> Result<Self, TokenError> {
        let text = without_white_space(pasted)?;
        let version = text.split('.').next().unwrap_or_default();
        match version.strip_prefix("lf") {
            _ if version == VERSION => {}
            Some(number) if is_number(number) => return Err(TokenError::OtherVersion),
            _ => return Err(TokenError::NotAToken),
        }
        let (body, sum) = text.rsplit_once('.').ok_or(TokenError::CutShort)?;
        let parts: Vec<&str> = body.split('.').collect();
        let [_, payload, secret] = parts[..] else {
            let few = parts.len() < 3;
            return Err(if few { TokenError::CutShort } else { TokenError::NotAToken });
        };
        if sum != checksum(body) {
            return Err(TokenError::Checksum);
        }
        Ok(Self { payload: read_payload(payload)?, secret: read_secret(secret)? })
    }
}

fn without_white_space(pasted: &str) -> Result<Zeroizing<String>, TokenError> {
    if pasted.len() > PASTE_MAX {
        return Err(TokenError::TooLong);
    }
    // Mail programs and terminals also leave byte-order marks and zero-width spaces behind.
    let dropped = |c: &char| c.is_whitespace() || matches!(c, '\u{200B}' | '\u{FEFF}');
    let mut text = Zeroizing::new(String::with_capacity(pasted.len()));
    text.extend(pasted.chars().filter(|c| !dropped(c)));
    match text.len() {
        0 => Err(TokenError::Empty),
        length if length > TOKEN_MAX => Err(TokenError::TooLong),
        _ => Ok(text),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The first 40 bits of SHA-256, as eight Crockford characters.
fn checksum(body: &str) -> String {
    crockford::encode(&sha256(body.as_bytes())[..5])
}

fn read_payload(text: &str) -> Result<TokenPayload, TokenError> {
    let json = BASE64URL_NOPAD
        .decode(text.as_bytes())
        .map_err(|_| TokenError::Malformed("its payload is not base64url"))?;
    let payload: TokenPayload = serde_json::from_slice(&json)
        .map_err(|_| TokenError::Malformed("its payload does not say what a token must say"))?;
    payload.check()?;
    Ok(payload)
}

fn read_secret(text: &str) -> Result<DoorSecret, TokenError> {
    let malformed = TokenError::Malformed("its secret is not 32 bytes in base64url");
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| malformed.clone())?;
    DoorSecret::from_slice(&Zeroizing::new(bytes)).ok_or(malformed)
}

mod epoch_seconds {
    use landfall_identity::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(at: &Timestamp, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_i64(at.seconds())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(input).map(Timestamp::from_seconds)
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
