//! Signing requests: the newest revision, whatever is taken.

use super::key::{AgentSigner, Signs};
use super::message::{self, CONTENT_DIGEST, REQUIRED, Request};
use super::signature_key::KeySource;
use crate::httpsig::content_digest;
use crate::key::SignerError;
use data_encoding::BASE64;
use landfall_identity::Timestamp;

/// The label of our signatures.
const LABEL: &str = "sig";

/// How a request is signed.
#[derive(Debug, Clone, Copy)]
pub struct Signing<'a> {
    /// Where the verifier finds the key.
    pub source: &'a KeySource,
    /// Now.
    pub created: Timestamp,
    /// Components beyond those that every signature covers.
    pub components: &'a [&'a str],
    /// Whether to cover a body, by `content-digest` and `content-type`.
    pub digest: bool,
}

/// The header fields of a signed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedFields {
    /// `Signature-Key`.
    pub signature_key: String,
    /// `Signature-Input`.
    pub signature_input: String,
    /// `Signature`.
    pub signature: String,
    /// `Content-Digest`, where the body is covered.
    pub content_digest: Option<String>,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The key's home did not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A component that should be covered is not in the request.
    #[error("a component that should be signed is not in the request")]
    Component,
    /// The key's source, or the request, cannot be written into a header field.
    #[error("the request cannot be signed: it holds what no header field can")]
    Unwritable,
}

/// Signs `request`. Fields that this adds must not be in it yet.
///
/// # Errors
/// [`SignError`] says why not.
pub fn sign(
    request: &Request<'_>,
    signing: &Signing<'_>,
    signer: &dyn AgentSigner,
) -> Result<SignedFields, SignError> {
    if !request.is_plain() {
        return Err(SignError::Unwritable);
    }
    let signature_key = signing.source.member(LABEL).ok_or(SignError::Unwritable)?;
    let digest = (signing.digest && !request.body.is_empty()).then(|| content_digest(request.body));
    let mut fields = request.fields.to_vec();
    fields.push(("signature-key", &signature_key));
    let mut names = REQUIRED.to_vec();
    if let Some(digest) = &digest {
        fields.push((CONTENT_DIGEST, digest));
        names.extend(["content-type", CONTENT_DIGEST]);
    }
    let request = Request { fields: &fields, ..*request };
    if request.field("authorization").is_some() {
        names.push("authorization");
    }
    for name in signing.components {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let lines = message::lines(&request, &names).ok_or(SignError::Component)?;
    let quoted: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let parameters = format!("({});created={}", quoted.join(" "), signing.created.seconds());
    let base = message::base(&lines, &parameters);
    let signature = signer.sign_as(Signs::Request, base.as_bytes())?;
    Ok(SignedFields {
        signature_key,
        signature_input: format!("{LABEL}={parameters}"),
        signature: format!("{LABEL}=:{}:", BASE64.encode(signature.bytes())),
        content_digest: digest,
    })
}
