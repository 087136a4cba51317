//! Dates of payments: every so many months or days from the first.

use agentmem_plugin_sdk::Error;
use jiff::civil::Date;
use jiff::Span;

/// How many payments a year may have.
pub const PER_YEAR: [u16; 8] = [1, 2, 3, 4, 6, 12, 26, 52];

/// So many dates. A day that a month lacks becomes its last; the next month has it again.
///
/// # Errors
/// When the first is no date, or the last is after the year 9999.
pub fn of(first: &str, per_year: u16, count: usize) -> Result<Vec<String>, Error> {
    let date: Date = first
        .trim()
        .parse()
        .map_err(|_| format!("`first_payment_date` is \"{first}\", which is no date like \"2026-01-31\"."))?;
    let nth = |number: usize| {
        let span = match per_year {
            26 => Span::new().try_days(14 * number as i64),
            52 => Span::new().try_days(7 * number as i64),
            _ => Span::new().try_months(12 / i64::from(per_year) * number as i64),
        };
        let date = span.and_then(|span| date.checked_add(span));
        date.map(|date| date.to_string()).map_err(|_| Error::from("The last payment would be after the year 9999."))
    };
    (0..count).map(nth).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_months_end_stays_a_months_end() {
        let dates = of("2026-01-31", 12, 4).expect("dates");
        assert_eq!(dates, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]);
        assert_eq!(of("2028-02-29", 1, 2).expect("dates"), ["2028-02-29", "2029-02-28"]);
        assert_eq!(of("2026-12-25", 26, 2).expect("dates"), ["2026-12-25", "2027-01-08"]);
    }

    #[test]
    fn what_is_no_date_is_refused() {
        assert!(of("31.01.2026", 12, 1).unwrap_err().to_string().contains("no date like"));
        assert!(of("9999-12-01", 12, 2).unwrap_err().to_string().contains("9999"));
    }
}
