//! PNG, and APNG as far as its head and first frame.

use std::io::Cursor;

use image::RgbaImage;
use png::{ColorType, Decoder, Limits, Transformations};

use super::raster::{Layout, Reducer};
use super::{divisor, Animation, Facts};
use crate::refusal::Refusal;

/// Bytes that the decoder may take for itself: rows, text and colour profiles.
const DECODER_BYTES: usize = 8 * 1024 * 1024;

fn decoder(bytes: &[u8]) -> Decoder<Cursor<&[u8]>> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: DECODER_BYTES });
    decoder.set_ignore_text_chunk(true);
    decoder.ignore_checksums(false);
    decoder
}

/// What the head says.
///
/// # Errors
/// It cannot be read.
pub fn facts(bytes: &[u8]) -> Result<Facts, Refusal> {
    let reader = decoder(bytes).read_info().map_err(|reason| Refusal::broken("PNG", &reason))?;
    let info = reader.info();
    let animation = info.animation_control.as_ref().map(|control| Animation {
        frames: control.num_frames,
        duration_ms: None,
        loops: Some(control.num_plays).filter(|plays| *plays > 0),
    });
    Ok(Facts {
        width: info.width,
        height: info.height,
        color_type: match info.color_type {
            ColorType::Grayscale => "grayscale",
            ColorType::GrayscaleAlpha => "grayscale_alpha",
            ColorType::Rgb => "rgb",
            ColorType::Rgba => "rgba",
            ColorType::Indexed => "indexed",
        },
        bits: info.bit_depth as u8,
        has_alpha: matches!(info.color_type, ColorType::GrayscaleAlpha | ColorType::Rgba) || info.trns.is_some(),
        progressive: info.interlaced,
        animation: animation.filter(|animation| animation.frames > 1),
    })
}

/// The pixels.
///
/// # Errors
/// They cannot be read.
pub fn pixels(bytes: &[u8], facts: &Facts, least: (u32, u32)) -> Result<RgbaImage, Refusal> {
    let mut decoder = decoder(bytes);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|reason| Refusal::broken("PNG", &reason))?;
    let layout = match reader.output_color_type().0 {
        ColorType::Grayscale => Layout::Gray,
        ColorType::GrayscaleAlpha => Layout::GrayAlpha,
        ColorType::Rgb => Layout::Rgb,
        ColorType::Rgba => Layout::Rgba,
        ColorType::Indexed => return Err(Refusal("The PNG data cannot be read: its palette is missing.".into())),
    };
    let mut reducer = Reducer::new(facts.width, layout, divisor((facts.width, facts.height), least));
    if facts.progressive {
        let size = reader.output_buffer_size().ok_or_else(|| Refusal("The PNG picture is too large.".into()))?;
        let mut all = vec![0; size];
        reader.next_frame(&mut all).map_err(|reason| Refusal::broken("PNG", &reason))?;
        all.chunks_exact((facts.width as usize * layout.bytes()).max(1)).for_each(|row| reducer.push(row));
        return reducer.finish();
    }
    for _ in 0..facts.height {
        let row = reader.next_row().map_err(|reason| Refusal::broken("PNG", &reason))?;
        reducer.push(row.ok_or_else(|| Refusal("The PNG data cannot be read: rows are missing.".into()))?.data());
    }
    reducer.finish()
}
