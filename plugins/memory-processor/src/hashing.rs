//! Hashing: FNV-1a, for hash tables that behave the same in every run and for content fingerprints.
//!
//! Not cryptographic: it finds equal texts, it proves nothing.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// A hash table without random keys.
pub type Table<K, V> = HashMap<K, V, BuildHasherDefault<Fnv>>;

/// The FNV-1a state, 64 bits.
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(OFFSET)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.0 = (self.0 ^ u64::from(value)).wrapping_mul(PRIME);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value ^ (value >> 32)).wrapping_mul(PRIME).rotate_left(23);
    }

    fn finish(&self) -> u64 {
        // The table takes its buckets from the low bits and its tags from the high ones: mix both.
        (self.0 ^ (self.0 >> 29)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

/// The fingerprint of a text: `fnv1a64:` and sixteen hexadecimal digits.
pub fn fingerprint(text: &str) -> String {
    let mut state = Fnv::default();
    state.write(text.as_bytes());
    format!("fnv1a64:{:016x}", state.0)
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
}
