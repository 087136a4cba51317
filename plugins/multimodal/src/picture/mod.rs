//! Pictures: what a file's head says, and its pixels, made smaller while they are read.

use image::RgbaImage;
use serde::Serialize;

use crate::budget::Budget;
use crate::kind::Kind;
use crate::refusal::Refusal;

mod gif;
mod jpeg;
mod png;
mod raster;
mod webp;

/// Longest side of a picture that is looked at, in pixels; each format's own limit is higher or the same.
pub const MAX_SIDE: u32 = 32_768;

/// What a picture's head says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts {
    /// Pixels across, as stored.
    pub width: u32,
    /// Pixels down, as stored.
    pub height: u32,
    /// Such as `rgb`, `rgba`, `grayscale`, `grayscale_alpha`, `indexed`, `cmyk`.
    pub color_type: &'static str,
    /// Bits of a channel, or of an index.
    pub bits: u8,
    /// Whether pixels may be transparent.
    pub has_alpha: bool,
    /// Whether it is stored so that it can be shown coarse first.
    pub progressive: bool,
    /// The frames, where there are several.
    pub animation: Option<Animation>,
}

/// What a picture's head says of its frames.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Animation {
    /// How many there are.
    pub frames: u32,
    /// How long one round takes; null where the file's head does not say.
    pub duration_ms: Option<u64>,
    /// How often it is played; null for ever.
    pub loops: Option<u32>,
}

impl Facts {
    /// Pixels in all.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Check that the pixels can be had within `limit`, before any room is made for them.
    ///
    /// # Errors
    /// There are none, or more than `limit`.
    pub fn check(&self, limit: u64) -> Result<(), Refusal> {
        let Self { width, height, .. } = self;
        if self.pixels() == 0 {
            return Err(Refusal(format!("The picture has no pixels: its size is {width} × {height}.")));
        }
        if self.pixels() > limit || *width > MAX_SIDE || *height > MAX_SIDE {
            return Err(Refusal(format!(
                "The picture has {width} × {height} pixels ({:.1} million), and at most {:.1} million, {MAX_SIDE} a side, \
                 are decoded here for its kind. Give a smaller one.",
                self.pixels() as f64 / 1e6,
                limit as f64 / 1e6
            )));
        }
        Ok(())
    }
}

/// What the head of `bytes` says.
///
/// # Errors
/// It cannot be read.
pub fn facts(kind: Kind, bytes: &[u8]) -> Result<Facts, Refusal> {
    match kind {
        Kind::Png => png::facts(bytes),
        Kind::Jpeg => jpeg::facts(bytes),
        Kind::Gif => gif::facts(bytes),
        Kind::Webp => webp::facts(bytes),
        _ => Err(Refusal(format!("The data is {}, not a picture. Use audio_info for it.", kind.media_type()))),
    }
}

/// The pixels of the first frame, made smaller by a whole number as long as both sides stay at least `least` long.
///
/// # Errors
/// There are too many for `budget`, or they cannot be read.
pub fn pixels(kind: Kind, bytes: &[u8], facts: &Facts, least: (u32, u32), budget: &Budget) -> Result<RgbaImage, Refusal> {
    facts.check(budget.pixels(kind, facts))?;
    match kind {
        Kind::Png => png::pixels(bytes, facts, least),
        Kind::Jpeg => jpeg::pixels(bytes, least),
        Kind::Gif => gif::pixels(bytes, facts, least),
        _ => webp::pixels(bytes, facts, least),
    }
}

/// The whole number by which both sides of `size` can be divided and stay at least `least` long.
fn divisor(size: (u32, u32), least: (u32, u32)) -> u32 {
    let across = size.0 / least.0.max(1);
    let down = size.1 / least.1.max(1);
    across.min(down).clamp(1, raster::MAX_DIVISOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts_of(width: u32, height: u32) -> Facts {
        Facts { width, height, color_type: "rgb", bits: 8, has_alpha: false, progressive: false, animation: None }
    }

    #[test]
    fn sides_are_divided_until_one_would_be_too_short() {
        assert_eq!(divisor((4000, 3000), (512, 512)), 5);
        assert_eq!(divisor((100, 3000), (512, 512)), 1);
        assert_eq!(divisor((4000, 3000), (0, 0)), 64);
    }

    #[test]
    fn too_many_pixels_and_none_are_refused_before_decoding() {
        assert!(facts_of(0, 5).check(100).unwrap_err().0.contains("0 × 5"));
        assert!(facts_of(10, 10).check(100).is_ok());
        assert!(facts_of(101, 1).check(100).unwrap_err().0.contains("101 × 1 pixels"));
        assert!(facts_of(u32::MAX, u32::MAX).check(u64::MAX).is_err());
    }
}
