//! Capabilities: what an agent may do somewhere, for a while. Handing one on makes it smaller, never larger.
//!
//! What is allowed is a set of words at a set of places until a time. There are no wildcards and no
//! hierarchy, so that "smaller" is "a subset" and nothing else, and every reader agrees on it.

use crate::refusal::Refusal;
use crate::time::{Seconds, Timestamp};
use std::collections::BTreeSet;
use std::fmt;

/// The longest life of a capability.
pub const CAPABILITY_TTL_MAX: Seconds = Seconds::hours(1);
/// Words of one scope, and places of one audience.
pub const WORDS_MAX: usize = 32;
/// The longest word, in bytes.
pub const WORD_MAX: usize = 128;
/// How often one capability may be handed on.
pub const CHAIN_MAX: usize = 8;
/// How long an owner has to answer.
pub const APPROVAL_TTL: Seconds = Seconds::minutes(10);
/// How long what an owner allowed beyond the policy lasts.
pub const APPROVAL_LASTS: Seconds = Seconds::hours(1);
/// Approvals that one agent may have open.
pub const APPROVALS_OPEN_MAX: u32 = 4;
/// Approvals that all agents of one user may raise within [`APPROVAL_TTL`]: who floods bothers little.
pub const APPROVALS_PER_USER: u32 = 12;

/// The text holds something that is no word, or too many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it takes 1 to 32 words of up to 128 letters, digits and -._~:/")]
pub struct WordsError;

/// A set of words: a scope, or the places of an audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(BTreeSet<String>);

impl Words {
    /// Takes words; the same one twice is one.
    ///
    /// # Errors
    /// [`WordsError`] for none, too many, or something that is no word.
    pub fn new<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> Result<Self, WordsError> {
        let mut taken = BTreeSet::new();
        for word in words {
            let word = word.as_ref();
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/".contains(&b);
            if taken.len() >= WORDS_MAX
                || !(1..=WORD_MAX).contains(&word.len())
                || !word.bytes().all(plain)
            {
                return Err(WordsError);
            }
            taken.insert(word.to_owned());
        }
        if taken.is_empty() { Err(WordsError) } else { Ok(Self(taken)) }
    }

    /// Reads what [`fmt::Display`] writes.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn parse(text: &str) -> Result<Self, WordsError> {
        Self::new(text.split(' '))
    }

    /// Whether every word of this is one of `other`.
    pub fn within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Whether it has a word.
    pub fn has(&self, word: &str) -> bool {
        self.0.contains(word)
    }

    /// The words, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().collect();
        f.write_str(&words.join(" "))
    }
}

/// What is allowed, where, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// What.
    pub scope: Words,
    /// Where.
    pub audience: Words,
    /// Until when.
    pub until: Timestamp,
}

/// What somebody wants of it. What is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What.
    pub scope: Option<Words>,
    /// Where.
    pub audience: Option<Words>,
    /// For how long.
    pub ttl: Option<Seconds>,
}

impl Allowance {
    /// Hands it on: the same or less, in every respect.
    ///
    /// # Errors
    /// [`Refusal::CapabilityShrinks`] for a word or a place that it does not have;
    /// [`Refusal::TtlNotAllowed`] for no time at all; [`Refusal::CapabilityInvalid`] once it is over.
    pub fn shrink(&self, wanted: &Wanted, now: Timestamp) -> Result<Self, Refusal> {
        if self.until.is_over(now) {
            return Err(Refusal::CapabilityInvalid);
        }
        let part = |whole: &Words, wanted: Option<&Words>| match wanted {
            None => Ok(whole.clone()),
            Some(part) if part.within(whole) => Ok(part.clone()),
            Some(part) => {
                let missing = part.iter().filter(|word| !whole.has(word));
                let missing: Vec<&str> = missing.collect();
                Err(Refusal::CapabilityShrinks { missing: missing.join(" ") })
            }
        };
        if wanted.ttl == Some(Seconds(0)) {
            return Err(Refusal::TtlNotAllowed { max: CAPABILITY_TTL_MAX });
        }
        let until = wanted.ttl.map_or(self.until, |ttl| self.until.min(now + ttl));
        Ok(Self {
            scope: part(&self.scope, wanted.scope.as_ref())?,
            audience: part(&self.audience, wanted.audience.as_ref())?,
            until,
        })
    }
}

/// One thing that a policy, or an owner's answer, allows: these words at these places, or anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceiling {
    /// What.
    pub scope: Words,
    /// Where; anywhere when absent.
    pub audience: Option<Words>,
}

/// What of `scope` at `audience` no ceiling allows: the difference that an owner is shown. Empty when it is
/// allowed as a whole: each word at each place.
pub fn missing(ceilings: &[Ceiling], scope: &Words, audience: &Words) -> Vec<String> {
    let allowed = |word: &str, place: &str| {
        ceilings.iter().any(|one| {
            one.scope.has(word) && one.audience.as_ref().is_none_or(|places| places.has(place))
        })
    };
    let lacks = |word: &&str| audience.iter().any(|place| !allowed(word, place));
    scope.iter().filter(lacks).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Words {
        Words::parse(text).unwrap()
    }

    const NOW: Timestamp = Timestamp::from_seconds(1000);

    #[test]
    fn each_word_is_allowed_at_each_place_or_it_is_missing() {
        let ceilings = [
            Ceiling { scope: words("read"), audience: None },
            Ceiling { scope: words("write"), audience: Some(words("https://a.example")) },
        ];
        let lacks =
            |scope: &str, audience: &str| missing(&ceilings, &words(scope), &words(audience));
        assert!(lacks("read write", "https://a.example").is_empty());
        assert_eq!(lacks("read write", "https://a.example https://b.example"), ["write"]);
        assert_eq!(lacks("erase", "https://a.example"), ["erase"]);
        assert!(!missing(&[], &words("read"), &words("https://a.example")).is_empty());
    }

    #[test]
    fn words_are_few_and_plain() {
        for bad in ["", " ", "a  b", "a b\n", "a*", "ä", &"x".repeat(WORD_MAX + 1)] {
            assert!(Words::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Words::new((0..=WORDS_MAX).map(|n| n.to_string())).is_err());
        assert_eq!(words("b a b").to_string(), "a b");
    }

    /// A small world of words, and every way through it: no chain of exchanges ever widens anything.
    #[test]
    fn no_chain_of_exchanges_ever_widens_scope_audience_or_lifetime() {
        let all = ["a", "b", "c"];
        let some = |bits: u32| {
            let picked = all.iter().enumerate().filter(|(place, _)| bits >> place & 1 == 1);
            Words::new(picked.map(|(_, word)| *word)).ok()
        };
        let first =
            Allowance { scope: words("a b"), audience: words("b c"), until: NOW + Seconds(60) };
        let mut seen = vec![first.clone()];
        let mut place = 0;
        while place < seen.len() {
            let from = seen[place].clone();
            for bits in 0..64_u32 {
                for ttl in [None, Some(Seconds(30)), Some(Seconds(6000))] {
                    let wanted = Wanted { scope: some(bits), audience: some(bits >> 3), ttl };
                    let Ok(next) = from.shrink(&wanted, NOW) else { continue };
                    assert!(next.scope.within(&from.scope) && next.audience.within(&from.audience));
                    assert!(next.until <= from.until);
                    if !seen.contains(&next) {
                        seen.push(next);
                    }
                }
            }
            place += 1;
        }
        assert!(seen.len() > 10, "{}", seen.len());
        for one in &seen {
            assert!(one.scope.within(&first.scope) && one.audience.within(&first.audience));
            assert!(one.until <= first.until);
        }
        assert_eq!(
            first.shrink(&Wanted::default(), NOW + Seconds(60)),
            Err(Refusal::CapabilityInvalid)
        );
    }
}
