//! Sentences: where one ends and the next begins.
//!
//! Latin full stops end a sentence only where no abbreviation, initial, decimal or file name is in the
//! way; Chinese and Japanese ones always do. Blank lines, list items, headings, table rows and code
//! fences end one too; a line that is merely wrapped does not.

use crate::blocks::{strip_mark, Blocks};
use crate::lexicon;
use crate::scanning::position;
use crate::script::is_unspaced;

/// Longest sentence, in bytes: a text without any end is cut at the last blank before.
const LONGEST: usize = 4000;
/// Longest word, in bytes, that is looked up as an abbreviation.
const LONGEST_ABBREVIATION: usize = 12;

/// Longest abbreviation, in bytes, that is known by its letters.
const LONGEST_KNOWN: usize = 6;

/// The least first byte of an end mark of several bytes.
const LEAST_WIDE: u8 = 0xD8;

/// A sentence, where it stands and what it looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sentence<'a> {
    /// The text as written, trimmed, without a leading list or heading mark.
    pub text: &'a str,
    /// Whether it is the first of a paragraph.
    pub opens_paragraph: bool,
    /// Whether it is running text: no heading, table row or code.
    pub is_prose: bool,
}

/// Split a text into its sentences.
pub fn split(text: &str) -> Vec<Sentence<'_>> {
    let (mut sentences, mut pieces) = (Vec::new(), Vec::new());
    let mut fenced = false;
    let mut opens_paragraph = true;
    for block in Blocks::new(text) {
        let line = block.text.trim();
        if line.starts_with("```") || line.starts_with("~~~") {
            fenced = !fenced;
        } else if !line.is_empty() {
            let is_prose = !fenced && !line.starts_with(['#', '|']);
            add_pieces(&mut pieces, strip_mark(line));
            for piece in pieces.drain(..) {
                sentences.push(Sentence { text: piece, opens_paragraph, is_prose });
                opens_paragraph = false;
            }
        }
        opens_paragraph |= block.ends_paragraph;
    }
    sentences
}

/// Add the sentences of a block to `found`.
fn add_pieces<'a>(found: &mut Vec<&'a str>, block: &'a str) {
    let (mut start, mut at) = (0, 0);
    while let Some(mark) = next_end_mark(block, at) {
        let tail = &block[mark..];
        let marks = tail.len() - tail.trim_start_matches(is_end_mark).len();
        at = mark + marks;
        if let Some(end) = end_of(block, mark, marks) {
            push_trimmed(found, &block[start..end]);
            (start, at) = (end, end);
        }
    }
    push_trimmed(found, &block[start..]);
}

/// Where the first end mark at or after `at` stands.
fn next_end_mark(block: &str, at: usize) -> Option<usize> {
    let bytes = block.as_bytes();
    let mut at = at;
    loop {
        at += position(bytes.get(at..)?, |byte| (byte == b'.') | (byte == b'!') | (byte == b'?') | (byte >= LEAST_WIDE))?;
        match block.get(at..).and_then(|rest| rest.chars().next()) {
            Some(c) if is_end_mark(c) => return Some(at),
            _ => at += 1,
        }
    }
}

fn push_trimmed<'a>(found: &mut Vec<&'a str>, piece: &'a str) {
    let mut rest = piece.trim();
    while rest.len() > LONGEST {
        let (part, after) = rest.split_at(cut_of(rest));
        push_if_telling(found, part);
        rest = after.trim_start();
    }
    push_if_telling(found, rest);
}

fn push_if_telling<'a>(found: &mut Vec<&'a str>, piece: &'a str) {
    if piece.contains(char::is_alphanumeric) {
        found.push(piece.trim_end());
    }
}

/// Where to cut a text that is too long: at its last blank, or else between characters.
fn cut_of(text: &str) -> usize {
    let limit = (LONGEST - 3..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    text[..limit].rfind(char::is_whitespace).filter(|at| *at > 0).unwrap_or(limit)
}

fn is_end_mark(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '｡' | '।' | '؟')
}

/// Where the sentence ends whose marks stand at `at`, with the quotes and brackets that close it.
fn end_of(block: &str, at: usize, marks: usize) -> Option<usize> {
    let (run, after) = block[at..].split_at(marks);
    let after = after.trim_start_matches(['"', '\'', '”', '’', '»', ')', ']', '」', '』', '）', '*', '_']);
    let end = block.len() - after.len();
    if run.starts_with(is_wide) || after.is_empty() {
        return Some(end);
    }
    if !after.starts_with(char::is_whitespace) && !after.starts_with(is_unspaced) {
        return None;
    }
    let next = after.trim_start().trim_start_matches(['"', '\'', '“', '‘', '(', '[', '*', '_']);
    if next.starts_with(char::is_lowercase) {
        return None;
    }
    (run != "." || !is_abbreviation(&block[..at], next)).then_some(end)
}

/// Marks that end a sentence whatever follows.
fn is_wide(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '｡' | '।')
}

/// Whether the full stop after `before` belongs to an abbreviation or an initial, given what follows.
fn is_abbreviation(before: &str, next: &str) -> bool {
    let word = last_word(before);
    if word.len() > LONGEST_ABBREVIATION {
        return false;
    }
    let mut letters = word.chars();
    let initial = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none() && word != "I";
    let starts_sentence = || {
        let first = next.split(|c: char| !c.is_alphanumeric() && c != '\'').next().unwrap_or("");
        lexicon::opens_sentence(&first.to_lowercase())
    };
    if initial || (word.contains('.') && word.split('.').all(|part| part.chars().count() <= 2)) {
        return !starts_sentence();
    }
    if word.len() > LONGEST_KNOWN {
        return false;
    }
    let word = word.to_lowercase();
    match word.as_str() {
        "no" | "fig" | "figs" | "eq" | "sec" | "ch" | "pp" | "vol" | "art" => {
            next.starts_with(|c: char| c.is_ascii_digit())
        }
        "mr" | "mrs" | "ms" | "dr" | "prof" | "st" | "vs" | "gen" | "sen" | "rep" | "lt" | "col" | "capt" | "rev"
        | "hon" | "mt" | "cf" | "approx" | "al" | "ca" | "jan" | "feb" | "aug" | "sept" | "oct" | "nov" | "dec" => {
            !(word == "al" && starts_sentence())
        }
        "etc" | "inc" | "ltd" | "co" | "corp" | "jr" | "sr" | "ph.d" | "dept" | "est" | "bros" => !starts_sentence(),
        _ => false,
    }
}

/// The last word of a text, or more than an abbreviation can be of it.
fn last_word(text: &str) -> &str {
    let mut start = text.len();
    for (at, c) in text.char_indices().rev() {
        if c.is_whitespace() || matches!(c, '(' | '[' | '"' | '“') || text.len() - start > LONGEST_ABBREVIATION {
            break;
        }
        start = at;
    }
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        split(text).into_iter().map(|sentence| sentence.text).collect()
    }

    #[test]
    fn abbreviations_initials_and_decimals_do_not_end_a_sentence() {
        let text = "Dr. Smith paid $3.50 to J. R. Tolkien, e.g. for plugin.toml. He left at 5 p.m. The U.S. Army \
                    stayed. See Fig. 3 for more, etc. It rained.";
        let expected = [
            "Dr. Smith paid $3.50 to J. R. Tolkien, e.g. for plugin.toml.",
            "He left at 5 p.m.",
            "The U.S. Army stayed.",
            "See Fig. 3 for more, etc.",
            "It rained.",
        ];
        assert_eq!(texts(text), expected);
    }

    #[test]
    fn quotes_and_brackets_stay_with_their_sentence() {
        let expected = ["\"Stop!\"", "She said (twice.)", "“No.”", "Then, silence…", "Why?!"];
        assert_eq!(texts("\"Stop!\" She said (twice.) “No.” Then, silence… Why?!"), expected);
        assert_eq!(texts("\"Stop!\" she cried."), ["\"Stop!\" she cried."]);
    }

    #[test]
    fn wide_full_stops_need_no_space() {
        assert_eq!(
            texts("今天下雨。他说：“走吧！”我们走了？是的"),
            ["今天下雨。", "他说：“走吧！”", "我们走了？", "是的"]
        );
    }

    #[test]
    fn wrapped_lines_are_one_sentence_and_short_lines_are_not() {
        let text = "This line was wrapped by an editor somewhere in the\nmiddle of a sentence. Next\none.\n\nName: \
                    Ada\nCity: London";
        let expected = [
            "This line was wrapped by an editor somewhere in the\nmiddle of a sentence.",
            "Next\none.",
            "Name: Ada",
            "City: London",
        ];
        assert_eq!(texts(text), expected);
    }

    #[test]
    fn marks_of_lists_and_headings_are_dropped() {
        let sentences = split("# Notes\n- first thing\n- second thing\n1. one\n2) two\n> quoted\n| a | b |");
        let found: Vec<_> = sentences.iter().map(|s| (s.text, s.is_prose)).collect();
        let expected = [
            ("Notes", false),
            ("first thing", true),
            ("second thing", true),
            ("one", true),
            ("two", true),
            ("quoted", true),
            ("| a | b |", false),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn paragraphs_and_code_are_told_apart() {
        let sentences = split("One. Two.\n\nThree.\n```\nlet x = 1;\n```\nFour.");
        let found: Vec<_> = sentences.iter().map(|s| (s.text, s.opens_paragraph, s.is_prose)).collect();
        let expected = [
            ("One.", true, true),
            ("Two.", false, true),
            ("Three.", true, true),
            ("let x = 1;", false, false),
            ("Four.", false, true),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn odd_texts_have_no_sentences_or_one() {
        assert!(texts("").is_empty());
        assert!(texts("... !!! ???\n\n- \n").is_empty());
        assert_eq!(texts("no end"), ["no end"]);
        assert_eq!(texts(&"word ".repeat(2000)).len(), 3);
        assert!(texts(&"ж".repeat(5000)).iter().all(|piece| piece.len() <= LONGEST));
    }
}
