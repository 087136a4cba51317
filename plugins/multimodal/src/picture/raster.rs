//! Rasters: rows of pixels of any layout become RGBA, averaged over squares on the way.

use image::RgbaImage;

use crate::refusal::Refusal;

/// Longest side of a square, in pixels.
pub const MAX_DIVISOR: u32 = 64;

/// How a row holds its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
pub enum Layout {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
    /// 255 is full ink.
    Cmyk,
}

impl Layout {
    /// Bytes of a pixel.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba | Self::Cmyk => 4,
        }
    }
}

/// Takes rows from top to bottom and keeps the mean of each square of `divisor` pixels.
pub struct Reducer {
    layout: Layout,
    divisor: usize,
    width: usize,
    columns: usize,
    /// Of layouts that may be transparent or hold ink: each square's red, green, blue and opacity.
    sums: Vec<[u32; 4]>,
    /// Of the others: each byte of the rows since the last square. 64 rows of 255 fit.
    line: Vec<u16>,
    rows: usize,
    out: Vec<u8>,
}

impl Reducer {
    /// For rows of `width` pixels.
    #[must_use]
    pub fn new(width: u32, layout: Layout, divisor: u32) -> Self {
        let (width, divisor) = (width as usize, divisor.clamp(1, MAX_DIVISOR) as usize);
        let columns = width.div_ceil(divisor);
        let (squares, bytes) = match layout {
            _ if divisor == 1 => (0, 0),
            Layout::Gray | Layout::Rgb => (0, width * layout.bytes()),
            _ => (columns, 0),
        };
        Self { layout, divisor, width, columns, sums: vec![[0; 4]; squares], line: vec![0; bytes], rows: 0, out: Vec::new() }
    }

    /// Take the next row; bytes behind its last pixel do not count.
    pub fn push(&mut self, row: &[u8]) {
        let row = row.get(..self.width * self.layout.bytes()).unwrap_or(row);
        match self.layout {
            Layout::Gray | Layout::Rgb if self.divisor > 1 => {
                self.line.iter_mut().zip(row).for_each(|(sum, value)| *sum += u16::from(*value));
            }
            Layout::Gray => self.add::<1>(row, |[v]| [v, v, v, 255]),
            Layout::GrayAlpha => self.add::<2>(row, |[v, a]| [v, v, v, a]),
            Layout::Rgb => self.add::<3>(row, |[r, g, b]| [r, g, b, 255]),
            Layout::Rgba => self.add::<4>(row, |pixel| pixel),
            Layout::Cmyk => self.add::<4>(row, |[c, m, y, k]| [inked(c, k), inked(m, k), inked(y, k), 255]),
        }
        self.rows += 1;
        if self.rows == self.divisor {
            self.flush();
        }
    }

    /// The reduced picture.
    ///
    /// # Errors
    /// No row came.
    pub fn finish(mut self) -> Result<RgbaImage, Refusal> {
        if self.rows > 0 {
            self.flush();
        }
        let height = self.out.len() / (self.columns * 4).max(1);
        u32::try_from(self.columns)
            .ok()
            .zip(u32::try_from(height).ok())
            .filter(|(columns, height)| *columns > 0 && *height > 0)
            .and_then(|(columns, height)| RgbaImage::from_raw(columns, height, self.out))
            .ok_or_else(|| Refusal("The picture holds no rows.".into()))
    }

    fn add<const N: usize>(&mut self, row: &[u8], rgba: impl Fn([u8; N]) -> [u8; 4]) {
        let (pixels, _) = row.as_chunks::<N>();
        if self.divisor == 1 {
            self.out.extend(pixels.iter().flat_map(|pixel| rgba(*pixel)));
            return;
        }
        for (square, sum) in pixels.chunks(self.divisor).zip(&mut self.sums) {
            for pixel in square {
                let [r, g, b, a] = rgba(*pixel).map(u32::from);
                // Weighted by their opacity: colours that nobody sees do not tint their neighbours.
                *sum = [sum[0] + r * a, sum[1] + g * a, sum[2] + b * a, sum[3] + a];
            }
        }
    }

    fn flush(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        if self.divisor == 1 {
            return;
        }
        match self.layout {
            Layout::Gray => self.flush_line::<1>(rows, |[v]| [v, v, v, 255]),
            Layout::Rgb => self.flush_line::<3>(rows, |[r, g, b]| [r, g, b, 255]),
            _ => self.flush_sums(rows),
        }
    }

    fn flush_line<const N: usize>(&mut self, rows: usize, rgba: impl Fn([u8; N]) -> [u8; 4]) {
        for square in self.line.as_chunks::<N>().0.chunks(self.divisor) {
            let mut sum = [0u32; N];
            for pixel in square {
                sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u32::from(*value));
            }
            let count = u32::try_from(square.len() * rows).unwrap_or(u32::MAX).max(1);
            self.out.extend(rgba(sum.map(|sum| ((sum + count / 2) / count).min(255) as u8)));
        }
        self.line.fill(0);
    }

    fn flush_sums(&mut self, rows: usize) {
        for (column, sum) in self.sums.iter_mut().enumerate() {
            let across = self.divisor.min(self.width - column * self.divisor);
            let count = u32::try_from(across * rows).unwrap_or(u32::MAX).max(1);
            let [r, g, b, a] = std::mem::take(sum);
            let opacity = a.max(1);
            let mean = |channel: u32| ((channel + opacity / 2) / opacity).min(255) as u8;
            self.out.extend([mean(r), mean(g), mean(b), ((a + count / 2) / count).min(255) as u8]);
        }
    }
}

fn inked(ink: u8, black: u8) -> u8 {
    (((255 - u16::from(ink)) * (255 - u16::from(black)) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_means_and_the_rest_of_a_row_counts() {
        let mut reducer = Reducer::new(3, Layout::Gray, 2);
        for row in [[0, 10, 100], [20, 30, 200], [7, 9, 50]] {
            reducer.push(&row);
        }
        let picture = reducer.finish().unwrap();
        assert_eq!(picture.dimensions(), (2, 2));
        let values: Vec<u8> = picture.pixels().map(|pixel| pixel.0[0]).collect();
        assert_eq!(values, [15, 150, 8, 50]);
        assert!(picture.pixels().all(|pixel| pixel.0[3] == 255));
    }

    #[test]
    fn what_is_transparent_does_not_tint() {
        let mut reducer = Reducer::new(2, Layout::Rgba, 2);
        reducer.push(&[255, 0, 0, 255, 0, 255, 0, 0]);
        assert_eq!(reducer.finish().unwrap().into_raw(), [255, 0, 0, 128]);
    }

    #[test]
    fn every_layout_is_read() {
        for (layout, row, rgba) in [
            (Layout::GrayAlpha, &[9, 8][..], [9, 9, 9, 8]),
            (Layout::Rgb, &[1, 2, 3], [1, 2, 3, 255]),
            (Layout::Cmyk, &[0, 255, 127, 0], [255, 0, 128, 255]),
            (Layout::Cmyk, &[0, 0, 0, 255], [0, 0, 0, 255]),
        ] {
            let mut reducer = Reducer::new(1, layout, 1);
            reducer.push(row);
            assert_eq!(reducer.finish().unwrap().into_raw(), rgba);
        }
        assert!(Reducer::new(4, Layout::Rgb, 2).finish().is_err());
    }

    #[test]
    fn the_largest_square_of_the_lightest_rows_is_as_light() {
        let mut reducer = Reducer::new(200, Layout::Rgb, 1000);
        (0..70).for_each(|_| reducer.push(&[255; 600]));
        let picture = reducer.finish().unwrap();
        assert_eq!(picture.dimensions(), (4, 2));
        assert!(picture.into_raw().iter().all(|value| *value == 255));
    }
}
