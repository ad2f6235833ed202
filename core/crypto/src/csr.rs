//! Certificate requests (PKCS #10, RFC 2986): made by clients, of which the server takes the public
//! key and nothing else.

use crate::key::{PublicKey, Signature, Signer, SignerError};
use rcgen::{CertificateParams, DistinguishedName, PublicKeyData, SignatureAlgorithm};
use std::sync::Mutex;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;

/// The largest request that is looked at, in bytes, as DER or PEM.
pub const CSR_MAX: usize = 8 * 1024;

const PEM_LABELS: [&str; 2] = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    /// More than [`CSR_MAX`] bytes.
    #[error("the certificate request is larger than 8 KiB")]
    TooLarge,
    /// Neither DER nor PEM of exactly one request.
    #[error("it is not one certificate request (PKCS #10, DER or PEM)")]
    Malformed,
    /// A key that is not P-256, or a point that is not on it.
    #[error("only P-256 keys are taken")]
    Key,
    /// Whoever asks does not hold the key, or signed with another algorithm than ES256.
    #[error("the request's signature does not match its key")]
    Signature,
}

/// Reads a request, checks that whoever made it holds the key, and yields the key. The names,
/// usages and extensions that it asks for are not even returned: the server stamps its own.
///
/// # Errors
/// [`CsrError`] says what is wrong with it.
pub fn public_key_of(request: &[u8]) -> Result<PublicKey, CsrError> {
    if request.len() > CSR_MAX {
        return Err(CsrError::TooLarge);
    }
    if request.first() == Some(&0x30) {
        return public_key_of_der(request);
    }
    let blocks = pem::parse_many(request).map_err(|_| CsrError::Malformed)?;
    match &blocks[..] {
        [block] if PEM_LABELS.contains(&block.tag()) && is_alone(request, block.tag()) => {
            public_key_of_der(block.contents())
        }
        _ => Err(CsrError::Malformed),
    }
}

/// Whether there is nothing but white space around the one block: `pem` skips whatever else is there.
fn is_alone(request: &[u8], label: &str) -> bool {
    let Ok(text) = std::str::from_utf8(request) else { return false };
    let text = text.trim();
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let once = |mark: &str| text.matches(mark).count() == 1;
    text.starts_with(&begin) && text.ends_with(&end) && once("-----BEGIN") && once("-----END")
}

fn public_key_of_der(der: &[u8]) -> Result<PublicKey, CsrError> {
    let (rest, request) =
        X509CertificationRequest::from_der(der).map_err(|_| CsrError::Malformed)?;
    if !rest.is_empty() {
        return Err(CsrError::Malformed);
    }
    let info = &request.certification_request_info;
    let key = PublicKey::from_spki(info.subject_pki.raw).map_err(|_| CsrError::Key)?;
    let signature = Signature::from_der(request.signature_value.data.as_ref())
        .map_err(|_| CsrError::Signature)?;
    key.verify(info.raw, &signature).map_err(|_| CsrError::Signature)?;
    // The signature does not cover its own frame; there is one right spelling of that.
    let frame = signature_frame(&signature);
    if !der.ends_with(&frame) || info.raw.len() + frame.len() + outer_header(der) != der.len() {
        return Err(CsrError::Signature);
    }
    Ok(key)
}

/// `ecdsa-with-SHA256` without parameters (RFC 5758 section 3.2), and the signature as a bit string.
fn signature_frame(signature: &Signature) -> Vec<u8> {
    const ECDSA_WITH_SHA256: [u8; 12] =
        [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    let value = signature.to_der();
    // At most 72 bytes, so the length is one byte.
    let length = u8::try_from(value.len() + 1).unwrap_or(u8::MAX);
    [&ECDSA_WITH_SHA256[..], &[0x03, length, 0x00], &value].concat()
}

/// Bytes of the outermost tag and length.
fn outer_header(der: &[u8]) -> usize {
    match der.get(1) {
        Some(long @ 0x81..=0x84) => 2 + usize::from(long - 0x80),
        _ => 2,
    }
}

/// Makes a request for the signer's key, as DER. It names nobody: the server would ignore it.
///
/// # Errors
/// [`SignerError`] when the key's home does not sign.
pub fn build_csr(signer: &dyn Signer) -> Result<Vec<u8>, SignerError> {
    let key = RcgenKey::new(signer);
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    match params.serialize_request(&key) {
        Ok(request) => Ok(request.der().to_vec()),
        Err(error) => Err(key.error(error)),
    }
}

/// Lets `rcgen` sign with a key wherever it lives.
pub(crate) struct RcgenKey<'a> {
    signer: &'a dyn Signer,
    public: PublicKey,
    /// What the signer said when it failed; `rcgen`'s own error has no room for it.
    failure: Mutex<Option<SignerError>>,
}

impl<'a> RcgenKey<'a> {
    pub(crate) fn new(signer: &'a dyn Signer) -> Self {
        Self { signer, public: signer.public_key(), failure: Mutex::new(None) }
    }

    /// The signer's failure when there was one, else `rcgen`'s.
    pub(crate) fn error(&self, error: rcgen::Error) -> SignerError {
        let failure = self.failure.lock().ok().and_then(|mut slot| slot.take());
        failure.unwrap_or_else(|| SignerError(Box::new(error)))
    }
}

impl PublicKeyData for RcgenKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.public.point()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for RcgenKey<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        match self.signer.sign(message) {
            Ok(signature) => Ok(signature.to_der()),
            Err(error) => {
                if let Ok(mut slot) = self.failure.lock() {
                    *slot = Some(error);
                }
                Err(rcgen::Error::RemoteKeyError)
            }
        }
    }
}

#[cfg(test)]
#[path = "csr_tests.rs"]
mod tests;
