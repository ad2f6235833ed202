//! Recovery codes: what a person keeps on paper, for the day when every device is gone.
//!
//! 120 random bits in six groups of four characters, and a check character that catches a slip before
//! anything is sent. A code is made by the person's client; the server sees its name and its `auth`
//! half, and keeps a keyed hash of the latter.

use crate::ambient::Random;
use crate::crockford::{self, CrockfordError};
use crate::door::{AuthHalf, vault_of};
use crate::secret::{Secret32, SecretText, hkdf_sha256, sha256_of};
use data_encoding::BASE64URL_NOPAD;
use landfall_identity::id::RecoveryId;
use landfall_identity::recovery::{CodeName, CodeNameError};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Bytes of a code's secret.
pub const SECRET_LENGTH: usize = 15;
/// Characters of a code, its check character included, dashes not.
pub const CHARACTERS: usize = 25;

const GROUP: usize = 4;
const NAME_LENGTH: usize = 10;
const NAME_INFO: &str = "landfall/recovery-code-name/v1";
const CHECK_PREFIX: &[u8] = b"landfall/recovery-code-check/v1\0";
const CODES_PREFIX: &[u8] = b"landfall/recovery-codes/v1\0";
const DEVICE_PREFIX: &[u8] = b"landfall/recovery-device/v1\0";
const DEVICE_CHECK_LENGTH: usize = 5;

/// Why a text is not a recovery code. Nothing of it was sent anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryCodeError {
    /// Not 25 characters of the alphabet.
    #[error("a recovery code has 25 characters, 0-9 and A-Z without U")]
    Shape,
    /// The check character does not fit: a slip of the pen or of the finger.
    #[error("one of the characters is wrong")]
    Mistyped,
}

impl From<CrockfordError> for RecoveryCodeError {
    fn from(_: CrockfordError) -> Self {
        Self::Shape
    }
}

/// One recovery code.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RecoveryCode([u8; SECRET_LENGTH]);

impl RecoveryCode {
    /// A new one.
    pub fn generate(random: &dyn Random) -> Self {
        Self(random.array())
    }

    /// Reads what a person typed: dashes, spaces and case do not matter, and neither does the letter O
    /// for a zero.
    ///
    /// # Errors
    /// [`RecoveryCodeError`] tells a slip from something that is no code at all.
    pub fn parse(text: &str) -> Result<Self, RecoveryCodeError> {
        if text.len() > crockford::TEXT_MAX {
            return Err(RecoveryCodeError::Shape);
        }
        let is_filler = |c: &char| *c == '-' || c.is_whitespace();
        let plain: Zeroizing<String> =
            Zeroizing::new(text.chars().filter(|c| !is_filler(c)).collect());
        if !plain.is_ascii() || plain.len() != CHARACTERS {
            return Err(RecoveryCodeError::Shape);
        }
        let (secret, check) = plain.split_at(CHARACTERS - 1);
        let bytes = Zeroizing::new(crockford::decode(secret)?);
        let code = bytes.as_slice().try_into().map(Self).map_err(|_| RecoveryCodeError::Shape)?;
        // Seven zeros fill the five bits up to whole bytes.
        let check = crockford::decode(&format!("{check}0000000"))?;
        if check[0] >> 3 == code.check() { Ok(code) } else { Err(RecoveryCodeError::Mistyped) }
    }

    /// As printed: `XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-X`.
    pub fn to_text(&self) -> SecretText {
        let secret = Zeroizing::new(crockford::encode(&self.0));
        let check = crockford::encode(&[self.check() << 3, 0, 0, 0, 0]);
        let mut text = Zeroizing::new(String::with_capacity(CHARACTERS + CHARACTERS / GROUP));
        for (place, character) in secret.chars().chain(check.chars().take(1)).enumerate() {
            if place > 0 && place % GROUP == 0 {
                text.push('-');
            }
            text.push(character);
        }
        text
    }

    /// By what the server finds the code: derived one way, so that it tells nothing of the secret.
    ///
    /// # Errors
    /// Never: ten bytes are sixteen characters.
    pub fn name(&self) -> Result<CodeName, CodeNameError> {
        let derived = hkdf_sha256(&self.0, &[], NAME_INFO);
        CodeName::parse(crockford::encode(&derived.expose()[..NAME_LENGTH]))
    }

    /// The half that is shown to the server when the code is used.
    pub fn auth(&self) -> AuthHalf {
        AuthHalf::of(&self.0)
    }

    /// The half that opens the vault. It never leaves the client.
    pub fn vault(&self) -> Secret32 {
        vault_of(&self.0)
    }

    /// Five bits of a hash of the secret.
    fn check(&self) -> u8 {
        sha256_of(&[CHECK_PREFIX, &self.0])[0] >> 3
    }
}

/// What an approval to make codes commits to: SHA-256, base64url, over their names and `auth` hashes,
/// in their order.
pub fn codes_hash<'a>(codes: impl IntoIterator<Item = (&'a CodeName, &'a str)>) -> String {
    let lines: String =
        codes.into_iter().map(|(name, hash)| format!("{name} {}:{hash}\n", hash.len())).collect();
    BASE64URL_NOPAD.encode(&sha256_of(&[CODES_PREFIX, lines.as_bytes()]))
}

/// Eight characters that the new device shows and that an administrator types: of the recovery and of
/// the key that began it. The server chooses the recovery's name after it has seen the key, so no key
/// can be searched for that makes somebody else's characters.
pub fn device_check(recovery: &RecoveryId, thumbprint: &str) -> String {
    let parts = [DEVICE_PREFIX, recovery.as_str().as_bytes(), b"\n", thumbprint.as_bytes()];
    let text = crockford::encode(&sha256_of(&parts)[..DEVICE_CHECK_LENGTH]);
    let (first, second) = text.split_at(GROUP);
    format!("{first}-{second}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemRandom;
    use proptest::prelude::*;

    const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    #[test]
    fn a_code_is_printed_in_groups_and_read_as_people_type() {
        let code = RecoveryCode::generate(&SystemRandom);
        let text = code.to_text();
        assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4, 4, 4, 4, 1]);
        for typed in [
            text.to_lowercase(),
            text.replace('-', " "),
            text.replace('-', ""),
            format!("  {}\n", text.replace('0', "o").replace('1', "l")),
        ] {
            assert_eq!(RecoveryCode::parse(&typed).map(|read| read.0), Ok(code.0), "{typed}");
        }
    }

    #[test]
    fn what_is_no_code_is_told_from_a_slip() {
        let code = RecoveryCode::generate(&SystemRandom);
        let text = code.to_text();
        for bad in ["", "lf1.x", &text[1..], &format!("{}0", *text), &text.replace('-', "é")] {
            assert_eq!(
                RecoveryCode::parse(bad).map(|_| ()),
                Err(RecoveryCodeError::Shape),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_name_a_half_and_another_half_tell_nothing_of_each_other() {
        let code = RecoveryCode::generate(&SystemRandom);
        let name = code.name().unwrap();
        assert!(!code.to_text().replace('-', "").contains(name.as_str()));
        assert!(!code.vault().ct_eq(code.auth().hash().as_bytes()));
        let key = Secret32::new([3; 32]);
        let stored = code.auth().hash().keyed(&key);
        assert!(code.auth().matches_keyed(&key, &stored));
        assert!(!code.auth().matches_keyed(&Secret32::new([4; 32]), &stored));
        assert!(!code.auth().matches(&stored));
    }

    #[test]
    fn an_approval_names_codes_in_their_order_and_no_others() {
        let code = || RecoveryCode::generate(&SystemRandom);
        let (one, two) = (code(), code());
        let (a, b) = (one.name().unwrap(), two.name().unwrap());
        let (x, y) = (one.auth().hash().to_string(), two.auth().hash().to_string());
        let hash = codes_hash([(&a, x.as_str()), (&b, y.as_str())]);
        assert_eq!(hash, codes_hash([(&a, x.as_str()), (&b, y.as_str())]));
        assert_ne!(hash, codes_hash([(&b, y.as_str()), (&a, x.as_str())]));
        assert_ne!(hash, codes_hash([(&a, y.as_str()), (&b, x.as_str())]));
        assert_ne!(hash, codes_hash([(&a, x.as_str())]));
    }

    #[test]
    fn another_key_or_another_recovery_shows_other_characters() {
        let (one, two) = (RecoveryId::from_bits([1; 16]), RecoveryId::from_bits([2; 16]));
        let check = device_check(&one, "thumbprint");
        assert_eq!(check.split('-').map(str::len).collect::<Vec<_>>(), [4, 4]);
        assert_ne!(check, device_check(&two, "thumbprint"));
        assert_ne!(check, device_check(&one, "Thumbprint"));
    }

    proptest! {
        #[test]
        fn what_is_printed_can_be_read(bytes in any::<[u8; SECRET_LENGTH]>()) {
            let code = RecoveryCode(bytes);
            prop_assert_eq!(RecoveryCode::parse(&code.to_text()).map(|read| read.0), Ok(bytes));
        }

        /// One wrong character gives another code in one case of 32, and is noticed in all others.
        #[test]
        fn a_slip_never_gives_the_same_code(
            bytes in any::<[u8; SECRET_LENGTH]>(),
            place in 0..CHARACTERS,
            with in prop::sample::select(ALPHABET.chars().collect::<Vec<_>>()),
        ) {
            let code = RecoveryCode(bytes);
            let mut typed: Vec<char> = code.to_text().replace('-', "").chars().collect();
            prop_assume!(typed[place] != with);
            typed[place] = with;
            let typed: String = typed.into_iter().collect();
            match RecoveryCode::parse(&typed) {
                Ok(other) => prop_assert_ne!(other.0, bytes),
                Err(error) => prop_assert_eq!(error, RecoveryCodeError::Mistyped),
            }
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".{0,64}") {
            let _ = RecoveryCode::parse(&text);
        }
    }
}
