//! A certificate that a key makes for itself: what a machine shows whose key the server knows and that has no
//! certificate of ours. It says nothing; that the handshake proves possession of its key is all.

use crate::csr::RcgenKey;
use crate::key::{Signer, SignerError};
use landfall_identity::Timestamp;
use rcgen::{CertificateParams, DistinguishedName};
use time::OffsetDateTime;

/// Makes one for the signer's key, DER, that names nobody.
///
/// # Errors
/// [`SignerError`] when the key's home does not sign.
pub fn self_signed(
    signer: &dyn Signer,
    not_before: Timestamp,
    not_after: Timestamp,
) -> Result<Vec<u8>, SignerError> {
    let key = RcgenKey::new(signer);
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.not_before = date(not_before);
    params.not_after = date(not_after);
    match params.self_signed(&key) {
        Ok(certificate) => Ok(certificate.der().to_vec()),
        Err(error) => Err(key.error(error)),
    }
}

fn date(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::CertificateFacts;
    use crate::key::KeyPair;

    #[test]
    fn it_carries_its_key_and_no_name() {
        let key = KeyPair::generate().unwrap();
        let (from, to) = (Timestamp::from_seconds(1_000), Timestamp::from_seconds(2_000));
        let facts = CertificateFacts::read(&self_signed(&key, from, to).unwrap()).unwrap();
        assert_eq!(facts.public_key, key.public_key());
        assert_eq!((facts.not_before, facts.not_after), (from, to));
        assert_eq!(facts.spiffe_id, None);
        assert!(facts.issued_by(&facts), "by its own key");
    }
}
