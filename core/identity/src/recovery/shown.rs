//! How a proof came, and what of it counts.
//!
//! What a passkey's page yields goes to the machine where the touch was. On a bare machine without a
//! browser it is typed instead, and what is typed can be read out to somebody on the telephone. So a
//! passkey that was shown in that way counts only beside a proof of another kind.

use super::plan::Door;
use super::verdict::Proof;

/// How the yield of a passkey's page came to the machine that asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// By itself, within one machine.
    Sent,
    /// By hand.
    Typed,
}

impl Carried {
    /// The text in rows and in the audit.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Typed => "typed",
        }
    }
}

/// A proof, and how it came. Every door but the passkey's is shown by the machine itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The proof.
    pub proof: Proof,
    /// How it came.
    pub carried: Carried,
}

/// Those that count: all of them, but for passkeys that were shown by hand and have no proof of another
/// kind beside them.
pub fn witnessed(shown: impl IntoIterator<Item = Shown>) -> Vec<Proof> {
    let shown: Vec<Shown> = shown.into_iter().collect();
    let others = shown.iter().any(|shown| shown.proof.door != Door::Passkey);
    let counts = |shown: &Shown| others || shown.carried == Carried::Sent;
    shown.into_iter().filter(counts).map(|shown| shown.proof).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn shown(door: Door, by: &str, carried: Carried) -> Shown {
        let proof = Proof { door, by: by.to_owned(), at: Timestamp::from_seconds(1) };
        Shown { proof, carried }
    }

    #[test]
    fn a_passkey_shown_by_hand_needs_a_proof_of_another_kind() {
        let typed = || shown(Door::Passkey, "a", Carried::Typed);
        let sent = || shown(Door::Passkey, "b", Carried::Sent);
        assert!(witnessed([]).is_empty());
        assert!(witnessed([typed()]).is_empty());
        assert!(witnessed([typed(), shown(Door::Passkey, "c", Carried::Typed)]).is_empty());
        assert_eq!(witnessed([sent()]).len(), 1);
        let both = witnessed([typed(), sent()]);
        assert!(both.len() == 1 && both[0].by == "b", "one passkey is no witness of another");
        for door in Door::ALL.into_iter().filter(|door| *door != Door::Passkey) {
            assert_eq!(witnessed([typed(), shown(door, "x", Carried::Sent)]).len(), 2, "{door:?}");
        }
    }
}
