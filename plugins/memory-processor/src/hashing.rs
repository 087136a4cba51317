//! Hashing: of texts for tables, and FNV-1a for content fingerprints; both are the same in every run.
//!
//! Not cryptographic: it finds equal texts, it proves nothing.

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

/// The first eight bytes of a text as a number, filled up with zeros: texts of up to eight bytes differ where it does.
#[inline]
pub fn packed(text: &[u8]) -> u64 {
    if let Some(first) = text.first_chunk::<8>() {
        return u64::from_le_bytes(*first);
    }
    let low = |at: usize| u64::from(text[at]) << (8 * at);
    match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            // both have four bytes; where they overlap, they say the same
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (text.len() - 4))
        }
        _ if text.is_empty() => 0,
        _ => low(0) | low(text.len() / 2) | low(text.len() - 1),
    }
}

/// The hash of a text, eight bytes at a time.
#[inline]
pub fn hash(text: &[u8]) -> u32 {
    let mut state = mixed(0, packed(text));
    let mut rest = text;
    while rest.len() > 8 {
        rest = &rest[8..];
        state = mixed(state, packed(rest));
    }
    (state >> 32) as u32
}

/// [`hash`] for the compiler, which reads bytes one by one.
pub const fn constant_hash(text: &[u8]) -> u32 {
    let (mut state, mut chunk, mut at) = (0, 0, 0);
    while at < text.len() {
        chunk |= (text[at] as u64) << (8 * (at % 8));
        at += 1;
        if at % 8 == 0 || at == text.len() {
            state = mixed(state, chunk);
            chunk = 0;
        }
    }
    (state >> 32) as u32
}

/// The hash of two numbers.
#[inline]
pub fn hash_of_two(a: u64, b: u64) -> u32 {
    (mixed(mixed(0, a), b) >> 32) as u32
}

#[inline]
const fn mixed(state: u64, more: u64) -> u64 {
    let product = (state ^ more).wrapping_mul(MIX);
    product ^ (product >> 32)
}

/// The fingerprint of a text: `fnv1a64:` and sixteen hexadecimal digits.
pub fn fingerprint(text: &str) -> String {
    let state = text.bytes().fold(OFFSET, |state, byte| (state ^ u64::from(byte)).wrapping_mul(PRIME));
    format!("fnv1a64:{state:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_the_published_ones() {
        assert_eq!(fingerprint(""), "fnv1a64:cbf29ce484222325");
        assert_eq!(fingerprint("a"), "fnv1a64:af63dc4c8601ec8c");
        assert_eq!(fingerprint("foobar"), "fnv1a64:85944171f73967e8");
    }

    #[test]
    fn a_text_has_one_hash_whoever_computes_it() {
        let text = b"The quick brown fox jumps over";
        for length in 1..=text.len() {
            assert_eq!(hash(&text[..length]), constant_hash(&text[..length]), "{length}");
        }
    }

    #[test]
    fn short_texts_are_packed_whole() {
        for text in ["", "a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh"] {
            let bytes = packed(text.as_bytes()).to_le_bytes();
            assert_eq!(&bytes[..text.len()], text.as_bytes());
            assert!(bytes[text.len()..].iter().all(|byte| *byte == 0));
        }
    }
}
