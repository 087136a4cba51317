//! Reading dates: the forms that are known, and the moment that they mean in a zone.

use agentmem_plugin_sdk::Error;
use jiff::civil::{DateTime, Time};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::fmt::temporal::Pieces;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ZonedDateTime};

use super::utc;

const NO_CLOCK: [&str; 5] = ["now", "today", "tomorrow", "yesterday", "current"];

/// The moment that a text means.
///
/// # Errors
/// When it is no date, with the argument's name.
pub fn read(
    name: &str,
    text: &str,
    format: Option<&str>,
    zone: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<ZonedDateTime, Error> {
    let text = text.trim();
    if NO_CLOCK.contains(&text.to_lowercase().as_str()) {
        return Err(format!("`{name}` is \"{text}\", and there is no clock here. Give the date or time itself.").into());
    }
    if let Some(format) = format {
        return formatted(name, text, format, zone, notes);
    }
    if let Some(moment) = unix(text).or_else(|| rfc2822::parse(text).ok()) {
        return in_zone_or_its_own(moment, zone);
    }
    let pieces = Pieces::parse(text).map_err(|reason| {
        format!("`{name}` is no date or time: {reason}. Write it like \"2026-03-29T01:30\", or give `input_format`.")
    })?;
    let clock = DateTime::from_parts(pieces.date(), pieces.time().unwrap_or(Time::midnight()));
    if pieces.time_zone_annotation().is_some() {
        return text.parse().map_err(|reason| format!("`{name}` cannot be so: {reason}.").into());
    }
    match pieces.to_numeric_offset() {
        Some(offset) => {
            let moment = offset.to_timestamp(clock).map_err(|reason| format!("`{name}` is too far: {reason}."))?;
            Ok(moment.to_zoned_datetime(TimeZone::fixed(offset)))
        }
        None => local(name, clock, zone, notes),
    }
}

/// The zone with this name or offset.
///
/// # Errors
/// When there is none.
pub fn zone_of(name: &str) -> Result<TimeZone, Error> {
    let name = name.trim();
    if name.eq_ignore_ascii_case("utc") || name.eq_ignore_ascii_case("z") {
        return Ok(utc());
    }
    if name.starts_with(['+', '-']) {
        let read = strtime::parse("%:z", name).or_else(|_| strtime::parse("%z", name));
        let offset = read.ok().and_then(|read| read.offset());
        return offset.map(TimeZone::fixed).ok_or_else(|| format!("\"{name}\" is no offset like \"+02:00\".").into());
    }
    TimeZone::get(name).map_err(|_| {
        format!(
            "\"{name}\" is no time zone. Give a name of the IANA database, such as \"Europe/Vienna\", or an offset."
        )
        .into()
    })
}

/// Seconds since 1970, with or without @ and parts of a second; four digits are a year.
fn unix(text: &str) -> Option<ZonedDateTime> {
    let number = text.strip_prefix('@').unwrap_or(text);
    let bare = number.strip_prefix('-').unwrap_or(number);
    let digits = bare.chars().filter(char::is_ascii_digit).count();
    if bare.is_empty()
        || bare.chars().any(|c| !c.is_ascii_digit() && c != '.')
        || (digits < 9 && !text.starts_with('@'))
    {
        return None;
    }
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let nanoseconds: i32 = format!("{part:0<9}").get(..9)?.parse().ok()?;
    let signed = if number.starts_with('-') { -nanoseconds } else { nanoseconds };
    Some(Timestamp::new(whole.parse().ok()?, signed).ok()?.to_zoned_datetime(utc()))
}

fn in_zone_or_its_own(moment: ZonedDateTime, zone: Option<&str>) -> Result<ZonedDateTime, Error> {
    match zone {
        Some(zone) if *moment.time_zone() == utc() => Ok(moment.with_time_zone(zone_of(zone)?)),
        _ => Ok(moment),
    }
}

fn formatted(
    name: &str,
    text: &str,
    format: &str,
    zone: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<ZonedDateTime, Error> {
    let no = |reason: jiff::Error| Error::from(format!("`{name}` is not in the form of `input_format`: {reason}."));
    let read = BrokenDownTime::parse(format, text).map_err(no)?;
    if read.offset().is_some() || read.iana_time_zone().is_some() || read.timestamp().is_some() {
        return read.to_zoned_datetime().or_else(|_| Ok(read.to_timestamp()?.to_zoned_datetime(utc()))).map_err(no);
    }
    let time = if read.hour().is_some() { read.to_time().map_err(no)? } else { Time::midnight() };
    local(name, DateTime::from_parts(read.to_date().map_err(no)?, time), zone, notes)
}

/// What a clock on a wall means in a zone.
fn local(name: &str, clock: DateTime, zone: Option<&str>, notes: &mut Vec<String>) -> Result<ZonedDateTime, Error> {
    if zone.is_none() {
        notes.push("A time without a zone was taken as UTC.".to_owned());
    }
    let moment = zone.map_or(Ok(utc()), zone_of)?.into_ambiguous_zoned_datetime(clock);
    match moment.offset() {
        AmbiguousOffset::Unambiguous { .. } => {}
        AmbiguousOffset::Gap { .. } => {
            notes.push(format!(
                "{clock} does not exist there, since clocks are put forward; the time after the gap was taken."
            ));
        }
        AmbiguousOffset::Fold { .. } => {
            notes.push(format!("{clock} is there twice, since clocks are put back; the first was taken."));
        }
    }
    moment.compatible().map_err(|reason| format!("`{name}` is too far: {reason}.").into())
}
