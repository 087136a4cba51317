//! Blocks: the lines of a text that belong together.
//!
//! List items, headings, table rows and code fences stand for themselves; a line that is merely wrapped
//! goes on in the next.

use crate::script::is_unspaced;

/// A line shorter than this, in bytes, is a line by intent and not a wrapped one.
const WRAPPED: usize = 50;

/// A stretch of lines in which only punctuation ends a sentence.
pub struct Block<'a> {
    /// Its lines.
    pub text: &'a str,
    /// Whether a blank line or the end of the text follows.
    pub ends_paragraph: bool,
}

/// The blocks of a text, in order.
pub struct Blocks<'a> {
    rest: &'a str,
}

impl<'a> Blocks<'a> {
    /// Split a text into its blocks.
    pub fn new(text: &'a str) -> Self {
        Self { rest: text }
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let mut line = line_at(self.rest, 0);
        let mut end = line.len();
        loop {
            let next = line_at(self.rest, end);
            if next.is_empty() || !continues(line.trim(), next.trim()) {
                let (text, rest) = self.rest.split_at(end);
                self.rest = rest;
                return Some(Block { text, ends_paragraph: next.trim().is_empty() });
            }
            end += next.len();
            line = next;
        }
    }
}

/// The line that begins at `start`, with its line feed.
fn line_at(text: &str, start: usize) -> &str {
    let rest = &text[start..];
    rest.find('\n').map_or(rest, |feed| &rest[..=feed])
}

/// Whether `next` goes on with what `line` began.
fn continues(line: &str, next: &str) -> bool {
    if line.is_empty() || next.is_empty() || line.starts_with(['#', '|', '`', '~']) || begins_item(next) {
        return false;
    }
    let short = line.len() < WRAPPED && !line.ends_with([',', ';', '-', '，', '、']);
    let fresh = next.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit() || is_unspaced(c));
    !(short && fresh)
}

/// Whether a line begins a list item, a heading, a quotation, a table row or a code fence.
fn begins_item(line: &str) -> bool {
    strip_mark(line).len() < line.len() || line.starts_with(['|', '`', '~', '#', '>'])
}

/// A line without its list, heading or quotation mark.
pub fn strip_mark(line: &str) -> &str {
    let bare = line.trim_start_matches(['#', '>']);
    if bare.len() < line.len() && bare.starts_with(' ') {
        return bare.trim_start();
    }
    if let Some(item) = ["- ", "* ", "+ ", "• ", "– "].iter().find_map(|mark| line.strip_prefix(mark)) {
        return item.trim_start();
    }
    let after = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = line.len() - after.len();
    match after.strip_prefix(['.', ')']) {
        Some(item) if (1..=3).contains(&digits) && item.starts_with(' ') => item.trim_start(),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &str) -> Vec<(&str, bool)> {
        Blocks::new(text).map(|block| (block.text.trim(), block.ends_paragraph)).collect()
    }

    #[test]
    fn wrapped_lines_stay_together_and_items_part() {
        let text = "# Title\nA first line that is long enough to have been wrapped\nby an editor.\n- item\n\nEnd";
        let expected = [
            ("# Title", false),
            ("A first line that is long enough to have been wrapped\nby an editor.", false),
            ("- item", true),
            ("", false),
            ("End", true),
        ];
        assert_eq!(blocks(text), expected);
    }

    #[test]
    fn marks_are_stripped_and_numbers_kept() {
        let stripped = ["## a", "- a", "* a", "12) a", "3.5 a", "1234. a", "-a", "#a"].map(strip_mark);
        assert_eq!(stripped, ["a", "a", "a", "a", "3.5 a", "1234. a", "-a", "#a"]);
    }
}
