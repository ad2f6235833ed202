//! Linking: a bare machine asks, another device of the same user approves.
//!
//! A link is a recovery whose first proof is a device. Beside it stands an exchange between the two
//! clients, which the server only carries: the approver commits to a nonce, the new device answers with
//! one of its own, the approver reveals. Each step is taken once and by one alone; asked again with the
//! very same words it has been done already. Whoever could have a second try at any of them could search
//! for a check code that fits.

use crate::id::EnrollmentId;
use crate::time::Seconds;

/// How long a link stays open: NIST SP 800-63B-4's limit for binding codes.
pub const LINK_TTL: Seconds = Seconds::minutes(10);
/// Links of one account that may wait for an approver at once.
pub const LINKS_PER_ACCOUNT: u32 = 16;
/// Links of a whole tenant that may wait for an approver at once.
pub const LINKS_PER_TENANT: u32 = 1024;

/// 32 bytes that one client sends the other.
pub type Word = [u8; 32];

/// How far the exchange of a link has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchange {
    /// Nobody has taken it on.
    Waiting,
    /// A device has taken it on and committed to a nonce.
    Claimed {
        /// Which device.
        by: EnrollmentId,
        /// What it committed to.
        commitment: Word,
    },
    /// The new device has answered that commitment.
    Answered {
        /// Which device has taken it on.
        by: EnrollmentId,
        /// What it committed to.
        commitment: Word,
        /// The new device's nonce.
        answer: Word,
    },
    /// The approver has revealed its nonce: both clients know the check code.
    Revealed {
        /// Which device has taken it on.
        by: EnrollmentId,
        /// What it committed to.
        commitment: Word,
        /// The new device's nonce.
        answer: Word,
        /// The approver's nonce.
        reveal: Word,
    },
}

/// What a step that is allowed leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Write the next state.
    Take(Exchange),
    /// It was taken before, with the same words: a lost reply.
    Again,
}

/// Why a step is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepError {
    /// Another device has taken the link on.
    Taken,
    /// It is not that step's turn, or it was taken with other words.
    OutOfTurn,
}

impl Exchange {
    /// The device that has taken it on.
    pub fn claimed_by(&self) -> Option<&EnrollmentId> {
        match self {
            Self::Waiting => None,
            Self::Claimed { by, .. } | Self::Answered { by, .. } | Self::Revealed { by, .. } => {
                Some(by)
            }
        }
    }

    /// What the approver committed to.
    pub fn commitment(&self) -> Option<&Word> {
        match self {
            Self::Waiting => None,
            Self::Claimed { commitment, .. }
            | Self::Answered { commitment, .. }
            | Self::Revealed { commitment, .. } => Some(commitment),
        }
    }

    /// The new device's nonce.
    pub fn answer(&self) -> Option<&Word> {
        match self {
            Self::Waiting | Self::Claimed { .. } => None,
            Self::Answered { answer, .. } | Self::Revealed { answer, .. } => Some(answer),
        }
    }

    /// The approver's nonce.
    pub fn reveal(&self) -> Option<&Word> {
        match self {
            Self::Revealed { reveal, .. } => Some(reveal),
            _ => None,
        }
    }

    /// A device takes the link on.
    ///
    /// # Errors
    /// [`StepError::Taken`] when another one has; [`StepError::OutOfTurn`] for another commitment.
    pub fn take_on(&self, by: &EnrollmentId, commitment: &Word) -> Result<Step, StepError> {
        match (self.claimed_by(), self.commitment()) {
            (None, _) => Ok(Step::Take(Self::Claimed { by: by.clone(), commitment: *commitment })),
            (Some(other), _) if other != by => Err(StepError::Taken),
            (Some(_), same) if same == Some(commitment) => Ok(Step::Again),
            (Some(_), _) => Err(StepError::OutOfTurn),
        }
    }

    /// The new device answers the commitment that it was shown.
    ///
    /// # Errors
    /// [`StepError::OutOfTurn`].
    pub fn answer_with(&self, shown: &Word, nonce: &Word) -> Result<Step, StepError> {
        match self {
            Self::Claimed { by, commitment } if commitment == shown => {
                Ok(Step::Take(Self::Answered {
                    by: by.clone(),
                    commitment: *commitment,
                    answer: *nonce,
                }))
            }
            Self::Answered { commitment, answer, .. }
            | Self::Revealed { commitment, answer, .. }
                if commitment == shown && answer == nonce =>
            {
                Ok(Step::Again)
            }
            _ => Err(StepError::OutOfTurn),
        }
    }

    /// The approver reveals its nonce.
    ///
    /// # Errors
    /// [`StepError::Taken`] for another device; [`StepError::OutOfTurn`].
    pub fn reveal_with(&self, who: &EnrollmentId, nonce: &Word) -> Result<Step, StepError> {
        match self {
            _ if self.claimed_by().is_some_and(|by| by != who) => Err(StepError::Taken),
            Self::Answered { by, commitment, answer } => Ok(Step::Take(Self::Revealed {
                by: by.clone(),
                commitment: *commitment,
                answer: *answer,
                reveal: *nonce,
            })),
            Self::Revealed { reveal, .. } if reveal == nonce => Ok(Step::Again),
            _ => Err(StepError::OutOfTurn),
        }
    }

    /// Whether `who` may approve: the device that took it on, and not before both can know the check
    /// code.
    ///
    /// # Errors
    /// [`StepError::Taken`] for another device; [`StepError::OutOfTurn`].
    pub fn may_approve(&self, who: &EnrollmentId) -> Result<(), StepError> {
        match self {
            Self::Revealed { by, .. } if by == who => Ok(()),
            _ if self.claimed_by().is_some_and(|by| by != who) => Err(StepError::Taken),
            _ => Err(StepError::OutOfTurn),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMITMENT: Word = [1; 32];
    const ANSWER: Word = [2; 32];
    const REVEAL: Word = [3; 32];

    fn device(number: u8) -> EnrollmentId {
        EnrollmentId::from_bits([number; 16])
    }

    fn taken(step: Result<Step, StepError>) -> Exchange {
        match step {
            Ok(Step::Take(next)) => next,
            other => panic!("{other:?}"),
        }
    }

    /// Every state, in order.
    fn states() -> [Exchange; 4] {
        let claimed = taken(Exchange::Waiting.take_on(&device(1), &COMMITMENT));
        let answered = taken(claimed.answer_with(&COMMITMENT, &ANSWER));
        let revealed = taken(answered.reveal_with(&device(1), &REVEAL));
        [Exchange::Waiting, claimed, answered, revealed]
    }

    #[test]
    fn each_step_is_taken_once_and_the_same_again_is_a_lost_reply() {
        for (place, state) in states().iter().enumerate() {
            let again = |past: bool| if past { Ok(Step::Again) } else { Err(StepError::OutOfTurn) };
            if place != 0 {
                assert_eq!(state.take_on(&device(1), &COMMITMENT), again(true), "{state:?}");
            }
            if place != 1 {
                assert_eq!(state.answer_with(&COMMITMENT, &ANSWER), again(place > 1), "{state:?}");
            }
            if place != 2 {
                assert_eq!(state.reveal_with(&device(1), &REVEAL), again(place > 2), "{state:?}");
            }
            assert_eq!(state.may_approve(&device(1)).is_ok(), place == 3, "{state:?}");
        }
    }

    #[test]
    fn nobody_has_a_second_try_with_other_words() {
        let [_, claimed, answered, revealed] = states();
        let other = [9; 32];
        for state in [&claimed, &answered, &revealed] {
            assert_eq!(state.take_on(&device(1), &other), Err(StepError::OutOfTurn));
            assert_eq!(state.answer_with(&other, &ANSWER), Err(StepError::OutOfTurn));
        }
        for state in [&answered, &revealed] {
            assert_eq!(state.answer_with(&COMMITMENT, &other), Err(StepError::OutOfTurn));
        }
        assert_eq!(revealed.reveal_with(&device(1), &other), Err(StepError::OutOfTurn));
    }

    #[test]
    fn another_device_never_gets_in_between() {
        for state in &states()[1..] {
            assert_eq!(state.take_on(&device(2), &COMMITMENT), Err(StepError::Taken));
            assert_eq!(state.reveal_with(&device(2), &REVEAL), Err(StepError::Taken));
            assert_eq!(state.may_approve(&device(2)), Err(StepError::Taken));
        }
    }
}
