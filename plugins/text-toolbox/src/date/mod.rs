//! Dates and times: read, added to, counted between, moved between zones of the IANA database, and formatted.
//!
//! There is no clock in a plugin: what time it is now is for the caller to say.

mod reading;

use agentmem_plugin_sdk::prelude::*;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Span, Unit, ZonedDateTime};

/// What `date_time` is called with.
#[request]
pub struct Request {
    /// The date or time: "2026-03-29", "2026-03-29T01:30", "2026-03-29T01:30:00Z", "…+02:00[Europe/Vienna]", RFC 2822, or
    /// seconds since 1970 such as "1774747800". There is no clock here: give the current time where "now" is meant
    #[schemars(length(min = 1, max = 200))]
    pub value: String,
    /// How `value` is written, where it is none of these, in the signs of strptime: "%d.%m.%Y %H:%M"
    #[serde(default)]
    pub input_format: Option<String>,
    /// The zone that `value` is meant in where it says none: "Europe/Vienna", "+02:00". Left out, UTC
    #[serde(default)]
    pub zone: Option<String>,
    /// What to add: "1 month 2 days", "-90 minutes", "P1Y2M3DT4H". Months end on a day that exists
    #[serde(default)]
    pub add: Option<String>,
    /// The zone to tell the result in: "America/New_York"
    #[serde(default)]
    pub to_zone: Option<String>,
    /// How to write the result as well, in the signs of strftime: "%A, %d %B %Y"
    #[serde(default)]
    pub format: Option<String>,
    /// Another date or time, written as `value` is, to have the time from the result until it
    #[serde(default)]
    pub until: Option<String>,
}

/// The time from one moment to another.
#[response]
pub struct Distance {
    /// In years, months, days and the rest of the calendar, as an ISO 8601 duration; negative when it lies before
    pub duration: String,
    /// The same for a reader
    pub text: String,
    /// Days between the two dates, whatever the time of day
    pub calendar_days: i64,
    /// Whole seconds that pass
    pub seconds: i64,
}

/// What `date_time` answers.
#[response]
pub struct Response {
    /// The moment, RFC 3339
    pub iso: String,
    /// The date alone
    pub date: String,
    /// The time of day alone
    pub time: String,
    /// The zone, or the offset where no zone is known
    pub zone: String,
    /// The offset from UTC
    pub offset: String,
    /// The same moment in UTC
    pub utc: String,
    /// Seconds since 1970
    pub unix_seconds: i64,
    /// The day of the week, in English
    pub weekday: String,
    /// The week: "2026-W13"
    pub iso_week: String,
    /// The day of the year, from 1
    pub day_of_year: i16,
    /// The moment in the format that was asked for
    pub formatted: Option<String>,
    /// The time until `until`
    pub until: Option<Distance>,
    /// What was assumed, such as a zone, or an hour that a change of clocks leaves out
    pub notes: Vec<String>,
}

/// Reckon with a date.
///
/// # Errors
/// When a date, a zone, a span or a format cannot be read, or the result is beyond the years -9999 to 9999.
pub fn date_time(request: &Request) -> Result<Response, Error> {
    let mut notes = Vec::new();
    let zone = request.zone.as_deref();
    let mut moment = reading::read("value", &request.value, request.input_format.as_deref(), zone, &mut notes)?;
    if let Some(span) = &request.add {
        moment = added(&moment, span)?;
    }
    if let Some(zone) = &request.to_zone {
        moment = moment.with_time_zone(reading::zone_of(zone)?);
    }
    let until = match &request.until {
        Some(text) => {
            let format = request.input_format.as_deref();
            Some(distance(&moment, &reading::read("until", text, format, zone, &mut notes)?)?)
        }
        None => None,
    };
    let formatted = match &request.format {
        Some(format) => Some(formatted(&moment, format)?),
        None => None,
    };
    notes.dedup();
    Ok(told(&moment, formatted, until, notes))
}

fn added(moment: &ZonedDateTime, span: &str) -> Result<ZonedDateTime, Error> {
    let read: Span = span.trim().parse().map_err(|reason| {
        format!("`add` is no span of time: {reason}. Write it like \"1 month 2 days\", \"-90 minutes\" or \"P1M2D\".")
    })?;
    moment.checked_add(read).map_err(|reason| format!("`add` leads too far: {reason}.").into())
}

fn distance(from: &ZonedDateTime, to: &ZonedDateTime) -> Result<Distance, Error> {
    let to = to.with_time_zone(from.time_zone().clone());
    let span =
        from.until((Unit::Year, &to)).map_err(|reason| format!("The time until `until` is too long: {reason}."))?;
    let days = from.date().until((Unit::Day, to.date())).map_err(Error::new)?;
    Ok(Distance {
        duration: span.to_string(),
        text: format!("{span:#}"),
        calendar_days: days.get_days().into(),
        seconds: to.timestamp().as_second() - from.timestamp().as_second(),
    })
}

fn formatted(moment: &ZonedDateTime, format: &str) -> Result<String, Error> {
    strtime::format(format, moment).map_err(|reason| {
        format!("`format` cannot be used: {reason}. Use strftime's signs, such as \"%Y-%m-%d %H:%M\".").into()
    })
}

fn told(moment: &ZonedDateTime, formatted: Option<String>, until: Option<Distance>, notes: Vec<String>) -> Response {
    let offset = strtime::format("%:z", moment).unwrap_or_default();
    let week = moment.date().iso_week_date();
    let iso = format!("{}{offset}", moment.datetime());
    Response {
        iso,
        date: moment.date().to_string(),
        time: moment.time().to_string(),
        zone: moment.time_zone().iana_name().map_or_else(|| offset.clone(), str::to_owned),
        offset,
        utc: moment.timestamp().to_string(),
        unix_seconds: moment.timestamp().as_second(),
        weekday: format!("{:?}", moment.weekday()),
        iso_week: format!("{:04}-W{:02}", week.year(), week.week()),
        day_of_year: moment.day_of_year(),
        formatted,
        until,
        notes,
    }
}

/// The zone that is meant where none is said.
fn utc() -> TimeZone {
    TimeZone::UTC
}

#[cfg(test)]
mod tests;
