//! ISINs: a country or an area, nine characters of a national number, and a check digit.

use super::check_digits::luhn;
use super::countries::is_country;
use super::problem::{Class, Form, Problem};
use super::{part, Finding};

const LENGTH: usize = 12;
/// Prefixes that are no country's: the numbering agencies' own, the European Union's, and that of derivatives.
const AREAS: [&str; 13] = ["EU", "EZ", "QS", "QT", "XA", "XB", "XC", "XD", "XF", "XS", "XT", "XV", "ZZ"];

/// The form of an ISIN.
pub const FORM: Form = Form {
    name: "An ISIN",
    classes: &{
        let mut classes = [Class::Any; LENGTH];
        (classes[0], classes[1], classes[LENGTH - 1]) = (Class::Letter, Class::Letter, Class::Digit);
        classes
    },
};

/// Check an ISIN.
pub fn check(text: &str) -> Finding {
    let mut finding = Finding { problems: FORM.problems(text), ..Finding::default() };
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
