//! Perceptual hashes: 64 bits that stay nearly the same when a picture is scaled or compressed.
//!
//! Both are written as the Python package ImageHash writes them, and differ from its by a few bits at most.

use fast_image_resize::ResizeOptions;
use image::RgbaImage;

use crate::encoding::on_white;
use crate::scaling::resample;

const SIDE: u32 = 32;

/// Bits that say where the picture gets brighter from one pixel of a 9 × 8 grid to the next on its right.
#[must_use]
pub fn difference(picture: &RgbaImage) -> Option<String> {
    let grid = gray(picture, 9, 8)?;
    let rows = grid.chunks_exact(9);
    let bits = rows.flat_map(|row| row.windows(2).map(|pair| pair.first() < pair.last()));
    Some(hex(bits))
}

/// Bits that say which of the 64 lowest frequencies are stronger than the middle one.
#[must_use]
pub fn perceptual(picture: &RgbaImage) -> Option<String> {
    let grid: Vec<f64> = gray(picture, SIDE, SIDE)?.into_iter().map(f64::from).collect();
    let low: Vec<f64> = (0..64).map(|index| frequency(&grid, index / 8, index % 8)).collect();
    let mut sorted = low.clone();
    sorted.sort_by(f64::total_cmp);
    let middle = (sorted.get(31)? + sorted.get(32)?) / 2.0;
    Some(hex(low.into_iter().map(|strength| strength > middle)))
}

/// One coefficient of the discrete cosine transform (type II, unscaled).
fn frequency(grid: &[f64], down: u32, across: u32) -> f64 {
    let wave = |step: usize, times: u32| (std::f64::consts::PI * f64::from(times) * (2 * step + 1) as f64 / f64::from(2 * SIDE)).cos();
    let across: Vec<f64> = (0..SIDE as usize).map(|step| wave(step, across)).collect();
    let row = |row: &[f64]| row.iter().zip(&across).map(|(value, wave)| value * wave).sum::<f64>();
    grid.chunks_exact(SIDE as usize).enumerate().map(|(step, values)| row(values) * wave(step, down)).sum()
}

fn gray(picture: &RgbaImage, width: u32, height: u32) -> Option<Vec<u8>> {
    let rgb = on_white(picture);
    // The weights of ITU-R 601-2, as Pillow's mode L has them.
    let weigh = |[r, g, b]: [u8; 3]| (u32::from(r) * 19595 + u32::from(g) * 38470 + u32::from(b) * 7471 + 0x8000) >> 16;
    let pixels = rgb.as_chunks::<3>().0.iter().map(|pixel| weigh(*pixel) as u8).flat_map(|gray| [gray, gray, gray, 255]);
    let picture = RgbaImage::from_raw(picture.width(), picture.height(), pixels.collect())?;
    let small = resample(&picture, (width, height), ResizeOptions::new().use_alpha(false)).ok()?;
    Some(small.pixels().map(|pixel| pixel.0[0]).collect())
}

fn hex(bits: impl Iterator<Item = bool>) -> String {
    format!("{:016x}", bits.fold(0u64, |all, bit| all << 1 | u64::from(bit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slope(brighter_right: bool) -> RgbaImage {
        RgbaImage::from_fn(64, 64, |x, _| {
            let value = if brighter_right { x * 4 } else { 255 - x * 4 } as u8;
            image::Rgba([value, value, value, 255])
        })
    }

    #[test]
    fn a_slope_to_the_right_sets_all_bits_or_none() {
        assert_eq!(difference(&slope(true)).unwrap(), "ffffffffffffffff");
        assert_eq!(difference(&slope(false)).unwrap(), "0000000000000000");
    }

    #[test]
    fn frequencies_tell_pictures_apart() {
        assert_ne!(perceptual(&slope(true)), perceptual(&slope(false)));
        assert_eq!(perceptual(&slope(true)).unwrap().len(), 16);
    }
}
