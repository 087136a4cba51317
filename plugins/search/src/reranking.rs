//! Reranking: a better order for what a search found, from what the search does not look at.
//!
//! A search by words counts whole words wherever they are. Here two more things count, each by BM25 over the results
//! alone: pieces of words, so that `parser` meets `parsing` and a misspelt memory its word, and neighbours of the question
//! that are neighbours in the text. How much each counts was chosen on one half of a question set; `benchmarks/` prints
//! what it brings on the other half.

use std::collections::BTreeSet;

use crate::bm25::{absolute, relative, scores, Parameters};
use crate::fusion::stretched;
use crate::tokens::{Token, Tokens};

/// What a piece of a word adds beside a whole one.
const SPELLING: f64 = 0.25;
/// What a pair of neighbours adds beside a word.
const PHRASES: f64 = 0.3;
/// What both count beside a score of an unknown scale.
const BESIDE: f64 = 0.4;
/// Letters of a piece, the marks of a word's beginning and end included.
const PIECE: usize = 4;
/// Words of a question that are looked at.
const MOST_WORDS: usize = 64;

/// What the scores of a search mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// BM25 made a number from 0 to 1 as [`absolute`] makes it: the memory engine's scores by words.
    Words,
    /// A higher one is better, and that is all.
    Unknown,
}

/// A result in its new place.
#[derive(Debug, PartialEq)]
pub struct Judged {
    /// Its place before.
    pub index: usize,
    /// 0 to 1.
    pub score: f64,
    /// What the pieces of its words add, from 0.
    pub spelling: f64,
    /// The neighbours of the question that it has.
    pub phrases: Vec<String>,
}

/// Put `found`, texts with their scores, into a better order for `query`. Equal scores keep theirs, and so does all where
/// the question has no words.
pub fn rerank(query: &str, found: &[(&str, f64)], scale: Scale) -> Vec<Judged> {
    let tokens = Tokens::default();
    let asked: Vec<Token> = tokens.of(query).into_iter().take(MOST_WORDS).collect();
    let texts: Vec<Vec<Token>> = found.iter().map(|(text, _)| tokens.of(text)).collect();
    let spelling = by(&asked, &texts, pieces_of);
    let phrases = by(&asked, &texts, pairs_of);
    let added: Vec<f64> = spelling.iter().zip(&phrases).map(|(a, b)| SPELLING * a + PHRASES * b).collect();
    let before: Vec<f64> = found.iter().map(|(_, score)| *score).collect();
    let scored = if added.iter().all(|score| *score == 0.0) { before } else { joined(&before, &added, scale) };
    let wanted = pairs_of(&asked);
    let mut judged: Vec<Judged> = scored
        .into_iter()
        .zip(spelling)
        .zip(&texts)
        .enumerate()
        .map(|(index, ((score, spelling), text))| Judged { index, score, spelling, phrases: shared(&wanted, text) })
        .collect();
    judged.sort_by(|a, b| b.score.total_cmp(&a.score));
    judged
}

/// The scores that [`rerank`] begins with where a search gave none: those by words.
pub fn by_words(query: &str, texts: &[&str]) -> Vec<f64> {
    let tokens = Tokens::default();
    let terms: Vec<Vec<String>> = texts.iter().map(|text| tokens.terms(text)).collect();
    scores(&tokens.terms(query), &terms, Parameters::default()).into_iter().map(absolute).collect()
}

fn joined(before: &[f64], added: &[f64], scale: Scale) -> Vec<f64> {
    match scale {
        Scale::Words => before.iter().zip(added).map(|(score, more)| absolute(relative(*score) + more)).collect(),
        Scale::Unknown => {
            let [before, added] =
                [before, added].map(|list| stretched(&list.iter().copied().map(Some).collect::<Vec<_>>()));
            let share = |score: &Option<f64>| score.unwrap_or(0.0);
            before.iter().zip(&added).map(|(a, b)| (share(a) + BESIDE * share(b)) / (1.0 + BESIDE)).collect()
        }
    }
}

/// BM25 over the features that `features` finds in tokens.
fn by<'a, K: Ord>(asked: &'a [Token], texts: &'a [Vec<Token>], features: fn(&'a [Token]) -> Vec<K>) -> Vec<f64> {
    let texts: Vec<Vec<K>> = texts.iter().map(|text| features(text)).collect();
    scores(&features(asked), &texts, Parameters::default())
}

/// Every piece of every word, its beginning and end marked; a shorter word is one piece.
fn pieces_of(tokens: &[Token]) -> Vec<[char; PIECE]> {
    let mut found = Vec::new();
    for token in tokens {
        let mut piece = ['^'; PIECE];
        let mut letters = 1;
        for letter in token.word.chars().chain(std::iter::once('$')) {
            piece.rotate_left(1);
            piece[PIECE - 1] = letter;
            letters += 1;
            if letters >= PIECE {
                found.push(piece);
            }
        }
        if letters < PIECE {
            found.push(piece);
        }
    }
    found
}

type Pair<'a> = (&'a str, &'a str);

/// Neighbours, words that say nothing left out.
fn pairs_of(tokens: &[Token]) -> Vec<Pair<'_>> {
    tokens.iter().zip(tokens.iter().skip(1)).map(|(a, b)| (a.term.as_str(), b.term.as_str())).collect()
}

/// The different ones of `wanted` that `text` has, in their order.
fn shared(wanted: &[Pair], text: &[Token]) -> Vec<String> {
    let mut has: BTreeSet<Pair> = pairs_of(text).into_iter().collect();
    wanted.iter().filter(|pair| has.remove(*pair)).map(|(a, b)| format!("{a} {b}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(query: &str, found: &[(&str, f64)], scale: Scale) -> Vec<usize> {
        rerank(query, found, scale).into_iter().map(|one| one.index).collect()
    }

    #[test]
    fn neighbours_of_the_question_go_first() {
        let found = [("The green bike, the door, a cup of tea", 0.5), ("Ann drinks Green Teas at her desk", 0.5)];
        for scale in [Scale::Words, Scale::Unknown] {
            assert_eq!(order("green tea", &found, scale), [1, 0], "{scale:?}");
        }
        assert_eq!(rerank("green tea", &found, Scale::Words)[0].phrases, ["green tea"]);
    }

    #[test]
    fn words_that_are_nearly_those_of_the_question_count() {
        let found = [("the bike of the host", 0.3), ("the configuratoin of the host", 0.3)];
        assert_eq!(order("host configuration", &found, Scale::Words), [1, 0]);
    }

    #[test]
    fn nothing_to_go_by_leaves_order_and_scores() {
        let found = [("a", 0.4), ("more tea", 0.4), ("", 0.1)];
        for query in ["", "the of", "?!", "bicycle"] {
            for scale in [Scale::Words, Scale::Unknown] {
                let judged = rerank(query, &found, scale);
                let kept: Vec<(usize, f64)> = judged.iter().map(|one| (one.index, one.score)).collect();
                assert_eq!(kept, [(0, 0.4), (1, 0.4), (2, 0.1)], "{query}");
            }
        }
        assert!(rerank("tea", &[], Scale::Unknown).is_empty());
    }

    #[test]
    fn scores_stay_between_0_and_1() {
        for score in [0.0, 0.5, 1.0] {
            for scale in [Scale::Words, Scale::Unknown] {
                let judged = rerank("green tea", &[("green tea", score), ("tea", score)], scale);
                assert!(judged.iter().all(|one| (0.0..=1.0).contains(&one.score)), "{judged:?}");
            }
        }
    }

    #[test]
    fn words_give_the_scores_that_are_missing() {
        let scores = by_words("tea", &["tea", "bike"]);
        assert!(scores[0] > 0.0 && scores[0] < 1.0 && scores[1] == 0.0);
    }
}
