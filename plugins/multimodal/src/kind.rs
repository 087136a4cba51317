//! Kinds of media: what the first bytes of a file say it is, and whether a media type agrees.

use crate::refusal::Refusal;

/// How many first bytes [`Kind::of`] looks at.
pub const HEAD: usize = 64;

/// A kind of file that this plugin reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
pub enum Kind {
    Png,
    Jpeg,
    Gif,
    Webp,
    Wav,
    Mp3,
    Flac,
    Ogg,
    Mp4,
    Matroska,
}

/// What is recognised only to be named in a refusal.
const OTHERS: [(&[u8], &str); 9] = [
    (b"BM", "a BMP picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "gzip data"),
    (b"FORM", "an AIFF sound"),
    (b"\0\0\x01\0", "an ICO picture"),
    (b"<", "text such as SVG or HTML"),
];

/// Brands of the ISO base media format that hold one still picture and no film.
const STILL_BRANDS: [&[u8]; 6] = [b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis"];

impl Kind {
    /// The kind of a file that begins with `head`.
    ///
    /// # Errors
    /// The bytes belong to no kind that is read here; the refusal says to which one where that is known.
    pub fn of(head: &[u8]) -> Result<Self, Refusal> {
        known(head).ok_or_else(|| Refusal(format!("The data is {}. Expected {EXPECTED}.", foreign(head))))
    }

    /// The media type, as an answer says it.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        self.names()[0]
    }

    /// Whether this is a picture, not sound or film.
    #[must_use]
    pub fn is_picture(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Gif | Self::Webp)
    }

    /// Check what the caller says the data is against what it is.
    ///
    /// # Errors
    /// They contradict each other; both are named.
    pub fn agree(self, media_type: &str) -> Result<(), Refusal> {
        let said = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if self.names().contains(&said.as_str()) || said == "application/octet-stream" {
            return Ok(());
        }
        let is = self.media_type();
        let said = clipped(media_type, 80);
        Err(Refusal(format!("media_type says '{said}', and the data is {is}. Give media_type = '{is}', or leave it out.")))
    }

    /// All media types that mean this kind, the usual one first.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Png => &["image/png", "image/apng", "image/vnd.mozilla.apng"],
            Self::Jpeg => &["image/jpeg", "image/jpg", "image/pjpeg"],
            Self::Gif => &["image/gif"],
            Self::Webp => &["image/webp"],
            Self::Wav => &["audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"],
            Self::Mp3 => &["audio/mpeg", "audio/mp3", "audio/x-mp3", "audio/mpeg3"],
            Self::Flac => &["audio/flac", "audio/x-flac"],
            Self::Ogg => &["audio/ogg", "application/ogg", "video/ogg", "audio/opus", "audio/vorbis", "audio/x-vorbis+ogg"],
            Self::Mp4 => &["video/mp4", "audio/mp4", "audio/x-m4a", "audio/m4a", "video/quicktime", "video/x-m4v"],
            Self::Matroska => &["video/webm", "audio/webm", "video/x-matroska", "audio/x-matroska", "video/matroska"],
        }
    }
}

const EXPECTED: &str = "a PNG, JPEG, GIF or WebP picture, a WAV, MP3, FLAC or Ogg sound, or an MP4 or WebM film";

/// The first `limit` characters of `text`, without what a terminal would obey.
#[must_use]
pub fn clipped(text: &str, limit: usize) -> String {
    text.chars().filter(|character| !character.is_control()).take(limit).collect()
}

fn known(head: &[u8]) -> Option<Kind> {
    let at = |start: usize, mark: &[u8]| head.get(start..).is_some_and(|rest| rest.starts_with(mark));
    match head {
        _ if at(0, b"\x89PNG\r\n\x1a\n") => Some(Kind::Png),
        _ if at(0, b"\xff\xd8\xff") => Some(Kind::Jpeg),
        _ if at(0, b"GIF87a") || at(0, b"GIF89a") => Some(Kind::Gif),
        _ if at(0, b"RIFF") && at(8, b"WEBP") => Some(Kind::Webp),
        _ if at(0, b"RIFF") && at(8, b"WAVE") => Some(Kind::Wav),
        _ if at(0, b"fLaC") => Some(Kind::Flac),
        _ if at(0, b"OggS") => Some(Kind::Ogg),
        _ if at(0, b"\x1a\x45\xdf\xa3") => Some(Kind::Matroska),
        _ if at(4, b"ftyp") && !STILL_BRANDS.iter().any(|brand| at(8, brand)) => Some(Kind::Mp4),
        _ if at(0, b"ID3") || is_mpeg_frame(head) => Some(Kind::Mp3),
        _ => None,
    }
}

/// Whether `head` is the header of an MPEG audio frame of layer III: sync, version, layer, bit rate, sample rate.
fn is_mpeg_frame(head: &[u8]) -> bool {
    matches!(head, [0xff, second, third, ..]
        if second & 0xe6 == 0xe2 && second & 0x18 != 0x08 && third >> 4 != 15 && third >> 4 != 0 && third & 0x0c != 0x0c)
}

fn foreign(head: &[u8]) -> &'static str {
    if head.is_empty() {
        return "empty";
    }
    if head.get(4..8) == Some(b"ftyp") {
        return "a HEIF or AVIF picture, which is not read here; convert it to JPEG";
    }
    let found = OTHERS.iter().find(|(mark, _)| head.starts_with(mark));
    found.map_or("of a kind that is not known here", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_kind() {
        for (head, kind) in [
            (&b"\x89PNG\r\n\x1a\n"[..], Kind::Png),
            (b"\xff\xd8\xff\xe0", Kind::Jpeg),
            (b"GIF89a", Kind::Gif),
            (b"RIFF\0\0\0\0WEBP", Kind::Webp),
            (b"RIFF\0\0\0\0WAVE", Kind::Wav),
            (b"ID3\x04", Kind::Mp3),
            (b"\xff\xfb\x90\x00", Kind::Mp3),
            (b"fLaC", Kind::Flac),
            (b"OggS", Kind::Ogg),
            (b"\0\0\0\x20ftypisom", Kind::Mp4),
            (b"\x1a\x45\xdf\xa3", Kind::Matroska),
        ] {
            assert_eq!(Kind::of(head), Ok(kind));
        }
    }

    #[test]
    fn what_is_not_read_is_named() {
        for (head, part) in [
            (&b""[..], "is empty"),
            (b"BM1234", "a BMP picture"),
            (b"\0\0\0\x20ftypheic", "HEIF"),
            (b"<svg", "SVG"),
            (b"\xff\xff\xff\xff", "not known here"),
            (b"R", "not known here"),
        ] {
            let refusal = Kind::of(head).unwrap_err();
            assert!(refusal.0.contains(part) && refusal.0.contains("Expected a PNG"), "{refusal}");
        }
    }

    #[test]
    fn a_media_type_agrees_or_is_named() {
        assert_eq!(Kind::Jpeg.agree("image/JPG; q=1"), Ok(()));
        assert_eq!(Kind::Ogg.agree("application/octet-stream"), Ok(()));
        let refusal = Kind::Png.agree("image/jpeg").unwrap_err();
        assert!(refusal.0.contains("says 'image/jpeg', and the data is image/png"), "{refusal}");
    }
}
