use super::*;

fn told(request: Value) -> Response {
    date_time(&serde_json::from_value(request).expect("a request")).expect("an answer")
}

fn refused(request: Value) -> String {
    date_time(&serde_json::from_value(request).expect("a request")).unwrap_err().to_string()
}

#[test]
fn a_moment_moves_between_zones() {
    let answer = told(json!({"value": "2026-07-01T12:00", "zone": "Europe/Vienna", "to_zone": "America/New_York"}));
    assert_eq!(answer.iso, "2026-07-01T06:00:00-04:00");
    assert_eq!((answer.zone.as_str(), answer.utc.as_str()), ("America/New_York", "2026-07-01T10:00:00Z"));
    assert_eq!((answer.weekday.as_str(), answer.iso_week.as_str(), answer.day_of_year), ("Wednesday", "2026-W27", 182));
}

#[test]
fn every_form_is_read_as_the_same_moment() {
    for value in [
        "2026-03-29T01:30:00Z",
        "2026-03-29T03:30+02:00",
        "2026-03-29T03:30:00+02:00[Europe/Vienna]",
        "Sun, 29 Mar 2026 03:30:00 +0200",
        "1774747800",
        "@1774747800.0",
        "2026-03-29 01:30",
    ] {
        assert_eq!(told(json!({"value": value})).unix_seconds, 1_774_747_800, "{value}");
    }
    let written = json!({"value": "29.3.2026 01:30", "input_format": "%d.%m.%Y %H:%M"});
    assert_eq!(told(written).unix_seconds, 1_774_747_800);
    assert_eq!(told(json!({"value": "29 March 2026", "input_format": "%d %B %Y"})).date, "2026-03-29");
}

#[test]
fn spans_are_added_as_the_calendar_has_them() {
    for (value, add, date) in [
        ("2026-01-31", "1 month", "2026-02-28"),
        ("2028-02-29", "P1Y", "2029-02-28"),
        ("2026-03-01", "-1 day", "2026-02-28"),
        ("2026-01-01", "1 year 2 months 3 days", "2027-03-04"),
    ] {
        assert_eq!(told(json!({"value": value, "add": add})).date, date, "{value} {add}");
    }
    let over = told(json!({"value": "2026-03-28T12:00", "zone": "Europe/Vienna", "add": "1 day"}));
    assert_eq!((over.time.as_str(), over.offset.as_str()), ("12:00:00", "+02:00"));
}

#[test]
fn time_is_counted_until_another_moment() {
    let until = told(json!({"value": "2026-01-31", "until": "2027-03-01"})).until.expect("a distance");
    assert_eq!((until.duration.as_str(), until.calendar_days, until.seconds), ("P1Y1M1D", 394, 394 * 86_400));
    let before = told(json!({"value": "2026-01-02", "until": "2026-01-01"})).until.expect("a distance");
    assert_eq!((before.calendar_days, before.duration.as_str()), (-1, "-P1D"));
}

#[test]
fn hours_that_are_missing_or_double_are_told() {
    let gap = told(json!({"value": "2026-03-29T02:30", "zone": "Europe/Vienna"}));
    assert_eq!(gap.iso, "2026-03-29T03:30:00+02:00");
    assert!(gap.notes[0].contains("does not exist"));
    let fold = told(json!({"value": "2026-10-25T02:30", "zone": "Europe/Vienna"}));
    assert!(fold.offset == "+02:00" && fold.notes[0].contains("twice"));
    assert!(told(json!({"value": "2026-10-25"})).notes[0].contains("taken as UTC"));
}

#[test]
fn formats_are_those_of_strftime() {
    let answer = told(json!({"value": "2026-11-23", "format": "%A, %-d %B %Y"}));
    assert_eq!(answer.formatted.as_deref(), Some("Monday, 23 November 2026"));
}

#[test]
fn what_cannot_be_read_is_refused() {
    assert!(refused(json!({"value": "now"})).contains("no clock here"));
    assert!(refused(json!({"value": "soon"})).contains("no date or time"));
    assert!(refused(json!({"value": "2026-02-30"})).contains("no date or time"));
    assert!(refused(json!({"value": "2026-01-01", "zone": "Mars/Base"})).contains("no time zone"));
    assert!(refused(json!({"value": "2026-01-01", "add": "soon"})).contains("no span"));
    assert!(refused(json!({"value": "2026-01-01", "add": "19000 years"})).contains("too far"));
    assert!(refused(json!({"value": "2026-01-01", "format": "%Q%"})).contains("`format` cannot be used"));
    assert!(refused(json!({"value": "x", "input_format": "%Y"})).contains("not in the form"));
    assert!(refused(json!({"value": "2026-01-01", "zone": "+99:99"})).contains("no offset"));
}
