//! Splitting: a long text in parts that a model has room for, cut where a reader would.
//!
//! Between paragraphs where that fits, else between sentences, words, and at last letters. The parts together are the
//! text, byte for byte.

use unicode_segmentation::UnicodeSegmentation;

use crate::sizes::quarters;

/// Where a text may be cut, the best place first.
#[derive(Clone, Copy)]
enum Border {
    Paragraph,
    Line,
    Sentence,
    Word,
    Letter,
}

/// The parts of `text`, each of at most `most` tokens unless a single letter has more.
pub fn parts(text: &str, most: usize) -> Vec<&str> {
    let mut found = Vec::new();
    packed(text, most.max(1).saturating_mul(4), Some(Border::Paragraph), &mut found);
    found
}

/// Pieces between the borders put together as far as they fit into `most` quarters of a token; a piece that is too long is cut at the next border.
fn packed<'a>(text: &'a str, most: usize, border: Option<Border>, found: &mut Vec<&'a str>) {
    let Some(border) = border.filter(|_| quarters(text) > most) else {
        found.extend(Some(text).filter(|text| !text.is_empty()));
        return;
    };
    let (mut from, mut to, mut size) = (0, 0, 0);
    for piece in border.pieces(text) {
        let more = quarters(piece);
        if size + more > most {
            found.extend(text.get(from..to).filter(|part| !part.is_empty()));
            (from, size) = (to, 0);
        }
        to += piece.len();
        if more > most {
            packed(piece, most, border.next(), found);
            from = to;
        } else {
            size += more;
        }
    }
    found.extend(text.get(from..to).filter(|part| !part.is_empty()));
}

impl Border {
    fn next(self) -> Option<Self> {
        match self {
            Self::Paragraph => Some(Self::Line),
            Self::Line => Some(Self::Sentence),
            Self::Sentence => Some(Self::Word),
            Self::Word => Some(Self::Letter),
            Self::Letter => None,
        }
    }

    /// Pieces that end at this border and together are `text`.
    fn pieces(self, text: &str) -> Vec<&str> {
        match self {
            Self::Paragraph => after_blank_lines(text),
            Self::Line => text.split_inclusive('\n').collect(),
            Self::Sentence => text.split_sentence_bounds().collect(),
            Self::Word => text.split_word_bounds().collect(),
            Self::Letter => text.graphemes(true).collect(),
        }
    }
}

/// Paragraphs, each with the blank lines behind it.
fn after_blank_lines(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut from, mut at, mut blank) = (0, 0, false);
    for line in text.split_inclusive('\n') {
        let empty = line.trim().is_empty();
        if blank && !empty {
            found.extend(text.get(from..at));
            from = at;
        }
        (blank, at) = (empty, at + line.len());
    }
    found.extend(text.get(from..));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sizes::tokens_of;

    #[test]
    fn paragraphs_stay_whole_where_they_fit() {
        let text = "One one one.\nStill one.\n\nTwo two.\n\n\nThree.";
        assert_eq!(parts(text, 8), ["One one one.\nStill one.\n\n", "Two two.\n\n\nThree."]);
        assert_eq!(parts(text, 100), [text]);
    }

    #[test]
    fn sentences_then_words_then_letters_are_cut() {
        assert_eq!(parts("One is here. Two is there. Three.", 4), ["One is here. ", "Two is there. ", "Three."]);
        assert_eq!(parts("alpha beta gamma", 3), ["alpha beta ", "gamma"]);
        assert_eq!(parts("绿茶很好。我喜欢。", 5), ["绿茶很好。", "我喜欢。"]);
        assert_eq!(parts(&"x".repeat(20), 2).len(), 3);
    }

    #[test]
    fn the_parts_are_the_text_and_fit() {
        let text =
            "A first paragraph. It has sentences!\nAnd lines.\n\n绿茶很好。\r\n\r\n - a list\n - of things\n\n\n"
                .repeat(9);
        for most in [1, 2, 3, 7, 20, 100] {
            let found = parts(&text, most);
            assert_eq!(found.concat(), text);
            assert!(found.iter().all(|part| tokens_of(part) <= most), "{most}");
        }
        assert!(parts("", 5).is_empty());
        assert_eq!(parts("🙂🙂", 0), ["🙂", "🙂"]);
    }
}
