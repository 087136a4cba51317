//! JPEG, decoded at an eighth, a quarter or half of its size where that is enough: most of the work is spared.

use image::RgbaImage;
use jpeg_decoder::{CodingProcess, Decoder, PixelFormat};

use super::raster::{Layout, Reducer};
use super::{divisor, Facts};
use crate::refusal::Refusal;

/// Bytes that the decoded picture may take.
const DECODED_BYTES: usize = 40 * 1024 * 1024;

/// What the head says.
///
/// # Errors
/// It cannot be read.
pub fn facts(bytes: &[u8]) -> Result<Facts, Refusal> {
    let mut decoder = Decoder::new(bytes);
    decoder.read_info().map_err(|reason| Refusal::broken("JPEG", &reason))?;
    let info = decoder.info().ok_or_else(|| Refusal("The JPEG data cannot be read: it has no frame.".into()))?;
    let (color_type, bits) = match info.pixel_format {
        PixelFormat::L8 => ("grayscale", 8),
        PixelFormat::L16 => ("grayscale", 16),
        PixelFormat::RGB24 => ("rgb", 8),
        PixelFormat::CMYK32 => ("cmyk", 8),
    };
    Ok(Facts {
        width: info.width.into(),
        height: info.height.into(),
        color_type,
        bits,
        has_alpha: false,
        progressive: info.coding_process == CodingProcess::DctProgressive,
        animation: None,
    })
}

/// The pixels.
///
/// # Errors
/// They cannot be read.
pub fn pixels(bytes: &[u8], least: (u32, u32)) -> Result<RgbaImage, Refusal> {
    let broken = |reason| Refusal::broken("JPEG", &reason);
    let mut decoder = Decoder::new(bytes);
    decoder.set_max_decoding_buffer_size(DECODED_BYTES);
    decoder.read_info().map_err(broken)?;
    let side = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX);
    let (width, height) = decoder.scale(side(least.0), side(least.1)).map_err(broken)?;
    let mut decoded = decoder.decode().map_err(broken)?;
    let info = decoder.info().ok_or_else(|| Refusal("The JPEG data cannot be read: it has no frame.".into()))?;
    let layout = match info.pixel_format {
        PixelFormat::L8 => Layout::Gray,
        PixelFormat::L16 => {
            decoded = decoded.as_chunks::<2>().0.iter().map(|pair| (u16::from_ne_bytes(*pair) >> 8) as u8).collect();
            Layout::Gray
        }
        PixelFormat::RGB24 => Layout::Rgb,
        PixelFormat::CMYK32 => Layout::Cmyk,
    };
    let mut reducer = Reducer::new(width.into(), layout, divisor((width.into(), height.into()), least));
    decoded.chunks_exact((usize::from(width) * layout.bytes()).max(1)).for_each(|row| reducer.push(row));
    reducer.finish()
}
