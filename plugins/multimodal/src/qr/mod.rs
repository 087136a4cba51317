//! QR codes: all that can be found in a picture, with what they say.
//!
//! `rqrr` tells dark from light and reads the modules. Where the codes are is found here, since `rqrr` tries every corner
//! pattern with all others and takes the first three that could be a code, which a sheet of codes is full of.

mod corner;
mod group;
mod plane;
mod runs;
mod symbol;

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use image::RgbaImage;
use rqrr::{MetaData, PreparedImage};
use serde::Serialize;

use crate::encoding::on_white;
use group::Group;
use runs::Bitmap;
use symbol::Symbol;

pub use symbol::Looks;

/// Codes that are told of one picture.
const MOST: usize = 64;
/// Corner patterns that are looked at: those of so many codes, and half as many that are none.
const MOST_CORNERS: usize = 9 * MOST / 2;
/// How well the patterns that every code has must fit, of 1, for three corners to be a code that could not be read.
const SURE: f64 = 0.7;

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
    /// Why there may be more codes, where that is so.
    pub note: Option<String>,
}

/// Look for codes in `picture`, whose pixels are `scale` pixels of the stored picture: dark on light, and light on dark
/// where there is none and `both` says so.
#[must_use]
pub fn find(picture: &RgbaImage, scale: (f64, f64), both: bool, looks: &mut Looks) -> Found {
    let luma: Vec<u8> = on_white(picture).as_chunks::<3>().0.iter().map(|pixel| luma(*pixel)).collect();
    let dark = look(picture.dimensions(), scale, looks, |index| luma.get(index).copied().unwrap_or(255));
    if !both || !dark.codes.is_empty() || looks.0 == 0 {
        return dark;
    }
    let light = look(picture.dimensions(), scale, looks, |index| 255 - luma.get(index).copied().unwrap_or(0));
    if light.codes.is_empty() {
        dark
    } else {
        light
    }
}

fn luma([r, g, b]: [u8; 3]) -> u8 {
    ((u32::from(r) * 19595 + u32::from(g) * 38470 + u32::from(b) * 7471 + 0x8000) >> 16) as u8
}

fn look((width, height): (u32, u32), scale: (f64, f64), looks: &mut Looks, value: impl Fn(usize) -> u8) -> Found {
    let (width, height) = (width as usize, height as usize);
    let prepared = PreparedImage::prepare_from_greyscale(width, height, |x, y| value(y * width + x));
    let bitmap = Bitmap::new(width, height, |x, y| prepared.get_pixel_at(x, y) == 1);
    let (corners, more_corners) = corner::find(&bitmap.runs(), MOST_CORNERS);
    let mut search = Search { bitmap: &bitmap, taken: vec![false; corners.len()], looks, found: Vec::new(), unreadable: 0 };
    let complete = search.through(&group::find(&bitmap, &corners));
    let mut codes: Vec<Code> = search.found.into_iter().map(|(symbol, about, bytes)| told(&symbol, &about, bytes, scale)).collect();
    codes.sort_by_key(|code| (code.corners[0][1], code.corners[0][0]));
    let note = match (more_corners, complete) {
        (true, _) => Some(format!("Only {MOST_CORNERS} of the corner patterns in this picture were looked at, from the top. Give a part of the picture for the rest.")),
        (_, false) => Some("The picture has more that resembles codes than a call looks at. Give a part of the picture.".to_owned()),
        _ => None,
    };
    Found { codes, unreadable: search.unreadable, note }
}

/// The way through the groups of a picture.
struct Search<'a> {
    bitmap: &'a Bitmap,
    /// The corner patterns that belong to a code.
    taken: Vec<bool>,
    looks: &'a mut Looks,
    found: Vec<(Symbol, MetaData, Vec<u8>)>,
    unreadable: usize,
}

impl Search<'_> {
    /// Read what can be read: first all that is plain to see, then what takes a closer look. Whether it came to the end.
    fn through(&mut self, groups: &[Group]) -> bool {
        for group in groups {
            self.attempt(group, Self::plainly);
        }
        let mut unsure = Vec::new();
        for group in groups {
            if self.attempt(group, Self::closely) == Some(true) {
                unsure.push(group);
            }
        }
        for group in unsure {
            if self.is_free(group) {
                self.take(group);
                self.unreadable += 1;
            }
        }
        self.looks.0 > 0 && !(self.found.len() == MOST && groups.iter().any(|group| self.is_free(group)))
    }

    fn is_free(&self, group: &Group) -> bool {
        group.members.iter().all(|member| self.taken.get(*member) == Some(&false))
    }

    fn take(&mut self, group: &Group) {
        for member in group.members {
            self.taken[member] = true;
        }
    }

    /// Read a group whose patterns belong to no code yet, in each size that it may have. Whether it looks like a code and
    /// cannot be read, where it was tried.
    fn attempt(&mut self, group: &Group, how: fn(&mut Self, &Symbol) -> Result<(), bool>) -> Option<bool> {
        let mut seen = None;
        for size in &group.sizes {
            if !self.is_free(group) || self.found.len() == MOST {
                break;
            }
            let Some(symbol) = symbol::place(self.bitmap, group, *size, self.looks) else { continue };
            match how(self, &symbol) {
                Ok(()) => {
                    self.take(group);
                    return None;
                }
                Err(sure) => seen = Some(seen == Some(true) || sure),
            }
        }
        seen
    }

    fn plainly(&mut self, symbol: &Symbol) -> Result<(), bool> {
        let (about, bytes) = symbol.read(self.bitmap, self.looks).ok_or(false)?;
        self.found.push((symbol.clone(), about, bytes));
        Ok(())
    }

    fn closely(&mut self, symbol: &Symbol) -> Result<(), bool> {
        let (symbol, fit) = symbol.refined(self.bitmap, self.looks).ok_or(false)?;
        self.plainly(&symbol).map_err(|_| fit >= SURE)
    }
}

fn told(symbol: &Symbol, about: &MetaData, bytes: Vec<u8>, scale: (f64, f64)) -> Code {
    let text = String::from_utf8(bytes).map_err(|error| STANDARD.encode(error.as_bytes()));
    let corners = symbol.outline().map(|point| [(point.x * scale.0).round() as i64, (point.y * scale.1).round() as i64]);
    let error_correction = match about.ecc_level {
        0 => "M",
        1 => "L",
        2 => "H",
        _ => "Q",
    };
    let data = text.as_ref().err().cloned();
    Code { text: text.ok(), data, version: about.version.0, error_correction, corners }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_without_codes_have_none() {
        for picture in [RgbaImage::new(1, 1), RgbaImage::from_fn(90, 40, |x, y| image::Rgba([(x * y) as u8, x as u8, y as u8, 255]))] {
            assert_eq!(find(&picture, (1.0, 1.0), true, &mut Looks::default()), Found::default());
        }
    }

    #[test]
    fn crooked_patterns_at_random_places_never_panic() {
        let mut state = 7_u64;
        let mut roll = |sides: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % sides
        };
        for _ in 0..60 {
            let mut picture = RgbaImage::from_pixel(160, 120, image::Rgba([255; 4]));
            for _ in 0..40 {
                let (left, top, across, down, slant) = (roll(150), roll(110), 1 + roll(5), 1 + roll(5), roll(3));
                for (x, y) in (0..7 * across).flat_map(|x| (0..7 * down).map(move |y| (x, y))) {
                    let ring = (x / across).abs_diff(3).max((y / down).abs_diff(3));
                    let shade = if ring == 2 { 255 } else { 0 };
                    let at = picture.get_pixel_mut_checked((left + x + y * slant / 2) as u32, (top + y) as u32);
                    at.into_iter().for_each(|pixel| *pixel = image::Rgba([shade, shade, shade, 255]));
                }
            }
            assert_eq!(find(&picture, (1.0, 1.0), true, &mut Looks::default()).codes, []);
        }
    }
}
