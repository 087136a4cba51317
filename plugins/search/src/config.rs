//! The configuration: what a call that does not say takes.

use agentmem_plugin_sdk::config;

use crate::bm25::Parameters;

/// What the operator can set.
#[config]
#[derive(Copy, PartialEq)]
pub struct Config {
    /// BM25: how much a repeated word adds, 0 to 10
    #[schemars(range(min = 0, max = 10))]
    pub k1: f64,
    /// BM25: how much a long text is held back, 0 to 1
    #[schemars(range(min = 0, max = 1))]
    pub b: f64,
    /// By spelling: how near to a word of the query a word must be, 0.3 to 1
    #[schemars(range(min = 0.3, max = 1))]
    pub min_similarity: f64,
    /// The share of meaning in hybrid ranking, 0 to 1
    #[schemars(range(min = 0, max = 1))]
    pub meaning_weight: f64,
}

impl Default for Config {
    fn default() -> Self {
        let Parameters { k1, b } = Parameters::default();
        // Two slips of five letters are not alike any more; words tell more than meaning (see `fusion`).
        Self { k1, b, min_similarity: 0.65, meaning_weight: 0.3 }
    }
}
