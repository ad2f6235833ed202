//! The local name of a key.

use std::fmt;

/// The longest handle, in bytes.
pub const HANDLE_MAX: usize = 64;

/// The local name of a key: lower-case letters, digits and dashes between them, so that it is a safe
/// file name and a safe hardware label everywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHandle(String);

/// The text is not a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key's name is 1 to 64 of a-z 0-9 and `-`, and begins and ends with a letter or digit")]
pub struct HandleError;

impl KeyHandle {
    /// Checks `text` and takes it.
    ///
    /// # Errors
    /// [`HandleError`] when it breaks the rules of this type.
    pub fn parse(text: impl Into<String>) -> Result<Self, HandleError> {
        let text = text.into();
        let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let bytes = text.as_bytes();
        let edges = bytes.first().is_some_and(plain) && bytes.last().is_some_and(plain);
        let fits = bytes.len() <= HANDLE_MAX && bytes.iter().all(|b| plain(b) || *b == b'-');
        if edges && fits { Ok(Self(text)) } else { Err(HandleError) }
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_a_safe_file_name() {
        for good in ["a", "device-1", &"a".repeat(HANDLE_MAX)] {
            assert!(KeyHandle::parse(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a\\b", "A", "a.b", "-a", "a-", "ä", &"a".repeat(65)] {
            assert_eq!(KeyHandle::parse(bad), Err(HandleError), "{bad}");
        }
    }
}
