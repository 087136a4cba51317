//! Scripts: which writing a character belongs to, as far as splitting a text into words needs to know.

/// How the words of a piece of text are found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Script {
    /// Letters and digits with spaces between words: Latin, Greek, Cyrillic, Arabic, Hangul, and so on.
    Spaced,
    /// Chinese characters, of which two to four make a word.
    Han,
    /// Japanese Katakana: a run is a word.
    Katakana,
    /// Japanese Hiragana: endings and particles.
    Hiragana,
}

/// The script of a character that can be part of a word; nothing for spaces, punctuation and symbols.
#[inline]
pub fn script_of(c: char) -> Option<Script> {
    if c.is_ascii() {
        return (c.is_ascii_alphanumeric() || c == '_').then_some(Script::Spaced);
    }
    match c as u32 {
        // The commonest by their ranges: a look into the tables of Unicode takes ten times as long.
        0xD7 | 0xF7 | 0x2000..=0x206F | 0x3000..=0x3004 | 0x3008..=0x3020 | 0xFF01..=0xFF0F => None,
        0xC0..=0x24F | 0x400..=0x481 | 0x48A..=0x52F => Some(Script::Spaced),
        0x3005 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF => Some(Script::Han),
        0x30A1..=0x30FA | 0x30FC..=0x30FF | 0x31F0..=0x31FF | 0xFF66..=0xFF9F => Some(Script::Katakana),
        0x3041..=0x309F => Some(Script::Hiragana),
        _ => (c.is_alphanumeric() || is_mark(c)).then_some(Script::Spaced),
    }
}

/// Whether `c` is written without spaces between words.
pub fn is_unspaced(c: char) -> bool {
    matches!(script_of(c), Some(script) if script != Script::Spaced)
}

/// Marks that sit on a letter without being one, such as accents, viramas and tone marks.
fn is_mark(c: char) -> bool {
    let code = c as u32;
    match code {
        0x0300..=0x036F | 0x0483..=0x0489 | 0x0591..=0x05C7 | 0x064B..=0x065F | 0x0E47..=0x0E4E => true,
        0x0900..=0x0D7F => matches!(code & 0x7F, 0x3C | 0x4D),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_scripts_apart() {
        let scripts = ['a', 'é', 'Ж', '한', '9', '_', '语', 'テ', 'ー', 'す', '\u{94D}'].map(script_of);
        use Script::{Han, Hiragana, Katakana, Spaced};
        let expected =
            [Spaced, Spaced, Spaced, Spaced, Spaced, Spaced, Han, Katakana, Katakana, Hiragana, Spaced].map(Some);
        assert_eq!(scripts, expected);
    }

    #[test]
    fn the_ranges_say_what_the_tables_of_unicode_say() {
        for c in ['\u{80}'..='\u{52f}', '\u{2000}'..='\u{206f}', '\u{3000}'..='\u{3020}', '\u{ff01}'..='\u{ff0f}'] {
            for c in c.filter(|c| !matches!(c, '\u{3005}')) {
                assert_eq!(script_of(c).is_some(), c.is_alphanumeric() || is_mark(c), "{c:?}");
            }
        }
    }

    #[test]
    fn punctuation_has_no_script() {
        assert!([' ', '.', '。', '「', '-', '🙂', '・'].into_iter().all(|c| script_of(c).is_none()));
    }
}
