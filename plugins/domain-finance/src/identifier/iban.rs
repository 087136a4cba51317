//! IBANs: country, check digits, and an account number whose form the country fixes.

use super::check_digits::{digits_97, remainder_97};
use super::countries::name_of;
use super::iban_countries::structure_of;
use super::problem::{Class, Problem};
use super::{part, Finding};

/// Whether a text begins as an IBAN does.
pub fn resembles(text: &str) -> bool {
    let form = Class::misfits([Class::Letter, Class::Letter, Class::Digit, Class::Digit], text);
    let length = text.chars().count();
    form.is_empty() && (structure_of(&part(text, 0, 2)).is_some() || (15..=34).contains(&length)) && length >= 5
}

/// Check an IBAN.
pub fn check(text: &str) -> Finding {
    let mut finding = Finding::default();
    let country = part(text, 0, 2);
    let Some(structure) = structure_of(&country) else {
        finding.problems.push(Problem::country(0, "a country that has IBANs (SWIFT's register)", country));
        return finding;
    };
    finding.part("country_name", name_of(&country).unwrap_or_default());
    finding.part("country", country);
    finding.part("check_digits", part(text, 2, 4));
    finding.part("account", part(text, 4, text.len()));
    let length = text.chars().count();
    let expected = 4 + structure.iter().map(|(count, _)| count).sum::<usize>();
    if length != expected {
        let whose = format!("An IBAN of {}", part(text, 0, 2));
        finding.problems.push(Problem::length(&whose, &expected.to_string(), length));
    }
    finding.problems.extend(Class::misfits(classes(&structure), text));
    if finding.problems.is_empty() {
        finding.problems.extend(wrong_check_digits(text));
    }
    finding
}

fn classes(structure: &[(usize, Class)]) -> impl Iterator<Item = Class> + '_ {
    let head = [Class::Letter, Class::Letter, Class::Digit, Class::Digit];
    head.into_iter().chain(structure.iter().flat_map(|(count, class)| std::iter::repeat_n(*class, *count)))
}

fn wrong_check_digits(text: &str) -> Option<Problem> {
    let found = part(text, 2, 4);
    let account = || text.chars().skip(4).chain(text.chars().take(2));
    let expected = digits_97(account().chain("00".chars()));
    let right = remainder_97(account().chain(found.chars())) == 1 && found == expected;
    (!right).then(|| Problem::check_digits(2, expected, found))
}
