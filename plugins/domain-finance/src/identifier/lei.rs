//! LEIs: eighteen characters and two check digits (ISO 7064 MOD 97-10).

use super::check_digits::{digits_97, remainder_97};
use super::problem::{Class, Form, Problem};
use super::{part, Finding};

const LENGTH: usize = 20;

/// The form of a LEI.
pub const FORM: Form = Form {
    name: "A LEI",
    classes: &{
        let mut classes = [Class::Any; LENGTH];
        (classes[LENGTH - 2], classes[LENGTH - 1]) = (Class::Digit, Class::Digit);
        classes
    },
};

/// Check a LEI.
pub fn check(text: &str) -> Finding {
    let mut finding = Finding { problems: FORM.problems(text), ..Finding::default() };
    let found = part(text, LENGTH - 2, LENGTH);
    if finding.problems.is_empty() {
        let expected = digits_97(text.chars().take(LENGTH - 2).chain("00".chars()));
        if remainder_97(text.chars()) != 1 || found != expected {
            finding.problems.push(Problem::check_digits(LENGTH - 2, expected, found.clone()));
        }
    }
    finding.part("issuer", part(text, 0, 4));
    finding.part("entity", part(text, 4, LENGTH - 2));
    finding.part("check_digits", found);
    finding
}
