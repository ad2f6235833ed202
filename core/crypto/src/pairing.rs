//! What an agent and a device of its future owner tell each other while the device lets it in, over a
//! server that may lie: the exchange of [`crate::link`], in words of its own, so that nothing that was
//! said in one passes in the other.

use crate::crockford;
use crate::link::{LinkNonce, check_digits, word_text, write_field};
use crate::secret::{ct_eq, sha256_of};
use crate::thumbprint::Thumbprint;
use landfall_identity::id::PairingId;
use landfall_identity::recovery::link::Word;
use landfall_identity::{DeviceName, TenantName, UserName};

const COMMITMENT_PREFIX: &[u8] = b"landfall/agent-pairing-commitment/v1\0";
const CODE_PREFIX: &[u8] = b"landfall/agent-pairing-code/v1\0";
const TRANSCRIPT_HEAD: &str = "landfall/agent-pairing-check/v1\n";
/// Bytes behind the eight characters that an agent shows.
const CODE_LENGTH: usize = 5;
const GROUP: usize = 4;

/// Eight characters that the agent shows and its owner types: of the pairing and of the key that began
/// it. The server chooses the pairing's name after it has seen the key, so no key can be searched for
/// that makes somebody else's characters.
pub fn pairing_code(pairing: &PairingId, thumbprint: &str) -> String {
    let parts = [CODE_PREFIX, pairing.as_str().as_bytes(), b"\n", thumbprint.as_bytes()];
    let text = crockford::encode(&sha256_of(&parts)[..CODE_LENGTH]);
    let (first, second) = text.split_at(GROUP);
    format!("{first}-{second}")
}

/// What commits to a nonce, in this pairing and no other.
pub fn commitment(pairing: &PairingId, nonce: &LinkNonce) -> Word {
    commitment_to(pairing, nonce.word())
}

fn commitment_to(pairing: &PairingId, nonce: &Word) -> Word {
    sha256_of(&[COMMITMENT_PREFIX, pairing.as_str().as_bytes(), b"\n", nonce])
}

/// Everything that both sides must have seen alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairingTranscript {
    /// The server's origin, as each side knows it.
    pub server: String,
    /// The tenant.
    pub tenant: TenantName,
    /// Whose agent it becomes.
    pub user: UserName,
    /// The pairing.
    pub pairing: PairingId,
    /// What the agent will be called.
    pub agent: String,
    /// Its key.
    pub key: Thumbprint,
    /// The approver's name.
    pub approver: DeviceName,
    /// The approver's key.
    pub approver_key: Thumbprint,
    /// What the approver committed to.
    pub commitment: Word,
    /// The agent's nonce.
    pub answer: Word,
    /// The approver's nonce.
    pub reveal: Word,
}

impl PairingTranscript {
    /// Whether the approver revealed what it had committed to.
    pub fn opens(&self) -> bool {
        ct_eq(&commitment_to(&self.pairing, &self.reveal), &self.commitment)
    }

    /// The bytes that are hashed.
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = TRANSCRIPT_HEAD.as_bytes().to_vec();
        for (name, value) in [
            ("server", self.server.as_str()),
            ("tenant", self.tenant.as_str()),
            ("user", self.user.as_str()),
            ("pairing", self.pairing.as_str()),
            ("agent", &self.agent),
            ("key", self.key.as_str()),
            ("approver", self.approver.as_str()),
            ("approver_key", self.approver_key.as_str()),
            ("commitment", &word_text(&self.commitment)),
            ("answer", &word_text(&self.answer)),
            ("reveal", &word_text(&self.reveal)),
        ] {
            write_field(&mut out, name, value);
        }
        out
    }

    /// The six digits that both sides show.
    pub fn check_code(&self) -> String {
        check_digits(&self.canonical())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemRandom;

    fn transcript() -> PairingTranscript {
        let pairing = PairingId::from_bits([3; 16]);
        let nonce = LinkNonce::generate(&SystemRandom);
        PairingTranscript {
            server: "https://landfall.example".to_owned(),
            tenant: TenantName::parse("home").unwrap(),
            user: UserName::parse("bert").unwrap(),
            agent: "research".to_owned(),
            key: Thumbprint::parse("A".repeat(43)).unwrap(),
            approver: DeviceName::parse("bert-laptop").unwrap(),
            approver_key: Thumbprint::parse("B".repeat(42) + "A").unwrap(),
            commitment: commitment(&pairing, &nonce),
            answer: [2; 32],
            reveal: *nonce.word(),
            pairing,
        }
    }

    #[test]
    fn both_sides_show_six_digits_of_all_that_was_said() {
        let ours = transcript();
        assert!(ours.opens());
        let digits = ours.check_code();
        assert!(digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit()), "{digits}");
        let other = PairingTranscript { agent: "researcher".to_owned(), ..ours.clone() };
        assert_ne!(ours.canonical(), other.canonical());
        let false_word = PairingTranscript { reveal: [9; 32], ..ours };
        assert!(!false_word.opens());
    }

    #[test]
    fn what_is_said_in_a_pairing_passes_in_no_link() {
        let ours = transcript();
        assert!(ours.canonical().starts_with(b"landfall/agent-pairing-check/v1\n"));
        let id = landfall_identity::id::RecoveryId::parse(ours.pairing.as_str()).unwrap();
        let nonce = LinkNonce::parse(&word_text(&ours.reveal)).unwrap();
        assert_ne!(nonce.commitment(&id), ours.commitment);
        let code = pairing_code(&ours.pairing, ours.key.as_str());
        assert_ne!(code, crate::recovery_code::device_check(&id, ours.key.as_str()));
        assert_eq!(code.split('-').map(str::len).collect::<Vec<_>>(), [4, 4]);
    }
}
