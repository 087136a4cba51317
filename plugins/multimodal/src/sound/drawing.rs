//! Drawings of waves.

use image::{Rgba, RgbaImage};

use super::wave::Wave;

const PAPER: Rgba<u8> = Rgba([255, 255, 255, 255]);
const INK: Rgba<u8> = Rgba([31, 97, 165, 255]);
const LINE: Rgba<u8> = Rgba([200, 205, 210, 255]);

/// `wave` as a picture of `height` pixels, the middle line silence, full scale top to bottom.
#[must_use]
pub fn draw(wave: &Wave, height: u32) -> RgbaImage {
    let width = u32::try_from(wave.columns.len()).unwrap_or(1);
    let mut picture = RgbaImage::from_pixel(width, height, PAPER);
    let half = f32::from(u16::try_from(height.saturating_sub(1)).unwrap_or(u16::MAX)) / 2.0;
    let row = |sample: f32| ((1.0 - sample) * half).round().clamp(0.0, half * 2.0) as u32;
    let mut last = None;
    for (x, column) in (0..width).zip(&wave.columns) {
        // A column between two decoded parts looks like the one before it.
        last = column.or(last);
        let (low, high) = last.unwrap_or((0.0, 0.0));
        for y in row(high.max(0.0))..=row(low.min(0.0)) {
            picture.put_pixel(x, y.min(height.saturating_sub(1)), INK);
        }
        if last.is_none() {
            picture.put_pixel(x, row(0.0).min(height.saturating_sub(1)), LINE);
        }
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn louder_columns_are_longer() {
        let columns = vec![None, Some((-1.0, 1.0)), Some((-0.5, 0.25)), None];
        let picture = draw(&Wave { columns, peak: 1.0, sampled: true }, 101);
        let ink = |x| (0..101).filter(|y| *picture.get_pixel(x, *y) == INK).count();
        assert_eq!([ink(0), ink(1), ink(2), ink(3)], [0, 101, 38, 38]);
    }
}
