//! Statistics: the measures of a text.

use crate::script::Script;
use crate::words::Word;

/// Words a minute: the mean of silent reading of English non-fiction (Brysbaert 2019).
const WORDS_A_MINUTE: usize = 238;
/// Chinese and Japanese characters a minute.
const CHARACTERS_A_MINUTE: usize = 500;

/// The measures of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistics {
    /// Words; each Chinese or Japanese character counts as one.
    pub words: usize,
    /// Unicode characters.
    pub characters: usize,
    /// Sentences, list items and headings.
    pub sentences: usize,
    /// Seconds a reader needs, rounded up.
    pub reading_seconds: usize,
}

/// Words that were read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WordCount {
    spaced: usize,
    unspaced: usize,
}

impl WordCount {
    /// Count a word; each Chinese or Japanese character counts as one.
    #[inline]
    pub fn add(&mut self, word: &Word) {
        match word.script {
            Script::Spaced => self.spaced += 1,
            _ => self.unspaced += word.text.chars().count(),
        }
    }
}

/// Measure a text of so many sentences and words.
pub fn measure(text: &str, sentences: usize, words: WordCount) -> Statistics {
    let WordCount { spaced, unspaced } = words;
    let seconds = spaced as f64 * 60.0 / WORDS_A_MINUTE as f64 + unspaced as f64 * 60.0 / CHARACTERS_A_MINUTE as f64;
    Statistics {
        words: spaced + unspaced,
        characters: text.chars().count(),
        sentences,
        reading_seconds: seconds.ceil() as usize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sentences::split;
    use crate::words::words;

    fn measured(text: &str) -> Statistics {
        let sentences = split(text);
        let mut count = WordCount::default();
        sentences.iter().flat_map(|sentence| words(sentence.text)).for_each(|word| count.add(&word));
        measure(text, sentences.len(), count)
    }

    #[test]
    fn measures_english() {
        let expected = Statistics { words: 6, characters: 29, sentences: 2, reading_seconds: 2 };
        assert_eq!(measured("Don't panic. It's well-known."), Statistics { words: 4, ..expected });
        assert_eq!(measured(&"word ".repeat(238)).reading_seconds, 60);
    }

    #[test]
    fn measures_chinese_by_the_character() {
        let expected = Statistics { words: 6, characters: 7, sentences: 1, reading_seconds: 1 };
        assert_eq!(measured("今天天气很好。"), expected);
    }

    #[test]
    fn nothing_measures_nothing() {
        assert_eq!(measured(""), Statistics { words: 0, characters: 0, sentences: 0, reading_seconds: 0 });
    }
}
