//! Cleaning: the same text without what nobody meant to write.
//!
//! Line ends become line feeds, runs of blanks one space, runs of blank lines one blank line. Control
//! characters go, and so do those that show nothing: zero-width spaces, direction overrides, soft
//! hyphens, the tag block (which can carry a text that only a model reads). Joiners stay where a script or
//! an emoji needs them. `!!!!!!` becomes `!`. Code between fences keeps its indentation and its runs.

use std::borrow::Cow;

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
    if text.bytes().all(|byte| matches!(byte, b'\n' | b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let c = match c {
            '\r' if chars.peek() == Some(&'\n') => continue,
            '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' => '\n',
            '\u{2029}' => {
                kept.push('\n');
                '\n'
            }
            '\u{200c}' | '\u{200d}' if !joins(before, chars.peek().copied()) => continue,
            c if is_invisible(c) => continue,
            c => c,
        };
        kept.push(c);
        before = c;
    }
    Cow::Owned(kept)
}

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
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let run = run_of(rest, c);
        let (text, after) = rest.split_at(run);
        rest = after;
        if c.is_whitespace() {
            cleaned.push(' ');
        } else {
            push_run(cleaned, c, text);
        }
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
