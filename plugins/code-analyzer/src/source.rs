//! A source text: where a byte stands in lines and columns, and what a node's text is, cut to a length.
//!
//! Knows nothing of any language.

use tree_sitter::Node;

/// How many bytes lie between two remembered counts of characters.
const STEP: usize = 256;

/// A place in a text as editors count it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters (code points), from 1.
    pub column: usize,
}

/// A text and how many characters stand before every 256th byte, so that a column costs the same in any line.
pub struct Source<'s> {
    /// The whole text.
    pub text: &'s str,
    before: Vec<usize>,
}

impl<'s> Source<'s> {
    /// Count the characters of `text`.
    pub fn new(text: &'s str) -> Self {
        let mut before = vec![0];
        let mut count = 0;
        for chunk in text.as_bytes().chunks(STEP) {
            count += starts(chunk);
            before.push(count);
        }
        Self { text, before }
    }

    /// How many lines the text has; a last line break begins no line.
    pub fn lines(&self) -> usize {
        self.text.lines().count()
    }

    /// Where a node begins.
    pub fn position(&self, node: Node) -> Position {
        let start = node.start_position();
        let line_start = node.start_byte().saturating_sub(start.column);
        let characters = self.characters_before(node.start_byte()) - self.characters_before(line_start);
        Position { line: start.row + 1, column: characters + 1 }
    }

    fn characters_before(&self, byte: usize) -> usize {
        let byte = byte.min(self.text.len());
        let whole = byte / STEP;
        let rest = self.text.as_bytes().get(whole * STEP..byte).map_or(0, starts);
        self.before.get(whole).copied().unwrap_or(0) + rest
    }

    /// The text of a node.
    pub fn of(&self, node: Node) -> &'s str {
        self.text.get(node.byte_range()).unwrap_or("")
    }

    /// The text of a node on one line, of at most `limit` characters; what is cut away shows as `…`.
    pub fn clip(&self, node: Node, limit: usize) -> String {
        clip(self.of(node), limit)
    }
}

/// A text on one line, runs of blanks as one, of at most `limit` characters; what is cut away shows as `…`.
pub fn clip(text: &str, limit: usize) -> String {
    let mut clipped = String::new();
    let mut left = limit;
    for word in text.split_whitespace() {
        let blank = usize::from(!clipped.is_empty());
        if left <= blank {
            clipped.push('…');
            return clipped;
        }
        clipped.push_str(&" "[..blank]);
        left -= blank;
        for character in word.chars() {
            if left == 0 {
                clipped.push('…');
                return clipped;
            }
            clipped.push(character);
            left -= 1;
        }
    }
    clipped
}

/// How many characters begin in these bytes of UTF-8.
fn starts(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_across_steps() {
        let text = "é".repeat(1000);
        let source = Source::new(&text);
        for count in [0, 1, 127, 128, 129, 999, 1000] {
            assert_eq!(source.characters_before(count * 2), count);
        }
        assert_eq!(source.characters_before(usize::MAX), 1000);
    }

    #[test]
    fn texts_are_cut_on_one_line() {
        assert_eq!(clip("a\n   b", 10), "a b");
        assert_eq!(clip("abcdef", 3), "abc…");
        assert_eq!(clip("ab cd", 2), "ab…");
        assert_eq!(clip("ab cd", 3), "ab…");
        assert_eq!(clip("ab cd", 4), "ab c…");
        assert_eq!(clip("ab cd", 5), "ab cd");
        assert_eq!(clip("äöü äöü", 5), "äöü ä…");
        assert_eq!(clip("", 0), "");
    }
}
