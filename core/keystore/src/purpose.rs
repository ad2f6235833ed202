//! What a key may sign: a closed list, told apart by shape.
//!
//! The shapes exclude each other: a certificate request begins with the byte `0x30`, a TLS handshake
//! with 64 spaces, an HTTP signature base with `"@`, a JWT with `eyJ`, and our own formats with `landfall/`.

use crate::KeyStoreError;
use landfall_crypto::aauth::Signs;

/// What a signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A certificate request: DER of a `CertificationRequestInfo` (RFC 2986 section 4.1).
    Csr,
    /// A client's proof in a TLS 1.3 handshake (RFC 8446 section 4.4.3).
    TlsClientHandshake,
    /// An HTTP message signature base (RFC 9421 section 2.5) that begins with a derived component.
    HttpSignature,
    /// A token that an agent's key signs: its type must be the one that is named.
    Jwt(Signs),
    /// One of our own formats.
    Own(OwnFormat),
}

/// Our own signed formats. Each begins with its prefix and a zero byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnFormat {
    /// A checkpoint of the audit log.
    Checkpoint,
}

impl OwnFormat {
    /// What the bytes begin with, the zero byte included.
    pub const fn prefix(self) -> &'static [u8] {
        match self {
            Self::Checkpoint => landfall_crypto::checkpoint::PREFIX,
        }
    }
}

const TLS_PADDING: usize = 64;
const TLS_CLIENT_CONTEXT: &[u8] = b"TLS 1.3, client CertificateVerify\0";
/// The transcript hash is SHA-256 or SHA-384.
const TLS_HASH_LENGTHS: [usize; 2] = [32, 48];

impl Purpose {
    /// Checks that `message` has this purpose's shape. Every store calls this before it signs.
    ///
    /// # Errors
    /// [`KeyStoreError::WrongShape`] when it has not.
    pub fn check(self, message: &[u8]) -> Result<(), KeyStoreError> {
        let (fits, name) = match self {
            Self::Csr => (is_request_info(message), "certificate request"),
            Self::TlsClientHandshake => (is_client_proof(message), "TLS 1.3 client handshake"),
            Self::HttpSignature => (is_signature_base(message), "HTTP signature base"),
            Self::Jwt(what) => (what.is_token(message), "token of that type"),
            Self::Own(format) => (message.starts_with(format.prefix()), "message of ours"),
        };
        if fits { Ok(()) } else { Err(KeyStoreError::WrongShape(name)) }
    }
}

/// One DER SEQUENCE that fills the message and begins with version 0 and a SEQUENCE (the subject).
/// A certificate begins differently, so that a key can never certify anything.
fn is_request_info(message: &[u8]) -> bool {
    sequence_content(message).is_some_and(|content| content.starts_with(&[0x02, 0x01, 0x00, 0x30]))
}

fn sequence_content(der: &[u8]) -> Option<&[u8]> {
    let rest = der.strip_prefix(&[0x30])?;
    let (&first, rest) = rest.split_first()?;
    let (length, content) = match first {
        0x00..=0x7F => (usize::from(first), rest),
        0x81 | 0x82 => {
            let (long, content) = rest.split_at_checked(usize::from(first - 0x80))?;
            (long.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte)), content)
        }
        _ => return None,
    };
    (content.len() == length).then_some(content)
}

fn is_client_proof(message: &[u8]) -> bool {
    message
        .split_at_checked(TLS_PADDING)
        .filter(|(padding, _)| padding.iter().all(|&byte| byte == b' '))
        .and_then(|(_, rest)| rest.strip_prefix(TLS_CLIENT_CONTEXT))
        .is_some_and(|hash| TLS_HASH_LENGTHS.contains(&hash.len()))
}

/// Begins with a derived component and ends in its parameters, the last line (RFC 9421).
fn is_signature_base(message: &[u8]) -> bool {
    let last = message.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    message.starts_with(b"\"@") && last.starts_with(b"\"@signature-params\": (")
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64URL_NOPAD;

    fn tls(context: &[u8], hash: usize) -> Vec<u8> {
        [&[b' '; 64][..], context, &vec![7; hash]].concat()
    }

    fn token(header: &str) -> Vec<u8> {
        format!("{}.e30", BASE64URL_NOPAD.encode(header.as_bytes())).into_bytes()
    }

    #[test]
    fn each_shape_fits_its_own_purpose_alone() {
        let base = b"\"@method\": POST\n\"@signature-params\": (\"@method\");created=1".to_vec();
        let own = [OwnFormat::Checkpoint.prefix(), &[1, 2, 3]].concat();
        let shapes = [
            (Purpose::Csr, vec![0x30, 0x05, 0x02, 0x01, 0x00, 0x30, 0x00]),
            (Purpose::TlsClientHandshake, tls(TLS_CLIENT_CONTEXT, 32)),
            (Purpose::HttpSignature, base),
            (Purpose::Jwt(Signs::NamingJwt), token(r#"{"typ":"jkt-s256+jwt","alg":"ES256"}"#)),
            (Purpose::Jwt(Signs::AgentToken), token(r#"{"alg":"ES256","typ":"aa-agent+jwt"}"#)),
            (Purpose::Own(OwnFormat::Checkpoint), own),
        ];
        for (purpose, _) in &shapes {
            for (other, message) in &shapes {
                assert_eq!(
                    purpose.check(message).is_ok(),
                    purpose == other,
                    "{purpose:?} {other:?}"
                );
            }
        }
    }

    #[test]
    fn near_misses_are_refused() {
        let server = tls(b"TLS 1.3, server CertificateVerify\0", 32);
        let short = tls(TLS_CLIENT_CONTEXT, 31);
        for bad in [&server[..], &short, &server[1..], b""] {
            assert!(Purpose::TlsClientHandshake.check(bad).is_err());
        }
        // A certificate's inner part begins with a tagged version, or with a serial number.
        for bad in [
            &[0x30, 0x05, 0xA0, 0x03, 0x02, 0x01, 0x02][..],
            &[0x30, 0x06, 0x02, 0x01, 0x00, 0x30, 0x00],
            &[0x30, 0x84, 0, 0, 0, 5, 0x02, 0x01, 0x00, 0x30, 0x00],
            &[0x30],
            b"",
        ] {
            assert!(Purpose::Csr.check(bad).is_err(), "{bad:?}");
        }
        for bad in [&b"\"date\": x\n\"@signature-params\": ()"[..], b"\"@method\": POST", b""] {
            assert!(Purpose::HttpSignature.check(bad).is_err());
        }
        let signed_twice = [token(r#"{"alg":"ES256","typ":"aa-agent+jwt"}"#), b".AA".to_vec()];
        for bad in [
            token(r#"{"alg":"ES256","typ":"JWT"}"#),
            token(r#"{"alg":"ES256"}"#),
            token("{}"),
            signed_twice.concat(),
            b"eyJ".to_vec(),
        ] {
            assert!(Purpose::Jwt(Signs::AgentToken).check(&bad).is_err());
            assert!(Purpose::Jwt(Signs::NamingJwt).check(&bad).is_err());
            assert!(Purpose::Jwt(Signs::Request).check(&bad).is_err());
        }
        for bad in [&b"landfall/checkpoint/v1"[..], b"landfall/checkpoint/v2\0", b""] {
            assert!(Purpose::Own(OwnFormat::Checkpoint).check(bad).is_err());
        }
    }
}
