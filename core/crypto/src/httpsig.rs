//! HTTP message signatures (RFC 9421), for requests of an enrolled key that has no connection to
//! show it: above all, renewing an expired certificate.
//!
//! A [`Profile`] fixes what is covered, in which order, and the tag; the signature's label is `sig`,
//! its parameters are `created`, `keyid` and `tag` and no others, its algorithm is ES256. So there
//! is nothing to negotiate, and nothing that a sender could leave out.

use crate::key::{BadSignature, PublicKey, Signature, Signer, SignerError};
use crate::secret::sha256;
use crate::thumbprint::Thumbprint;
use data_encoding::BASE64;
use landfall_identity::{Seconds, Timestamp};
use sfv::{BareItem, Dictionary, InnerList, ListEntry, ListSerializer, Parser};

/// How far `created` may be from our own time, either way.
pub const WINDOW: Seconds = Seconds(60);
/// The longest header field that is looked at, in bytes.
pub const FIELD_MAX: usize = 2048;

const LABEL: &str = "sig";

/// What a kind of signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// The covered components, in their order.
    pub components: &'static [Component],
    /// The parameter `tag`: a signature for one use is none for another.
    pub tag: &'static str,
}

const WHOLE_REQUEST: &[Component] =
    &[Component::Method, Component::Authority, Component::Path, Component::ContentDigest];

/// Renewing a certificate.
pub const RENEWAL: Profile = Profile { components: WHOLE_REQUEST, tag: "landfall-renew-v1" };

/// Every message of a recovery, by the key that begins it.
pub const RECOVERY: Profile = Profile { components: WHOLE_REQUEST, tag: "landfall-recovery-v1" };

/// Trying a recovery code. A signature for a drill opens nothing, and one that opens something is no
/// drill.
pub const DRILL: Profile = Profile { components: WHOLE_REQUEST, tag: "landfall-drill-v1" };
/// A call of a webhook, by the server.
pub const WEBHOOK: Profile = Profile { components: WHOLE_REQUEST, tag: "landfall-webhook-v1" };

/// A part of a request that a signature can cover (RFC 9421 section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// `@method`.
    Method,
    /// `@authority`.
    Authority,
    /// `@path`.
    Path,
    /// `content-digest` (RFC 9530), recomputed from the body.
    ContentDigest,
}

impl Component {
    const fn name(self) -> &'static str {
        match self {
            Self::Method => "@method",
            Self::Authority => "@authority",
            Self::Path => "@path",
            Self::ContentDigest => "content-digest",
        }
    }
}

/// A request, as far as it can be covered.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// Host, and port unless it is 443, in lower case. A server takes its own configured one, not
    /// what the request says.
    pub authority: &'a str,
    /// The path as sent, without the query.
    pub path: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// The header fields that carry a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureFields {
    /// `Content-Digest`.
    pub content_digest: String,
    /// `Signature-Input`.
    pub signature_input: String,
    /// `Signature`.
    pub signature: String,
}

/// Why a signed request is refused before its key is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A field is too long, or no structured field (RFC 9651).
    #[error("a signature field cannot be read")]
    Malformed,
    /// Covered components or parameters are not exactly the profile's.
    #[error("the signature does not cover exactly what it must")]
    Coverage,
    /// The body is not the one that was signed.
    #[error("the content digest is not that of the body")]
    Digest,
}

/// Why a signed request is refused once its key is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The signature is false, or another key's.
    #[error(transparent)]
    Signature(#[from] BadSignature),
    /// It is right, and made too far from our time. The client may sign again with the offset.
    #[error("the signature was made too long ago, or in the future")]
    ClockSkew {
        /// When it says it was made.
        created: Timestamp,
        /// Our time.
        server_time: Timestamp,
    },
}

/// Signs `request`.
///
/// # Errors
/// [`SignerError`] when the key's home does not sign.
pub fn sign(
    profile: &Profile,
    request: &Request<'_>,
    created: Timestamp,
    signer: &dyn Signer,
) -> Result<SignatureFields, SignerError> {
    let keyid = signer.public_key().thumbprint();
    let params = signature_params(profile, created.seconds(), &keyid);
    let content_digest = content_digest(request.body);
    let base = signature_base(profile, request, &content_digest, &params);
    let signature = signer.sign(base.as_bytes())?;
    Ok(SignatureFields {
        content_digest,
        signature_input: format!("{LABEL}={params}"),
        signature: format!("{LABEL}=:{}:", BASE64.encode(signature.fixed())),
    })
}

/// Signs a renewal. See [`RENEWAL`].
///
/// # Errors
/// As [`sign`].
pub fn sign_renewal(
    request: &Request<'_>,
    created: Timestamp,
    signer: &dyn Signer,
) -> Result<SignatureFields, SignerError> {
    sign(&RENEWAL, request, created, signer)
}

/// Reads a request's signature: its form, its coverage and the digest are checked. Look up the key
/// that [`Unverified::keyid`] names, then call [`Unverified::verify`].
///
/// # Errors
/// [`SignatureError`] says what is wrong.
pub fn read(
    profile: &Profile,
    request: &Request<'_>,
    fields: &SignatureFields,
) -> Result<Unverified, SignatureError> {
    // A line break in a value would forge a line of the base.
    let plain = |value: &str| value.bytes().all(|b| b.is_ascii_graphic());
    if ![request.method, request.authority, request.path].into_iter().all(plain) {
        return Err(SignatureError::Malformed);
    }
    // One digest, in its one spelling: the body's.
    let digest = content_digest(request.body);
    if fields.content_digest.trim_matches([' ', '\t']) != digest {
        return Err(SignatureError::Digest);
    }
    let ListEntry::InnerList(input) = only_member(&fields.signature_input)? else {
        return Err(SignatureError::Malformed);
    };
    let (created, keyid) = check_coverage(profile, &input)?;
    let params = serialize(input).ok_or(SignatureError::Malformed)?;
    Ok(Unverified {
        keyid,
        created: Timestamp::from_seconds(created),
        signature: read_signature(&fields.signature)?,
        base: signature_base(profile, request, &digest, &params),
    })
}

/// Reads a renewal's signature. See [`RENEWAL`] and [`read`].
///
/// # Errors
/// As [`read`].
pub fn read_renewal(
    request: &Request<'_>,
    fields: &SignatureFields,
) -> Result<Unverified, SignatureError> {
    read(&RENEWAL, request, fields)
}

/// A signature that is well-formed and covers what it must. Nothing is proved yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unverified {
    keyid: Thumbprint,
    created: Timestamp,
    signature: Signature,
    base: String,
}

/// A signature that was made by the key, now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The key that made it.
    pub keyid: Thumbprint,
    /// When, by the sender's clock.
    pub created: Timestamp,
    /// The signature itself, so that a repeated request can be answered alike.
    pub signature: Signature,
}

impl Unverified {
    /// The key that the signature claims to be of.
    pub fn keyid(&self) -> &Thumbprint {
        &self.keyid
    }

    /// The signature base, exactly the bytes that must have been signed.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Checks the signature with the key that was looked up, then the time.
    ///
    /// # Errors
    /// [`VerifyError`]; the skew is told only to who holds the key.
    pub fn verify(self, key: &PublicKey, now: Timestamp) -> Result<Verified, VerifyError> {
        if key.thumbprint() != self.keyid {
            return Err(BadSignature.into());
        }
        key.verify(self.base.as_bytes(), &self.signature)?;
        let Self { keyid, created, signature, .. } = self;
        // In whole seconds, as `created` is: exactly a minute is still near enough.
        if created.seconds().abs_diff(now.seconds()) > WINDOW.0 {
            return Err(VerifyError::ClockSkew { created, server_time: now });
        }
        Ok(Verified { keyid, created, signature })
    }
}

/// `Content-Digest` of a body: SHA-256 alone (RFC 9530 section 2).
pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64.encode(&sha256(body)))
}

fn signature_params(profile: &Profile, created: i64, keyid: &Thumbprint) -> String {
    let names: Vec<_> =
        profile.components.iter().map(|component| format!("\"{}\"", component.name())).collect();
    let (names, tag) = (names.join(" "), profile.tag);
    format!(r#"({names});created={created};keyid="{keyid}";tag="{tag}""#)
}

/// RFC 9421 section 2.5.
fn signature_base(profile: &Profile, request: &Request<'_>, digest: &str, params: &str) -> String {
    let mut base = String::new();
    for component in profile.components {
        let value = match component {
            Component::Method => request.method,
            Component::Authority => request.authority,
            Component::Path => request.path,
            Component::ContentDigest => digest,
        };
        base.push_str(&format!("\"{}\": {value}\n", component.name()));
    }
    base.push_str(&format!("\"@signature-params\": {params}"));
    base
}

/// The member called `sig` of a dictionary that has no other.
fn only_member(field: &str) -> Result<ListEntry, SignatureError> {
    if field.len() > FIELD_MAX {
        return Err(SignatureError::Malformed);
    }
    let mut members: Dictionary =
        Parser::new(field).parse().map_err(|_| SignatureError::Malformed)?;
    if members.len() != 1 {
        return Err(SignatureError::Malformed);
    }
    members.swap_remove(LABEL).ok_or(SignatureError::Malformed)
}

/// The parameters `created` and `keyid` of a list that is exactly the profile's.
fn check_coverage(
    profile: &Profile,
    input: &InnerList,
) -> Result<(i64, Thumbprint), SignatureError> {
    let covered = input.items.iter().map(|item| {
        item.bare_item.as_string().filter(|_| item.params.is_empty()).map(|name| name.as_str())
    });
    let wanted = profile.components.iter().map(|component| Some(component.name()));
    if !covered.eq(wanted) || input.params.len() != 3 {
        return Err(SignatureError::Coverage);
    }
    let text = |name: &str| input.params.get(name).and_then(BareItem::as_string);
    if text("tag").map(|tag| tag.as_str()) != Some(profile.tag) {
        return Err(SignatureError::Coverage);
    }
    let created = input.params.get("created").and_then(BareItem::as_integer);
    let keyid = text("keyid").and_then(|keyid| Thumbprint::parse(keyid.as_str()).ok());
    match (created, keyid) {
        (Some(created), Some(keyid)) => Ok((created.into(), keyid)),
        _ => Err(SignatureError::Coverage),
    }
}

fn serialize(list: InnerList) -> Option<String> {
    let mut serializer = ListSerializer::new();
    serializer.members(&[ListEntry::InnerList(list)]);
    serializer.finish()
}

fn read_signature(field: &str) -> Result<Signature, SignatureError> {
    match only_member(field)? {
        ListEntry::Item(item) if item.params.is_empty() => item
            .bare_item
            .as_byte_sequence()
            .and_then(|bytes| Signature::from_fixed(bytes).ok())
            .ok_or(SignatureError::Malformed),
        _ => Err(SignatureError::Malformed),
    }
}

#[cfg(test)]
#[path = "httpsig_tests.rs"]
mod tests;
