//! WebP, lossy and lossless, and the first frame of what moves.

use std::io::Cursor;

use image::RgbaImage;
use image_webp::{LoopCount, UpsamplingMethod, WebPDecoder};

use super::raster::{Layout, Reducer};
use super::{divisor, Animation, Facts};
use crate::refusal::Refusal;

/// Bytes that the decoder may take for a chunk of the file.
const CHUNK_BYTES: usize = 16 * 1024 * 1024;

fn open(bytes: &[u8]) -> Result<WebPDecoder<Cursor<&[u8]>>, Refusal> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|reason| Refusal::broken("WebP", &reason))?;
    decoder.set_memory_limit(CHUNK_BYTES);
    Ok(decoder)
}

/// What the head says.
///
/// # Errors
/// It cannot be read.
pub fn facts(bytes: &[u8]) -> Result<Facts, Refusal> {
    let decoder = open(bytes)?;
    let (width, height) = decoder.dimensions();
    let animation = decoder.is_animated().then(|| Animation {
        frames: decoder.num_frames(),
        duration_ms: Some(decoder.loop_duration()),
        loops: match decoder.loop_count() {
            LoopCount::Forever => None,
            LoopCount::Times(times) => Some(u32::from(times.get())),
        },
    });
    let has_alpha = decoder.has_alpha();
    let color_type = if has_alpha { "rgba" } else { "rgb" };
    Ok(Facts { width, height, color_type, bits: 8, has_alpha, progressive: false, animation })
}

/// The pixels of the first frame.
///
/// # Errors
/// They cannot be read.
pub fn pixels(bytes: &[u8], facts: &Facts, least: (u32, u32)) -> Result<RgbaImage, Refusal> {
    let mut decoder = open(bytes)?;
    let layout = if facts.has_alpha { Layout::Rgba } else { Layout::Rgb };
    let size = decoder.output_buffer_size().ok_or_else(|| Refusal("The WebP picture is too large.".into()))?;
    let divisor = divisor((facts.width, facts.height), least);
    if divisor > 1 {
        // The mean of a square shows no difference between a colour that is repeated and one that is interpolated.
        decoder.set_lossy_upsampling(UpsamplingMethod::Simple);
    }
    let mut all = vec![0; size];
    decoder.read_image(&mut all).map_err(|reason| Refusal::broken("WebP", &reason))?;
    let mut reducer = Reducer::new(facts.width, layout, divisor);
    all.chunks_exact((facts.width as usize * layout.bytes()).max(1)).for_each(|row| reducer.push(row));
    reducer.finish()
}
