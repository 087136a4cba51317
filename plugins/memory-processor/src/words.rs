//! Words: the pieces of a sentence that carry meaning, and what stands between them.
//!
//! In French, `l'eau` is the word `eau`. `don't`, `well-known`, `plugin.toml`, `snake_case`, `R&D` and `C++` are one word each. Addresses (URLs
//! and mail) are no words. Chinese text comes one character at a time; [`crate::phrases`] joins them.

use crate::scanning::{position, word_length};
use crate::script::{script_of, Script};

/// Longest part before the `@` of a mail address.
const LONGEST_NAME: usize = 64;

/// A word of a sentence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Word<'a> {
    /// As written; a possessive ending is cut off.
    pub text: &'a str,
    /// How it was found.
    pub script: Script,
    /// Whether punctuation, another script or the sentence's start separates it from the word before.
    pub detached: bool,
    /// Whether it is the first of its sentence.
    pub first: bool,
}

/// The words of a sentence, in order.
pub struct Words<'a> {
    sentence: &'a str,
    at: usize,
    previous: Option<Script>,
    detached: bool,
    has_address: bool,
}

/// Split a sentence into its words.
pub fn words(sentence: &str) -> Words<'_> {
    let may_have = position(sentence.as_bytes(), |byte| byte == b'@' || byte == b':').is_some();
    let has_address = may_have && (sentence.contains('@') || sentence.contains("://"));
    Words { sentence, at: 0, previous: None, detached: true, has_address }
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    #[inline]
    fn next(&mut self) -> Option<Word<'a>> {
        let script = self.skip_to_word()?;
        let rest = &self.sentence[self.at..];
        let length = match script {
            Script::Han => rest.chars().next().map_or(0, char::len_utf8),
            Script::Spaced => spaced_length(rest),
            other => rest.find(|c| script_of(c) != Some(other)).unwrap_or(rest.len()),
        };
        let (text, _) = rest.split_at(length);
        let bare = without_elision(text);
        let word = Word {
            text: without_possessive(bare),
            script,
            detached: self.detached || self.previous != Some(script) || bare.len() < text.len(),
            first: self.previous.is_none(),
        };
        self.at += length;
        self.previous = Some(script);
        self.detached = word.text.len() < bare.len();
        Some(word)
    }
}

impl Words<'_> {
    /// Go to where the next word begins and say what script it is in.
    #[inline]
    fn skip_to_word(&mut self) -> Option<Script> {
        loop {
            let byte = *self.sentence.as_bytes().get(self.at)?;
            match KINDS[usize::from(byte)] {
                Kind::Blank => self.pass(1, false),
                Kind::Mark => self.pass(1, true),
                Kind::Word if !self.has_address => return Some(Script::Spaced),
                Kind::Word | Kind::Wide => {
                    let rest = &self.sentence[self.at..];
                    let c = rest.chars().next()?;
                    match script_of(c) {
                        Some(Script::Spaced) if self.has_address => match address_length(rest) {
                            0 => return Some(Script::Spaced),
                            length => self.pass(length, true),
                        },
                        Some(script) => return Some(script),
                        None => self.pass(c.len_utf8(), c != '\u{a0}'),
                    }
                }
            }
        }
    }

    #[inline]
    fn pass(&mut self, length: usize, detaches: bool) {
        self.at += length;
        self.detached |= detaches;
    }
}

/// What a byte of a sentence can be part of.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    /// A word: letters, digits and `_`.
    Word,
    /// What parts words and no phrases.
    Blank,
    /// What parts phrases, too.
    Mark,
    /// A character of several bytes.
    Wide,
}

static KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Mark; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' => Kind::Word,
            b' ' | b'\n' => Kind::Blank,
            0x80.. => Kind::Wide,
            _ => Kind::Mark,
        };
        byte += 1;
    }
    kinds
};

/// The length of the URL or mail address at the start of `rest`, or 0.
fn address_length(rest: &str) -> usize {
    let name = rest.bytes().take(LONGEST_NAME);
    let end =
        name.take_while(|b| matches!(b, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'+' | b'%'));
    let end = end.count();
    let after = &rest[end..];
    let is_mail = after.starts_with('@') && after[1..].starts_with(|c: char| c.is_ascii_alphanumeric());
    if is_mail || after.starts_with("://") {
        rest.find(|c: char| !c.is_ascii_graphic() || matches!(c, '<' | '>' | '"' | ')')).unwrap_or(rest.len())
    } else {
        0
    }
}

/// The length of the word at the start of `rest`, joiners inside it included.
#[inline]
fn spaced_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let kind = |at: usize| bytes.get(at).map_or(Kind::Blank, |byte| KINDS[usize::from(*byte)]);
    let plain = word_length(bytes);
    let goes_on = match kind(plain) {
        Kind::Wide => true,
        // What joins two halves of a word has another half after it; and `C++` and `C#` are words.
        Kind::Mark => plain == 1 || matches!(kind(plain + 1), Kind::Word | Kind::Wide),
        Kind::Blank | Kind::Word => false,
    };
    if goes_on {
        joined_length(rest, plain)
    } else {
        plain
    }
}

/// The length of the word at the start of `rest` whose first `plain` bytes are letters and digits.
fn joined_length(rest: &str, plain: usize) -> usize {
    let mut end = plain;
    let mut chars = rest[plain..].char_indices().map(|(at, c)| (plain + at, c)).peekable();
    let mut before = rest[..plain].chars().next_back().unwrap_or(' ');
    while let Some((at, c)) = chars.next() {
        let joined =
            script_of(c) == Some(Script::Spaced) || chars.peek().is_some_and(|(_, after)| is_joiner(before, c, *after));
        if !joined {
            break;
        }
        end = at + c.len_utf8();
        before = c;
    }
    let suffix = ["++", "#"].into_iter().find(|suffix| end == 1 && rest[1..].starts_with(suffix));
    end + suffix.map_or(0, str::len)
}

/// Whether `c`, between two letters or digits, makes one word of them.
fn is_joiner(before: char, c: char, after: char) -> bool {
    match c {
        '\'' | '’' => before.is_alphabetic() && after.is_alphabetic(),
        '-' | '.' => before.is_alphanumeric() && script_of(after) == Some(Script::Spaced) && after != '_',
        '&' => before.is_uppercase() && after.is_uppercase(),
        ',' => before.is_ascii_digit() && after.is_ascii_digit(),
        '\u{200c}' | '\u{200d}' => script_of(after) == Some(Script::Spaced),
        _ => false,
    }
}

/// A word without the French article or pronoun that leans on it: `l'eau` is `eau`.
fn without_elision(text: &str) -> &str {
    let bytes = text.as_bytes();
    // The mark first: few words have one there. 0xe2 begins ’ in UTF-8.
    let leaning = match bytes {
        [first, b'\'' | 0xe2, ..] if b"cdjlmns".contains(&first.to_ascii_lowercase()) => 1,
        [b'q' | b'Q', b'u', b'\'' | 0xe2, ..] => 2,
        _ => return text,
    };
    let after = text.get(leaning..).and_then(|rest| rest.strip_prefix(['\'', '’']));
    after.filter(|rest| rest.chars().nth(1).is_some()).unwrap_or(text)
}

fn without_possessive(text: &str) -> &str {
    if !matches!(text.as_bytes().last(), Some(b's' | b'S')) {
        return text;
    }
    ["'s", "’s", "'S", "’S"].into_iter().find_map(|ending| text.strip_suffix(ending)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sentence: &str) -> Vec<&str> {
        words(sentence).map(|word| word.text).collect()
    }

    #[test]
    fn joined_words_stay_whole() {
        let expected =
            ["Don't", "split", "well-known", "plugin.toml", "snake_case", "R&D", "C++", "C#", "3.14", "or", "1,000"];
        assert_eq!(texts("Don't split well-known plugin.toml, snake_case, R&D, C++, C#, 3.14 or 1,000."), expected);
        assert_eq!(texts("Ada's 'quoted' -dash- end."), ["Ada", "quoted", "dash", "end"]);
    }

    #[test]
    fn french_elisions_are_cut_off() {
        assert_eq!(
            texts("L'Institut qu'il aime n’était l'œuvre d'Alice"),
            ["Institut", "il", "aime", "était", "œuvre", "Alice"]
        );
        assert_eq!(texts("It's Ann's, she'd say; d's"), ["It", "Ann", "she'd", "say", "d"]);
    }

    #[test]
    fn addresses_are_no_words() {
        assert_eq!(texts("See https://example.com/a?b=c, http://x.org or ada@example.com now"), ["See", "or", "now"]);
    }

    #[test]
    fn scripts_are_kept_apart() {
        assert_eq!(texts("GPT模型をテスト中"), ["GPT", "模", "型", "を", "テスト", "中"]);
        assert_eq!(texts("Привет мир हिन्दी ภาษาไทย 한국어"), ["Привет", "мир", "हिन्दी", "ภาษาไทย", "한국어"]);
    }

    #[test]
    fn punctuation_detaches_and_spaces_do_not() {
        let detached: Vec<_> = words("one two, three\nfour (five)").map(|word| word.detached).collect();
        assert_eq!(detached, [true, false, true, false, true]);
        let detached: Vec<_> = words("Ada's engine").map(|word| word.detached).collect();
        assert_eq!(detached, [true, true]);
    }
}
