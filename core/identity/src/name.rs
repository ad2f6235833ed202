//! Names that people and machines read, parsed once at the edge.
//!
//! Tenant, user and device names are path segments of a SPIFFE ID, so their alphabet is the
//! intersection of what SPIFFE allows and what nobody confuses: lower-case ASCII letters, digits, and
//! `.`, `_`, `-` between them. Upper case is refused rather than folded, so that two spellings never
//! mean one principal.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest tenant, user or device name, in bytes.
pub const NAME_MAX: usize = 64;
/// The longest label, in characters.
pub const LABEL_MAX: usize = 80;
/// The longest reason, in characters.
pub const REASON_MAX: usize = 200;

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("it is empty")]
    Empty,
    /// Longer than allowed.
    #[error("it is longer than {0} characters")]
    TooLong(usize),
    /// A character outside the alphabet.
    #[error("only lower-case letters, digits, '.', '_' and '-' are allowed")]
    Alphabet,
    /// Begins or ends with punctuation.
    #[error("it must begin and end with a letter or a digit")]
    Edge,
    /// A control, direction-changing or invisible character in a label.
    #[error("control characters, text-direction marks and invisible characters are not allowed")]
    Control,
}

pub(crate) fn check_name(text: &str) -> Result<(), NameError> {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return Err(NameError::Empty);
    };
    if bytes.len() > NAME_MAX {
        return Err(NameError::TooLong(NAME_MAX));
    }
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if !bytes.iter().all(|b| plain(b) || matches!(b, b'.' | b'_' | b'-')) {
        return Err(NameError::Alphabet);
    }
    if !plain(first) || !plain(last) {
        return Err(NameError::Edge);
    }
    Ok(())
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $check:path, $error:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks `text` and takes it.
            ///
            /// # Errors
            /// When the text breaks the rules of this type.
            pub fn parse(text: impl Into<String>) -> Result<Self, $error> {
                let text = text.into();
                $check(&text)?;
                Ok(Self(text))
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = $error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }
    };
}
pub(crate) use text_type;

text_type!(
    /// A tenant: the isolation boundary, first argument of every store method.
    TenantName, check_name, NameError
);
text_type!(
    /// A user: the portable human, unique in a tenant for ever.
    UserName, check_name, NameError
);
text_type!(
    /// A device: one machine of one user. Unique per user for ever, so that revoking by name can
    /// never hit, or miss, a namesake. What people may change is the device's [`Label`].
    DeviceName, check_name, NameError
);

fn check_label(text: &str) -> Result<(), NameError> {
    check_line(text, LABEL_MAX)
}

fn check_reason(text: &str) -> Result<(), NameError> {
    check_line(text, REASON_MAX)
}

fn check_line(text: &str, max: usize) -> Result<(), NameError> {
    if text.trim().is_empty() {
        return Err(NameError::Empty);
    }
    if text.chars().count() > max {
        return Err(NameError::TooLong(max));
    }
    if text.chars().any(is_hostile_in_a_label) {
        return Err(NameError::Control);
    }
    Ok(())
}

/// Control characters, line separators, the marks that reorder or hide text on a screen, and whatever
/// else takes no room on it: Unicode's `Default_Ignorable_Code_Point` and the characters that are blank,
/// but for the two that choose between the forms of an emoji. Two labels that look alike are then alike,
/// and none carries words that nobody sees.
pub(crate) fn is_hostile_in_a_label(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0D}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

text_type!(
    /// A free text that a person gave a device or a passkey ("Bert's blue laptop"). It is shown, never
    /// compared, and cannot carry control or text-direction characters.
    Label, check_label, NameError
);
text_type!(
    /// Why somebody did something for somebody else, in their own words: kept in the audit, and shown
    /// like a [`Label`].
    Reason, check_reason, NameError
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_their_alphabet_and_length() {
        for good in ["a", "bert", "bert-laptop", "x1.y_2", &"a".repeat(NAME_MAX)] {
            assert!(UserName::parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("", NameError::Empty),
            (&"a".repeat(NAME_MAX + 1), NameError::TooLong(NAME_MAX)),
            ("Bert", NameError::Alphabet),
            ("b rt", NameError::Alphabet),
            ("b%72t", NameError::Alphabet),
            ("bért", NameError::Alphabet),
            ("a/b", NameError::Alphabet),
            (".", NameError::Edge),
            ("..", NameError::Edge),
            ("-a", NameError::Edge),
            ("a.", NameError::Edge),
        ] {
            assert_eq!(UserName::parse(bad), Err(why), "{bad:?}");
        }
    }

    #[test]
    fn labels_refuse_what_could_disguise_a_screen() {
        assert!(Label::parse("Bert's blue laptop").is_ok());
        assert!(Label::parse("ノートPC").is_ok());
        for bad in ["", "   ", "a\nb", "a\u{202E}b", "a\u{200B}b", &"x".repeat(LABEL_MAX + 1)] {
            assert!(Label::parse(bad).is_err(), "{bad:?}");
        }
        // Tags spell out words that nobody sees; fillers and blanks make two labels of one look.
        for hidden in [
            '\u{E0001}',
            '\u{E0041}',
            '\u{E007F}',
            '\u{E0100}',
            '\u{034F}',
            '\u{115F}',
            '\u{1160}',
            '\u{17B4}',
            '\u{180B}',
            '\u{2800}',
            '\u{3164}',
            '\u{FE00}',
            '\u{FFA0}',
            '\u{FFF0}',
            '\u{1BCA0}',
            '\u{1D173}',
        ] {
            assert_eq!(Label::parse(format!("a{hidden}b")), Err(NameError::Control), "{hidden:?}");
            assert_eq!(Reason::parse(format!("a{hidden}")), Err(NameError::Control), "{hidden:?}");
        }
        assert!(Label::parse("Bert's ❤\u{FE0F} laptop").is_ok());
        assert!(Reason::parse("x".repeat(REASON_MAX)).is_ok());
        assert_eq!(Reason::parse("x".repeat(REASON_MAX + 1)), Err(NameError::TooLong(REASON_MAX)));
    }
}
