//! Plans: expressions over doors, their presets and their limits.

use super::ways::Way;
use crate::time::Seconds;
use serde::{Deserialize, Serialize};

/// The deepest that a plan may be nested.
pub const DEPTH_MAX: usize = 6;
/// The most parts that one plan may have.
pub const PARTS_MAX: usize = 40;
/// The most proofs of one kind that a plan may ask for.
pub const COUNT_MAX: u8 = 9;
/// The most minimal ways in that a plan may describe; beyond it nobody could read the plan.
pub const WAYS_MAX: usize = 32;
/// The shortest wait that may stand in for a proof.
pub const WAIT_MIN: Seconds = Seconds::hours(72);
/// The longest wait.
pub const WAIT_MAX: Seconds = Seconds::days(30);
/// How long an administrator's approval is held while a device of the user is live, and how long one must
/// have been cut off to be so no more.
pub const ADMIN_HOLD: Seconds = Seconds::hours(1);

/// What a proof comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    /// Another enrolled device of the user: it mints a token or approves a link.
    Device,
    /// A synced or roaming passkey, used on the new machine.
    Passkey,
    /// A saved recovery code (NIST SP 800-63B-4, section 4.2.1.1).
    RecoveryCode,
    /// A code sent to a confirmed address (NIST SP 800-63B-4, section 4.2.1.2).
    MailedCode,
    /// An administrator who approves.
    Admin,
    /// A person of the user's choice who approves.
    Guardian,
}

impl Door {
    /// Every door.
    pub const ALL: [Self; 6] = [
        Self::Device,
        Self::Passkey,
        Self::RecoveryCode,
        Self::MailedCode,
        Self::Admin,
        Self::Guardian,
    ];

    /// The wire text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Passkey => "passkey",
            Self::RecoveryCode => "recovery-code",
            Self::MailedCode => "mailed-code",
            Self::Admin => "admin",
            Self::Guardian => "guardian",
        }
    }

    /// The door that a wire text names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|door| door.as_str() == text)
    }
}

/// When a wait applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    /// Always.
    Always,
    /// Only while a device of the user is live, which could object. One that was cut off counts as live
    /// until that has stood for as long as the plan holds anything.
    WhileADeviceLives,
}

/// Which proofs, together and after which wait, get a user back in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Plan {
    /// So many different proofs of one kind: two administrators, three guardians.
    Proofs {
        /// The kind.
        door: Door,
        /// How many different ones.
        count: u8,
    },
    /// One of these.
    AnyOf(Vec<Plan>),
    /// All of these.
    AllOf(Vec<Plan>),
    /// So many of these.
    AtLeast {
        /// How many.
        count: u8,
        /// Of which.
        of: Vec<Plan>,
    },
    /// This, and then time in which the owner can object.
    Wait {
        /// How long.
        seconds: Seconds,
        /// When at all.
        hold: Hold,
        /// After what.
        after: Box<Plan>,
    },
}

/// Why a plan cannot be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A list without parts, or a count of nothing.
    #[error("a part of the plan asks for nothing, so everybody would get in")]
    Nothing,
    /// More is asked for than the part can ever give.
    #[error("a part of the plan asks for more than it lists, so nobody would get in")]
    Impossible,
    /// Nested too deeply, too many parts, or too many ways in.
    #[error("the plan is too large to be understood by those who rely on it")]
    TooLarge,
    /// The same kind of proof is named twice where both are wanted: one proof would count twice.
    #[error("the same kind of proof stands twice where both are wanted; ask for a count of it")]
    CountedTwice,
    /// A wait outside [`WAIT_MIN`]..=[`WAIT_MAX`].
    #[error("a waiting period takes between 3 and 30 days")]
    Wait,
    /// It opens sooner, or to less, than the floor does.
    #[error("this way in is weaker than the plan it must not be weaker than: {0}")]
    Weaker(Way),
    /// An enrolled device is not enough by itself.
    #[error("an enrolled device must be a way in by itself, because it can always add another one")]
    DeviceShut,
    /// Nothing but a device leads in.
    #[error(
        "nobody who has lost every device could come back by it: name a door besides the device that \
         leads in on this server"
    )]
    NobodyComesBack,
}

/// Plans that come ready-made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// People on their own: every door that one person can hold, and guardians.
    Personal,
    /// People with administrators.
    Team,
    /// Two independent proofs for everything but an enrolled device; two administrators.
    Strict,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 3] = [Self::Personal, Self::Team, Self::Strict];

    /// The name, as configurations have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Team => "team",
            Self::Strict => "strict",
        }
    }

    /// The plan behind the name.
    pub fn plan(self) -> Plan {
        let one = Plan::one;
        match self {
            Self::Personal => Plan::AnyOf(vec![
                one(Door::Device),
                one(Door::Passkey),
                Plan::AllOf(vec![one(Door::RecoveryCode), second_proof()]),
                Plan::of(Door::Guardian, 2),
                Plan::admin_assisted(1),
            ]),
            Self::Team => Plan::AnyOf(vec![
                one(Door::Device),
                one(Door::Passkey),
                Plan::AllOf(vec![one(Door::RecoveryCode), second_proof()]),
                Plan::admin_assisted(1),
            ]),
            Self::Strict => Plan::AnyOf(vec![
                one(Door::Device),
                Plan::AllOf(vec![one(Door::Passkey), one(Door::RecoveryCode)]),
                Plan::AllOf(vec![one(Door::Passkey), Plan::admin_assisted(1)]),
                Plan::admin_assisted(2),
            ]),
        }
    }
}

/// What goes with a recovery code, which alone is paper in somebody's drawer.
fn second_proof() -> Plan {
    Plan::AnyOf(vec![
        Plan::one(Door::MailedCode),
        Plan::one(Door::Guardian),
        Plan::admin_assisted(1),
    ])
}

impl Plan {
    /// One proof of a kind.
    pub const fn one(door: Door) -> Self {
        Self::of(door, 1)
    }

    /// So many different proofs of a kind.
    pub const fn of(door: Door, count: u8) -> Self {
        Self::Proofs { door, count }
    }

    /// So many administrators, held while a device of the user could object.
    pub fn admin_assisted(count: u8) -> Self {
        Self::Wait {
            seconds: ADMIN_HOLD,
            hold: Hold::WhileADeviceLives,
            after: Box::new(Self::of(Door::Admin, count)),
        }
    }

    /// The waiting period: after `after` and `seconds` in which nobody with a human factor objected.
    pub fn waiting(seconds: Seconds, after: Self) -> Self {
        Self::Wait { seconds, hold: Hold::Always, after: Box::new(after) }
    }

    /// What no tenant may go below: a code on paper alone, a mailbox alone, one guardian alone, or an
    /// approval without a hold never suffices; time stands in for a second proof after three days.
    pub fn floor() -> Self {
        let one = Self::one;
        Self::AnyOf(vec![
            one(Door::Device),
            one(Door::Passkey),
            Self::admin_assisted(1),
            Self::of(Door::Guardian, 2),
            Self::AtLeast { count: 2, of: Self::weak_proofs() },
            Self::waiting(WAIT_MIN, Self::weak_proof()),
        ])
    }

    /// What one person could come by who is not the owner: paper, a mailbox, a friend.
    fn weak_proofs() -> Vec<Self> {
        [Door::RecoveryCode, Door::MailedCode, Door::Guardian].map(Self::one).to_vec()
    }

    /// One of them.
    fn weak_proof() -> Self {
        Self::AnyOf(Self::weak_proofs())
    }

    /// Whether this plan can be chosen above `floor`: well formed, open to somebody, and nowhere weaker.
    /// A tenant's floor is [`Plan::floor`]; a user's is the tenant's plan.
    ///
    /// # Errors
    /// [`PlanError`] names the first thing wrong.
    pub fn check(&self, floor: &Self) -> Result<(), PlanError> {
        let mut parts = 0;
        self.check_form(1, &mut parts)?;
        for device_lives in [true, false] {
            for way in self.ways(device_lives)? {
                if !floor.is_met_by(&way, device_lives) {
                    return Err(PlanError::Weaker(way));
                }
            }
        }
        Ok(())
    }

    fn check_form(&self, depth: usize, parts: &mut usize) -> Result<(), PlanError> {
        *parts += 1;
        if depth > DEPTH_MAX || *parts > PARTS_MAX {
            return Err(PlanError::TooLarge);
        }
        match self {
            Self::Proofs { count: 0, .. } => return Err(PlanError::Nothing),
            Self::Proofs { count, .. } if *count > COUNT_MAX => return Err(PlanError::Impossible),
            // A whole sheet lies in one drawer, and who reads one mailbox often reads the other: each is
            // one proof, however many codes are shown.
            Self::Proofs { door: Door::RecoveryCode | Door::MailedCode, count } if *count > 1 => {
                return Err(PlanError::Impossible);
            }
            Self::AnyOf(of) | Self::AllOf(of) if of.is_empty() => return Err(PlanError::Nothing),
            Self::AtLeast { count: 0, .. } => return Err(PlanError::Nothing),
            Self::AtLeast { count, of } if usize::from(*count) > of.len() => {
                return Err(PlanError::Impossible);
            }
            Self::Wait { seconds, hold: Hold::Always, .. }
                if !(WAIT_MIN..=WAIT_MAX).contains(seconds) =>
            {
                return Err(PlanError::Wait);
            }
            Self::Wait { seconds, .. } if *seconds > WAIT_MAX => return Err(PlanError::Wait),
            _ => {}
        }
        if matches!(self, Self::AllOf(_) | Self::AtLeast { .. }) {
            self.check_counts()?;
        }
        self.parts().iter().try_for_each(|part| part.check_form(depth + 1, parts))
    }

    /// A door may stand in one part only of what is wanted together.
    fn check_counts(&self) -> Result<(), PlanError> {
        for door in Door::ALL {
            if self.parts().iter().filter(|part| part.names(door)).count() > 1 {
                return Err(PlanError::CountedTwice);
            }
        }
        Ok(())
    }

    /// The longest that it holds anything while a device lives: for so long one that was cut off counts.
    pub fn longest_hold(&self) -> Seconds {
        let own = match self {
            Self::Wait { seconds, hold: Hold::WhileADeviceLives, .. } => *seconds,
            _ => Seconds(0),
        };
        self.parts().iter().map(Self::longest_hold).fold(own, Seconds::max)
    }

    /// Whether it names a kind of proof anywhere.
    pub fn names(&self, door: Door) -> bool {
        match self {
            Self::Proofs { door: own, .. } => *own == door,
            other => other.parts().iter().any(|part| part.names(door)),
        }
    }

    pub(super) fn parts(&self) -> &[Self] {
        match self {
            Self::Proofs { .. } => &[],
            Self::AnyOf(of) | Self::AllOf(of) | Self::AtLeast { of, .. } => of,
            Self::Wait { after, .. } => std::slice::from_ref(after),
        }
    }
}
