//! Dictionary: which of the word lists a word is in. The compiler makes the table, so that no call has to.

use crate::hashing::{constant_hash, hash};
use crate::languages::{ENGLISH, FRENCH, GERMAN};
use crate::word_lists::{
    DETERMINERS, FOREIGN, FUNCTION, GENERIC, HAN_FUNCTION, HAN_PAIRS, MODIFIER, UNITS, VERBS, VERB_MARKERS,
};

/// More than there are words in all lists.
const MOST: usize = 2400;
/// A power of two, twice as many as words.
const SLOTS: usize = 8192;

/// The lists that a word is in, one bit each.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Lists(u16);

impl Lists {
    /// Grammar words of English.
    pub const FUNCTION: Self = Self(1);
    /// Common verbs, adverbs and adjectives.
    pub const GENERIC: Self = Self(1 << 1);
    /// Words that begin a keyword.
    pub const MODIFIER: Self = Self(1 << 2);
    /// Grammar words of other languages that mean nothing in English.
    pub const FOREIGN: Self = Self(1 << 3);
    /// Verbs in their base form.
    pub const VERB: Self = Self(1 << 4);
    /// Words that a verb follows.
    pub const BEFORE_VERB: Self = Self(1 << 5);
    /// Words with no noun right before them.
    pub const DETERMINER: Self = Self(1 << 6);
    /// Units as written after a number.
    pub const UNIT: Self = Self(1 << 7);
    /// Grammar words of German texts.
    pub const GERMAN: Self = Self(1 << 8);
    /// Grammar words of French texts.
    pub const FRENCH: Self = Self(1 << 9);
    /// Chinese characters that join others.
    pub const HAN: Self = Self(1 << 10);
    /// Chinese words of two characters that join others.
    pub const HAN_PAIR: Self = Self(1 << 11);
    /// The commonest words of English, which tell a text's language.
    pub const TELLS_ENGLISH: Self = Self(1 << 12);
    /// The commonest words of German.
    pub const TELLS_GERMAN: Self = Self(1 << 13);
    /// The commonest words of French.
    pub const TELLS_FRENCH: Self = Self(1 << 14);

    /// Whether a word with these lists is in one of `others`.
    #[inline]
    pub fn has(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }
}

/// The lists of a word in lower case.
#[inline]
pub fn lists_of(word: &[u8]) -> Lists {
    let mut at = hash(word) as usize % SLOTS;
    loop {
        match DICTIONARY.entries.get(usize::from(DICTIONARY.slots[at])) {
            None => return Lists::default(),
            Some((known, lists)) if *known == word => return *lists,
            Some(_) => at = (at + 1) % SLOTS,
        }
    }
}

static DICTIONARY: Dictionary = Dictionary::whole();

struct Dictionary {
    entries: [(&'static [u8], Lists); MOST],
    slots: [u16; SLOTS],
    used: usize,
}

impl Dictionary {
    const fn whole() -> Self {
        let mut all = Self { entries: [(&[], Lists(0)); MOST], slots: [u16::MAX; SLOTS], used: 0 };
        all.add_words(FUNCTION, Lists::FUNCTION);
        all.add_words(GENERIC, Lists::GENERIC);
        all.add_words(MODIFIER, Lists::MODIFIER);
        all.add_words(FOREIGN, Lists::FOREIGN);
        all.add_words(VERBS, Lists::VERB);
        all.add_words(VERB_MARKERS, Lists::BEFORE_VERB);
        all.add_words(DETERMINERS, Lists::DETERMINER);
        all.add_words(UNITS, Lists::UNIT);
        all.add_words(GERMAN.grammar, Lists::GERMAN);
        all.add_words(FRENCH.grammar, Lists::FRENCH);
        all.add_words(ENGLISH, Lists::TELLS_ENGLISH);
        all.add_words(GERMAN.markers, Lists::TELLS_GERMAN);
        all.add_words(FRENCH.markers, Lists::TELLS_FRENCH);
        all.add_words(HAN_PAIRS, Lists::HAN_PAIR);
        all.add_characters(HAN_FUNCTION, Lists::HAN);
        all
    }

    const fn add_words(&mut self, list: &'static str, lists: Lists) {
        let bytes = list.as_bytes();
        let mut end = 0;
        while end < bytes.len() {
            let mut start = end;
            while start < bytes.len() && bytes[start].is_ascii_whitespace() {
                start += 1;
            }
            end = start;
            while end < bytes.len() && !bytes[end].is_ascii_whitespace() {
                end += 1;
            }
            self.add(bytes.split_at(end).0.split_at(start).1, lists);
        }
    }

    const fn add_characters(&mut self, list: &'static str, lists: Lists) {
        let bytes = list.as_bytes();
        let mut end = 0;
        while end < bytes.len() {
            let start = end;
            end += 1;
            while end < bytes.len() && bytes[end] & 0xC0 == 0x80 {
                end += 1;
            }
            if !bytes[start].is_ascii_whitespace() {
                self.add(bytes.split_at(end).0.split_at(start).1, lists);
            }
        }
    }

    const fn add(&mut self, word: &'static [u8], lists: Lists) {
        if word.is_empty() {
            return;
        }
        let mut at = constant_hash(word) as usize % SLOTS;
        while self.slots[at] != u16::MAX {
            let (known, before) = self.entries[self.slots[at] as usize];
            if same(known, word) {
                self.entries[self.slots[at] as usize] = (known, Lists(before.0 | lists.0));
                return;
            }
            at = (at + 1) % SLOTS;
        }
        self.slots[at] = self.used as u16;
        self.entries[self.used] = (word, lists);
        self.used += 1;
    }
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_list_is_found_there() {
        for (list, lists) in [(FUNCTION, Lists::FUNCTION), (VERBS, Lists::VERB), (HAN_PAIRS, Lists::HAN_PAIR)] {
            assert!(list.split_whitespace().all(|word| lists_of(word.as_bytes()).has(lists)));
        }
        assert!(HAN_FUNCTION.chars().filter(|c| !c.is_whitespace()).all(|c| lists_of(
            c.encode_utf8(&mut [0; 4]).as_bytes()
        )
        .has(Lists::HAN)));
    }

    #[test]
    fn a_word_may_be_in_several_lists_and_most_are_in_none() {
        let the = lists_of(b"the");
        assert!(the.has(Lists::FUNCTION) && the.has(Lists::DETERMINER) && !the.has(Lists::VERB));
        assert_eq!([lists_of(b"turbine"), lists_of(b"")], [Lists::default(); 2]);
    }
}
