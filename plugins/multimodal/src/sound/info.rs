//! The tags of WAV files, a RIFF list `INFO`. Read here because Symphonia 0.6.1 reads them and drops them.

use std::io::{Read, Seek, SeekFrom};

use super::tags::Tag;
use crate::kind::clipped;

/// Chunks that are looked at, and bytes of a list.
const MOST_CHUNKS: usize = 64;
const MOST_BYTES: u64 = 64 * 1024;
const MAX_TEXT: usize = 500;

const NAMES: [(&[u8; 4], &str); 9] = [
    (b"INAM", "title"),
    (b"IART", "artist"),
    (b"IPRD", "album"),
    (b"ICRD", "date"),
    (b"IGNR", "genre"),
    (b"ICMT", "comment"),
    (b"ICOP", "copyright"),
    (b"ITRK", "track"),
    (b"ISFT", "encoder"),
];

/// The tags of a WAV file; none where it has none or breaks off. Leaves the reader anywhere.
pub fn read<R: Read + Seek + ?Sized>(reader: &mut R) -> Vec<Tag> {
    let mut at = 12;
    for _ in 0..MOST_CHUNKS {
        let Some((name, length)) = head(reader, at) else { return Vec::new() };
        let mut list = Vec::new();
        if &name == b"LIST" && reader.take(length.min(MOST_BYTES)).read_to_end(&mut list).is_ok() {
            if let Some(info) = list.strip_prefix(b"INFO") {
                return tags(info);
            }
        }
        at += 8 + length + length % 2;
    }
    Vec::new()
}

fn head<R: Read + Seek + ?Sized>(reader: &mut R, at: u64) -> Option<([u8; 4], u64)> {
    let mut head = [0; 8];
    reader.seek(SeekFrom::Start(at)).ok()?;
    reader.read_exact(&mut head).ok()?;
    Some(split(&head)?.0)
}

/// The name and length of the chunk that `bytes` begins with, and what follows its head.
fn split(bytes: &[u8]) -> Option<(([u8; 4], u64), &[u8])> {
    let (name, rest) = bytes.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    Some(((*name, u32::from_le_bytes(*length).into()), rest))
}

fn tags(mut info: &[u8]) -> Vec<Tag> {
    let mut told = Vec::new();
    while let Some(((name, length), rest)) = split(info) {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
        let (text, after) = rest.split_at(length);
        info = after.get(length % 2..).unwrap_or_default();
        let value = clipped(String::from_utf8_lossy(text).trim(), MAX_TEXT);
        let name = NAMES.iter().find(|(known, _)| **known == name).map(|(_, name)| *name);
        if let Some(name) = name.filter(|_| !value.is_empty()) {
            told.push(Tag { name: name.to_owned(), value });
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn tags_are_read_and_odd_ones_left_out() {
        let file = b"RIFF\0\0\0\0WAVEfmt \x03\0\0\0abc\0LIST\x26\0\0\0INFOINAM\x03\0\0\0Hi\0\0XXXX\x01\0\0\0a\0IART\xff\0\0\0Ada\0\0\0";
        let told = read(&mut Cursor::new(&file[..]));
        let told: Vec<_> = told.iter().map(|tag| (tag.name.as_str(), tag.value.as_str())).collect();
        assert_eq!(told, [("title", "Hi"), ("artist", "Ada")]);
        for end in 0..file.len() {
            let _ = read(&mut Cursor::new(&file[..end]));
        }
    }
}
