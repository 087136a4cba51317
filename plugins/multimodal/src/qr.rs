//! QR codes: all that can be found in a picture, with what they say.

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use image::RgbaImage;
use rqrr::PreparedImage;
use serde::Serialize;

use crate::encoding::on_white;

/// Codes that are told of one picture.
const MOST: usize = 64;

/// A code that was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Code {
    /// What it says, where that is text.
    pub text: Option<String>,
    /// What it says in base64, where that is no text.
    pub data: Option<String>,
    /// 1 to 40: 21 to 177 modules a side.
    pub version: usize,
    /// How much damage it survives: `L`, `M`, `Q` or `H`.
    pub error_correction: &'static str,
    /// Its four corners as [x, y] in pixels of the stored picture.
    pub corners: [[i64; 2]; 4],
}

/// The codes of one look at a picture.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Found {
    /// Those that were read.
    pub codes: Vec<Code>,
    /// How many were seen and could not be read.
    pub unreadable: usize,
}

/// Look for codes in `picture`, whose pixels are `scale` pixels of the stored picture: dark on light, and light on dark
/// where there is none and `both` says so.
#[must_use]
pub fn find(picture: &RgbaImage, scale: (f64, f64), both: bool) -> Found {
    let luma: Vec<u8> = on_white(picture).as_chunks::<3>().0.iter().map(|pixel| luma(*pixel)).collect();
    let dark = look(picture.dimensions(), scale, |index| luma.get(index).copied().unwrap_or(255));
    if !both || !dark.codes.is_empty() {
        return dark;
    }
    let light = look(picture.dimensions(), scale, |index| 255 - luma.get(index).copied().unwrap_or(0));
    if light.codes.is_empty() {
        dark
    } else {
        light
    }
}

fn luma([r, g, b]: [u8; 3]) -> u8 {
    ((u32::from(r) * 19595 + u32::from(g) * 38470 + u32::from(b) * 7471 + 0x8000) >> 16) as u8
}

fn look((width, height): (u32, u32), scale: (f64, f64), value: impl Fn(usize) -> u8) -> Found {
    let width = width as usize;
    let mut prepared = PreparedImage::prepare_from_greyscale(width, height as usize, |x, y| value(y * width + x));
    let mut found = Found::default();
    for grid in prepared.detect_grids().into_iter().take(MOST) {
        let mut bytes = Vec::new();
        let Ok(about) = grid.decode_to(&mut bytes) else {
            found.unreadable += 1;
            continue;
        };
        let text = String::from_utf8(bytes).map_err(|error| STANDARD.encode(error.as_bytes()));
        let corners = grid.bounds.map(|point| [(f64::from(point.x) * scale.0) as i64, (f64::from(point.y) * scale.1) as i64]);
        let error_correction = match about.ecc_level {
            0 => "M",
            1 => "L",
            2 => "H",
            _ => "Q",
        };
        let data = text.as_ref().err().cloned();
        found.codes.push(Code { text: text.ok(), data, version: about.version.0, error_correction, corners });
    }
    found.codes.sort_by_key(|code| (code.corners[0][1], code.corners[0][0]));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_without_codes_have_none() {
        for picture in [RgbaImage::new(1, 1), RgbaImage::from_fn(90, 40, |x, y| image::Rgba([(x * y) as u8, x as u8, y as u8, 255]))] {
            assert_eq!(find(&picture, (1.0, 1.0), true), Found::default());
        }
    }
}
