//! Requests and answers: what each tool takes and gives.

use std::ops::RangeInclusive;

use agentmem_plugin_sdk::{data, request, response, Error};

use crate::likeness::{Nearest, Slips};

/// Most candidates or results of one call.
pub const MOST_CANDIDATES: usize = 1_000;
/// Longest query, in characters.
pub const LONGEST_QUERY: usize = 4_096;

/// How candidates are ranked.
#[data]
#[derive(Copy, Default, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By words and meaning where the host has an embedding model for this plugin, else by words and spelling.
    #[default]
    Auto,
    /// By words: BM25.
    Keyword,
    /// By spelling: words that are a few slips away count, too.
    Fuzzy,
    /// By words and spelling.
    Lexical,
    /// By meaning; needs an embedding model.
    Semantic,
    /// By words and meaning; needs an embedding model.
    Hybrid,
}

/// What `search` is called with.
#[request]
pub struct SearchRequest {
    /// What is looked for
    #[schemars(length(max = 4_096))]
    pub query: String,
    /// The texts to rank: up to 1000, each a string or an object with `text` or `content` and perhaps an `id`.
    #[schemars(length(max = 1_000))]
    pub candidates: Vec<Candidate>,
    /// How the texts are ranked.
    #[serde(default)]
    pub mode: Mode,
    /// Most results, 1 to 1000; without it 10.
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u32>,
    /// BM25: how much a repeated word adds.
    #[schemars(range(min = 0, max = 10))]
    pub k1: Option<f64>,
    /// BM25: how much a long text is held back.
    #[schemars(range(min = 0, max = 1))]
    pub b: Option<f64>,
    /// By spelling: how slips are counted.
    #[serde(default)]
    pub slips: Slips,
    /// By spelling: how near a word must be, 0.3 to 1.
    #[schemars(range(min = 0.3, max = 1))]
    pub min_similarity: Option<f64>,
    /// The share of meaning in `hybrid`, 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub meaning_weight: Option<f64>,
}

/// A text to rank: the text alone, or an object with it under `text` or `content`. Other keys are left alone.
#[data]
#[serde(untagged)]
pub enum Candidate {
    /// The text.
    Bare(String),
    /// The text, and what it is called.
    Text {
        /// Comes back with the result.
        #[serde(default)]
        id: Option<Id>,
        /// The text.
        text: String,
    },
    /// The same, as a memory writes it.
    Content {
        /// Comes back with the result.
        #[serde(default)]
        id: Option<Id>,
        /// The text.
        content: String,
    },
}

/// What a caller calls a text.
#[data]
#[serde(untagged)]
pub enum Id {
    /// A word.
    Text(String),
    /// A number.
    Number(i64),
}

impl Candidate {
    /// Its text.
    pub fn text(&self) -> &str {
        match self {
            Self::Bare(text) | Self::Text { text, .. } | Self::Content { content: text, .. } => text,
        }
    }

    /// What the caller calls it.
    pub fn id(&self) -> Option<&Id> {
        match self {
            Self::Bare(_) => None,
            Self::Text { id, .. } | Self::Content { id, .. } => id.as_ref(),
        }
    }
}

/// What `search` answers.
#[response]
pub struct SearchResponse {
    /// How it was ranked; never `auto`.
    pub mode: Mode,
    /// Those that fit at all, the best first.
    pub results: Vec<Ranked>,
    /// Why `auto` did not look at meaning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One result of `search`.
#[response]
pub struct Ranked {
    /// Its place among the candidates, from 0.
    pub index: usize,
    /// What the caller calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// 0 to 1.
    pub score: f64,
    /// What the score is made of.
    pub parts: Parts,
    /// The first 160 characters of the text.
    pub excerpt: String,
}

/// The scores of a candidate by each way of ranking that was used and found it.
#[response]
#[derive(Default)]
pub struct Parts {
    /// BM25, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bm25: Option<f64>,
    /// Mean likeness of the nearest words, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuzzy: Option<f64>,
    /// Cosine, -1 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cosine: Option<f64>,
    /// Words of the question and the nearest ones here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Nearest>,
}

/// How two texts are compared.
#[data]
#[derive(Copy, Default, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Slips: letters added, left out or replaced.
    Levenshtein,
    /// Slips, with neighbours that changed places as one.
    #[default]
    DamerauLevenshtein,
    /// For names: a common beginning counts for more.
    JaroWinkler,
    /// The share of words that both have, in any order and form.
    Words,
    /// By meaning; needs an embedding model.
    Semantic,
}

/// What `compute_similarity` is called with.
#[request]
pub struct SimilarityRequest {
    /// One text.
    pub a: String,
    /// The other.
    pub b: String,
    /// How they are compared.
    #[serde(default)]
    pub method: Method,
    /// Whether case, accents and compatibility forms make no difference; `words` ignores them always.
    #[serde(default)]
    pub ignore_case: bool,
}

/// What `compute_similarity` answers.
#[response]
pub struct SimilarityResponse {
    /// How they were compared.
    pub method: Method,
    /// 1 for the same, 0 for nothing in common; the cosine of opposite meanings is shown as 0.
    pub similarity: f64,
    /// Slips between the two, where slips were counted.
    pub distance: Option<usize>,
}

/// What `rerank` is called with.
#[request]
pub struct RerankRequest {
    /// What was searched for.
    #[schemars(length(max = 4_096))]
    pub query: String,
    /// What was found.
    #[schemars(length(max = 1_000))]
    pub results: Vec<Found>,
    /// Most results, 1 to 1000; without it all.
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u32>,
}

/// A result of some search.
#[request]
pub struct Found {
    /// Comes back with the result.
    pub id: Option<Id>,
    /// The text.
    pub text: String,
    /// What the search gave it, on any scale; all results have one, or none.
    pub score: Option<f64>,
}

/// What `rerank` answers.
#[response]
pub struct RerankResponse {
    /// The best first.
    pub results: Vec<Reranked>,
}

/// One result of `rerank`.
#[response]
pub struct Reranked {
    /// Its place among the results given, from 0.
    pub index: usize,
    /// What the caller calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// 0 to 1.
    pub score: f64,
    /// Pieces of words of the question that it has, weighed by BM25.
    pub spelling: f64,
    /// Neighbours of the question that are neighbours here.
    pub phrases: Vec<String>,
}

/// Check a query and a number of candidates.
///
/// # Errors
/// When there are too many.
pub fn bounded(query: &str, candidates: usize) -> Result<(), Error> {
    let length = query.chars().count();
    if length > LONGEST_QUERY {
        return Err(Error::new(format!("query has {length} characters; at most {LONGEST_QUERY} are taken.")));
    }
    if candidates > MOST_CANDIDATES {
        return Err(Error::new(format!(
            "There are {candidates} texts; at most {MOST_CANDIDATES} are ranked in one call."
        )));
    }
    Ok(())
}

/// A limit between 1 and [`MOST_CANDIDATES`].
///
/// # Errors
/// When it is neither.
pub fn limit_of(limit: Option<u32>, default: usize) -> Result<usize, Error> {
    let limit = limit.map_or(default, |limit| limit as usize);
    match limit {
        1..=MOST_CANDIDATES => Ok(limit),
        _ => Err(Error::new(format!("limit is {limit}; it must be between 1 and {MOST_CANDIDATES}."))),
    }
}

/// A number in `bounds`: the request's, else the config's.
///
/// # Errors
/// When it is out of bounds.
pub fn number_of(name: &str, asked: Option<f64>, config: f64, bounds: RangeInclusive<f64>) -> Result<f64, Error> {
    let number = asked.unwrap_or(config);
    if bounds.contains(&number) {
        return Ok(number);
    }
    Err(Error::new(format!("{name} is {number}; it must be between {} and {}.", bounds.start(), bounds.end())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agentmem_plugin_sdk::json;
    use agentmem_plugin_sdk::serde_json;
    use agentmem_plugin_sdk::serde_json::Value;

    #[test]
    fn candidates_come_bare_or_named() {
        let found: Vec<Candidate> = serde_json::from_value(json!([
            "a", {"text": "b"}, {"content": "c", "id": "x", "more": 1}, {"id": 7, "text": "d"}
        ]))
        .expect("candidates");
        let shown: Vec<(&str, Option<Value>)> =
            found.iter().map(|one| (one.text(), one.id().map(|id| json!(id)))).collect();
        assert_eq!(shown, [("a", None), ("b", None), ("c", Some(json!("x"))), ("d", Some(json!(7)))]);
        assert!(serde_json::from_value::<Candidate>(json!({"id": 1})).is_err());
    }

    #[test]
    fn numbers_come_from_the_request_or_the_config_and_are_in_bounds() {
        let number = |asked, config| number_of("k1", asked, config, 0.0..=10.0).map_err(|error| error.to_string());
        assert_eq!(number(Some(2.0), 3.0), Ok(2.0));
        assert_eq!(number(None, 3.0), Ok(3.0));
        assert_eq!(number(Some(11.0), 1.2), Err("k1 is 11; it must be between 0 and 10.".to_owned()));
    }

    #[test]
    fn bounds_hold() {
        assert!(bounded(&"x".repeat(LONGEST_QUERY), MOST_CANDIDATES).is_ok());
        assert!(bounded(&"x".repeat(LONGEST_QUERY + 1), 1).is_err());
        assert!(bounded("x", MOST_CANDIDATES + 1).is_err());
        assert_eq!(limit_of(None, 10), Ok(10));
        assert_eq!(limit_of(Some(1_000), 10), Ok(1_000));
        assert!(limit_of(Some(0), 10).is_err() && limit_of(Some(1_001), 10).is_err());
    }
}
