//! Likeness: how near two texts are letter by letter, and which of some texts have words near to those of a question.

use std::collections::BTreeMap;

use agentmem_plugin_sdk::{data, response};
use rapidfuzz::distance::{damerau_levenshtein, jaro_winkler, levenshtein};

/// How slips are counted.
#[data]
#[derive(Copy, Default, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Slips {
    /// A letter added, left out or replaced is one slip.
    Levenshtein,
    /// Two neighbours that changed places are one slip, too.
    #[default]
    DamerauLevenshtein,
}

impl Slips {
    /// How many slips lie between `a` and `b`.
    pub fn distance(self, a: &str, b: &str) -> usize {
        match self {
            Self::Levenshtein => levenshtein::distance(a.chars(), b.chars()),
            Self::DamerauLevenshtein => damerau_levenshtein::distance(a.chars(), b.chars()),
        }
    }

    /// 1 for the same text, less for each slip, 0 for one that has nothing in common.
    pub fn similarity(self, a: &str, b: &str) -> f64 {
        similarity_of(self.distance(a, b), a, b)
    }
}

/// 1 for no slips, 0 for as many as the longer text has characters.
pub fn similarity_of(distance: usize, a: &str, b: &str) -> f64 {
    let longer = a.chars().count().max(b.chars().count()).max(1);
    1.0 - distance as f64 / longer as f64
}

/// 0 to 1; a common beginning counts for more.
pub fn jaro_winkler(a: &str, b: &str) -> f64 {
    jaro_winkler::similarity(a.chars(), b.chars())
}

/// A word of the question and the nearest word of a text.
#[response]
pub struct Nearest {
    /// The word of the question.
    pub asked: String,
    /// The word of the text.
    pub found: String,
    /// How near, 0 to 1.
    pub similarity: f64,
}

/// For each of `texts` the nearest word to each word of `query`, left out where none reaches `least`.
pub fn nearest(query: &[String], texts: &[Vec<String>], slips: Slips, least: f64) -> Vec<Vec<Nearest>> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let numbered: Vec<Vec<usize>> = texts.iter().map(|text| numbers_of(text, &mut places)).collect();
    let mut words: Vec<(&str, usize)> = places.into_iter().collect();
    words.sort_by_key(|(_, number)| *number);
    let mut found: Vec<Vec<Nearest>> = vec![Vec::new(); texts.len()];
    for asked in query {
        let near: Vec<Option<f64>> = words.iter().map(|(word, _)| likeness(asked, word, slips, least)).collect();
        for (numbers, found) in numbered.iter().zip(&mut found) {
            let alike = numbers.iter().filter_map(|number| Some((near.get(*number).copied()??, *number)));
            let best = alike.reduce(|a, b| if b.0 > a.0 { b } else { a });
            found.extend(best.and_then(|(similarity, number)| {
                let (word, _) = words.get(number)?;
                Some(Nearest { asked: asked.clone(), found: (*word).to_owned(), similarity })
            }));
        }
    }
    found
}

/// The numbers of the words of `text`; a word that is new gets the next one.
fn numbers_of<'a>(text: &'a [String], places: &mut BTreeMap<&'a str, usize>) -> Vec<usize> {
    let mut numbers = Vec::with_capacity(text.len());
    for word in text {
        let next = places.len();
        numbers.push(*places.entry(word).or_insert(next));
    }
    numbers
}

fn likeness(a: &str, b: &str, slips: Slips, least: f64) -> Option<f64> {
    let (short, long) = (a.chars().count().min(b.chars().count()), a.chars().count().max(b.chars().count()));
    if (short as f64) < least * long as f64 {
        return None;
    }
    let most = ((1.0 - least) * long as f64 + 1e-9) as u32;
    if (letters_of(a) ^ letters_of(b)).count_ones() > 2 * most {
        return None;
    }
    // Counting neighbours that changed places is slow, and at most halves the slips that are counted fast.
    let plain = Slips::Levenshtein.distance(a, b);
    if similarity_of(plain.div_ceil(2), a, b) < least {
        return None;
    }
    let distance = if slips == Slips::Levenshtein || plain < 2 { plain } else { slips.distance(a, b) };
    Some(similarity_of(distance, a, b)).filter(|similarity| *similarity >= least)
}

/// Which letters a word has, as bits; a slip changes at most two of them.
fn letters_of(word: &str) -> u64 {
    word.chars().fold(0, |letters, letter| letters | 1 << (letter as u32 % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn slips_are_counted_by_characters() {
        assert_eq!(Slips::Levenshtein.distance("kitten", "sitting"), 3);
        assert_eq!(Slips::Levenshtein.distance("ca", "abc"), 3);
        assert_eq!(Slips::DamerauLevenshtein.distance("ca", "abc"), 2);
        assert_eq!(Slips::DamerauLevenshtein.distance("绿茶好", "绿好茶"), 1);
        assert_eq!(Slips::Levenshtein.similarity("", ""), 1.0);
        assert_eq!(Slips::Levenshtein.similarity("ab", "cd"), 0.0);
    }

    #[test]
    fn the_nearest_word_is_found_and_far_ones_are_not() {
        let texts = [split("green teapot tea"), split("bike"), vec![]];
        let found = nearest(&split("tee grean"), &texts, Slips::DamerauLevenshtein, 0.6);
        let words: Vec<Vec<&str>> =
            found.iter().map(|text| text.iter().map(|one| one.found.as_str()).collect()).collect();
        assert_eq!(words, [vec!["tea", "green"], vec![], vec![]]);
    }
}
