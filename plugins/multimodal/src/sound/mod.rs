//! Sound and film: what the container says of its tracks. Nothing is decoded here.

use std::io::{self, Read, Seek, SeekFrom};

use serde::Serialize;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::common::Limit;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track as Found};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::units::{Duration, TimeBase};

use crate::kind::clipped;
use crate::refusal::Refusal;
use crate::source::Bytes;

mod codecs;
pub mod drawing;
pub mod info;
pub mod tags;
pub mod wave;

/// Bytes of a file that is read: Symphonia measures distances in 31 bits here.
const MAX_SIZE: u64 = (1 << 31) - 1;
/// Tracks that are told of one file.
const MOST_TRACKS: usize = 64;
/// Bytes of one tag and of one cover picture that are read.
const TAG_BYTES: usize = 256 * 1024;
const COVER_BYTES: usize = 4 * 1024 * 1024;

/// A track of a container.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub struct Track {
    /// `audio`, `video`, `subtitle`, or `unknown` where the codec is not known.
    pub kind: &'static str,
    /// Such as `mp3`, `pcm_s16le`, `h264`.
    pub codec: &'static str,
    /// How long it plays.
    pub duration_s: Option<f64>,
    /// Samples a second.
    pub sample_rate: Option<u32>,
    /// How many.
    pub channels: Option<usize>,
    /// Bits of a sample, where samples are stored as such.
    pub bits_per_sample: Option<u32>,
    /// Pixels across.
    pub width: Option<u16>,
    /// Pixels down.
    pub height: Option<u16>,
    /// As the file names it.
    pub language: Option<String>,
}

struct Stream<'a> {
    bytes: Box<dyn Bytes + 'a>,
    size: u64,
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer)
    }
}

impl Seek for Stream<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = self.bytes.seek(to)?;
        // No container leads beyond its end, and Symphonia's buffer holds distances below 2 GiB only.
        if position > self.size {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        Ok(position)
    }
}

impl MediaSource for Stream<'_> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.size)
    }
}

/// A reader of the container in `bytes`, which is of `kind` and `size` bytes long.
///
/// # Errors
/// The container cannot be read, or is too long.
pub fn open<'a>(kind: &str, bytes: Box<dyn Bytes + 'a>, size: u64) -> Result<Box<dyn FormatReader + 'a>, Refusal> {
    if size > MAX_SIZE {
        return Err(Refusal(format!("The file has {size} bytes. Sounds and films are read up to {MAX_SIZE} bytes.")));
    }
    let stream = MediaSourceStream::new(Box::new(Stream { bytes, size }), Default::default());
    let limits = MetadataOptions::default()
        .limit_tag_bytes(Limit::Maximum(TAG_BYTES))
        .limit_visual_bytes(Limit::Maximum(COVER_BYTES));
    symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), limits)
        .map_err(|reason| Refusal::broken(kind, &reason))
}

/// The tracks of an open container.
#[must_use]
pub fn tracks(reader: &dyn FormatReader) -> Vec<Track> {
    reader.tracks().iter().take(MOST_TRACKS).map(track).collect()
}

/// How long the whole plays, in seconds: what the container says, else the longest track.
#[must_use]
pub fn duration(reader: &dyn FormatReader, tracks: &[Track]) -> Option<f64> {
    let media = reader.media_info();
    let longest = || tracks.iter().filter_map(|track| track.duration_s).max_by(f64::total_cmp);
    seconds(media.time_base, media.duration).or_else(longest)
}

fn track(found: &Found) -> Track {
    let about = Track {
        duration_s: seconds(found.time_base, found.duration),
        language: found.language.as_deref().map(|language| clipped(language, 35)).filter(|language| language != "und"),
        ..Track::default()
    };
    match &found.codec_params {
        Some(CodecParameters::Audio(audio)) => Track {
            kind: "audio",
            codec: codecs::audio(audio.codec),
            sample_rate: audio.sample_rate,
            channels: audio.channels.as_ref().map(|channels| channels.count()),
            bits_per_sample: audio.bits_per_sample,
            ..about
        },
        Some(CodecParameters::Video(video)) => {
            Track { kind: "video", codec: codecs::video(video.codec), width: video.width, height: video.height, ..about }
        }
        Some(CodecParameters::Subtitle(_)) => Track { kind: "subtitle", codec: "subtitle", ..about },
        _ => Track { kind: "unknown", codec: "unknown", ..about },
    }
}

fn seconds(base: Option<TimeBase>, duration: Option<Duration>) -> Option<f64> {
    let seconds = base?.calc_duration(duration?)?.as_secs_f64();
    (seconds.is_finite() && seconds >= 0.0).then(|| (seconds * 1e3).round() / 1e3)
}
