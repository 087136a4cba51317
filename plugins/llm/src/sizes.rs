//! Sizes: about how many tokens a text is for a language model, whose own count nobody here knows.
//!
//! English has four letters to a token; Chinese and Japanese characters are one each; of most other writing two letters
//! are one. The estimate is on the high side for common models.

/// About how many tokens `text` has.
pub fn tokens_of(text: &str) -> usize {
    quarters(text).div_ceil(4)
}

/// The size of `text`, in quarters of a token.
pub fn quarters(text: &str) -> usize {
    text.chars().map(quarters_of).sum()
}

/// A character's size, in quarters of a token.
pub fn quarters_of(c: char) -> usize {
    match c as u32 {
        0..=0x7F => 1,
        0x1100..=0x11FF | 0x2E80..=0xD7FF | 0xF900..=0xFAFF | 0xFF00..=0xFFEF | 0x1F000..=0x3FFFF => 4,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_writing_has_its_size() {
        assert_eq!(tokens_of(""), 0);
        assert_eq!(tokens_of("word"), 1);
        assert_eq!(tokens_of("words"), 2);
        assert_eq!(tokens_of("绿茶"), 2);
        assert_eq!(tokens_of("чай"), 2);
    }
}
