//! Identifiers of rows: 128 bits, written in lower-case Crockford base 32.
//!
//! The bits are handed in: the time and 80 bits of chance; this crate owns neither. An identifier is public: it authorises
//! nothing and may stand in a log.

use crate::name::text_type;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Characters of an identifier: 128 bits at five bits each.
pub const ID_LENGTH: usize = 26;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The text is not an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not an identifier of 26 lower-case Crockford characters")]
pub struct IdError;

fn check_id(text: &str) -> Result<(), IdError> {
    let fits = text.len() == ID_LENGTH && text.bytes().all(|b| ALPHABET.contains(&b));
    // 26 characters hold 130 bits; the first may only use three of its five.
    if fits && text.as_bytes()[0] <= b'7' { Ok(()) } else { Err(IdError) }
}

fn encode(bits: [u8; 16]) -> String {
    let number = u128::from_be_bytes(bits);
    (0..ID_LENGTH)
        .rev()
        .map(|place| char::from(ALPHABET[((number >> (5 * place)) & 31) as usize]))
        .collect()
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        text_type!($(#[$doc])* $name, check_id, IdError);

        impl $name {
            /// Writes 128 bits as an identifier.
            pub fn from_bits(bits: [u8; 16]) -> Self {
                Self(encode(bits))
            }
        }
    };
}

id_type!(
    /// A bootstrap token's public name.
    TokenId
);
id_type!(
    /// One enrolment of one device: the row that gives its key authority.
    EnrollmentId
);
id_type!(
    /// A session.
    SessionId
);
id_type!(
    /// A pending passkey ceremony.
    CeremonyId
);
id_type!(
    /// A right to register a first passkey.
    GrantId
);
id_type!(
    /// A registered passkey (ours; the credential id is the authenticator's).
    PasskeyId
);
id_type!(
    /// Somebody's way back in, from its beginning to its end.
    RecoveryId
);
id_type!(
    /// One wish for a code by mail, in a recovery.
    RecoveryMailId
);
id_type!(
    /// A second person's yes to a key for a machine.
    ProvisionApprovalId
);
id_type!(
    /// One row of the audit.
    AuditId
);
id_type!(
    /// One thing that the owner of an account is told.
    NoticeId
);
id_type!(
    /// An address that notices are mailed to.
    AddressId
);
id_type!(
    /// One mail on its way.
    ParcelId
);
id_type!(
    /// One request, as the logs and problems name it.
    RequestId
);
id_type!(
    /// One run of one server process.
    NodeId
);
id_type!(
    /// One enrolled agent: the row that gives its key authority.
    AgentRowId
);
id_type!(
    /// A code that lets one agent in.
    AgentCodeId
);
id_type!(
    /// An agent and a device of its future owner, side by side.
    PairingId
);
id_type!(
    /// What an agent wants beyond its policy.
    ApprovalId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_round_trip_and_reject_lookalikes() {
        let zero = TokenId::from_bits([0; 16]);
        assert_eq!(zero.as_str(), "0".repeat(26));
        let top = TokenId::from_bits([0xFF; 16]);
        assert_eq!(top.as_str(), format!("7{}", "z".repeat(25)));
        assert_eq!(TokenId::parse(top.as_str()), Ok(top.clone()));
        for bad in ["", "0", &"8".repeat(26), &"O".repeat(26), &"u".repeat(26), &"0".repeat(27)] {
            assert_eq!(TokenId::parse(bad), Err(IdError), "{bad}");
        }
    }
}
