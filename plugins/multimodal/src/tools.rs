//! Tools: what each of them does, from request to answer, without a host.

use image::RgbaImage;
use serde::Serialize;
use serde_json::Value;

use crate::answers::{Answer, Codes, Description, Look, Media, Resized, Waveform};
use crate::budget::Budget;
use crate::encoding::{self, Encoded};
use crate::kind::Kind;
use crate::picture;
use crate::refusal::Refusal;
use crate::requests::{AudioRequest, DescribeRequest, Fit, Format, Origin, QrRequest, ResizeRequest};
use crate::scaling::{self, Plan};
use crate::sound::{self, drawing, info, tags, wave};
use crate::source::{Files, Source, MAX_FILE_BYTES};
use crate::{colors, exif, hashes, qr};

/// Bytes of a picture in an answer: in base64 beside the rest it stays below the host's 1 MiB.
const MAX_ENCODED: usize = 700_000;
/// Longest side of a resized picture.
const MAX_RESIZED: u32 = 1600;
/// Pixels of a resized picture.
const MAX_RESIZED_PIXELS: u64 = 1_600_000;
/// Longest side of the picture that colours and hashes are taken from; a larger thumbnail makes it larger.
const LOOK: u32 = 256;
/// Sides below which the shorter one is not reduced while reading: hashes need 32.
const LEAST_SIDE: u32 = 64;
/// Longest sides of the pictures that codes are looked for in: a quick look, then a close one.
const QR_LOOKS: [u32; 2] = [800, 1500];
/// A close look takes so many times the instructions of a description, so that much larger pictures get the quick one.
const CLOSE_LOOK_COST: u64 = 6;
const WAVE_HEIGHT: u32 = 128;

/// Describe a picture.
///
/// # Errors
/// The request or the data is not right.
pub fn describe_image(mut request: DescribeRequest, files: &dyn Files, budget: &Budget) -> Result<Answer, Refusal> {
    let thumbnail = within("thumbnail", request.thumbnail, 256, if request.thumbnail == Some(0) { 0 } else { 16 }, 512)?;
    let count = within("colors", request.colors, 5, 1, 8)? as usize;
    let (kind, size, bytes) = picture_bytes(request.origin(), files)?;
    let facts = picture::facts(kind, &bytes)?;
    let exif = exif::of(&bytes);
    let orientation = exif.as_ref().and_then(exif::orientation).unwrap_or(1);
    let side = LOOK.max(thumbnail);
    let least = looked_at((facts.width, facts.height), side);
    let read = whole(size).and_then(|()| picture::pixels(kind, &bytes, &facts, least, budget));
    let (of, pixels, note) = match (read, exif.as_ref().and_then(exif::thumbnail)) {
        (Ok(pixels), _) => ("picture", Some(pixels), None),
        (Err(refusal), Some(small)) => ("exif_thumbnail", embedded(small, budget), Some(refusal.0)),
        (Err(refusal), None) => ("picture", None, Some(refusal.0)),
    };
    let (look, pictures) = match pixels {
        Some(pixels) => {
            // Before scaling, which paints the edges between colours in mixtures of them.
            let colors = colors::dominant(&pixels, count);
            look(of, small(pixels, orientation, side)?, thumbnail, colors)?
        }
        None => (None, Vec::new()),
    };
    let (across, down) = scaling::upright_size((facts.width, facts.height), orientation);
    let camera = exif.as_ref().map(exif::camera);
    let description =
        Description { media_type: kind.media_type(), bytes: size, facts, upright: [across, down], exif: camera, look, note };
    Ok(Answer { facts: told(&description)?, pictures })
}

/// Resize a picture.
///
/// # Errors
/// The request or the data is not right, or the result is too large for an answer.
pub fn resize_image(mut request: ResizeRequest, files: &dyn Files, budget: &Budget) -> Result<Answer, Refusal> {
    let quality = within("quality", request.quality, 85, 1, 100)?;
    let width = request.width.map(|width| within("width", Some(width), 1, 1, MAX_RESIZED)).transpose()?;
    let height = request.height.map(|height| within("height", Some(height), 1, 1, MAX_RESIZED)).transpose()?;
    let (kind, size, bytes) = picture_bytes(request.origin(), files)?;
    whole(size)?;
    let facts = picture::facts(kind, &bytes)?;
    facts.check(budget.pixels(kind, &facts))?;
    let orientation = exif::of(&bytes).as_ref().and_then(exif::orientation).unwrap_or(1);
    let original = scaling::upright_size((facts.width, facts.height), orientation);
    let plan = small_enough(scaling::plan(original, width, height, request.fit)?)?;
    let pixels = picture::pixels(kind, &bytes, &facts, stored_least(&plan, orientation), budget)?;
    drop(bytes);
    let result = scaling::scale(scaling::upright(pixels, orientation), &plan)?;
    let encoded = encode(&result, kind, request.format, quality as u8)?;
    let (width, height) = plan.size;
    let resized = Resized {
        media_type: encoded.media_type,
        width,
        height,
        bytes: encoded.bytes.len(),
        original: [original.0, original.1],
        orientation_applied: orientation,
    };
    Ok(Answer { facts: told(&resized)?, pictures: vec![encoded] })
}

/// Read the QR codes of a picture.
///
/// # Errors
/// The request or the data is not right.
pub fn read_qr(mut request: QrRequest, files: &dyn Files, budget: &Budget) -> Result<Value, Refusal> {
    let (kind, size, bytes) = picture_bytes(request.origin(), files)?;
    whole(size)?;
    let facts = picture::facts(kind, &bytes)?;
    let mut found = qr::Found::default();
    let (mut seen, mut looks) = ((0, 0), qr::Looks::default());
    let close = facts.pixels() <= budget.pixels(kind, &facts) / CLOSE_LOOK_COST;
    for side in QR_LOOKS.into_iter().take(if close { 2 } else { 1 }) {
        let pixels = picture::pixels(kind, &bytes, &facts, inside((facts.width, facts.height), side), budget)?;
        let plan = scaling::plan(pixels.dimensions(), Some(side), Some(side), Fit::Inside)?;
        if plan.size == seen || looks.0 == 0 || (!found.codes.is_empty() && found.unreadable == 0) {
            break;
        }
        seen = plan.size;
        let pixels = scaling::scale(pixels, &plan)?;
        let scale = (f64::from(facts.width) / f64::from(seen.0), f64::from(facts.height) / f64::from(seen.1));
        let next = qr::find(&pixels, scale, side == QR_LOOKS[0], &mut looks);
        if next.codes.len() >= found.codes.len() {
            found = next;
        }
    }
    told(&Codes { codes: found.codes, unreadable: found.unreadable, size: [facts.width, facts.height], note: found.note })
}

/// Describe a sound or a film.
///
/// # Errors
/// The request or the data is not right.
pub fn audio_info(mut request: AudioRequest, files: &dyn Files, budget: &Budget) -> Result<Answer, Refusal> {
    let width = within("width", request.width, 512, 64, 1024)?;
    let source = Source::open(request.origin(), files)?;
    let (kind, size) = (source.kind, source.size);
    if kind.is_picture() {
        return Err(Refusal(format!("The data is {}, a picture. Use describe_image for it.", kind.media_type())));
    }
    let mut bytes = source.into_reader();
    let mut tags = if kind == Kind::Wav { info::read(bytes.as_mut()) } else { Vec::new() };
    bytes.rewind().map_err(|reason| Refusal(reason.to_string()))?;
    let mut reader = sound::open(kind.media_type(), bytes, size)?;
    let tracks = sound::tracks(reader.as_ref());
    let duration_s = sound::duration(reader.as_ref(), &tracks);
    let (found, pictures) = tags::read(reader.as_mut());
    tags.extend(found);
    let container = reader.format_info().short_name;
    let wave = match request.waveform {
        Some(false) => Err(None),
        _ => whole(size).and_then(|()| wave::read(reader.as_mut(), width as usize, budget.max_waveform_samples)).map_err(|refusal| Some(refusal.0)),
    };
    let bit_rate = duration_s.filter(|seconds| *seconds > 0.0).map(|seconds| (size as f64 * 8.0 / seconds).round() as u64);
    let waveform = wave.as_ref().ok().map(|wave| Waveform { width, height: WAVE_HEIGHT, peak: wave.peak, sampled: wave.sampled });
    let drawn = wave.as_ref().ok().map(|wave| encoding::png(&drawing::draw(wave, WAVE_HEIGHT))).transpose()?;
    let media = Media {
        media_type: kind.media_type(),
        bytes: size,
        container,
        duration_s,
        bit_rate,
        tracks,
        tags,
        pictures,
        waveform,
        note: wave.err().flatten(),
    };
    Ok(Answer { facts: told(&media)?, pictures: drawn.into_iter().collect() })
}

fn picture_bytes(origin: Origin, files: &dyn Files) -> Result<(Kind, u64, Vec<u8>), Refusal> {
    let source = Source::open(origin, files)?;
    let (kind, size) = (source.kind, source.size);
    if !kind.is_picture() {
        return Err(Refusal(format!("The data is {}, not a picture. Use audio_info for it.", kind.media_type())));
    }
    // The head of a file that cannot be read whole tells its size and its EXIF data.
    let bytes = source.first(if size > MAX_FILE_BYTES { MAX_FILE_BYTES / 16 } else { size })?;
    Ok((kind, size, bytes))
}

/// `size` made to fit a square of `side`.
fn inside((width, height): (u32, u32), side: u32) -> (u32, u32) {
    let longest = u64::from(width.max(height)).max(1);
    let shrunk = |pixels: u32| u32::try_from(u64::from(pixels) * u64::from(side) / longest).unwrap_or(side).clamp(1, pixels.max(1));
    (shrunk(width), shrunk(height))
}

/// Sides that a picture of `size` must keep to be looked at within a square of `side`.
fn looked_at(size: (u32, u32), side: u32) -> (u32, u32) {
    let (width, height) = inside(size, side);
    (width.max(LEAST_SIDE), height.max(LEAST_SIDE))
}

/// `picture` upright, and within a square of `side`.
fn small(picture: RgbaImage, orientation: u8, side: u32) -> Result<RgbaImage, Refusal> {
    let plan = scaling::plan(picture.dimensions(), Some(side), Some(side), Fit::Inside)?;
    Ok(scaling::upright(scaling::scale(picture, &plan)?, orientation))
}

fn whole(size: u64) -> Result<(), Refusal> {
    if size <= MAX_FILE_BYTES {
        return Ok(());
    }
    Err(Refusal(format!("The file has {size} bytes, and at most {MAX_FILE_BYTES} are read in a call.")))
}

fn embedded(small: &[u8], budget: &Budget) -> Option<RgbaImage> {
    let facts = picture::facts(Kind::Jpeg, small).ok()?;
    picture::pixels(Kind::Jpeg, small, &facts, (LOOK, LOOK), budget).ok()
}

fn look(of: &'static str, picture: RgbaImage, thumbnail: u32, colors: Vec<colors::Color>) -> Result<(Option<Look>, Vec<Encoded>), Refusal> {
    let mut look = Look {
        of,
        dhash: hashes::difference(&picture),
        phash: hashes::perceptual(&picture),
        colors,
        thumbnail: None,
    };
    if thumbnail == 0 {
        return Ok((Some(look), Vec::new()));
    }
    let plan = scaling::plan(picture.dimensions(), Some(thumbnail), Some(thumbnail), Fit::Inside)?;
    let small = scaling::scale(picture, &plan)?;
    look.thumbnail = Some([small.width(), small.height()]);
    let encoded = if encoding::is_transparent(&small) { encoding::png(&small)? } else { encoding::jpeg(&small, 85)? };
    Ok((Some(look), vec![encoded]))
}

fn small_enough(plan: Plan) -> Result<Plan, Refusal> {
    let (width, height) = plan.size;
    if width.max(height) <= MAX_RESIZED && u64::from(width) * u64::from(height) <= MAX_RESIZED_PIXELS {
        return Ok(plan);
    }
    Err(Refusal(format!(
        "The result would have {width} × {height} pixels. At most {MAX_RESIZED} a side and {MAX_RESIZED_PIXELS} in all are made; give a smaller width or height."
    )))
}

/// Sides that the stored picture must keep so that twice the result's pixels can be had from it.
fn stored_least(plan: &Plan, orientation: u8) -> (u32, u32) {
    let side = |pixels: u32, kept: f64| (f64::from(pixels) * 2.0 / kept.max(1e-6)).min(f64::from(picture::MAX_SIDE)) as u32;
    scaling::upright_size((side(plan.size.0, plan.kept.0), side(plan.size.1, plan.kept.1)), orientation)
}

fn encode(picture: &RgbaImage, kind: Kind, format: Format, quality: u8) -> Result<Encoded, Refusal> {
    let lossless = matches!(kind, Kind::Png | Kind::Gif) || encoding::is_transparent(picture);
    let encoded = match format {
        Format::Png => encoding::png(picture)?,
        Format::Auto if lossless => encoding::png(picture)?,
        _ => encoding::jpeg(picture, quality)?,
    };
    let size = encoded.bytes.len();
    if size <= MAX_ENCODED {
        return Ok(encoded);
    }
    Err(Refusal(format!(
        "The result has {size} bytes as {}, and an answer holds at most {MAX_ENCODED}. Give a smaller width or height, or format = 'jpeg' with a lower quality.",
        encoded.media_type
    )))
}

fn within(name: &str, value: Option<u32>, default: u32, least: u32, most: u32) -> Result<u32, Refusal> {
    let value = value.unwrap_or(default);
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(Refusal(format!("{name} is {value}. Expected {least} to {most}.")))
}

fn told(answer: &impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(answer).map_err(|reason| Refusal(format!("The answer cannot be written: {reason}.")))
}

