//! Scanning: finding bytes, many at a time.
//!
//! Every turn of a loop is metered in the sandbox, so that a loop over single bytes costs twice what it does elsewhere.

/// Bytes that are tested together; the compiler makes a vector instruction of it.
const BLOCK: usize = 16;
const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const HIGH: u64 = !LOW;

/// Where the first byte is that passes `test`, which should be comparisons without branches.
#[inline]
pub fn position(bytes: &[u8], test: impl Fn(u8) -> bool) -> Option<usize> {
    let without = |block: &&[u8]| !block.iter().fold(false, |found, byte| found | test(*byte));
    let start = bytes.chunks_exact(BLOCK).take_while(without).count() * BLOCK;
    bytes[start..].iter().position(|byte| test(*byte)).map(|at| start + at)
}

/// Whether any two neighbours pass `test`.
#[inline]
pub fn any_pair(bytes: &[u8], test: impl Fn(u8, u8) -> bool) -> bool {
    let after = bytes.get(1..).unwrap_or_default();
    bytes.iter().zip(after).fold(false, |found, (byte, next)| found | test(*byte, *next))
}

/// How many ASCII letters, digits and `_` the bytes begin with.
#[inline]
pub fn word_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let others = !word_bytes(u64::from_le_bytes(*eight)) & HIGH;
        if others != 0 {
            return at + others.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
}

/// The highest bit of each byte that is an ASCII letter, a digit or `_`; the other bits say nothing.
#[inline]
fn word_bytes(eight: u64) -> u64 {
    let low = eight & LOW;
    let folded = low | each(0x20);
    (between(folded, b'a', b'z') | between(low, b'0', b'9') | between(low, b'_', b'_')) & !eight
}

/// The highest bit of each byte, all of them below 128, that is in a range.
#[inline]
fn between(low: u64, first: u8, last: u8) -> u64 {
    (low + each(0x80 - first)) & !(low + each(0x7f - last))
}

#[inline]
const fn each(byte: u8) -> u64 {
    0x0101_0101_0101_0101 * byte as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_found_wherever_it_is() {
        for at in 0..70 {
            let mut bytes = [b'a'; 70];
            bytes[at] = b'.';
            assert_eq!(position(&bytes, |byte| byte == b'.'), Some(at));
        }
        assert_eq!((position(b"", |_| true), position(&[b'a'; 40], |byte| byte == b'.')), (None, None));
    }

    #[test]
    fn pairs_are_neighbours() {
        let double = |a: u8, b: u8| a == b;
        assert!(any_pair(b"abcdefghijklmnopqrstuvwxyz..", double));
        assert!(!any_pair(b"abab", double) && !any_pair(b"a", double) && !any_pair(b"", double));
    }

    #[test]
    fn words_end_where_no_letter_or_digit_is() {
        for byte in 0..=255_u8 {
            let mut bytes = *b"Some_words9";
            bytes[6] = byte;
            let expected = if byte.is_ascii_alphanumeric() || byte == b'_' { 11 } else { 6 };
            assert_eq!(word_length(&bytes), expected, "{byte}");
        }
    }
}
