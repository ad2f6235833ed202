//! Checkpoints, between the database's columns and what was signed.

use crate::store::audit_log::StoredCheckpoint;
use landfall_crypto::checkpoint::{Checkpoint, SignedCheckpoint};
use landfall_crypto::{Signature, Thumbprint};

/// As the database keeps it.
pub fn to_stored(signed: &SignedCheckpoint) -> StoredCheckpoint {
    StoredCheckpoint {
        size: signed.checkpoint.size,
        root: signed.checkpoint.root.to_vec(),
        at: signed.checkpoint.at,
        signature: signed.signature.fixed().to_vec(),
    }
}

/// From what the database keeps, which is said to be signed by `key`; `None` when it holds something
/// else.
pub fn from_stored(stored: &StoredCheckpoint, key: &Thumbprint) -> Option<SignedCheckpoint> {
    let root = stored.root.as_slice().try_into().ok()?;
    let signature = Signature::from_fixed(&stored.signature).ok()?;
    let checkpoint = Checkpoint { size: stored.size, root, at: stored.at };
    Some(SignedCheckpoint { checkpoint, key: key.clone(), signature })
}
