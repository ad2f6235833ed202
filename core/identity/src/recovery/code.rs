//! What may be known of a recovery code.

use crate::name::text_type;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Characters of a code's public name.
pub const CODE_NAME_LENGTH: usize = 16;
/// Codes of one user that work at a time.
pub const CODES_PER_USER: usize = 10;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The text is not a code's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a name of 16 upper-case Crockford characters")]
pub struct CodeNameError;

fn check(text: &str) -> Result<(), CodeNameError> {
    let fits = text.len() == CODE_NAME_LENGTH && text.bytes().all(|b| ALPHABET.contains(&b));
    if fits { Ok(()) } else { Err(CodeNameError) }
}

text_type!(
    /// A recovery code's public name, derived one way from its secret by the client that made it. It
    /// opens nothing and may stand in a log.
    CodeName, check, CodeNameError
);

/// Where a code stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeState {
    /// It works.
    Live,
    /// It let somebody in, once.
    Used,
    /// A newer sheet took its place.
    Replaced,
}

impl CodeState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Live, Self::Used, Self::Replaced];

    /// The wire text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Used => "used",
            Self::Replaced => "replaced",
        }
    }

    /// The state that a wire text names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling() {
        assert!(CodeName::parse("RXEBTAPMNJ90RJNT").is_ok());
        for bad in ["", "rxebtapmnj90rjnt", "RXEBTAPMNJ90RJN", "RXEBTAPMNJ90RJNU", "é"] {
            assert_eq!(CodeName::parse(bad), Err(CodeNameError), "{bad}");
        }
    }
}
