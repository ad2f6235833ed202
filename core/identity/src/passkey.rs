//! Passkeys: where they live, and which reports of an authenticator are believed.

use serde::{Deserialize, Serialize};

/// Where a passkey lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attachment {
    /// In the machine or phone itself.
    Platform,
    /// In a key that is carried around.
    Roaming,
}

impl Attachment {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Platform, Self::Roaming];

    /// The wire text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Roaming => "roaming",
        }
    }

    /// The attachment that a wire text names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attachment| attachment.as_str() == text)
    }
}

/// What an authenticator said about itself the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported {
    /// The signature counter; zero when the authenticator keeps none.
    pub counter: u32,
    /// Whether the key may be copied to other machines (flag BE). Fixed at registration.
    pub backup_eligible: bool,
    /// Whether it has been (flag BS).
    pub backup_state: bool,
}

/// Why a report is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    /// The counter did not rise: two copies of one key may exist (WebAuthn Level 3, section 6.1.1).
    CounterFell,
    /// Backup eligibility changed, which it never may (WebAuthn Level 3, section 6.1.3).
    EligibilityChanged,
    /// Backed up, and yet not eligible for backup.
    BackedUpButNotEligible,
}

/// Compares what an authenticator reports now with what it reported before.
///
/// # Errors
/// [`Suspicion`] when the report contradicts the earlier one; the ceremony is refused and alarmed.
pub fn check_report(before: Reported, now: Reported) -> Result<(), Suspicion> {
    if now.backup_state && !now.backup_eligible {
        return Err(Suspicion::BackedUpButNotEligible);
    }
    if before.backup_eligible != now.backup_eligible {
        return Err(Suspicion::EligibilityChanged);
    }
    let keeps_count = before.counter != 0 || now.counter != 0;
    if keeps_count && now.counter <= before.counter {
        return Err(Suspicion::CounterFell);
    }
    Ok(())
}

/// Whether a passkey can leave the machine it was made on. A platform passkey that may not be backed
/// up cannot: it is suspended and revoked with its device.
pub fn is_device_bound(attachment: Attachment, backup_eligible: bool) -> bool {
    attachment == Attachment::Platform && !backup_eligible
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(counter: u32, eligible: bool, state: bool) -> Reported {
        Reported { counter, backup_eligible: eligible, backup_state: state }
    }

    #[test]
    fn counters_must_rise_where_they_are_kept() {
        assert_eq!(check_report(report(0, true, true), report(0, true, true)), Ok(()));
        assert_eq!(check_report(report(4, false, false), report(5, false, false)), Ok(()));
        for now in [0, 4, 3] {
            assert_eq!(
                check_report(report(4, false, false), report(now, false, false)),
                Err(Suspicion::CounterFell)
            );
        }
    }

    #[test]
    fn backup_flags_must_agree_with_registration() {
        assert_eq!(
            check_report(report(0, false, false), report(0, true, false)),
            Err(Suspicion::EligibilityChanged)
        );
        assert_eq!(
            check_report(report(0, false, false), report(0, false, true)),
            Err(Suspicion::BackedUpButNotEligible)
        );
        assert_eq!(check_report(report(0, true, false), report(0, true, true)), Ok(()));
    }
}
