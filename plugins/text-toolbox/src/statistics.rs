//! Statistics of a text: what a reader would count, by Unicode's rules for words and sentences.

use std::collections::HashMap;

use agentmem_plugin_sdk::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

/// How many words a reader takes in a minute.
const WORDS_A_MINUTE: usize = 200;

/// What `text_stats` is called with.
#[request]
pub struct Request {
    /// The text
    pub text: String,
    /// How many of the most frequent words to tell
    #[serde(default)]
    #[schemars(range(min = 0, max = 100))]
    pub top_words: usize,
}

/// A word and how often it is there.
#[response]
pub struct Counted {
    /// The word, in small letters
    pub word: String,
    /// How often
    pub count: usize,
}

/// What `text_stats` answers.
#[response]
pub struct Response {
    /// Characters as a reader sees them: an emoji of several code points is one
    pub characters: usize,
    /// The same without blanks and line ends
    pub characters_without_blanks: usize,
    /// Unicode code points
    pub code_points: usize,
    /// Bytes in UTF-8
    pub bytes: usize,
    /// Words
    pub words: usize,
    /// Different words, capitals apart
    pub unique_words: usize,
    /// Sentences
    pub sentences: usize,
    /// Lines; a line end at the end begins none
    pub lines: usize,
    /// Paragraphs, which blank lines part
    pub paragraphs: usize,
    /// Characters of the longest line
    pub longest_line: usize,
    /// Seconds that reading takes, at 200 words a minute
    pub reading_seconds: usize,
    /// The most frequent words, as many as were asked for; of equal ones the first in the alphabet
    pub top_words: Vec<Counted>,
}

/// Count.
///
/// # Errors
/// When more than a hundred words are asked for.
pub fn count(request: &Request) -> Result<Response, Error> {
    if request.top_words > 100 {
        return Err("`top_words` must be at most 100.".into());
    }
    let text = request.text.as_str();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for word in text.unicode_words() {
        *counts.entry(word.to_lowercase()).or_default() += 1;
    }
    let words: usize = counts.values().sum();
    let blank_before =
        |at: usize, lines: &[&str]| at == 0 || lines.get(at - 1).is_some_and(|line| line.trim().is_empty());
    let lines: Vec<&str> = text.lines().collect();
    let starts = lines.iter().enumerate().filter(|(at, line)| !line.trim().is_empty() && blank_before(*at, &lines));
    let blanks = blanks(text);
    Ok(Response {
        characters: seen(text),
        characters_without_blanks: seen(text) - blanks,
        code_points: text.chars().count(),
        bytes: text.len(),
        words,
        unique_words: counts.len(),
        sentences: text.unicode_sentences().count(),
        lines: lines.len(),
        paragraphs: starts.count(),
        longest_line: lines.iter().map(|line| seen(line)).max().unwrap_or(0),
        reading_seconds: (words * 60).div_ceil(WORDS_A_MINUTE),
        top_words: most_frequent(counts, request.top_words),
    })
}

/// Characters as a reader sees them. In ASCII only a carriage return and its line feed are one.
fn seen(text: &str) -> usize {
    if text.is_ascii() {
        return text.len() - text.matches("\r\n").count();
    }
    text.graphemes(true).count()
}

/// Those that show nothing.
fn blanks(text: &str) -> usize {
    if text.is_ascii() {
        return text.chars().filter(|c| c.is_whitespace()).count() - text.matches("\r\n").count();
    }
    text.graphemes(true).filter(|seen| seen.chars().all(char::is_whitespace)).count()
}

fn most_frequent(counts: HashMap<String, usize>, limit: usize) -> Vec<Counted> {
    let mut all: Vec<Counted> = counts.into_iter().map(|(word, count)| Counted { word, count }).collect();
    all.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.word.cmp(&other.word)));
    all.truncate(limit);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_would_count_the_same() {
        let text = "Tea, please! 👨\u{200d}👩\u{200d}👧\nMore tea.\n\n\nCan't wait.\n";
        let told = count(&Request { text: text.into(), top_words: 2 }).expect("an answer");
        assert_eq!((told.words, told.unique_words, told.sentences), (6, 5, 3));
        assert_eq!((told.lines, told.paragraphs, told.longest_line), (5, 2, 14));
        assert_eq!((told.characters, told.code_points, told.bytes), (39, 43, 56));
        assert_eq!(told.top_words[0], Counted { word: "tea".into(), count: 2 });
        assert_eq!(told.top_words[1].word, "can't");
        assert_eq!(told.reading_seconds, 2);
    }

    #[test]
    fn ascii_is_counted_as_any_text_is() {
        for text in ["a b\r\nc\n\r", "\r\n\r\n", "\u{b}x\t"] {
            assert_eq!(seen(text), text.graphemes(true).count());
            assert_eq!(blanks(text) + seen("ü"), blanks(&format!("{text}ü")) + 1);
        }
    }

    #[test]
    fn nothing_has_nothing() {
        let told = count(&Request { text: String::new(), top_words: 0 }).expect("an answer");
        assert_eq!((told.characters, told.words, told.lines, told.paragraphs), (0, 0, 0, 0));
    }
}
