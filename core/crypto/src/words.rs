//! Phrases that people read, say and type: words from the EFF's long list, drawn at random.
//!
//! The list has 7776 words, so each is worth 12.9 bits; six are 77.

use crate::ambient::Random;
use crate::secret::SecretText;
use diceware_wordlists::Wordlist;

/// Draws `words` words, with a space between each two. A space, because some words have a dash.
pub fn phrase(words: u8, random: &dyn Random) -> SecretText {
    let mut phrase = SecretText::default();
    for place in 0..words {
        if place > 0 {
            phrase.push(' ');
        }
        phrase.push_str(word(random));
    }
    phrase
}

/// One word. What lies beyond the largest multiple of the list is drawn again: else its beginning would
/// come up more often.
fn word(random: &dyn Random) -> &'static str {
    let list = Wordlist::EffLong.get_list();
    let count = list.len();
    let even = (usize::from(u16::MAX) + 1) / count * count;
    loop {
        let drawn = usize::from(u16::from_be_bytes(random.array()));
        if drawn < even {
            return list[drawn % count];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemRandom;
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicU16, Ordering};

    /// Yields two bytes at a time, counting downwards from the top.
    struct Downwards(AtomicU16);

    impl Random for Downwards {
        fn fill(&self, out: &mut [u8]) {
            out.copy_from_slice(&self.0.fetch_sub(1, Ordering::Relaxed).to_be_bytes());
        }
    }

    #[test]
    fn the_list_is_the_long_one_and_has_no_word_twice() {
        let list = Wordlist::EffLong.get_list();
        assert_eq!(list.iter().collect::<HashSet<_>>().len(), 7776);
        assert_eq!((list[0], list[7775]), ("abacus", "zoom"));
    }

    #[test]
    fn a_phrase_has_as_many_words_as_were_asked_for_and_is_never_the_same() {
        let random: &dyn Random = &SystemRandom;
        for words in [4, 6, 12] {
            let phrase = phrase(words, random);
            assert_eq!(phrase.split(' ').count(), usize::from(words));
            assert!(phrase.split(' ').all(|word| Wordlist::EffLong.get_list().contains(&word)));
        }
        assert_ne!(*phrase(6, random), *phrase(6, random));
    }

    #[test]
    fn no_word_is_likelier_than_another() {
        // 65536 is 8 times 7776, and 3328 more: those are drawn again.
        let random = Downwards(AtomicU16::new(u16::MAX));
        let first = word(&random);
        assert_eq!(first, "zoom");
        assert_eq!(random.0.load(Ordering::Relaxed), 62_206, "3328 were passed over");
    }
}
