//! Sources: the bytes of a call, from base64 or, a part at a time, from a file that the host reads.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::Engine as _;

use crate::kind::{Kind, HEAD};
use crate::refusal::Refusal;
use crate::requests::Origin;

/// Bytes of a file that one call may read, as the host's own limit (`limit_file_bytes_read`) is by default.
pub const MAX_FILE_BYTES: u64 = 10 * 1024 * 1024;
/// Bytes of the first part that is read of a file; each next part in a row is twice as long, up to [`LONG_PART`].
const FIRST_PART: usize = 64 * 1024;
const LONG_PART: usize = 512 * 1024;

/// A part of a file, and how long the whole file is.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Bytes of the whole file.
    pub size: u64,
}

/// Reads parts of files.
pub trait Files: Send + Sync {
    /// At most `limit` bytes of `path` from `offset` on.
    ///
    /// # Errors
    /// The host's words where it refuses.
    fn read(&self, path: &str, offset: u64, limit: usize) -> Result<Part, Refusal>;
}

/// Bytes that can be read in any order.
pub trait Bytes: Read + Seek + Send + Sync {}
impl<T: Read + Seek + Send + Sync> Bytes for T {}

/// The bytes of a call and what they are.
pub struct Source<'a> {
    /// What the bytes are.
    pub kind: Kind,
    /// How many there are in all.
    pub size: u64,
    bytes: Box<dyn Bytes + 'a>,
}

impl<'a> Source<'a> {
    /// Open what a request names.
    ///
    /// # Errors
    /// There is not exactly one of `data` and `path`, it cannot be read, its kind is not known, or `media_type`
    /// contradicts it.
    pub fn open(origin: Origin, files: &'a dyn Files) -> Result<Self, Refusal> {
        let (mut bytes, size) = match (origin.data, origin.path) {
            (Some(data), None) => from_base64(&data)?,
            (None, Some(path)) => from_file(path, files)?,
            (Some(_), Some(_)) => return Err(Refusal("Both data and path are given. Give one of them.".into())),
            (None, None) => return Err(Refusal("Neither data nor path is given. Give data in base64, or the path of a granted file.".into())),
        };
        let mut head = Vec::with_capacity(HEAD);
        let read = bytes.by_ref().take(HEAD as u64).read_to_end(&mut head).and_then(|_| bytes.rewind());
        read.map_err(|reason| Refusal(reason.to_string()))?;
        let kind = Kind::of(&head)?;
        origin.media_type.map_or(Ok(()), |said| kind.agree(&said))?;
        Ok(Self { kind, size, bytes })
    }

    /// The reader, for what needs parts only.
    #[must_use]
    pub fn into_reader(self) -> Box<dyn Bytes + 'a> {
        self.bytes
    }

    /// At most the first `limit` bytes.
    ///
    /// # Errors
    /// The host's words where it refuses to read.
    pub fn first(mut self, limit: u64) -> Result<Vec<u8>, Refusal> {
        let mut all = Vec::with_capacity(usize::try_from(self.size.min(limit)).unwrap_or(0));
        let read = self.bytes.by_ref().take(limit).read_to_end(&mut all);
        read.map_err(|reason| Refusal(reason.to_string()))?;
        Ok(all)
    }
}

fn from_base64(data: &str) -> Result<(Box<dyn Bytes + 'static>, u64), Refusal> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = GeneralPurpose::new(&ALPHABET, config)
        .decode(data.trim())
        .map_err(|reason| Refusal(format!("data is not base64: {reason}. Expected the standard alphabet, without a 'data:' prefix.")))?;
    let size = bytes.len() as u64;
    Ok((Box::new(Cursor::new(bytes)), size))
}

fn from_file<'a>(path: String, files: &'a dyn Files) -> Result<(Box<dyn Bytes + 'a>, u64), Refusal> {
    let first = files.read(&path, 0, FIRST_PART)?;
    let size = first.size;
    Ok((Box::new(FileReader { files, path, size, position: 0, start: 0, part: first.bytes, wish: FIRST_PART }), size))
}

/// A granted file, read in parts as they are needed.
struct FileReader<'a> {
    files: &'a dyn Files,
    path: String,
    size: u64,
    position: u64,
    start: u64,
    part: Vec<u8>,
    wish: usize,
}

impl FileReader<'_> {
    fn end(&self) -> u64 {
        self.start.saturating_add(self.part.len() as u64)
    }

    /// Have the part that holds the position; a reader that goes straight on gets longer ones.
    fn load(&mut self) -> io::Result<()> {
        if (self.start..self.end()).contains(&self.position) || self.position >= self.size {
            return Ok(());
        }
        self.wish = if self.position == self.end() { (self.wish * 2).min(LONG_PART) } else { FIRST_PART };
        let part = self.files.read(&self.path, self.position, self.wish).map_err(io::Error::other)?;
        self.start = self.position;
        self.part = part.bytes;
        Ok(())
    }
}

impl Read for FileReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.load()?;
        let from = usize::try_from(self.position.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let rest = self.part.get(from..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        self.position = self.position.saturating_add(length as u64);
        Ok(length)
    }
}

impl Seek for FileReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;

    use super::*;

    /// One file in memory, and which parts of it were asked for.
    #[derive(Default)]
    pub(crate) struct OneFile {
        pub(crate) bytes: Vec<u8>,
        pub(crate) asked: Mutex<Vec<(u64, usize)>>,
    }

    impl Files for OneFile {
        fn read(&self, path: &str, offset: u64, limit: usize) -> Result<Part, Refusal> {
            self.asked.lock().unwrap().push((offset, limit));
            if path != "a/file" {
                return Err(Refusal("file not found".into()));
            }
            let bytes = self.bytes.iter().skip(offset as usize).take(limit).copied().collect();
            Ok(Part { bytes, size: self.bytes.len() as u64 })
        }
    }

    fn origin(data: Option<&str>, path: Option<&str>) -> Origin {
        Origin { media_type: None, data: data.map(Into::into), path: path.map(Into::into) }
    }

    fn refusal(origin: Origin) -> String {
        Source::open(origin, &OneFile::default()).err().unwrap().0
    }

    #[test]
    fn one_of_data_and_path_is_needed() {
        assert!(refusal(origin(None, None)).contains("Neither"));
        assert!(refusal(origin(Some(""), Some("a/file"))).contains("Both"));
        assert!(refusal(origin(Some("a€"), None)).contains("not base64"));
        assert!(refusal(origin(None, Some("no/file"))).contains("file not found"));
    }

    #[test]
    fn base64_may_lack_its_padding() {
        let files = OneFile::default();
        let source = Source::open(origin(Some("R0lGODlh\n"), None), &files).ok().unwrap();
        assert_eq!((source.kind, source.size), (Kind::Gif, 6));
        assert_eq!(source.first(3).unwrap(), b"GIF");
    }

    #[test]
    fn a_file_is_read_in_parts_and_any_order() {
        let mut bytes = b"GIF89a".to_vec();
        bytes.extend((0..400_000u32).map(|index| (index % 251) as u8));
        let file = OneFile { bytes: bytes.clone(), ..OneFile::default() };
        let mut reader = Source::open(origin(None, Some("a/file")), &file).ok().unwrap().into_reader();
        let mut end = [0; 10];
        reader.seek(SeekFrom::End(-10)).unwrap();
        reader.read_exact(&mut end).unwrap();
        assert_eq!(end, bytes[bytes.len() - 10..]);
        assert_eq!(file.asked.lock().unwrap().len(), 2);
        let mut all = Vec::new();
        reader.rewind().unwrap();
        reader.read_to_end(&mut all).unwrap();
        assert_eq!(all, bytes);
        assert!(reader.seek(SeekFrom::Current(i64::MIN)).is_err());
    }
}
