//! Machines that stand for themselves, and the keys that are handed out for them.
//!
//! A key is made by the server, once, for a machine that nobody sits at. It works until its time is over, or
//! until the machine puts a key of its own in its place: from then on the one that travelled opens nothing.

use crate::action::PROVISIONERS;
use crate::caller::Role;
use crate::device::DeviceState;
use crate::refusal::Refusal;
use crate::time::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a key that was handed out can be used, unless asked otherwise.
pub const CREDENTIAL_TTL: Seconds = Seconds::days(7);
/// The longest that one can be used: what travelled is not for ever.
pub const CREDENTIAL_TTL_MAX: Seconds = Seconds::days(365);
/// How many words open its file, unless asked otherwise.
pub const WORDS: u8 = 6;
/// The fewest words that open one.
pub const WORDS_MIN: u8 = 4;
/// The most words that anybody would type.
pub const WORDS_MAX: u8 = 12;
/// How long the second person's yes is good.
pub const APPROVAL_TTL: Seconds = Seconds::hours(1);
/// Keys that one machine may have which are not dead.
pub const KEYS_MAX: u32 = 10;

/// How keys of a machine's role are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handing {
    /// By one person.
    OnePerson,
    /// By one person, after another has agreed.
    TwoPeople,
    /// Not at all: machines that have the role keep it, and no key is made for it.
    Never,
}

/// Whether people of this role make keys for machines, and so may be the second person.
pub fn may_agree(role: Role) -> bool {
    PROVISIONERS.contains(&role)
}

/// What the rows say of a machine's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineKey {
    /// Whether the machine may act.
    pub machine: DeviceState,
    /// Whether this key of it may.
    pub key: DeviceState,
    /// When a key that was handed out ends; a key that the machine made has no end of its own.
    pub expires_at: Option<Timestamp>,
    /// When the machine put another key in its place.
    pub claimed_at: Option<Timestamp>,
}

impl MachineKey {
    /// Whether the key may act at `now`, as a device's state.
    ///
    /// # Errors
    /// [`Refusal::CredentialClaimed`] and [`Refusal::CredentialExpired`]: who holds such a key must hear why
    /// it opens nothing, for it may be that somebody else used it.
    pub fn standing(&self, now: Timestamp) -> Result<DeviceState, Refusal> {
        if let DeviceState::Revoked { .. } = self.machine {
            return Ok(self.machine);
        }
        if let Some(at) = self.claimed_at {
            return Err(Refusal::CredentialClaimed { at });
        }
        if let DeviceState::Revoked { .. } = self.key {
            return Ok(self.key);
        }
        if let Some(at) = self.expires_at.filter(|at| at.is_over(now)) {
            return Err(Refusal::CredentialExpired { at });
        }
        Ok(match self.machine {
            DeviceState::Active => self.key,
            cut_off => cut_off,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(1_000);

    fn key() -> MachineKey {
        MachineKey {
            machine: DeviceState::Active,
            key: DeviceState::Active,
            expires_at: None,
            claimed_at: None,
        }
    }

    #[test]
    fn a_key_acts_only_while_it_and_its_machine_may() {
        let suspended = DeviceState::Suspended { at: NOON };
        let revoked = DeviceState::Revoked { at: NOON };
        assert_eq!(key().standing(NOON), Ok(DeviceState::Active));
        for (machine, own, expected) in [
            (suspended, DeviceState::Active, suspended),
            (DeviceState::Active, suspended, suspended),
            (suspended, revoked, revoked),
            (revoked, DeviceState::Active, revoked),
        ] {
            let standing = MachineKey { machine, key: own, ..key() }.standing(NOON);
            assert_eq!(standing, Ok(expected));
        }
    }

    #[test]
    fn a_key_that_was_handed_out_ends_to_the_second_and_says_why() {
        let handed = MachineKey { expires_at: Some(NOON), ..key() };
        assert_eq!(handed.standing(Timestamp::from_seconds(999)), Ok(DeviceState::Active));
        assert_eq!(handed.standing(NOON), Err(Refusal::CredentialExpired { at: NOON }));
        let claimed =
            MachineKey { claimed_at: Some(NOON), key: DeviceState::Revoked { at: NOON }, ..handed };
        assert_eq!(claimed.standing(NOON), Err(Refusal::CredentialClaimed { at: NOON }));
    }
}
