//! Encoding: a picture as PNG or JPEG bytes.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, RgbaImage};

use crate::refusal::Refusal;

/// An encoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Whether any pixel can be seen through.
#[must_use]
pub fn is_transparent(picture: &RgbaImage) -> bool {
    picture.pixels().any(|pixel| pixel.0[3] < 255)
}

/// `picture` as JPEG on white, `quality` from 1 to 100.
///
/// # Errors
/// The encoder failed.
pub fn jpeg(picture: &RgbaImage, quality: u8) -> Result<Encoded, Refusal> {
    let rgb = on_white(picture);
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode(&rgb, picture.width(), picture.height(), ExtendedColorType::Rgb8)
        .map_err(|reason| Refusal(format!("The picture cannot be written as JPEG: {reason}.")))?;
    Ok(Encoded { media_type: "image/jpeg", bytes })
}

/// `picture` as PNG, with transparency where it has any.
///
/// # Errors
/// The encoder failed.
pub fn png(picture: &RgbaImage) -> Result<Encoded, Refusal> {
    let failed = |reason: png::EncodingError| Refusal(format!("The picture cannot be written as PNG: {reason}."));
    let transparent = is_transparent(picture);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, picture.width(), picture.height());
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_color(if transparent { png::ColorType::Rgba } else { png::ColorType::Rgb });
    let mut writer = encoder.write_header().map_err(failed)?;
    let rgb = if transparent { Vec::new() } else { on_white(picture) };
    writer.write_image_data(if transparent { picture.as_raw() } else { &rgb }).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(Encoded { media_type: "image/png", bytes })
}

/// RGB bytes of `picture` as it looks on white.
#[must_use]
pub fn on_white(picture: &RgbaImage) -> Vec<u8> {
    let over = |channel: u8, alpha: u8| ((u32::from(channel) * u32::from(alpha) + 255 * (255 - u32::from(alpha)) + 127) / 255) as u8;
    picture.pixels().flat_map(|pixel| [0, 1, 2].map(|channel| over(pixel.0[channel], pixel.0[3]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;
    use crate::budget::Budget;
    use crate::picture::{facts, pixels};

    #[test]
    fn what_is_written_can_be_read() {
        let picture = RgbaImage::from_fn(20, 10, |x, y| image::Rgba([x as u8 * 10, y as u8 * 20, 7, if x < 5 { 0 } else { 255 }]));
        let png = png(&picture).unwrap().bytes;
        let head = facts(Kind::Png, &png).unwrap();
        assert_eq!((head.width, head.height, head.has_alpha), (20, 10, true));
        assert_eq!(pixels(Kind::Png, &png, &head, (20, 10), &Budget::default()).unwrap(), picture);
        let jpeg = jpeg(&picture, 90).unwrap().bytes;
        let head = facts(Kind::Jpeg, &jpeg).unwrap();
        let read = pixels(Kind::Jpeg, &jpeg, &head, (20, 10), &Budget::default()).unwrap();
        assert!(read.get_pixel(0, 5).0.iter().all(|channel| *channel > 220), "{:?}", read.get_pixel(0, 5));
    }
}
