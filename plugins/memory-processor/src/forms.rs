//! Forms: the spellings of words that a text has, each looked at once however often it occurs.

use std::borrow::Cow;

use crate::hashing::{hash, packed};
use crate::index::Index;

/// What a spelling says by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    /// Whether it begins with a capital.
    pub is_capital: bool,
    /// Whether it has capitals inside.
    pub has_capitals: bool,
    /// Whether it is what a number before it counts in.
    pub is_unit: bool,
    /// Whether, in this language, it begins no phrase in lower case.
    pub is_verb: bool,
}

/// A spelling.
#[derive(Debug)]
pub struct Form<'a> {
    /// As written.
    pub text: Cow<'a, str>,
    /// The term it is a form of.
    pub term: u32,
    /// How often it occurs; a form that is only what others are counted under occurs never.
    pub count: u32,
    /// How many forms occurred before it.
    pub rank: u32,
    /// What it says by itself.
    pub shape: Shape,
    packed: u64,
}

/// All spellings of a text.
#[derive(Default)]
pub struct Forms<'a> {
    list: Vec<Form<'a>>,
    index: Index,
    seen: u32,
}

impl<'a> Forms<'a> {
    /// No forms yet; there is room for those of a text of `bytes`.
    pub fn for_text_of(bytes: usize) -> Self {
        // English of 10 kB has a form for every 14 bytes, longer texts have fewer
        let about = (bytes / 12).min(8192);
        Self { list: Vec::with_capacity(about), index: Index::for_about(about), seen: 0 }
    }

    /// Where a spelling is, or else its hash.
    #[inline]
    pub fn find(&self, text: &str) -> Result<u32, u32> {
        let hash = hash(text.as_bytes());
        let packed = packed(text.as_bytes());
        let is = |place: u32| {
            let form = &self.list[place as usize];
            form.packed == packed && form.text.len() == text.len() && (text.len() <= 8 || form.text == text)
        };
        self.index.find(hash, is).ok_or(hash)
    }

    /// Add a spelling that [`Forms::find`] gave this hash.
    pub fn add(&mut self, hash: u32, text: Cow<'a, str>, term: u32, shape: Shape) -> u32 {
        let place = self.list.len() as u32;
        self.index.insert(hash, place);
        let packed = packed(text.as_bytes());
        self.list.push(Form { text, term, count: 0, rank: 0, shape, packed });
        place
    }

    /// Count an occurrence.
    #[inline]
    pub fn count(&mut self, place: u32) -> &Form<'a> {
        let form = &mut self.list[place as usize];
        if form.count == 0 {
            form.rank = self.seen;
            self.seen += 1;
        }
        form.count += 1;
        form
    }

    /// The form at a place.
    pub fn get(&self, place: u32) -> &Form<'a> {
        &self.list[place as usize]
    }

    /// The most frequent form of a term, the one that occurred first where two are level.
    pub fn usual(&self, term: u32) -> Option<&Form<'a>> {
        let own = self.list.iter().filter(|form| form.term == term && form.count > 0);
        own.max_by_key(|form| (form.count, std::cmp::Reverse(form.rank)))
    }
}
