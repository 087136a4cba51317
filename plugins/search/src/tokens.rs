//! Tokens: the words of a text, folded so that the same word written in two ways is one.
//!
//! Compatibility forms, case and accents are folded (`ﬁ`, `Straße` and `CAFÉ` meet `fi`, `strasse` and `cafe`), English
//! words are stemmed and English stop words left out. Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese, which
//! have no spaces between words, become overlapping pairs of characters. These are the rules by which the memory engine
//! finds words, so that both call the same word the same.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::char::is_combining_mark;
use unicode_normalization::UnicodeNormalization;

/// Longest word, in characters; the rest of a longer one is cut off.
const LONGEST: usize = 64;

/// Words that say nothing about what an English text is about.
const STOP_WORDS: &str = "
a about above after again all am an and any are as at be because been before being below between both but by can could
did do does doing down during each few for from further had has have having he her here hers herself him himself his how
i if in into is it its itself just me more most my myself no nor not now of off on once only or other our ours ourselves
out over own same she should so some such than that the their theirs them themselves then there these they this those
through to too under until up very was we were what when where which while who whom why will with would you your yours
yourself yourselves s t d ll m re ve
";

/// One word of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Folded, whole.
    pub word: String,
    /// What a search compares: the stem of an English word, else the word.
    pub term: String,
}

/// Splits texts into tokens. One serves many texts.
pub struct Tokens {
    stemmer: Stemmer,
    stop_words: BTreeSet<&'static str>,
    known: RefCell<BTreeMap<String, String>>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            stemmer: Stemmer::create(Algorithm::English),
            stop_words: STOP_WORDS.split_whitespace().collect(),
            known: RefCell::default(),
        }
    }
}

impl Tokens {
    /// The tokens of `text`, in order.
    pub fn of(&self, text: &str) -> Vec<Token> {
        let mut found = Vec::new();
        if text.is_ascii() {
            let folded = text.to_ascii_lowercase();
            for word in folded.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
                self.push_word(word, &mut found);
            }
            return found;
        }
        let folded: String = caseless::default_case_fold_str(&text.nfkc().collect::<String>()).nfkc().collect();
        for (kind, run) in runs(&folded) {
            match kind {
                Kind::Unspaced => found.extend(pairs(run)),
                Kind::Spaced => self.push_word(&without_accents(run), &mut found),
            }
        }
        found
    }

    /// The terms of `text`, in order.
    pub fn terms(&self, text: &str) -> Vec<String> {
        self.of(text).into_iter().map(|token| token.term).collect()
    }

    /// The stem of a word; the same word is stemmed once.
    fn stem(&self, word: &str) -> String {
        let mut known = self.known.borrow_mut();
        if let Some(stem) = known.get(word) {
            return stem.clone();
        }
        let stem = self.stemmer.stem(word).into_owned();
        known.insert(word.to_owned(), stem.clone());
        stem
    }

    fn push_word(&self, word: &str, found: &mut Vec<Token>) {
        if word.is_empty() || self.stop_words.contains(word) {
            return;
        }
        let word: String = word.chars().take(LONGEST).collect();
        let plain = word.bytes().all(|byte| byte.is_ascii_lowercase());
        let term = if plain { self.stem(&word) } else { word.clone() };
        found.push(Token { word, term });
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Spaced,
    Unspaced,
}

/// Runs of characters of one kind; a mark belongs to what it stands on.
fn runs(text: &str) -> Vec<(Kind, &str)> {
    let mut found: Vec<(Kind, &str)> = Vec::new();
    let mut open: Option<(Kind, usize)> = None;
    for (at, c) in text.char_indices() {
        let kind = if is_combining_mark(c) { open.map(|(kind, _)| kind) } else { kind_of(c) };
        if let Some((before, start)) = open {
            if kind == Some(before) {
                continue;
            }
            found.extend(text.get(start..at).map(|run| (before, run)));
        }
        open = kind.map(|kind| (kind, at));
    }
    if let Some((kind, start)) = open {
        found.extend(text.get(start..).map(|run| (kind, run)));
    }
    found
}

fn kind_of(c: char) -> Option<Kind> {
    let unspaced = matches!(c as u32,
        0x3005..=0x3007 | 0x3040..=0x30FF | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF
        | 0x20000..=0x3FFFF | 0x1100..=0x11FF | 0xAC00..=0xD7AF | 0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF);
    match (c.is_alphanumeric(), unspaced) {
        (false, _) => None,
        (true, true) => Some(Kind::Unspaced),
        (true, false) => Some(Kind::Spaced),
    }
}

/// Neighbouring characters in pairs, each with its marks; a single one is itself.
fn pairs(run: &str) -> Vec<Token> {
    let mut starts: Vec<usize> =
        run.char_indices().filter(|(at, c)| *at == 0 || !is_combining_mark(*c)).map(|(at, _)| at).collect();
    starts.push(run.len());
    let width = if starts.len() > 2 { 2 } else { 1 };
    let cuts = starts.iter().zip(starts.iter().skip(width));
    let texts = cuts.filter_map(|(from, to)| run.get(*from..*to));
    texts.map(|text| Token { word: text.to_owned(), term: text.to_owned() }).collect()
}

fn without_accents(run: &str) -> String {
    if run.is_ascii() {
        return run.to_owned();
    }
    run.nfd().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        Tokens::default().terms(text)
    }

    #[test]
    fn case_accents_and_compatibility_forms_are_folded() {
        assert_eq!(
            terms("CAFÉ cafe\u{301} ﬁle STRASSE straße Ὀδυσσεύς"),
            ["cafe", "cafe", "file", "strass", "strass", "οδυσσευσ"]
        );
    }

    #[test]
    fn english_is_stemmed_and_its_stop_words_are_left_out() {
        assert_eq!(terms("The parsers were parsing snake_case"), ["parser", "pars", "snake", "case"]);
        assert!(terms("to be or not to be").is_empty());
    }

    #[test]
    fn scripts_without_spaces_become_pairs() {
        assert_eq!(terms("我喜欢café绿茶"), ["我喜", "喜欢", "cafe", "绿茶"]);
        assert_eq!(terms("茶"), ["茶"]);
        assert_eq!(terms("が か"), ["が", "か"]);
        assert_eq!(terms("한국어"), ["한국", "국어"]);
    }

    #[test]
    fn marks_stay_with_their_letters() {
        assert_eq!(terms("हिन्दी भाषा"), ["हिन्दी", "भाषा"]);
        assert_eq!(terms("ไทย").len(), 2);
    }

    #[test]
    fn odd_texts_have_no_tokens() {
        for text in ["", " ", "?!…", "\u{301}\u{301}", "🙂"] {
            assert!(terms(text).is_empty(), "{text:?}");
        }
        assert_eq!(terms(&"x1".repeat(100))[0].len(), LONGEST);
    }
}
