//! LEIs: eighteen characters and two check digits (ISO 7064 MOD 97-10).

use super::check_digits::{digits_97, remainder_97};
use super::problem::{Class, Problem};
use super::{part, Finding};

const LENGTH: usize = 20;

fn form() -> impl Iterator<Item = Class> {
    std::iter::repeat_n(Class::Any, LENGTH - 2).chain([Class::Digit; 2])
}

/// Whether a text has the form of a LEI.
pub fn resembles(text: &str) -> bool {
    text.chars().count() == LENGTH && Class::misfits(form(), text).is_empty()
}

/// Check a LEI.
pub fn check(text: &str) -> Finding {
    let mut finding = Finding::default();
    let length = text.chars().count();
    if length != LENGTH {
        finding.problems.push(Problem::length("A LEI", "20", length));
    }
    finding.problems.extend(Class::misfits(form(), text));
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
