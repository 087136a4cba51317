//! Scaling: a picture into a box, and upright as EXIF says it stands.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x4;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::imageops::{flip_horizontal, rotate180, rotate270, rotate90};
use image::RgbaImage;

use crate::encoding::is_transparent;
use crate::refusal::Refusal;
use crate::requests::Fit;

/// How a picture of one size gets into a box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Width and height of the result.
    pub size: (u32, u32),
    /// Share of the picture's width and height that is kept, from the middle; 1 is all.
    pub kept: (f64, f64),
}

/// The plan for an upright picture of `size` and a box of which one side may be open.
///
/// # Errors
/// Both sides are open, or `fit` needs both and one is open.
pub fn plan(size: (u32, u32), width: Option<u32>, height: Option<u32>, fit: Fit) -> Result<Plan, Refusal> {
    let (across, down) = (f64::from(size.0), f64::from(size.1));
    match (width, height, fit) {
        (None, None, _) => Err(Refusal("Neither width nor height is given. Give at least one of them.".into())),
        (Some(width), Some(height), Fit::Exact) => Ok(Plan { size: (width, height), kept: (1.0, 1.0) }),
        (Some(width), Some(height), Fit::Cover) => {
            let scale = (f64::from(width) / across).max(f64::from(height) / down);
            let kept = (f64::from(width) / (across * scale), f64::from(height) / (down * scale));
            Ok(Plan { size: (width, height), kept: (kept.0.min(1.0), kept.1.min(1.0)) })
        }
        (_, _, Fit::Inside) => {
            let wide = width.map_or(1.0, |width| f64::from(width) / across);
            let high = height.map_or(1.0, |height| f64::from(height) / down);
            let scale = wide.min(high).min(1.0);
            let side = |pixels: f64| (pixels * scale).round().max(1.0) as u32;
            Ok(Plan { size: (side(across), side(down)), kept: (1.0, 1.0) })
        }
        _ => Err(Refusal("The fits cover and exact need both width and height.".into())),
    }
}

/// `size` as it is after turning upright.
#[must_use]
pub fn upright_size(size: (u32, u32), orientation: u8) -> (u32, u32) {
    if orientation >= 5 {
        (size.1, size.0)
    } else {
        size
    }
}

/// `picture` upright.
#[must_use]
pub fn upright(picture: RgbaImage, orientation: u8) -> RgbaImage {
    match orientation {
        2 => flip_horizontal(&picture),
        3 => rotate180(&picture),
        4 => flip_horizontal(&rotate180(&picture)),
        5 => flip_horizontal(&rotate90(&picture)),
        6 => rotate90(&picture),
        7 => flip_horizontal(&rotate270(&picture)),
        8 => rotate270(&picture),
        _ => picture,
    }
}

/// `picture` as `plan` says, by Lanczos' filter.
///
/// # Errors
/// The picture or the result has no pixels.
pub fn scale(picture: RgbaImage, plan: &Plan) -> Result<RgbaImage, Refusal> {
    let (width, height) = picture.dimensions();
    if (width, height) == plan.size && plan.kept == (1.0, 1.0) {
        return Ok(picture);
    }
    let kept = (f64::from(width) * plan.kept.0, f64::from(height) * plan.kept.1);
    let options = ResizeOptions::new().use_alpha(is_transparent(&picture)).crop(
        (f64::from(width) - kept.0) / 2.0,
        (f64::from(height) - kept.1) / 2.0,
        kept.0,
        kept.1,
    );
    resample(&picture, plan.size, options)
}

/// `picture` in `size` by Lanczos' filter.
///
/// # Errors
/// The picture or the result has no pixels.
pub fn resample(picture: &RgbaImage, size: (u32, u32), options: ResizeOptions) -> Result<RgbaImage, Refusal> {
    let failed = |reason: &dyn std::fmt::Display| Refusal(format!("The picture cannot be resized: {reason}."));
    let (width, height) = picture.dimensions();
    let source = TypedImageRef::<U8x4>::from_buffer(width, height, picture.as_raw()).map_err(|reason| failed(&reason))?;
    let mut result = TypedImage::<U8x4>::new(size.0, size.1);
    let options = options.resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new().resize_typed(&source, &mut result, &options).map_err(|reason| failed(&reason))?;
    let bytes = result.pixels().iter().flat_map(|pixel| pixel.0).collect();
    RgbaImage::from_raw(size.0, size.1, bytes).ok_or_else(|| failed(&"it has no pixels"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_filled_as_the_fit_says() {
        let all = (1.0, 1.0);
        for (width, height, fit, size, kept) in [
            (Some(400), None, Fit::Inside, (400, 300), all),
            (None, Some(300), Fit::Inside, (400, 300), all),
            (Some(100), Some(300), Fit::Inside, (100, 75), all),
            (Some(9000), None, Fit::Inside, (4000, 3000), all),
            (Some(100), Some(300), Fit::Exact, (100, 300), all),
            (Some(300), Some(300), Fit::Cover, (300, 300), (0.75, 1.0)),
        ] {
            assert_eq!(plan((4000, 3000), width, height, fit), Ok(Plan { size, kept }));
        }
        assert_eq!(plan((1, 9000), Some(10), Some(10), Fit::Inside).unwrap().size, (1, 10));
        assert!(plan((4, 3), None, None, Fit::Inside).unwrap_err().0.contains("Neither width"));
        assert!(plan((4, 3), Some(1), None, Fit::Cover).unwrap_err().0.contains("both"));
    }

    #[test]
    fn every_orientation_turns_a_picture_upright() {
        let picture = RgbaImage::from_fn(2, 1, |x, _| image::Rgba([x as u8, 0, 0, 255]));
        for (orientation, size, first) in
            [(1, (2, 1), 0), (2, (2, 1), 1), (3, (2, 1), 1), (4, (2, 1), 0), (5, (1, 2), 0), (6, (1, 2), 0), (7, (1, 2), 1), (8, (1, 2), 1)]
        {
            let turned = upright(picture.clone(), orientation);
            assert_eq!((turned.dimensions(), upright_size((2, 1), orientation)), (size, size), "{orientation}");
            assert_eq!(turned.as_raw().first(), Some(&first), "{orientation}");
        }
    }
}
