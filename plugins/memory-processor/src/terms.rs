//! Terms: the different words of a text, each with what is known of it and how often it occurs.

use crate::lexicon::{Class, Role};
use crate::script::Script;

/// A word of the vocabulary, plural and singular as one.
#[derive(Debug)]
pub struct Term {
    /// How much it tells.
    pub class: Class,
    /// How it is written: only Chinese characters join without a space.
    pub script: Script,
    /// How often it occurs.
    pub count: u32,
    /// How often it is written like a name.
    pub names: u32,
    /// How often it is in lower case; what is neither opens a sentence.
    pub lower: u32,
    /// Whether it looks like a participle.
    pub is_participle: bool,
    /// How many characters it has.
    pub length: usize,
    /// What it says about the words beside it.
    pub role: Role,
}

impl Term {
    /// Whether the text mostly writes it like a name.
    pub fn is_name(&self) -> bool {
        self.names > self.lower
    }

    /// Count an occurrence.
    #[inline]
    pub fn see(&mut self, is_name: bool, is_capital: bool) {
        self.count += 1;
        self.names += u32::from(is_name);
        self.lower += u32::from(!is_capital);
    }

    /// A form as it is where it is a name, or only ever opens sentences and is no plural; else in lower case.
    pub fn cased(&self, form: &str) -> String {
        let opener = self.lower == 0 && self.class == Class::Content && !form.ends_with('s');
        if self.is_name() || opener {
            form.to_owned()
        } else {
            form.to_lowercase()
        }
    }
}
