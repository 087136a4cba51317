//! Cleaning: the same text without what nobody meant to write.
//!
//! Line ends become line feeds, runs of blanks one space, runs of blank lines one blank line. Control
//! characters go, and so do those that show nothing: zero-width spaces, direction overrides, soft
//! hyphens, the tag block (which can carry a text that only a model reads). Joiners stay where a script or
//! an emoji needs them. `!!!!!!` becomes `!`. Code between fences keeps its indentation and its runs.

use std::borrow::Cow;

use crate::scanning::{any_pair, position};

/// Clean a text. Cleaning it again changes nothing.
pub fn clean(text: &str) -> String {
    let visible = without_invisible(text);
    let mut cleaned = String::with_capacity(visible.len());
    let mut fenced = false;
    let mut blank = false;
    for line in visible.split('\n') {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            blank = true;
            continue;
        }
        if !cleaned.is_empty() {
            cleaned.push_str(if blank { "\n\n" } else { "\n" });
        }
        blank = false;
        let is_fence = trimmed.starts_with("```") || trimmed.starts_with("~~~");
        if fenced && !is_fence {
            cleaned.push_str(line.trim_end());
        } else {
            push_line(&mut cleaned, trimmed);
        }
        fenced ^= is_fence;
    }
    cleaned
}

/// The text with every line end a line feed and nothing in it that cannot be seen.
fn without_invisible(text: &str) -> Cow<'_, str> {
    let Some(first) = next_suspect(text, 0) else { return Cow::Borrowed(text) };
    let mut kept = String::with_capacity(text.len());
    let (mut start, mut at) = (0, first);
    while let Some(c) = text[at..].chars().next() {
        let after = at + c.len_utf8();
        let next = || text[after..].chars().next();
        let before = || text[start..at].chars().next_back().or(kept.chars().next_back()).unwrap_or(' ');
        let instead = match c {
            '\r' if next() == Some('\n') => Some(""),
            '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' => Some("\n"),
            '\u{2029}' => Some("\n\n"),
            '\u{200c}' | '\u{200d}' if !joins(before(), next()) => Some(""),
            c if is_invisible(c) => Some(""),
            _ => None,
        };
        if let Some(instead) = instead {
            kept.push_str(&text[start..at]);
            kept.push_str(instead);
            start = after;
        }
        at = next_suspect(text, after).unwrap_or(text.len());
    }
    if start == 0 {
        return Cow::Borrowed(text);
    }
    kept.push_str(&text[start..]);
    Cow::Owned(kept)
}

/// Where the first character at or after `at` stands that may have to go, judged by its first byte.
fn next_suspect(text: &str, at: usize) -> Option<usize> {
    let rest = text.as_bytes().get(at..)?;
    let first = position(rest, |byte| byte.wrapping_sub(b' ') >= 0x5f && byte != b'\n')?;
    let found = rest[first..].iter().position(|byte| SUSPECTS[usize::from(*byte)])?;
    Some(at + first + found)
}

/// The first bytes of the characters that [`without_invisible`] looks at.
static SUSPECTS: [bool; 256] = {
    let mut suspects = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        // U+0080.., U+034F, U+061C, U+180E, U+2000.., U+F000.., U+E0000..
        suspects[byte] = matches!(byte as u8, 0..=8 | 0xb..=0x1f | 0x7f | 0xc2 | 0xcd | 0xd8 | 0xe1 | 0xe2 | 0xef | 0xf3);
        byte += 1;
    }
    suspects
};

/// Whether a joiner between these two characters has an effect that a reader sees.
fn joins(before: char, after: Option<char>) -> bool {
    let shapes = |c: char| !c.is_ascii() && !c.is_whitespace() && !crate::script::is_unspaced(c) && !is_invisible(c);
    shapes(before) && after.is_some_and(|c| shapes(c) && !matches!(c, '\u{200c}' | '\u{200d}'))
}

fn is_invisible(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    }
}

/// Add a line with its blanks and its runs of punctuation made short.
fn push_line(cleaned: &mut String, line: &str) {
    let bytes = line.as_bytes();
    if is_tidy(bytes) {
        cleaned.push_str(line);
        return;
    }
    let (mut start, mut at) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        if stays(*byte, bytes.get(at + 1)) {
            at += 1;
            continue;
        }
        let Some(c) = line[at..].chars().next() else { break };
        let run = run_of(&line[at..], c);
        if c.is_whitespace() || run > c.len_utf8() && (is_excited(c) || keep_of(c).is_some()) {
            cleaned.push_str(&line[start..at]);
            if c.is_whitespace() {
                cleaned.push(' ');
            } else {
                push_run(cleaned, c, &line[at..at + run]);
            }
            start = at + run;
        }
        at += run;
    }
    cleaned.push_str(&line[start..]);
}

/// Whether a line is visible ASCII and has no two marks or blanks one after the other that might be a run.
fn is_tidy(line: &[u8]) -> bool {
    let is_run = |a: u8, b: u8| {
        let excited = (a == b'!' || a == b'?') & (b == b'!' || b == b'?');
        excited | (a == b) & ((a | 0x20).wrapping_sub(b'a') > 25) & (a.wrapping_sub(b'0') > 9)
    };
    position(line, |byte| byte.wrapping_sub(b' ') >= 0x5f).is_none() && !any_pair(line, is_run)
}

/// Whether a byte is a character that stays as it is, because of what it is or because another one follows.
#[inline]
fn stays(byte: u8, next: Option<&u8>) -> bool {
    match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => true,
        b' ' => next.is_some_and(u8::is_ascii_graphic),
        b'!' | b'?' => next.is_none_or(|next| next.is_ascii() && !matches!(next, b'!' | b'?')),
        b'.' | b',' | b';' | b'~' | b'-' | b'=' | b'_' | b'*' => next != Some(&byte),
        _ => byte.is_ascii_graphic(),
    }
}

/// The length in bytes of the run that `rest` begins with: blanks, excitement, or one character repeated.
fn run_of(rest: &str, c: char) -> usize {
    let plain = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    if plain > 0 {
        return plain;
    }
    let run = if c.is_whitespace() {
        rest.trim_start()
    } else if is_excited(c) {
        rest.trim_start_matches(is_excited)
    } else if keep_of(c).is_some() {
        rest.trim_start_matches(c)
    } else {
        let end = rest.find(|c: char| c.is_whitespace() || is_excited(c) || keep_of(c).is_some());
        &rest[end.unwrap_or(rest.len())..]
    };
    rest.len() - run.len()
}

fn is_excited(c: char) -> bool {
    matches!(c, '!' | '?' | '！' | '？')
}

/// From how many repeats a character is shortened, and to how many.
fn keep_of(c: char) -> Option<(usize, usize)> {
    match c {
        '.' => Some((4, 3)),
        '…' => Some((3, 2)),
        ',' | ';' | '~' | '，' | '。' | '、' | '；' | '～' => Some((3, 1)),
        '-' | '=' | '_' | '*' | '—' => Some((4, 3)),
        _ => None,
    }
}

fn push_run(cleaned: &mut String, c: char, run: &str) {
    let length = run.len() / c.len_utf8();
    if is_excited(c) && run.chars().count() >= 3 {
        for (at, mark) in run.char_indices() {
            if !run[..at].contains(mark) {
                cleaned.push(mark);
            }
        }
        return;
    }
    match keep_of(c) {
        Some((from, keep)) if length >= from => cleaned.extend(std::iter::repeat_n(c, keep)),
        _ => cleaned.push_str(run),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_lines_are_normalised() {
        let text = "\u{feff}  Hello,\u{a0}\u{2003} world \t\r\nnext\rline\u{2028}x\u{2029}para\n\n\n \nend  ";
        assert_eq!(clean(text), "Hello, world\nnext\nline\nx\n\npara\n\nend");
    }

    #[test]
    fn what_cannot_be_seen_is_dropped() {
        assert_eq!(clean("pa\u{200b}ss\u{ad}wo\u{202e}rd\0\u{1b}[0m\u{e0041}\u{e0042}"), "password[0m");
        assert_eq!(clean("a\u{200d}b 中\u{200d}文"), "ab 中文");
    }

    #[test]
    fn joiners_that_shape_the_text_stay() {
        for text in ["👨\u{200d}👩\u{200d}👧", "می\u{200c}خواهم", "क्\u{200d}ष"] {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn runs_of_punctuation_are_shortened() {
        let text = "Wow!!!!!! Really?!?!?! No!! wait...... a,,,b ----- ===== ！！！ 好。。。。 …… /// 1..2";
        assert_eq!(clean(text), "Wow! Really?! No!! wait... a,b --- === ！ 好。 …… /// 1..2");
    }

    #[test]
    fn code_keeps_its_indentation() {
        let text = "Look:\n```python\ndef f():\n    return 'a    b!!!!'\n```\n   done";
        assert_eq!(clean(text), "Look:\n```python\ndef f():\n    return 'a    b!!!!'\n```\ndone");
    }

    #[test]
    fn cleaning_twice_is_cleaning_once() {
        let parts =
            ["a", " ", "\t", "\n", "\r", "!", "?", "。", ".", "-", "\u{200d}", "\u{200b}", "👩", "中", "```", "é"];
        let mut state = 7u64;
        for _ in 0..3000 {
            let text: String = (0..24)
                .map(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    parts[(state >> 33) as usize % parts.len()]
                })
                .collect();
            let once = clean(&text);
            assert_eq!(clean(&once), once, "{text:?}");
        }
    }

    #[test]
    fn nothing_stays_nothing() {
        assert_eq!(clean(" \u{200b}\n\t\r\n"), "");
    }
}
