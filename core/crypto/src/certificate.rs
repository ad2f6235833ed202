//! Reading certificates: what the server needs of the one that a client shows, and a client of its
//! own.

use crate::key::{PublicKey, Signature};
use landfall_identity::{SpiffeId, Timestamp};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::OID_SIG_ECDSA_WITH_SHA256;

/// The largest certificate that is looked at, in bytes.
pub const CERTIFICATE_MAX: usize = 8 * 1024;

/// Why a certificate is not looked at further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not one X.509 certificate.
    #[error("it is not one X.509 certificate in DER")]
    Malformed,
    /// Not a P-256 key.
    #[error("its key is not P-256")]
    Key,
}

/// What a certificate says. Whether it is to be believed is another question: see
/// [`Self::issued_by`], and the enrolment row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The key that it certifies.
    pub public_key: PublicKey,
    /// The principal that it names, when it names exactly one, and well.
    pub spiffe_id: Option<SpiffeId>,
    /// Its serial number, big-endian.
    pub serial: Vec<u8>,
    /// When its validity begins.
    pub not_before: Timestamp,
    /// When it ends.
    pub not_after: Timestamp,
    signed: Vec<u8>,
    signature: Option<Signature>,
    issuer_name: Vec<u8>,
    subject_name: Vec<u8>,
}

impl CertificateFacts {
    /// Reads a certificate.
    ///
    /// # Errors
    /// [`CertificateError`] when it cannot be read, or is not for a P-256 key.
    pub fn read(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > CERTIFICATE_MAX {
            return Err(CertificateError::Malformed);
        }
        let (rest, parsed) =
            x509_parser::parse_x509_certificate(der).map_err(|_| CertificateError::Malformed)?;
        if !rest.is_empty() {
            return Err(CertificateError::Malformed);
        }
        let public_key =
            PublicKey::from_spki(parsed.public_key().raw).map_err(|_| CertificateError::Key)?;
        let validity = parsed.validity();
        Ok(Self {
            public_key,
            spiffe_id: only_spiffe_id(&parsed),
            serial: parsed.serial.to_bytes_be(),
            not_before: Timestamp::from_seconds(validity.not_before.timestamp()),
            not_after: Timestamp::from_seconds(validity.not_after.timestamp()),
            signed: parsed.tbs_certificate.as_ref().to_vec(),
            signature: es256_signature(&parsed),
            issuer_name: parsed.issuer().as_raw().to_vec(),
            subject_name: parsed.subject().as_raw().to_vec(),
        })
    }

    /// Its subject, as the DER of a distinguished name.
    pub fn subject_name(&self) -> &[u8] {
        &self.subject_name
    }

    /// Whether the holder of `issuer` signed this certificate.
    pub fn issued_by(&self, issuer: &Self) -> bool {
        self.issuer_name == issuer.subject_name
            && self
                .signature
                .is_some_and(|signature| issuer.public_key.verify(&self.signed, &signature).is_ok())
    }

    /// Whether `now` is within its validity.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.not_before <= now && !self.not_after.is_over(now)
    }
}

/// When a certificate ends, whatever its key is.
///
/// # Errors
/// [`CertificateError::Malformed`].
pub fn ends_at(der: &[u8]) -> Result<Timestamp, CertificateError> {
    let (_, parsed) =
        x509_parser::parse_x509_certificate(der).map_err(|_| CertificateError::Malformed)?;
    Ok(Timestamp::from_seconds(parsed.validity().not_after.timestamp()))
}

/// Whether a certificate's extended key usage is `serverAuth` and nothing else: a leaf for servers, or
/// an issuer of them. Clients ask this of every certificate below the root, so that no other issuer
/// under the same root can make a server.
pub fn is_for_servers_only(der: &[u8]) -> bool {
    let Ok((_, parsed)) = x509_parser::parse_x509_certificate(der) else { return false };
    let Ok(Some(usage)) = parsed.extended_key_usage() else { return false };
    let usage = usage.value;
    let others = usage.any
        || usage.client_auth
        || usage.code_signing
        || usage.email_protection
        || usage.time_stamping
        || usage.ocsp_signing
        || !usage.other.is_empty();
    usage.server_auth && !others
}

fn es256_signature(parsed: &X509Certificate<'_>) -> Option<Signature> {
    if parsed.signature_algorithm.algorithm != OID_SIG_ECDSA_WITH_SHA256 {
        return None;
    }
    Signature::from_der(parsed.signature_value.data.as_ref()).ok()
}

/// SPIFFE X509-SVID section 2: exactly one URI. We ask for more: no other name beside it.
fn only_spiffe_id(parsed: &X509Certificate<'_>) -> Option<SpiffeId> {
    let names = parsed.subject_alternative_name().ok()??;
    match names.value.general_names[..] {
        [GeneralName::URI(uri)] => SpiffeId::parse(uri).ok(),
        _ => None,
    }
}
