//! Summaries: the sentences of a text that say most of it, as they are written.
//!
//! A sentence scores by the words it shares with the rest of the text, by its place and by its shape
//! (headings, tables, fragments and very long sentences say little). Of the best sixty-four, those are
//! taken that add most to the ones taken before: the only step that is not linear, and hence the cap.

use agentmem_plugin_sdk::response;

use crate::lexicon::Class;
use crate::script::is_unspaced;
use crate::sentences::{self, Sentence};
use crate::terms::Term;
use crate::vocabulary::{Token, Vocabulary};

/// How many of the best sentences are compared with each other.
const COMPARED: usize = 64;
/// How much of its score a sentence loses that repeats one already taken.
const REPETITION: f64 = 0.7;

/// A sentence of a summary.
#[response]
#[schemars(deny_unknown_fields)]
pub struct Chosen {
    /// Its place among the sentences of the text, from 0
    pub index: usize,
    /// The sentence on one line
    pub text: String,
    /// How much it says beside the best one, which has 1
    #[schemars(range(min = 0, max = 1))]
    pub score: f64,
}

/// A summary of a text.
#[response]
#[schemars(deny_unknown_fields)]
pub struct Summary {
    /// The chosen sentences as one text; empty for a text without words
    pub summary: String,
    /// The chosen sentences in the order of the text
    #[schemars(length(max = 100))]
    pub sentences: Vec<Chosen>,
}

/// A sentence that may be chosen.
struct Candidate<'a> {
    index: usize,
    sentence: Sentence<'a>,
    terms: Vec<u32>,
    score: f64,
}

/// Summarise a text in at most `most` of its sentences.
pub fn summarize(text: &str, most: usize) -> Summary {
    let candidates = best_candidates(text, most.max(COMPARED));
    let best = candidates.first().map_or(1.0, |candidate| candidate.score).max(f64::MIN_POSITIVE);
    let mut chosen = choose(candidates, most);
    chosen.sort_by_key(|candidate| candidate.index);
    let sentences: Vec<Chosen> = chosen
        .into_iter()
        .map(|candidate| Chosen {
            index: candidate.index,
            text: one_line(candidate.sentence.text),
            score: (candidate.score / best * 1000.0).round() / 1000.0,
        })
        .collect();
    Summary { summary: joined(&sentences), sentences }
}

/// The sentences that say most, best first.
fn best_candidates(text: &str, most: usize) -> Vec<Candidate<'_>> {
    let sentences = sentences::split(text);
    let mut vocabulary = Vocabulary::for_text(&sentences);
    let mut tokens: Vec<Token> = Vec::new();
    let mut bounds = Vec::new();
    for sentence in &sentences {
        let start = tokens.len();
        vocabulary.add(sentence.text, &mut tokens);
        bounds.push(start..tokens.len());
    }
    let weights = weights(&vocabulary);
    let mut scored: Vec<(f64, usize)> = bounds
        .iter()
        .enumerate()
        .map(|(index, bound)| (score(index, &sentences[index], &tokens[bound.clone()], &weights), index))
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.truncate(most);
    let candidate = |(score, index): (f64, usize)| Candidate {
        index,
        sentence: sentences[index],
        terms: telling_terms(&tokens[bounds[index].clone()], &weights),
        score,
    };
    scored.into_iter().map(candidate).collect()
}

/// What each word of the vocabulary is worth, from 0 to 1.
fn weights(vocabulary: &Vocabulary) -> Vec<f64> {
    let terms: Vec<&Term> = (0..vocabulary.len() as u32).map(|index| vocabulary.term(index)).collect();
    let tells = |term: &Term| matches!(term.class, Class::Content | Class::Modifier);
    let top = terms.iter().filter(|term| tells(term)).map(|term| term.count).max().unwrap_or(1);
    let worth = |term: &&Term| {
        let name = if term.is_name() { 1.2 } else { 1.0 };
        name * f64::from(term.count).ln_1p() / f64::from(top).ln_1p()
    };
    terms.iter().map(|term| if tells(term) { worth(term) } else { 0.0 }).collect()
}

/// The different telling words of a sentence, in ascending order.
fn telling_terms(tokens: &[Token], weights: &[f64]) -> Vec<u32> {
    let mut terms: Vec<u32> =
        tokens.iter().map(|token| token.term).filter(|term| weights[*term as usize] > 0.0).collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// How much a sentence says.
fn score(index: usize, sentence: &Sentence, tokens: &[Token], weights: &[f64]) -> f64 {
    let terms = telling_terms(tokens, weights);
    let sum = terms.iter().fold(0.0, |sum, term| sum + weights[*term as usize]);
    let content = sum / (terms.len() as f64 + 4.0).powf(0.7);
    let place = match index {
        0 => 1.3,
        1 | 2 => 1.1,
        _ if sentence.opens_paragraph => 1.1,
        _ => 1.0,
    };
    content * place * shape(sentence, tokens.len())
}

/// What the shape of a sentence is worth.
fn shape(sentence: &Sentence, words: usize) -> f64 {
    let unspaced = sentence.text.chars().take(8).any(is_unspaced);
    let (fragment, rambling) = if unspaced { (8, 120) } else { (5, 45) };
    let length = if words < fragment {
        0.4
    } else if words > rambling {
        0.7
    } else {
        1.0
    };
    let ended = sentence.text.ends_with(|c: char| !c.is_alphanumeric() && !matches!(c, ':' | '：' | '|' | '`'));
    let prose = match (sentence.is_prose, ended) {
        (false, _) => 0.2,
        (true, false) => 0.7,
        (true, true) => 1.0,
    };
    let question = if sentence.text.ends_with(['?', '？']) { 0.7 } else { 1.0 };
    let leans = ["This ", "That ", "These ", "It ", "They ", "But ", "And ", "However", "So ", "Then ", "He ", "She "];
    let context = if leans.iter().any(|word| sentence.text.starts_with(word)) { 0.85 } else { 1.0 };
    length * prose * question * context
}

/// Take the best sentence, then always the one that adds most to those taken.
fn choose(mut candidates: Vec<Candidate<'_>>, most: usize) -> Vec<Candidate<'_>> {
    let mut overlaps = vec![0.0_f64; candidates.len()];
    let mut chosen: Vec<Candidate> = Vec::new();
    while chosen.len() < most && !candidates.is_empty() {
        let worth = |at: usize| candidates[at].score * (1.0 - REPETITION * overlaps[at]);
        let best = (1..candidates.len()).fold(0, |best, at| if worth(at) > worth(best) { at } else { best });
        let taken = candidates.remove(best);
        overlaps.remove(best);
        for (candidate, overlap) in candidates.iter().zip(&mut overlaps) {
            *overlap = overlap.max(shared(&candidate.terms, &taken.terms));
        }
        chosen.push(taken);
    }
    chosen
}

/// Which part of the shorter of two ascending lists is in the other.
fn shared(a: &[u32], b: &[u32]) -> f64 {
    let both = a.iter().filter(|term| b.binary_search(term).is_ok()).count();
    both as f64 / a.len().min(b.len()).max(1) as f64
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The sentences as one text: no space between Chinese sentences, a new line after one without an end mark.
fn joined(sentences: &[Chosen]) -> String {
    let mut text = String::new();
    for sentence in sentences {
        let unspaced = text.is_empty() || (text.ends_with(is_wide) && sentence.text.starts_with(is_unspaced));
        if text.ends_with(char::is_alphanumeric) {
            text.push('\n');
        } else if !unspaced {
            text.push(' ');
        }
        text.push_str(&sentence.text);
    }
    text
}

fn is_wide(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '」' | '”')
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: &str =
        "# Trip\n\nThe team visited the wind farm in Aarhus to inspect the new turbines. The weather was \
        awful. Engineers found that two turbines need new control software. Lunch was good. The control software for \
        the turbines will be delivered by Siemens in March.";

    #[test]
    fn keeps_what_matters_in_the_order_of_the_text() {
        let summary = summarize(NOTE, 2);
        let indexes: Vec<_> = summary.sentences.iter().map(|sentence| sentence.index).collect();
        assert_eq!(indexes, [1, 5], "{summary:?}");
        assert!(summary.summary.starts_with("The team visited") && summary.summary.ends_with("in March."));
    }

    #[test]
    fn a_short_text_is_its_own_summary() {
        assert_eq!(summarize("One thing\nonly.", 3).summary, "One thing only.");
        assert_eq!(summarize("", 3), Summary { summary: String::new(), sentences: Vec::new() });
    }

    #[test]
    fn a_sentence_that_says_nothing_scores_a_plain_zero() {
        let summary = summarize("One. Two things happen here in town.", 2);
        assert!(summary.sentences[0].score.is_sign_positive(), "{summary:?}");
    }

    #[test]
    fn repeats_are_left_out() {
        let text = "Cats chase mice in the barn. Cats chase mice in the barn. Dogs guard the old farm house at night.";
        let indexes: Vec<_> = summarize(text, 2).sentences.iter().map(|sentence| sentence.index).collect();
        assert_eq!(indexes, [0, 2]);
    }

    #[test]
    fn chinese_sentences_join_without_a_space() {
        assert_eq!(
            summarize("今天天气很好，我们去公园。公园里有很多人。", 2).summary,
            "今天天气很好，我们去公园。公园里有很多人。"
        );
    }
}
