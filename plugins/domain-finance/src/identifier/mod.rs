//! Identifiers: which kind of number it is, whether it is right, and every reason why not.
//!
//! All that is said follows from the characters alone: an account or a card with a right number need not exist.

mod bic;
mod card;
mod check_digits;
mod countries;
mod iban;
mod iban_countries;
mod isin;
mod lei;
mod problem;

use std::collections::BTreeMap;

use agentmem_plugin_sdk::prelude::*;

pub use problem::{Problem, Reason};

/// No identifier has more characters, written with all its blanks.
const MAX_LENGTH: usize = 100;

/// A kind of identifier.
#[data]
#[derive(Copy, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// International bank account number, ISO 13616
    Iban,
    /// Bank's code (SWIFT code), ISO 9362
    Bic,
    /// Security's number, ISO 6166
    Isin,
    /// Legal entity's number, ISO 17442
    Lei,
    /// Number of a payment card, ISO/IEC 7812
    Card,
}

/// What `validate_identifier` is called with.
#[request]
pub struct Request {
    /// The identifier as it was written; blanks and hyphens between its groups do not matter, for example
    /// "DE89 3704 0044 0532 0130 00"
    #[schemars(length(min = 1, max = 100))]
    pub value: String,
    /// What it should be. Leave it out to have it guessed from the form
    #[serde(default)]
    pub kind: Option<Kind>,
}

/// What `validate_identifier` answers.
#[response]
pub struct Response {
    /// Whether everything that can be checked without a directory is right
    pub valid: bool,
    /// The kind asked for, or the guessed one
    pub kind: Kind,
    /// Whether the kind was guessed
    pub guessed: bool,
    /// Without blanks and hyphens, in capitals
    pub normalized: String,
    /// As people write it, in groups
    pub formatted: String,
    /// Its parts by name: `country`, `check_digits`, `network` and others, as far as they could be read
    pub parts: BTreeMap<String, String>,
    /// Everything that is wrong; empty for a valid one
    pub problems: Vec<Problem>,
}

/// What a check of one kind finds.
#[derive(Default)]
struct Finding {
    parts: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Finding {
    fn part(&mut self, name: &str, value: impl Into<String>) {
        self.parts.insert(name.to_owned(), value.into());
    }
}

/// Check an identifier.
///
/// # Errors
/// When there is nothing to check, when it is far too long, and when the kind can be neither read nor guessed.
pub fn validate(request: &Request) -> Result<Response, Error> {
    if request.value.chars().count() > MAX_LENGTH {
        return Err(format!("`value` has more than {MAX_LENGTH} characters, and no identifier has.").into());
    }
    let normalized = normalize(&request.value);
    if normalized.is_empty() {
        return Err("`value` has no letter and no digit.".into());
    }
    let kind = request.kind.or_else(|| guess(&normalized)).ok_or(
        "`value` has the form of no IBAN, BIC, ISIN, LEI or card number. Say which it should be in `kind` to get the \
         reasons.",
    )?;
    let finding = kind.check(&normalized);
    Ok(Response {
        valid: finding.problems.is_empty(),
        kind,
        guessed: request.kind.is_none(),
        formatted: kind.format(&normalized),
        normalized,
        parts: finding.parts,
        problems: finding.problems,
    })
}

/// The text without blanks, hyphens and what cannot be seen, in capitals.
fn normalize(value: &str) -> String {
    let skipped =
        |c: char| c.is_whitespace() || c.is_control() || "-\u{2010}\u{2011}\u{2013}\u{200b}\u{feff}".contains(c);
    let bare: String = value.chars().filter(|c| !skipped(*c)).map(|c| c.to_ascii_uppercase()).collect();
    bare.strip_prefix("IBAN")
        .filter(|rest| rest.len() >= 15)
        .map(|rest| rest.trim_start_matches(':').to_owned())
        .unwrap_or(bare)
}

/// The kind that the text is right as, else the first that it looks like.
fn guess(text: &str) -> Option<Kind> {
    let likely: Vec<Kind> = [Kind::Iban, Kind::Isin, Kind::Lei, Kind::Bic, Kind::Card]
        .into_iter()
        .filter(|kind| kind.resembles(text))
        .collect();
    let right = likely.iter().find(|kind| kind.check(text).problems.is_empty());
    right.or(likely.first()).copied()
}

impl Kind {
    fn check(self, text: &str) -> Finding {
        match self {
            Kind::Iban => iban::check(text),
            Kind::Bic => bic::check(text),
            Kind::Isin => isin::check(text),
            Kind::Lei => lei::check(text),
            Kind::Card => card::check(text),
        }
    }

    fn resembles(self, text: &str) -> bool {
        match self {
            Kind::Iban => iban::resembles(text),
            Kind::Bic => bic::resembles(text),
            Kind::Isin => isin::FORM.fits(text),
            Kind::Lei => lei::FORM.fits(text),
            Kind::Card => card::resembles(text),
        }
    }

    fn format(self, text: &str) -> String {
        match self {
            Kind::Card => card::format(text),
            Kind::Iban | Kind::Lei => grouped(text, &[4]),
            Kind::Isin => grouped(text, &[2, 9, 1]),
            Kind::Bic => text.to_owned(),
        }
    }
}

/// A text in groups of these sizes; the last size goes on to the end.
fn grouped(text: &str, sizes: &[usize]) -> String {
    let mut sizes = sizes.iter();
    let mut size = sizes.next().copied().unwrap_or(4);
    let mut left = size;
    let mut formatted = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if left == 0 {
            formatted.push(' ');
            size = sizes.next().copied().unwrap_or(size);
            left = size;
        }
        formatted.push(c);
        left -= 1;
    }
    formatted
}

/// The characters from `from` up to `to`, counted from 0; fewer where there are no more.
fn part(text: &str, from: usize, to: usize) -> String {
    text.chars().skip(from).take(to.saturating_sub(from)).collect()
}

#[cfg(test)]
mod tests;
