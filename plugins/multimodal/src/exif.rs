//! EXIF: what the camera wrote into a picture.

use std::io::Cursor;

use exif::{Exif, In, Rational, Reader, Tag, Value};
use serde::Serialize;

use crate::kind::clipped;

/// Characters of a text that are told.
const MAX_TEXT: usize = 200;

/// What the camera wrote, as far as it is of general interest.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub struct Camera {
    /// How the picture must be turned to stand upright, 1 to 8 as EXIF numbers it.
    pub orientation: Option<u8>,
    /// Maker of the camera.
    pub make: Option<String>,
    /// The camera.
    pub model: Option<String>,
    /// The lens.
    pub lens: Option<String>,
    /// Program that wrote the file.
    pub software: Option<String>,
    /// When it was taken, ISO 8601, with the offset from UTC where that is known.
    pub taken: Option<String>,
    /// In seconds, such as `1/250`.
    pub exposure_time: Option<String>,
    /// Aperture.
    pub f_number: Option<f64>,
    /// Sensitivity.
    pub iso: Option<u32>,
    /// In millimetres.
    pub focal_length_mm: Option<f64>,
    /// Where it was taken.
    pub gps: Option<Place>,
}

/// A place on earth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place {
    /// In degrees, north is positive.
    pub latitude: f64,
    /// In degrees, east is positive.
    pub longitude: f64,
    /// In metres above the sea.
    pub altitude_m: Option<f64>,
}

/// The EXIF data of a picture, where there is any that can be read.
#[must_use]
pub fn of(bytes: &[u8]) -> Option<Exif> {
    let mut reader = Reader::new();
    reader.continue_on_error(true);
    reader
        .read_from_container(&mut Cursor::new(bytes))
        .or_else(|error| error.distill_partial_result(|_| ()))
        .ok()
        .filter(|exif| exif.fields().len() > 0)
}

/// What `exif` says.
#[must_use]
pub fn camera(exif: &Exif) -> Camera {
    Camera {
        orientation: orientation(exif),
        make: text(exif, Tag::Make),
        model: text(exif, Tag::Model),
        lens: text(exif, Tag::LensModel),
        software: text(exif, Tag::Software),
        taken: taken(exif),
        exposure_time: rational(exif, Tag::ExposureTime).map(exposure),
        f_number: rational(exif, Tag::FNumber).and_then(number),
        iso: uint(exif, Tag::PhotographicSensitivity),
        focal_length_mm: rational(exif, Tag::FocalLength).and_then(number),
        gps: place(exif),
    }
}

/// How the picture must be turned, 1 to 8.
#[must_use]
pub fn orientation(exif: &Exif) -> Option<u8> {
    uint(exif, Tag::Orientation).and_then(|value| u8::try_from(value).ok()).filter(|value| (1..=8).contains(value))
}

/// The small JPEG that cameras put beside the picture.
#[must_use]
pub fn thumbnail(exif: &Exif) -> Option<&[u8]> {
    let at = |tag| exif.get_field(tag, In::THUMBNAIL).and_then(|field| field.value.get_uint(0)).map(|value| value as usize);
    let start = at(Tag::JPEGInterchangeFormat)?;
    let end = start.checked_add(at(Tag::JPEGInterchangeFormatLength)?)?;
    exif.buf().get(start..end).filter(|bytes| bytes.starts_with(b"\xff\xd8\xff"))
}

fn value(exif: &Exif, tag: Tag) -> Option<&Value> {
    exif.get_field(tag, In::PRIMARY).map(|field| &field.value)
}

fn uint(exif: &Exif, tag: Tag) -> Option<u32> {
    value(exif, tag)?.get_uint(0)
}

fn rational(exif: &Exif, tag: Tag) -> Option<Rational> {
    match value(exif, tag)? {
        Value::Rational(values) => values.first().copied(),
        _ => None,
    }
}

fn ascii(exif: &Exif, tag: Tag) -> Option<String> {
    match value(exif, tag)? {
        Value::Ascii(lines) => lines.first().map(|line| String::from_utf8_lossy(line).into_owned()),
        _ => None,
    }
}

fn text(exif: &Exif, tag: Tag) -> Option<String> {
    ascii(exif, tag).map(|text| clipped(text.trim(), MAX_TEXT)).filter(|text| !text.is_empty())
}

fn number(value: Rational) -> Option<f64> {
    let number = value.to_f64();
    number.is_finite().then(|| (number * 1e4).round() / 1e4)
}

fn exposure(value: Rational) -> String {
    match (value.num, value.denom) {
        (num, denom) if num > 0 && num < denom && denom % num == 0 => format!("1/{}", denom / num),
        (num, 1) => num.to_string(),
        (num, denom) => format!("{num}/{denom}"),
    }
}

fn taken(exif: &Exif) -> Option<String> {
    let (at, offset) = [(Tag::DateTimeOriginal, Tag::OffsetTimeOriginal), (Tag::DateTime, Tag::OffsetTime)]
        .into_iter()
        .find_map(|(tag, offset)| ascii(exif, tag).map(|text| (text, ascii(exif, offset))))?;
    let time = exif::DateTime::from_ascii(at.as_bytes()).ok()?;
    let offset = offset.map(|text| text.trim().to_owned()).filter(|text| is_offset(text)).unwrap_or_default();
    Some(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{offset}",
        time.year, time.month, time.day, time.hour, time.minute, time.second
    ))
}

fn is_offset(text: &str) -> bool {
    matches!(text.as_bytes(), [b'+' | b'-', a, b, b':', c, d] if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()))
}

fn place(exif: &Exif) -> Option<Place> {
    let latitude = degrees(exif, Tag::GPSLatitude, Tag::GPSLatitudeRef, "S", 90.0)?;
    let longitude = degrees(exif, Tag::GPSLongitude, Tag::GPSLongitudeRef, "W", 180.0)?;
    let below = matches!(value(exif, Tag::GPSAltitudeRef), Some(Value::Byte(bytes)) if bytes.first() == Some(&1));
    let altitude_m = rational(exif, Tag::GPSAltitude).and_then(number).map(|height| if below { -height } else { height });
    Some(Place { latitude, longitude, altitude_m })
}

fn degrees(exif: &Exif, tag: Tag, reference: Tag, negative: &str, most: f64) -> Option<f64> {
    let Some(Value::Rational(parts)) = value(exif, tag) else { return None };
    let part = |index: usize| parts.get(index).map_or(Some(0.0), |part| Some(part.to_f64()).filter(|part| part.is_finite()));
    let sum = part(0)? + part(1)? / 60.0 + part(2)? / 3600.0;
    let sign = if ascii(exif, reference).is_some_and(|text| text.trim().eq_ignore_ascii_case(negative)) { -1.0 } else { 1.0 };
    Some(sign * (sum * 1e7).round() / 1e7).filter(|degrees| !parts.is_empty() && degrees.abs() <= most)
}
