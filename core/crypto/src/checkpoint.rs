//! Signed statements about the audit log: so many rows, this root, at this time.
//!
//! They are kept outside the database, one JSON object a line, so that whoever can rewrite the
//! database cannot rewrite what was said about it.

use crate::key::{BadSignature, PublicKey, Signature, Signer, SignerError};
use crate::merkle::Hash;
use crate::thumbprint::Thumbprint;
use data_encoding::BASE64URL_NOPAD;
use landfall_identity::Timestamp;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What the signed bytes begin with. Checked by the key stores as well.
pub const PREFIX: &[u8] = b"landfall/checkpoint/v1\0";
/// The longest line that is looked at, in bytes.
pub const LINE_MAX: usize = 1024;

/// The state of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Rows.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Hash,
    /// When it was sealed.
    pub at: Timestamp,
}

impl Checkpoint {
    /// The bytes that are signed: the prefix, the size (8 bytes, big-endian), the root, and the time
    /// in milliseconds since 1970 (8 bytes, big-endian).
    pub fn canonical(&self) -> Vec<u8> {
        [PREFIX, &self.size.to_be_bytes(), &self.root, &self.at.millis().to_be_bytes()].concat()
    }

    /// Signs it.
    ///
    /// # Errors
    /// [`SignerError`] when the key's home does not sign.
    pub fn sign(self, signer: &dyn Signer) -> Result<SignedCheckpoint, SignerError> {
        let signature = signer.sign(&self.canonical())?;
        Ok(SignedCheckpoint { checkpoint: self, key: signer.public_key().thumbprint(), signature })
    }
}

/// A checkpoint with its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What is stated.
    pub checkpoint: Checkpoint,
    /// By which key.
    pub key: Thumbprint,
    /// The signature over [`Checkpoint::canonical`].
    pub signature: Signature,
}

/// The line is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the line is not a signed checkpoint")]
pub struct CheckpointError;

impl SignedCheckpoint {
    /// Checks the signature.
    ///
    /// # Errors
    /// [`BadSignature`] when it is false, or by another key.
    pub fn verify(&self, key: &PublicKey) -> Result<(), BadSignature> {
        if key.thumbprint() != self.key {
            return Err(BadSignature);
        }
        key.verify(&self.checkpoint.canonical(), &self.signature)
    }

    /// The checkpoint as a line of JSON, without the line break.
    ///
    /// # Errors
    /// [`CheckpointError`] when its time is outside the years 0 to 9999.
    pub fn to_line(&self) -> Result<String, CheckpointError> {
        let nanos = i128::from(self.checkpoint.at.millis()) * 1_000_000;
        let sealed_at = OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .ok()
            .and_then(|at| at.format(&Rfc3339).ok())
            .ok_or(CheckpointError)?;
        let line = Line {
            size: self.checkpoint.size,
            root: BASE64URL_NOPAD.encode(&self.checkpoint.root),
            sealed_at,
            key: self.key.clone(),
            signature: BASE64URL_NOPAD.encode(self.signature.fixed()),
        };
        serde_json::to_string(&line).map_err(|_| CheckpointError)
    }

    /// Reads a line.
    ///
    /// # Errors
    /// [`CheckpointError`] when it is none. A half-written last line after a crash is one such.
    pub fn parse_line(line: &str) -> Result<Self, CheckpointError> {
        if line.len() > LINE_MAX {
            return Err(CheckpointError);
        }
        let line: Line = serde_json::from_str(line).map_err(|_| CheckpointError)?;
        let bytes =
            |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| CheckpointError);
        let root = bytes(&line.root)?.as_slice().try_into().map_err(|_| CheckpointError)?;
        let at = OffsetDateTime::parse(&line.sealed_at, &Rfc3339).map_err(|_| CheckpointError)?;
        let millis = at.unix_timestamp_nanos().div_euclid(1_000_000);
        let at = i64::try_from(millis).map_err(|_| CheckpointError)?;
        let checkpoint = Checkpoint { size: line.size, root, at: Timestamp::from_millis(at) };
        let signature = Signature::from_fixed(&bytes(&line.signature)?);
        Ok(Self { checkpoint, key: line.key, signature: signature.map_err(|_| CheckpointError)? })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    size: u64,
    root: String,
    sealed_at: String,
    key: Thumbprint,
    signature: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyPair;
    use proptest::prelude::*;

    fn signed(key: &KeyPair) -> SignedCheckpoint {
        let at = Timestamp::from_millis(1_800_000_000_123);
        Checkpoint { size: 7, root: [9; 32], at }.sign(key).unwrap()
    }

    #[test]
    fn a_line_reads_as_it_was_written_and_verifies() {
        let key = KeyPair::generate().unwrap();
        let signed = signed(&key);
        let line = signed.to_line().unwrap();
        assert!(line.contains(r#""sealed_at":"2027-01-15T08:00:00.123Z""#), "{line}");
        let read = SignedCheckpoint::parse_line(&line).unwrap();
        assert_eq!(read, signed);
        assert_eq!(read.verify(&key.public_key()), Ok(()));
        let other = KeyPair::generate().unwrap().public_key();
        assert_eq!(read.verify(&other), Err(BadSignature));
    }

    #[test]
    fn nothing_in_it_can_be_changed() {
        let key = KeyPair::generate().unwrap();
        let signed = signed(&key);
        let now = signed.checkpoint;
        for changed in [
            Checkpoint { size: 8, ..now },
            Checkpoint { root: [8; 32], ..now },
            Checkpoint { at: Timestamp::from_millis(now.at.millis() + 1), ..now },
        ] {
            let changed = SignedCheckpoint { checkpoint: changed, ..signed.clone() };
            assert_eq!(changed.verify(&key.public_key()), Err(BadSignature));
        }
    }

    proptest! {
        #[test]
        fn a_half_written_line_is_none(place in any::<prop::sample::Index>()) {
            let line = signed(&KeyPair::generate().unwrap()).to_line().unwrap();
            prop_assert!(SignedCheckpoint::parse_line(&line[..place.index(line.len())]).is_err());
        }
    }
}
