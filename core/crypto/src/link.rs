//! What two devices of one person tell each other while one lets the other in, over a server that may
//! lie.
//!
//! The approver commits to a nonce before it knows the new device's, and reveals it when it has that:
//!
//! ```text
//! new device -> approver   its key, in what it shows and in the server's row
//! approver -> new device   commitment = SHA-256("landfall/link-commitment/v1\0" link "\n" reveal)
//! new device -> approver   answer, 32 random bytes, for that one commitment and no other
//! approver -> new device   reveal, 32 random bytes
//! ```
//!
//! Both then hash the same transcript, every field by name and preceded by its length, and show six
//! digits: the first eight bytes of SHA-256, as a big-endian number, modulo a million. Whoever sits in
//! between must fix what they tell each side before they know what the other adds to it, so they meet
//! the same digits once in a million tries, and a person is asked at each.

use crate::ambient::Random;
use crate::crockford::TypedCode;
use crate::secret::{Secret32, SecretText, ct_eq, sha256_of};
use crate::server_line::ServerLine;
use crate::thumbprint::Thumbprint;
use data_encoding::BASE64URL_NOPAD;
use landfall_identity::id::RecoveryId;
use landfall_identity::recovery::link::Word;
use landfall_identity::{DeviceName, TenantName, UserName};
use std::fmt;
use zeroize::Zeroizing;

const COMMITMENT_PREFIX: &[u8] = b"landfall/link-commitment/v1\0";
const TRANSCRIPT_HEAD: &str = "landfall/link-check/v1\n";
const DIGITS: u64 = 1_000_000;
/// How a scanned text begins. It is no address: no camera app opens anything with it.
const SCAN_HEAD: &str = "landfall-link1";

/// The text is not 32 bytes in base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not 32 bytes in base64url")]
pub struct WordError;

/// A word as it travels.
pub fn word_text(word: &Word) -> String {
    BASE64URL_NOPAD.encode(word)
}

/// Reads a word.
///
/// # Errors
/// [`WordError`] for anything but 32 bytes in base64url without padding.
pub fn parse_word(text: &str) -> Result<Word, WordError> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| WordError)?;
    bytes.try_into().map_err(|_| WordError)
}

/// What one side adds: 256 random bits, and nobody's business until it is sent.
#[derive(Clone)]
pub struct LinkNonce(Secret32);

impl LinkNonce {
    /// A new one.
    pub fn generate(random: &dyn Random) -> Self {
        Self(Secret32::new(random.array()))
    }

    /// Reads one that was kept.
    ///
    /// # Errors
    /// [`WordError`].
    pub fn parse(text: &str) -> Result<Self, WordError> {
        parse_word(text).map(|word| Self(Secret32::new(word)))
    }

    /// To be kept, or to be sent when it is its turn.
    pub fn to_text(&self) -> SecretText {
        Zeroizing::new(word_text(self.0.expose()))
    }

    /// The bytes.
    pub fn word(&self) -> &Word {
        self.0.expose()
    }

    /// What commits to it, in this link and no other.
    pub fn commitment(&self, link: &RecoveryId) -> Word {
        commitment_to(link, self.word())
    }
}

fn commitment_to(link: &RecoveryId, nonce: &Word) -> Word {
    sha256_of(&[COMMITMENT_PREFIX, link.as_str().as_bytes(), b"\n", nonce])
}

/// Everything that both sides must have seen alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTranscript {
    /// The server's origin, as each side knows it.
    pub server: String,
    /// The tenant.
    pub tenant: TenantName,
    /// Whose account it leads into.
    pub user: UserName,
    /// The link.
    pub link: RecoveryId,
    /// What the new device will be called.
    pub device: DeviceName,
    /// The new device's key.
    pub key: Thumbprint,
    /// The approver's name.
    pub approver: DeviceName,
    /// The approver's key.
    pub approver_key: Thumbprint,
    /// What the approver committed to.
    pub commitment: Word,
    /// The new device's nonce.
    pub answer: Word,
    /// The approver's nonce.
    pub reveal: Word,
}

impl LinkTranscript {
    /// Whether the approver revealed what it had committed to.
    pub fn opens(&self) -> bool {
        ct_eq(&commitment_to(&self.link, &self.reveal), &self.commitment)
    }

    /// The bytes that are hashed.
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = TRANSCRIPT_HEAD.as_bytes().to_vec();
        let mut field = |name: &str, value: &str| write_field(&mut out, name, value);
        field("server", &self.server);
        field("tenant", self.tenant.as_str());
        field("user", self.user.as_str());
        field("link", self.link.as_str());
        field("device", self.device.as_str());
        field("key", self.key.as_str());
        field("approver", self.approver.as_str());
        field("approver_key", self.approver_key.as_str());
        field("commitment", &word_text(&self.commitment));
        field("answer", &word_text(&self.answer));
        field("reveal", &word_text(&self.reveal));
        out
    }

    /// The six digits that both sides show.
    pub fn check_code(&self) -> String {
        check_digits(&self.canonical())
    }
}

/// Writes one field of a transcript: its name, its length, itself.
pub(crate) fn write_field(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(format!("{name}={}:{value}\n", value.len()).as_bytes());
}

/// Six digits of a transcript.
pub(crate) fn check_digits(transcript: &[u8]) -> String {
    let hash = sha256_of(&[transcript]);
    let first = hash.iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    format!("{:06}", first % DIGITS)
}

/// What the new device shows for a camera: the eight characters, its whole key, and the server as it
/// knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkScan {
    /// The eight characters, `XXXX-XXXX`.
    pub code: String,
    /// Its key.
    pub key: Thumbprint,
    /// The server, and how it knows it.
    pub server: ServerLine,
}

/// What a person gave to find the new device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkText {
    /// The eight characters, typed: `XXXX-XXXX`.
    Typed(String),
    /// What the camera read.
    Scanned(LinkScan),
}

/// The text is neither the eight characters nor what a new device shows for a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the new device shows eight characters like 4K7M-9QXA")]
pub struct LinkTextError;

impl LinkText {
    /// Reads what was typed or scanned.
    ///
    /// # Errors
    /// [`LinkTextError`].
    pub fn parse(text: &str) -> Result<Self, LinkTextError> {
        match text.trim().strip_prefix(SCAN_HEAD) {
            None => read_code(text).map(Self::Typed),
            Some(rest) => {
                let mut parts = rest.split_whitespace();
                let mut part = || parts.next().ok_or(LinkTextError);
                let code = read_code(part()?)?;
                let key = Thumbprint::parse(part()?).map_err(|_| LinkTextError)?;
                let server = ServerLine::parse(part()?).map_err(|_| LinkTextError)?;
                Ok(Self::Scanned(LinkScan { code, key, server }))
            }
        }
    }

    /// The eight characters, `XXXX-XXXX`.
    pub fn code(&self) -> &str {
        match self {
            Self::Typed(code) => code,
            Self::Scanned(scan) => &scan.code,
        }
    }
}

fn read_code(text: &str) -> Result<String, LinkTextError> {
    let code = TypedCode::parse(text).map_err(|_| LinkTextError)?;
    Ok(code.to_text().to_string())
}

impl fmt::Display for LinkScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCAN_HEAD} {} {} {}", self.code, self.key, self.server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemRandom;
    use crate::token::Trust;
    use proptest::prelude::*;

    fn thumbprint(byte: u8) -> Thumbprint {
        Thumbprint::parse(word_text(&[byte; 32])).unwrap()
    }

    fn transcript(nonce: &LinkNonce) -> LinkTranscript {
        let link = RecoveryId::from_bits([7; 16]);
        LinkTranscript {
            server: "https://landfall.example".into(),
            tenant: TenantName::parse("home").unwrap(),
            user: UserName::parse("bert").unwrap(),
            device: DeviceName::parse("bert-new").unwrap(),
            key: thumbprint(1),
            approver: DeviceName::parse("bert-laptop").unwrap(),
            approver_key: thumbprint(2),
            commitment: nonce.commitment(&link),
            link,
            answer: [3; 32],
            reveal: *nonce.word(),
        }
    }

    #[test]
    fn whatever_differs_shows_in_the_bytes_and_a_wrong_reveal_does_not_open() {
        let nonce = LinkNonce::generate(&SystemRandom);
        let ours = transcript(&nonce);
        assert!(ours.opens());
        let changes: [fn(&mut LinkTranscript); 10] = [
            |t| t.server = "https://landfall.example:8443".into(),
            |t| t.tenant = TenantName::parse("work").unwrap(),
            |t| t.user = UserName::parse("eve").unwrap(),
            |t| t.link = RecoveryId::from_bits([8; 16]),
            |t| t.device = DeviceName::parse("other").unwrap(),
            |t| t.key = thumbprint(9),
            |t| t.approver = DeviceName::parse("other").unwrap(),
            |t| t.approver_key = thumbprint(9),
            |t| t.answer = [9; 32],
            |t| t.reveal = [9; 32],
        ];
        for change in changes {
            let mut theirs = ours.clone();
            change(&mut theirs);
            assert_ne!(theirs.canonical(), ours.canonical());
        }
        let other_link = LinkTranscript { link: RecoveryId::from_bits([8; 16]), ..ours.clone() };
        assert!(!other_link.opens(), "a commitment is for one link");
        assert!(!LinkTranscript { reveal: [9; 32], ..ours.clone() }.opens());
        assert_eq!(ours.check_code().len(), 6);
        assert!(ours.check_code().bytes().all(|digit| digit.is_ascii_digit()));
    }

    #[test]
    fn six_digits_are_spread_evenly_enough() {
        let mut seen = std::collections::HashSet::new();
        for number in 0..1000_u16 {
            let mut ours = transcript(&LinkNonce::parse(&word_text(&[4; 32])).unwrap());
            ours.answer[..2].copy_from_slice(&number.to_be_bytes());
            seen.insert(ours.check_code());
        }
        // Of a thousand out of a million, half a pair is expected to meet.
        assert!(seen.len() > 990, "{}", seen.len());
    }

    #[test]
    fn what_is_shown_can_be_typed_or_scanned_and_opens_nothing() {
        let server = ServerLine {
            url: "https://landfall.example:8443".parse().unwrap(),
            trust: Trust::Pin([5; 32]),
        };
        let scan = LinkScan { code: "4K7M-9QXA".into(), key: thumbprint(1), server };
        let text = scan.to_string();
        assert!(url::Url::parse(&text).is_err(), "no camera app opens it");
        assert_eq!(LinkText::parse(&text), Ok(LinkText::Scanned(scan)));
        let typed = LinkText::parse(" 4k7m 9qxa\n").unwrap();
        assert_eq!(typed.code(), "4K7M-9QXA");
        for bad in
            ["", "4K7M", "landfall-link1", "landfall-link1 4K7M-9QXA x https://a", &text[..60]]
        {
            assert_eq!(LinkText::parse(bad), Err(LinkTextError), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_readers(text in ".{0,80}") {
            let _ = LinkText::parse(&text);
            let _ = LinkText::parse(&format!("{SCAN_HEAD} {text}"));
            let _ = parse_word(&text);
        }
    }
}
