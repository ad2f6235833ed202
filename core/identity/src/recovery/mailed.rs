//! Codes that are mailed to an account's confirmed addresses during a recovery
//! (NIST SP 800-63B-4, section 4.2.1.2).
//!
//! Whoever begins a recovery may name anybody. So recoveries that have shown nothing else share few of an
//! account's mails, and those that have shown something share the others, one for each thing that was shown: the
//! owner, who holds a code on paper, is never kept from asking by somebody who holds nothing, nor by somebody who
//! found one other code. A second one for the same thing comes out of what everybody shares.

use crate::prompt::{PROMPTS_MAX, PROMPTS_WITHIN};
use crate::time::Seconds;

/// How long a mailed code can be used. The guideline allows 24 hours by mail.
pub const MAILED_CODE_TTL: Seconds = Seconds::minutes(30);
/// Of [`PROMPTS_MAX`] mails, those that recoveries may cause which have shown nothing else.
pub const MAILS_UNPROVED_MAX: u32 = 1;
/// Mails that such recoveries may cause one account within [`MAILS_UNPROVED_LONG`].
pub const MAILS_UNPROVED_LONG_MAX: u32 = 6;
/// See [`MAILS_UNPROVED_LONG_MAX`].
pub const MAILS_UNPROVED_LONG: Seconds = Seconds::hours(24);
/// Mails that one place may cause within [`MAILS_PLACE_WITHIN`], whoever's accounts they name.
pub const MAILS_PER_PLACE: u32 = 20;
/// See [`MAILS_PER_PLACE`].
pub const MAILS_PLACE_WITHIN: Seconds = Seconds::hours(1);

/// What was asked for before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MailsAsked {
    /// For this account, within [`PROMPTS_WITHIN`], by recoveries that had shown something else.
    pub recent_proved: u32,
    /// Of those, the ones for the very thing that this recovery has shown.
    pub recent_same: u32,
    /// The same, out of what everybody shares.
    pub recent_unproved: u32,
    /// For this account, within [`MAILS_UNPROVED_LONG`], out of what everybody shares.
    pub long_unproved: u32,
    /// From this place, within [`MAILS_PLACE_WITHIN`].
    pub from_place: u32,
}

/// Out of which of an account's mails one is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailShare {
    /// Those that recoveries share which have shown something else.
    Proved,
    /// Those that everybody shares.
    Open,
}

impl MailsAsked {
    /// Out of what one more may be asked for, by a recovery that has `proved` something else or has not.
    /// When it may not, how long to wait at most. The same for an account that exists and one that does not.
    ///
    /// # Errors
    /// The wait.
    pub const fn one_more(&self, proved: bool) -> Result<MailShare, Seconds> {
        if self.from_place >= MAILS_PER_PLACE {
            return Err(MAILS_PLACE_WITHIN);
        }
        let all_proved = self.recent_proved >= PROMPTS_MAX - MAILS_UNPROVED_MAX;
        if proved && self.recent_same == 0 && !all_proved {
            return Ok(MailShare::Proved);
        }
        if proved && self.recent_same == 0 {
            return Err(PROMPTS_WITHIN);
        }
        if self.long_unproved >= MAILS_UNPROVED_LONG_MAX {
            return Err(MAILS_UNPROVED_LONG);
        }
        if self.recent_unproved >= MAILS_UNPROVED_MAX {
            return Err(PROMPTS_WITHIN);
        }
        Ok(MailShare::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_shown_nothing_takes_nothing_from_who_has() {
        let mut asked = MailsAsked::default();
        let mut mails = 0;
        while asked.one_more(false).is_ok() {
            mails += 1;
            asked.recent_unproved += 1;
            asked.long_unproved += 1;
        }
        assert_eq!(mails, MAILS_UNPROVED_MAX);
        let mut left = 0;
        while asked.one_more(true) == Ok(MailShare::Proved) {
            left += 1;
            asked.recent_proved += 1;
        }
        assert_eq!(left, PROMPTS_MAX - MAILS_UNPROVED_MAX);
        assert_eq!(asked.one_more(true), Err(PROMPTS_WITHIN));
        assert_eq!(mails + left, PROMPTS_MAX);
    }

    #[test]
    fn who_found_one_code_leaves_the_owner_a_mail() {
        let found = MailsAsked { recent_proved: 1, recent_same: 1, ..Default::default() };
        assert_eq!(
            found.one_more(true),
            Ok(MailShare::Open),
            "a second one, out of what all share"
        );
        let shared = MailsAsked { recent_unproved: 1, ..found };
        assert_eq!(shared.one_more(true), Err(PROMPTS_WITHIN));
        let owner = MailsAsked { recent_same: 0, ..shared };
        assert_eq!(owner.one_more(true), Ok(MailShare::Proved));
        let sheet = MailsAsked { recent_proved: 2, ..owner };
        assert_eq!(
            sheet.one_more(true),
            Err(PROMPTS_WITHIN),
            "and the whole sheet takes no more than both"
        );
    }

    #[test]
    fn a_patient_flood_and_a_wide_one_end_too() {
        let patient = MailsAsked { long_unproved: MAILS_UNPROVED_LONG_MAX, ..Default::default() };
        assert_eq!(patient.one_more(false), Err(MAILS_UNPROVED_LONG));
        assert_eq!(patient.one_more(true), Ok(MailShare::Proved));
        let wide = MailsAsked { from_place: MAILS_PER_PLACE, ..Default::default() };
        assert_eq!(wide.one_more(true), Err(MAILS_PLACE_WITHIN));
    }
}
