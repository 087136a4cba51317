//! Rank texts that the plugin brings, and turn texts into vectors. Needs `SearchAccess`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::wire::host_function;
use crate::HostError;

host_function!(SEARCH = search);
host_function!(EMBED = embed);

/// How to rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Mode {
    #[default]
    Auto,
    Keyword,
    Fuzzy,
    Semantic,
    Hybrid,
}

/// A candidate with its score.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Ranked {
    /// Its place among the candidates.
    pub index: usize,
    /// How well it fits.
    pub score: f64,
    /// What the score is made of.
    #[serde(default)]
    pub parts: BTreeMap<String, f64>,
    /// The candidate as it was given.
    #[serde(default)]
    pub candidate: Value,
}

/// The candidates in order, the best first.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Ranking {
    /// Those that fit.
    pub results: Vec<Ranked>,
    /// What was done.
    pub mode: String,
}

/// Vectors of unit length, one for each text.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Embedded {
    /// Which model made them.
    pub model: String,
    /// In the order of the texts.
    pub vectors: Vec<Vec<f32>>,
}

#[derive(Serialize)]
struct Asked<'a, C> {
    query: &'a str,
    candidates: &'a [C],
    mode: Mode,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
}

#[derive(Serialize)]
struct Embedding<'a, T> {
    texts: &'a [T],
}

/// Rank at most 1 000 candidates: texts, or objects with `content` or `text`. Without `limit` the best ten come back.
///
/// # Errors
/// `embeddings_not_configured` or `embeddings_unavailable` for modes that need a model, or the host refuses.
pub fn rank<C: Serialize>(query: &str, candidates: &[C], mode: Mode, limit: Option<u32>) -> Result<Ranking, HostError> {
    super::ask_for(&SEARCH, &Asked { query, candidates, mode, limit })
}

/// Turn 1 to 256 texts into vectors.
///
/// # Errors
/// `embeddings_not_configured`, `embeddings_unavailable`, or the host refuses.
pub fn embed<T: AsRef<str> + Serialize>(texts: &[T]) -> Result<Embedded, HostError> {
    super::ask_for(&EMBED, &Embedding { texts })
}
