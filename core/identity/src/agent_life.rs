//! What becomes of an agent: who may enrol one, when it may act, and what dies with whom.
//!
//! An agent is the child of whoever enrolled it: a user, through one device of theirs; another agent;
//! or nobody, where the operator's own list or a loopback let it in. Its standing is asked of the rows at
//! each request, so that whatever happens to a parent happens to its children at once (ADR 20).

use crate::caller::AccountState;
use crate::device::DeviceState;
use crate::refusal::Refusal;
use crate::time::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};

/// How long somebody who has proved no key is remembered.
pub const UNPROVEN_TTL: Seconds = Seconds::hours(1);
/// Sub-agents of one agent whose tokens still live.
pub const SUB_AGENTS_MAX: u32 = 64;
/// Agents of one user that are not revoked, sub-agents apart.
pub const AGENTS_PER_USER: u32 = 256;
/// Codes for agents that one user may have open at once.
pub const AGENT_CODES_OPEN_MAX: u32 = 32;
/// Agents that prove nothing, of a whole tenant.
pub const UNPROVEN_MAX: u32 = 1024;
/// Naming tokens of one key that are remembered at once.
pub const REPLAYS_PER_KEY: u32 = 4096;

/// Tokens of one agent whose names are kept for its person server.
pub const TOKENS_TOLD_MAX: u32 = 64;

/// Whether an agent may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentState {
    /// It was named, and has proved no key: it has a token and nothing else, and is gone at `until`.
    Unproven {
        /// When.
        until: Timestamp,
    },
    /// It has proved its key.
    Active,
    /// Cut off for ever.
    Revoked {
        /// Since when.
        at: Timestamp,
    },
}

impl AgentState {
    /// Whether it is as if it had never been.
    pub const fn is_gone(self, now: Timestamp) -> bool {
        matches!(self, Self::Unproven { until } if until.is_over(now))
    }

    /// What becomes of it when its key has signed.
    #[must_use]
    pub const fn proved(self) -> Self {
        match self {
            Self::Unproven { .. } | Self::Active => Self::Active,
            Self::Revoked { at } => Self::Revoked { at },
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $case:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$each])* $case,)* }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$case,)*];

            /// The wire text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$case => $text,)* }
            }

            /// The one that a wire text names.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }
    };
}

words!(
    /// What lets an agent in.
    AgentDoor {
        /// A code that a user made for it, with a touch.
        LinkCode = "link-code",
        /// A user compared what it shows with what their device shows.
        Pairing = "pairing",
        /// Its key is on the operator's list.
        AllowList = "allow-list",
        /// Nothing: on the loopback alone.
        Open = "open",
        /// Its parent, an agent as well.
        Parent = "parent",
    }
);

/// Who stands behind an agent, as the rows have them now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backing {
    /// The agent that it is a part of.
    pub parent: Option<AgentState>,
    /// The user whose agent it is.
    pub owner: Option<AccountState>,
    /// The device of that user through which it came.
    pub introducer: Option<DeviceState>,
}

/// Whether an agent may act: itself, the agent above it, the account, the device that let it in.
///
/// A device that is cut off takes the agents along that it let in: whoever stole it let in theirs. One
/// that is suspended holds them, one that is revoked ends them, until another device of the same user
/// lets them in anew.
///
/// # Errors
/// [`Refusal::AgentUnknown`], [`Refusal::AgentRevoked`], [`Refusal::AgentUnvouched`],
/// [`Refusal::AgentHeld`].
pub fn may_act(state: AgentState, backing: &Backing, now: Timestamp) -> Result<(), Refusal> {
    for agent in [Some(state), backing.parent].into_iter().flatten() {
        match agent {
            AgentState::Revoked { at } => return Err(Refusal::AgentRevoked { at }),
            gone if gone.is_gone(now) => return Err(Refusal::AgentUnknown),
            AgentState::Unproven { .. } | AgentState::Active => {}
        }
    }
    match backing.introducer {
        Some(DeviceState::Revoked { .. }) => return Err(Refusal::AgentUnvouched),
        Some(DeviceState::Suspended { .. }) => return Err(Refusal::AgentHeld),
        Some(DeviceState::Active) | None => {}
    }
    match backing.owner {
        Some(AccountState::Frozen) => Err(Refusal::AgentHeld),
        Some(AccountState::Active) | None => Ok(()),
    }
}

/// Whom a key that wants to enrol meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meets {
    /// Nobody: it may be new.
    Nobody,
    /// Itself: nothing is changed, and no code is used up.
    Itself,
}

/// Compares a key that wants to enrol with what is known: the agent that the key belongs to, and the key
/// of the agent that it wants to be. No key ever takes another's place.
///
/// # Errors
/// [`Refusal::AgentKeyKnown`] when the key is another agent's; [`Refusal::AgentIdTaken`] when the agent
/// has another key.
pub fn meets<I: PartialEq>(
    agent_of_key: Option<&I>,
    asked: Option<&I>,
    key_of_asked: Option<&str>,
    thumbprint: &str,
) -> Result<Meets, Refusal> {
    match (agent_of_key, asked) {
        (Some(known), Some(asked)) if known != asked => Err(Refusal::AgentKeyKnown),
        (Some(_), _) => Ok(Meets::Itself),
        (None, _) if key_of_asked.is_some_and(|key| key != thumbprint) => {
            Err(Refusal::AgentIdTaken)
        }
        (None, _) => Ok(Meets::Nobody),
    }
}

/// How long a sub-agent's token lives: never longer than what its parent showed.
pub fn sub_agent_until(parent_until: Timestamp, now: Timestamp, ttl: Seconds) -> Timestamp {
    parent_until.min(now + ttl)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1000);
    const ACTIVE: AgentState = AgentState::Active;

    #[test]
    fn whatever_happens_to_a_parent_happens_to_the_child() {
        let at = Timestamp::from_seconds(900);
        let backed = |backing: Backing| may_act(ACTIVE, &backing, NOW);
        let whole = Backing {
            parent: Some(ACTIVE),
            owner: Some(AccountState::Active),
            introducer: Some(DeviceState::Active),
        };
        assert_eq!(backed(whole), Ok(()));
        assert_eq!(backed(Backing::default()), Ok(()), "the operator's own");
        let revoked = Backing { parent: Some(AgentState::Revoked { at }), ..whole };
        assert_eq!(backed(revoked), Err(Refusal::AgentRevoked { at }));
        let frozen = Backing { owner: Some(AccountState::Frozen), ..whole };
        assert_eq!(backed(frozen), Err(Refusal::AgentHeld));
        let suspended = Backing { introducer: Some(DeviceState::Suspended { at }), ..whole };
        assert_eq!(backed(suspended), Err(Refusal::AgentHeld));
        let lost = Backing { introducer: Some(DeviceState::Revoked { at }), ..whole };
        assert_eq!(backed(lost), Err(Refusal::AgentUnvouched));
    }

    #[test]
    fn who_proves_no_key_is_gone_to_the_second() {
        let unproven = AgentState::Unproven { until: NOW + Seconds(1) };
        assert_eq!(may_act(unproven, &Backing::default(), NOW), Ok(()));
        let later = NOW + Seconds(1);
        assert_eq!(may_act(unproven, &Backing::default(), later), Err(Refusal::AgentUnknown));
        assert_eq!(unproven.proved(), ACTIVE);
        let revoked = AgentState::Revoked { at: NOW };
        assert_eq!(revoked.proved(), revoked, "a signature brings nobody back");
    }

    #[test]
    fn no_key_ever_takes_anothers_place() {
        assert_eq!(meets::<u8>(None, Some(&1), None, "k"), Ok(Meets::Nobody));
        assert_eq!(meets(Some(&1), Some(&1), Some("k"), "k"), Ok(Meets::Itself));
        assert_eq!(meets(Some(&1), None, None, "k"), Ok(Meets::Itself));
        assert_eq!(meets(Some(&1), Some(&2), None, "k"), Err(Refusal::AgentKeyKnown));
        assert_eq!(meets(Some(&1), Some(&2), Some("l"), "k"), Err(Refusal::AgentKeyKnown));
        assert_eq!(meets(None, Some(&2), Some("l"), "k"), Err(Refusal::AgentIdTaken));
    }

    #[test]
    fn a_sub_agent_outlives_nothing_that_its_parent_showed() {
        let hour = Seconds::hours(1);
        assert_eq!(sub_agent_until(NOW + Seconds(5), NOW, hour), NOW + Seconds(5));
        assert_eq!(sub_agent_until(NOW + Seconds::hours(2), NOW, hour), NOW + hour);
    }
}
