//! Problems: why an identifier is wrong, for a program (`reason`) and for a reader (`message`).

use agentmem_plugin_sdk::prelude::*;

/// What is wrong, in one word.
#[data]
#[derive(Copy, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Too short or too long
    Length,
    /// A character that cannot stand at its place
    Character,
    /// A country that does not exist or has no such numbers
    Country,
    /// The check digits do not fit the rest, mostly a typing error
    CheckDigits,
}

/// One thing that is wrong.
#[response]
pub struct Problem {
    /// What is wrong, in one word
    pub reason: Reason,
    /// The same as a sentence
    pub message: String,
    /// Where it begins in `normalized`, counted from 1; null for what has no place
    pub position: Option<usize>,
    /// What should be there
    pub expected: String,
    /// What is there
    pub found: String,
}

impl Problem {
    /// A length other than those that are allowed.
    pub fn length(of: &str, expected: &str, found: usize) -> Self {
        Problem {
            reason: Reason::Length,
            message: format!("{of} has {expected} characters, and this has {found}."),
            position: None,
            expected: expected.to_owned(),
            found: found.to_string(),
        }
    }

    /// A character, at `index` counted from 0, that is not of the expected class.
    pub fn character(index: usize, expected: Class, found: char) -> Self {
        let position = index + 1;
        Problem {
            reason: Reason::Character,
            message: format!("Character {position} is '{found}', and {} is expected there.", expected.name()),
            position: Some(position),
            expected: expected.name().to_owned(),
            found: found.to_string(),
        }
    }

    /// A country code at `index`, counted from 0, that is not one of the expected.
    pub fn country(index: usize, expected: &str, found: String) -> Self {
        Problem {
            reason: Reason::Country,
            message: format!("'{found}' is not {expected}."),
            position: Some(index + 1),
            expected: expected.to_owned(),
            found,
        }
    }

    /// Check digits, at `index` counted from 0, that do not fit the rest.
    pub fn check_digits(index: usize, expected: String, found: String) -> Self {
        Problem {
            reason: Reason::CheckDigits,
            message: format!("The check digits are {found}, and the other characters ask for {expected}."),
            position: Some(index + 1),
            expected,
            found,
        }
    }
}

/// What may stand at a place.
#[derive(Clone, Copy)]
pub enum Class {
    /// A to Z
    Letter,
    /// 0 to 9
    Digit,
    /// A to Z or 0 to 9
    Any,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Class::Letter => "a letter A-Z",
            Class::Digit => "a digit",
            Class::Any => "a letter A-Z or a digit",
        }
    }

    fn takes(self, c: char) -> bool {
        match self {
            Class::Letter => c.is_ascii_uppercase(),
            Class::Digit => c.is_ascii_digit(),
            Class::Any => c.is_ascii_uppercase() || c.is_ascii_digit(),
        }
    }

    /// The characters of `text` that their classes do not take; `classes` ends where the text should.
    pub fn misfits(classes: impl IntoIterator<Item = Class>, text: &str) -> Vec<Problem> {
        let places = classes.into_iter().zip(text.chars()).enumerate();
        let wrong = places.filter(|(_, (class, c))| !class.takes(*c));
        wrong.map(|(index, (class, c))| Problem::character(index, class, c)).collect()
    }
}

/// The form of the identifiers of a kind that all have one length.
pub struct Form {
    /// What one of them is called, at the beginning of a sentence.
    pub name: &'static str,
    /// What may stand at each place.
    pub classes: &'static [Class],
}

impl Form {
    /// Whether a text has this form.
    pub fn fits(&self, text: &str) -> bool {
        self.problems(text).is_empty()
    }

    /// Where a text has another form.
    pub fn problems(&self, text: &str) -> Vec<Problem> {
        let (length, expected) = (text.chars().count(), self.classes.len());
        let mut problems = Vec::new();
        if length != expected {
            problems.push(Problem::length(self.name, &expected.to_string(), length));
        }
        problems.extend(Class::misfits(self.classes.iter().copied(), text));
        problems
    }
}
