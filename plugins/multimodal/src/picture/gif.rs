//! GIF: its frames by their heads, and the pixels of the first one.

use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, Decoder, Frame, MemoryLimit, Repeat};
use image::RgbaImage;

use super::raster::{Layout, Reducer};
use super::{divisor, Animation, Facts};
use crate::refusal::Refusal;

/// Bytes that one frame may take; one a pixel.
const FRAME_BYTES: u64 = 40 * 1024 * 1024;

fn open(bytes: &[u8], heads_only: bool) -> Result<Decoder<&[u8]>, Refusal> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.skip_frame_decoding(heads_only);
    options.set_memory_limit(NonZeroU64::new(FRAME_BYTES).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes));
    options.read_info(bytes).map_err(|reason| Refusal::broken("GIF", &reason))
}

/// What the head and the heads of the frames say. A file that breaks off has the frames before the break.
///
/// # Errors
/// The head cannot be read.
pub fn facts(bytes: &[u8]) -> Result<Facts, Refusal> {
    let mut decoder = open(bytes, true)?;
    let (width, height) = (decoder.width().into(), decoder.height().into());
    let bits = decoder.global_palette().map_or(8, |palette| (palette.len() / 3).max(2).ilog2() as u8);
    let (mut frames, mut hundredths, mut has_alpha) = (0u32, 0u64, false);
    while let Ok(Some(frame)) = decoder.next_frame_info() {
        frames = frames.saturating_add(1);
        hundredths = hundredths.saturating_add(frame.delay.into());
        has_alpha |= frame.transparent.is_some();
    }
    let animation = Animation {
        frames,
        duration_ms: Some(hundredths.saturating_mul(10)),
        loops: match decoder.repeat() {
            Repeat::Infinite => None,
            Repeat::Finite(again) => Some(u32::from(again).saturating_add(1)),
        },
    };
    let animation = Some(animation).filter(|animation| animation.frames > 1);
    Ok(Facts { width, height, color_type: "indexed", bits, has_alpha, progressive: false, animation })
}

/// The pixels of the first frame, on a canvas that is transparent where the frame is not.
///
/// # Errors
/// They cannot be read.
pub fn pixels(bytes: &[u8], facts: &Facts, least: (u32, u32)) -> Result<RgbaImage, Refusal> {
    let mut decoder = open(bytes, false)?;
    let global = decoder.global_palette().map(<[u8]>::to_vec);
    let frame = decoder.read_next_frame().map_err(|reason| Refusal::broken("GIF", &reason))?;
    let frame = frame.ok_or_else(|| Refusal("The GIF data cannot be read: it has no frame.".into()))?;
    let colors = palette(frame, global.as_deref())?;
    let (width, left, top) = (facts.width as usize, usize::from(frame.left), usize::from(frame.top));
    let covers = (frame.left, frame.top) == (0, 0) && frame.width as u32 >= facts.width && frame.height as u32 >= facts.height;
    let highest = frame.buffer.iter().copied().max().unwrap_or(0);
    let opaque = covers && colors.iter().take(usize::from(highest) + 1).all(|color| color[3] == 255);
    let layout = if opaque { Layout::Rgb } else { Layout::Rgba };
    let mut reducer = Reducer::new(facts.width, layout, divisor((facts.width, facts.height), least));
    let mut rows = frame.buffer.chunks_exact(usize::from(frame.width).max(1));
    let mut line = vec![0; width * layout.bytes()];
    for y in 0..facts.height as usize {
        let row = if y < top { None } else { rows.next() };
        if opaque {
            paint::<3>(&mut line, row.unwrap_or_default(), &colors);
        } else {
            line.fill(0);
            paint::<4>(line.get_mut(left * 4..).unwrap_or_default(), row.unwrap_or_default(), &colors);
        }
        reducer.push(&line);
    }
    reducer.finish()
}

/// What each index looks like; those that are transparent or stand for no colour cannot be seen.
fn palette(frame: &Frame, global: Option<&[u8]>) -> Result<[[u8; 4]; 256], Refusal> {
    let listed = frame.palette.as_deref().or(global);
    let listed = listed.ok_or_else(|| Refusal("The GIF data cannot be read: its palette is missing.".into()))?;
    let mut colors = [[0; 4]; 256];
    for (index, (color, [r, g, b])) in colors.iter_mut().zip(listed.as_chunks::<3>().0).enumerate() {
        if frame.transparent.map(usize::from) != Some(index) {
            *color = [*r, *g, *b, 255];
        }
    }
    Ok(colors)
}

/// Write the first `N` channels of each index's colour.
fn paint<const N: usize>(line: &mut [u8], indices: &[u8], colors: &[[u8; 4]; 256]) {
    for (pixel, index) in line.as_chunks_mut::<N>().0.iter_mut().zip(indices) {
        pixel.copy_from_slice(&colors[usize::from(*index)][..N]);
    }
}
