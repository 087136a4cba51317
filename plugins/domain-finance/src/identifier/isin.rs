//! ISINs: a country or an area, nine characters of a national number, and a check digit.

use super::check_digits::luhn;
use super::countries::is_country;
use super::problem::{Class, Problem};
use super::{part, Finding};

const LENGTH: usize = 12;
/// Prefixes that are no country's: the numbering agencies' own, the European Union's, and that of derivatives.
const AREAS: [&str; 13] = ["EU", "EZ", "QS", "QT", "XA", "XB", "XC", "XD", "XF", "XS", "XT", "XV", "ZZ"];

fn form() -> impl Iterator<Item = Class> {
    [Class::Letter; 2].into_iter().chain([Class::Any; 9]).chain([Class::Digit])
}

/// Whether a text has the form of an ISIN.
pub fn resembles(text: &str) -> bool {
    text.chars().count() == LENGTH && Class::misfits(form(), text).is_empty()
}

/// Check an ISIN.
pub fn check(text: &str) -> Finding {
    let mut finding = Finding::default();
    let length = text.chars().count();
    if length != LENGTH {
        finding.problems.push(Problem::length("An ISIN", "12", length));
    }
    finding.problems.extend(Class::misfits(form(), text));
    let (country, found) = (part(text, 0, 2), part(text, LENGTH - 1, LENGTH));
    if finding.problems.is_empty() {
        if !is_country(&country) && !AREAS.contains(&country.as_str()) {
            let expected = "a country of ISO 3166-1 or an area such as XS";
            finding.problems.push(Problem::country(0, expected, country.clone()));
        }
        let expected = luhn(&part(text, 0, LENGTH - 1)).to_string();
        if found != expected {
            finding.problems.push(Problem::check_digits(LENGTH - 1, expected, found.clone()));
        }
    }
    finding.part("country", country);
    finding.part("national_number", part(text, 2, LENGTH - 1));
    finding.part("check_digits", found);
    finding
}
