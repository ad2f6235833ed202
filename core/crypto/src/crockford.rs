//! Texts that people read aloud and type: Crockford's base 32.
//!
//! Reading forgives what people do: lower case, `O` for `0`, `I` and `L` for `1`, dashes and spaces
//! anywhere. `U` is no digit.

use crate::ambient::Random;
use data_encoding::{Encoding, Specification};
use std::sync::LazyLock;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The longest text that is looked at.
pub const TEXT_MAX: usize = 1024;

#[allow(clippy::expect_used, reason = "a constant table, covered by every test here")]
static CROCKFORD: LazyLock<Encoding> = LazyLock::new(|| {
    let mut table = Specification::new();
    table.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    table.translate.from.push_str("abcdefghjkmnpqrstvwxyzOoIiLl");
    table.translate.to.push_str("ABCDEFGHJKMNPQRSTVWXYZ001111");
    table.ignore.push_str("- \t\r\n");
    table.encoding().expect("the table is consistent")
});

/// The text is not Crockford base 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not made of 0-9 and A-Z without U, or its length is wrong")]
pub struct CrockfordError;

/// Writes `bytes` in upper case, without dashes.
pub fn encode(bytes: &[u8]) -> String {
    CROCKFORD.encode(bytes)
}

/// Reads a text that a person may have typed.
///
/// # Errors
/// [`CrockfordError`] for a foreign character, or a text that is no whole number of bytes.
pub fn decode(text: &str) -> Result<Vec<u8>, CrockfordError> {
    if text.len() > TEXT_MAX {
        return Err(CrockfordError);
    }
    CROCKFORD.decode(text.as_bytes()).map_err(|_| CrockfordError)
}

/// Eight characters (40 random bits) that a page shows and a person types into the app.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct TypedCode([u8; 5]);

impl TypedCode {
    /// A new one.
    pub fn generate(random: &dyn Random) -> Self {
        Self(random.array())
    }

    /// Reads what a person typed.
    ///
    /// # Errors
    /// [`CrockfordError`] when it is not eight characters of the alphabet.
    pub fn parse(text: &str) -> Result<Self, CrockfordError> {
        let bytes = Zeroizing::new(decode(text)?);
        bytes.as_slice().try_into().map(Self).map_err(|_| CrockfordError)
    }

    /// As shown: `XXXX-XXXX`.
    pub fn to_text(&self) -> Zeroizing<String> {
        let plain = Zeroizing::new(encode(&self.0));
        let (left, right) = plain.split_at(4);
        Zeroizing::new(format!("{left}-{right}"))
    }

    /// The bytes, to be hashed for keeping.
    pub fn expose(&self) -> &[u8; 5] {
        &self.0
    }

    /// Whether both are the same code, in constant time.
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn typing_is_forgiven() {
        let code = TypedCode::parse("01AZ-9K7M").unwrap();
        assert_eq!(code.to_text().as_str(), "01AZ-9K7M");
        for typed in ["oIaz9k7m", "OLAZ 9K7M", " 0laz--9k7m\n", "0iAz-9K7m"] {
            assert!(TypedCode::parse(typed).unwrap().ct_eq(&code), "{typed}");
        }
        for bad in ["", "01AZ-9K7", "01AZ-9K7M0", "01AZ-9K7U", "01AZ-9K7é"] {
            assert!(TypedCode::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let text = encode(&bytes);
            prop_assert_eq!(decode(&text), Ok(bytes.clone()));
            prop_assert_eq!(decode(&text.to_lowercase()), Ok(bytes));
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".{0,64}") {
            let _ = decode(&text);
        }
    }
}
