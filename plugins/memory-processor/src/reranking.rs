//! A better order for what a search found: words that stand together in the question stand together in the answer.
//!
//! A search by words counts them wherever they are, so that a text about a green bike and a cup of tea can come
//! before one about green tea. Each pair of neighbours in the question that a memory has as neighbours, too,
//! takes its score a part of the way to 1.

use std::collections::BTreeSet;

use agentmem_plugin_sdk::{data, response};

use crate::lexicon::{fold, Class, Lexicon};
use crate::words::words;

/// How far a memory with all of the question's pairs goes from its score to 1.
const REACH: f64 = 0.5;
/// Pairs of a question that are looked at.
const MOST_PAIRS: usize = 32;

/// What a search found, as the hook `after_search` is given it.
#[data]
pub struct RerankRequest {
    /// What was searched for.
    pub query: String,
    /// The best first.
    pub results: Vec<Found>,
}

/// One result.
#[data]
pub struct Found {
    /// The memory.
    pub memory: Memory,
    /// 0 to 1.
    pub score: f64,
}

/// What counts of a memory here.
#[data]
pub struct Memory {
    /// Its id.
    pub id: String,
    /// Its text.
    pub content: String,
}

/// What the hook answers.
#[response]
pub struct RerankResponse {
    /// Every memory that was given, the best first.
    pub results: Vec<Judged>,
}

/// A result in its new place.
#[response]
pub struct Judged {
    /// The memory's id.
    pub id: String,
    /// The new score.
    pub score: f64,
    /// What the score is made of.
    pub annotations: Annotations,
}

/// Why a memory stands where it does.
#[response]
pub struct Annotations {
    /// The neighbours of the question that the memory has.
    pub phrases: Vec<String>,
}

/// Put `found` into a better order for `query`; equal scores keep theirs.
pub fn rerank(query: &str, found: Vec<Found>) -> Vec<Judged> {
    let lexicon = Lexicon::default();
    let asked = pairs_of(query, &lexicon);
    let mut judged: Vec<Judged> = found.into_iter().map(|one| judge(one, &asked, &lexicon)).collect();
    judged.sort_by(|a, b| b.score.total_cmp(&a.score));
    judged
}

type Pair = (String, String);

fn judge(found: Found, asked: &[Pair], lexicon: &Lexicon) -> Judged {
    let has: BTreeSet<Pair> = pairs(&found.memory.content, lexicon).collect();
    let phrases: Vec<String> =
        asked.iter().filter(|pair| has.contains(*pair)).map(|(a, b)| format!("{a} {b}")).collect();
    let share = if asked.is_empty() { 0.0 } else { phrases.len() as f64 / asked.len() as f64 };
    let score = found.score + (1.0 - found.score) * REACH * share;
    Judged { id: found.memory.id, score, annotations: Annotations { phrases } }
}

/// The different pairs of a question, in its order.
fn pairs_of(query: &str, lexicon: &Lexicon) -> Vec<Pair> {
    let mut seen = BTreeSet::new();
    pairs(query, lexicon).filter(|pair| seen.insert(pair.clone())).take(MOST_PAIRS).collect()
}

/// Neighbours that both say something, folded; punctuation parts them, words of grammar do too.
fn pairs<'a>(text: &'a str, lexicon: &'a Lexicon) -> impl Iterator<Item = Pair> + 'a {
    let mut before: Option<String> = None;
    words(text).filter_map(move |word| {
        let lowered = word.text.to_lowercase();
        let telling = lexicon.class_of(&lowered) != Class::Function;
        let previous = before.take().filter(|_| !word.detached && telling);
        let folded = fold(&lowered).into_owned();
        let pair = previous.map(|previous| (previous, folded.clone()));
        before = telling.then_some(folded);
        pair
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(query: &str, found: &[(&str, f64, &str)]) -> Vec<(String, f64, Vec<String>)> {
        let results = found
            .iter()
            .map(|&(id, score, content)| Found {
                memory: Memory { id: id.to_owned(), content: content.to_owned() },
                score,
            })
            .collect();
        rerank(query, results).into_iter().map(|one| (one.id, one.score, one.annotations.phrases)).collect()
    }

    #[test]
    fn neighbours_of_the_question_go_first() {
        let found = [
            ("apart", 0.6, "The green bike, the green door and a cup of tea with more tea"),
            ("together", 0.5, "Ann drinks Green Teas"),
        ];
        let expected =
            vec![("together".to_owned(), 0.75, vec!["green tea".to_owned()]), ("apart".to_owned(), 0.6, vec![])];
        assert_eq!(order("green tea", &found), expected);
    }

    #[test]
    fn nothing_to_go_by_leaves_the_order() {
        let found = [("a", 0.4, "tea"), ("b", 0.4, "more tea"), ("c", 0.1, "")];
        for query in ["tea", "", "the of", "?!"] {
            let ids: Vec<String> = order(query, &found).into_iter().map(|one| one.0).collect();
            assert_eq!(ids, ["a", "b", "c"], "{query}");
        }
    }

    #[test]
    fn punctuation_and_grammar_part_words() {
        for content in ["green, tea", "green and tea", "green. Tea"] {
            assert_eq!(order("green tea", &[("a", 0.2, content)])[0].1, 0.2, "{content}");
        }
    }

    #[test]
    fn scores_stay_between_0_and_1() {
        for score in [0.0, 0.5, 1.0] {
            let judged = order("green tea", &[("a", score, "green tea")])[0].1;
            assert!((score..=1.0).contains(&judged));
        }
    }
}
