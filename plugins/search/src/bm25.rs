//! BM25: how much the words of a question tell about each of some texts.
//!
//! For each term of the question: `ln(1 + (N - n + 0.5) / (n + 0.5)) * f * (k1 + 1) / (f + k1 * (1 - b + b * l / m))`,
//! where `N` is the number of texts, `n` how many of them have the term, `f` how often this one has it, `l` its length
//! in terms and `m` the mean length. It is the variant of Lucene, with the factor `k1 + 1` of the original.

use std::collections::BTreeMap;

/// The knobs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// How much a term that is repeated adds, 0 to 10; 0 counts it once.
    pub k1: f64,
    /// How much a long text is held back, 0 (not at all) to 1.
    pub b: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { k1: 1.2, b: 0.75 }
    }
}

/// The score of each of `texts` for the terms of `query`, 0 where they share none. A term that the question repeats
/// counts once.
pub fn scores<K: Ord>(query: &[K], texts: &[Vec<K>], parameters: Parameters) -> Vec<f64> {
    let places: BTreeMap<&K, usize> = query.iter().zip(0..).collect();
    let counts: Vec<BTreeMap<usize, u32>> = texts.iter().map(|text| counted(text, &places)).collect();
    let mut spread: BTreeMap<usize, u32> = BTreeMap::new();
    for place in counts.iter().flat_map(BTreeMap::keys) {
        *spread.entry(*place).or_default() += 1;
    }
    let total: usize = texts.iter().map(Vec::len).sum();
    let mean = (total as f64 / texts.len().max(1) as f64).max(1.0);
    let rarity = |place: &usize| {
        let with = f64::from(spread.get(place).copied().unwrap_or(1));
        ((texts.len() as f64 - with + 0.5) / (with + 0.5)).ln_1p()
    };
    let Parameters { k1, b } = parameters;
    let score = |(text, own): (&Vec<K>, &BTreeMap<usize, u32>)| {
        let norm = k1 * (1.0 - b + b * text.len() as f64 / mean);
        own.iter().map(|(place, count)| rarity(place) * saturated(f64::from(*count), k1, norm)).sum()
    };
    texts.iter().zip(&counts).map(score).collect()
}

/// A BM25 score as a number from 0 to 1 that can be compared between questions; 4 is half way.
pub fn absolute(score: f64) -> f64 {
    score / (score + HALF_WAY)
}

/// The score that [`absolute`] made `share` of.
pub fn relative(share: f64) -> f64 {
    let share = share.clamp(0.0, MOST_SHARE);
    HALF_WAY * share / (1.0 - share)
}

const HALF_WAY: f64 = 4.0;
/// A score of about 4000, more than any text has.
const MOST_SHARE: f64 = 0.999;

fn saturated(count: f64, k1: f64, norm: f64) -> f64 {
    count * (k1 + 1.0) / (count + norm)
}

fn counted<K: Ord>(text: &[K], places: &BTreeMap<&K, usize>) -> BTreeMap<usize, u32> {
    let mut counts = BTreeMap::new();
    for place in text.iter().filter_map(|term| places.get(term)) {
        *counts.entry(*place).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn scored(query: &str, texts: &[&str], parameters: Parameters) -> Vec<f64> {
        scores(&split(query), &texts.iter().map(|text| split(text)).collect::<Vec<_>>(), parameters)
    }

    #[test]
    fn the_formula_is_that_of_the_page() {
        let found = scored("green tea", &["green tea tea", "black tea", "a bike"], Parameters::default());
        let rarity = |n: f64| (1.0 + (3.0 - n + 0.5) / (n + 0.5)).ln();
        let mean = 7.0 / 3.0;
        let part = |f: f64, l: f64| f * 2.2 / (f + 1.2 * (0.25 + 0.75 * l / mean));
        assert!((found[0] - (rarity(1.0) * part(1.0, 3.0) + rarity(2.0) * part(2.0, 3.0))).abs() < 1e-12);
        assert!((found[1] - rarity(2.0) * part(1.0, 2.0)).abs() < 1e-12);
        assert_eq!(found[2], 0.0);
    }

    #[test]
    fn the_knobs_turn() {
        let texts = ["tea", "tea tea tea x y z"];
        let flat = scored("tea", &texts, Parameters { k1: 0.0, b: 0.0 });
        assert_eq!(flat[0], flat[1]);
        let by_count = scored("tea", &texts, Parameters { k1: 2.0, b: 0.0 });
        assert!(by_count[1] > by_count[0]);
        let by_length = scored("tea", &["tea", "tea x y z"], Parameters { k1: 1.2, b: 1.0 });
        assert!(by_length[0] > by_length[1]);
    }

    #[test]
    fn nothing_in_gives_nothing_out() {
        assert!(scored("tea", &[], Parameters::default()).is_empty());
        assert_eq!(scored("", &["tea", ""], Parameters::default()), [0.0, 0.0]);
        assert_eq!(scored("tea tea", &["tea"], Parameters::default()), scored("tea", &["tea"], Parameters::default()));
    }

    #[test]
    fn shares_can_be_undone() {
        for score in [0.0, 0.5, 4.0, 30.0] {
            assert!((relative(absolute(score)) - score).abs() < 1e-9);
        }
        assert!(relative(1.0).is_finite() && relative(f64::MAX).is_finite());
    }
}
