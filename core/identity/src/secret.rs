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
#[error("a secret's name is 1 to 128 of A-Z a-z 0-9 . _ / -, and no part of it is '.' or '..'")]
pub struct SecretNameError;

fn check_secret_name(text: &str) -> Result<(), SecretNameError> {
    let fits = (1..=SECRET_NAME_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-'));
    // Such a part is a step elsewhere to whoever takes a name for a path, be it a URL parser on the way
    // or a tool that writes secrets into files.
    let steps = text.split('/').any(|part| matches!(part, "." | ".."));
    if fits && !steps { Ok(()) } else { Err(SecretNameError) }
}

text_type!(
    /// What a user calls a secret. Not secret itself: names stand in lists, URLs and the audit.
    SecretName, check_secret_name, SecretNameError
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_way_out_of_its_place() {
        for good in ["wifi", "db/main", "a.b", "..a", "a..", "x/...", "v1.2/.env"] {
            assert!(SecretName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/..", "../a", "a/../b", "a/./b", "./a", "a b", "é"] {
            assert_eq!(SecretName::parse(bad), Err(SecretNameError), "{bad}");
        }
    }
}
