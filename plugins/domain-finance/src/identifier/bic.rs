//! BICs: four letters of an institution, a country, a place, and perhaps a branch. They have no check digits.

use super::countries::{is_country, name_of};
use super::problem::{Class, Problem};
use super::{part, Finding};

const FORM: [Class; 11] = {
    let [a, c] = [Class::Letter, Class::Any];
    [a, a, a, a, a, a, c, c, c, c, c]
};

/// Whether a text has the form of a BIC.
pub fn resembles(text: &str) -> bool {
    matches!(text.chars().count(), 8 | 11) && Class::misfits(FORM, text).is_empty()
}

/// Check a BIC.
pub fn check(text: &str) -> Finding {
    let mut finding = Finding::default();
    let length = text.chars().count();
    if !matches!(length, 8 | 11) {
        finding.problems.push(Problem::length("A BIC", "8 or 11", length));
    }
    finding.problems.extend(Class::misfits(FORM, text));
    let country = part(text, 4, 6);
    if finding.problems.is_empty() && !is_country(&country) {
        finding.problems.push(Problem::country(4, "a country of ISO 3166-1", country.clone()));
    }
    finding.part("country_name", name_of(&country).unwrap_or_default());
    for (name, value) in [("institution", part(text, 0, 4)), ("country", country), ("location", part(text, 6, 8))] {
        finding.part(name, value);
    }
    let branch = part(text, 8, 11);
    finding.part("branch", if branch.is_empty() { "XXX".to_owned() } else { branch });
    finding
}
