//! Answers: what each tool says, and the blocks of MCP content it travels in.

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use serde::Serialize;
use serde_json::{json, Value};

use crate::colors::Color;
use crate::encoding::Encoded;
use crate::exif::Camera;
use crate::picture::Facts;
use crate::qr::Code;
use crate::sound::tags::Tag;
use crate::sound::Track;

/// A structure, and pictures to look at.
pub struct Answer {
    /// What the output schema promises.
    pub facts: Value,
    /// Pictures beside it.
    pub pictures: Vec<Encoded>,
}

impl Answer {
    /// The answer as an MCP content result: the facts as text and as structure, then the pictures.
    #[must_use]
    pub fn content(self) -> Value {
        let mut blocks = vec![json!({"type": "text", "text": self.facts.to_string()})];
        blocks.extend(self.pictures.into_iter().map(|picture| {
            json!({"type": "image", "mimeType": picture.media_type, "data": STANDARD.encode(picture.bytes)})
        }));
        json!({"content": blocks, "structuredContent": self.facts})
    }
}

/// What `describe_image` says.
#[derive(Debug, Serialize)]
pub struct Description {
    /// What the bytes are.
    pub media_type: &'static str,
    /// How many bytes.
    pub bytes: u64,
    /// What the file's head says.
    #[serde(flatten)]
    pub facts: Facts,
    /// Width and height as the picture is shown, turned upright.
    pub upright: [u32; 2],
    /// What the camera wrote.
    pub exif: Option<Camera>,
    /// What its pixels say.
    pub look: Option<Look>,
    /// Why its pixels were not looked at, or only in the camera's own thumbnail.
    pub note: Option<String>,
}

/// What a picture's pixels say.
#[derive(Debug, Serialize)]
pub struct Look {
    /// `picture`, or `exif_thumbnail` where the picture itself is too large.
    pub of: &'static str,
    /// The colours it is painted in.
    pub colors: Vec<Color>,
    /// Difference hash.
    pub dhash: Option<String>,
    /// Perceptual hash.
    pub phash: Option<String>,
    /// Width and height of the thumbnail beside this answer.
    pub thumbnail: Option<[u32; 2]>,
}

/// What `resize_image` says.
#[derive(Debug, Serialize)]
pub struct Resized {
    /// What the result is encoded as.
    pub media_type: &'static str,
    /// Width of the result.
    pub width: u32,
    /// Height of the result.
    pub height: u32,
    /// Bytes of the result.
    pub bytes: usize,
    /// Width and height of the upright original.
    pub original: [u32; 2],
    /// The EXIF orientation that was applied; 1 is none.
    pub orientation_applied: u8,
}

/// What `read_qr` says.
#[derive(Debug, Serialize)]
pub struct Codes {
    /// From top to bottom.
    pub codes: Vec<Code>,
    /// How many were seen and could not be read.
    pub unreadable: usize,
    /// Width and height of the stored picture.
    pub size: [u32; 2],
    /// Why there may be more codes.
    pub note: Option<String>,
}

/// What `audio_info` says.
#[derive(Debug, Serialize)]
pub struct Media {
    /// What the bytes are.
    pub media_type: &'static str,
    /// How many bytes.
    pub bytes: u64,
    /// Name of the container.
    pub container: &'static str,
    /// How long it plays.
    pub duration_s: Option<f64>,
    /// Bits a second, over the whole file.
    pub bit_rate: Option<u64>,
    /// Its tracks.
    pub tracks: Vec<Track>,
    /// Title, artist and so on.
    pub tags: Vec<Tag>,
    /// Pictures that it carries, such as covers.
    pub pictures: usize,
    /// About the picture beside this answer.
    pub waveform: Option<Waveform>,
    /// Why there is no waveform.
    pub note: Option<String>,
}

/// About the picture of a wave.
#[derive(Debug, Serialize)]
pub struct Waveform {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// The loudest sample, 1 is full scale.
    pub peak: f32,
    /// Whether only parts were decoded, spread evenly.
    pub sampled: bool,
}
