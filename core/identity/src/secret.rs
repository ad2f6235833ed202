//! Names and bounds of secrets.

use crate::name::text_type;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest secret name, in bytes.
pub const SECRET_NAME_MAX: usize = 128;
/// The largest managed value, in bytes.
pub const MANAGED_VALUE_MAX: usize = 64 * 1024;
/// Secrets that one user may keep.
pub const SECRETS_PER_USER: u64 = 1000;
/// Versions kept of one secret; an older one makes room.
pub const VERSIONS_KEPT: u64 = 100;

/// The text is not a secret's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret's name is 1 to 128 of A-Z a-z 0-9 . _ / -")]
pub struct SecretNameError;

fn check_secret_name(text: &str) -> Result<(), SecretNameError> {
    let fits = (1..=SECRET_NAME_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-'));
    // "." and ".." would be normalised away by URL parsers before the server sees them.
    if fits && text != "." && text != ".." { Ok(()) } else { Err(SecretNameError) }
}

text_type!(
    /// What a user calls a secret. Not secret itself: names stand in lists, URLs and the audit.
    SecretName, check_secret_name, SecretNameError
);
