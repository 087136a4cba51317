//! Plugins that find and order texts.

use super::{made, Plugin};
use crate::{Error, Input, Output};

/// Finds and orders. Questions and answers are the plugin's own types.
pub trait SearchAlgorithm: Plugin {
    /// An object with at least `query` and `candidates`.
    type Query: Input;
    /// What was found, the best first.
    type Results: Output;
    /// Two things to compare.
    type Pair: Input;
    /// How alike they are.
    type Similarity: Output;
    /// What a search gave: `{query, results}`, as the hook `after_search` is called with.
    type Found: Input;
    /// The same in another order: `{results}`, as the hook answers.
    type Reranked: Output;

    /// Find the candidates that fit a query.
    ///
    /// # Errors
    /// The query cannot be answered.
    fn search(&self, query: Self::Query) -> Result<Self::Results, Error>;

    /// Say how alike two things are.
    ///
    /// # Errors
    /// They cannot be compared.
    fn compute_similarity(&self, pair: Self::Pair) -> Result<Self::Similarity, Error>;

    /// Put what was found into a better order.
    ///
    /// # Errors
    /// It cannot be ordered.
    fn rerank(&self, found: Self::Found) -> Result<Self::Reranked, Error>;
}

/// The export `search`.
///
/// # Errors
/// As the plugin's own.
pub fn search<P: SearchAlgorithm>(query: P::Query) -> Result<P::Results, Error> {
    made::<P>()?.search(query)
}

/// The export `compute_similarity`.
///
/// # Errors
/// As the plugin's own.
pub fn compute_similarity<P: SearchAlgorithm>(pair: P::Pair) -> Result<P::Similarity, Error> {
    made::<P>()?.compute_similarity(pair)
}

/// The export `rerank`.
///
/// # Errors
/// As the plugin's own.
pub fn rerank<P: SearchAlgorithm>(found: P::Found) -> Result<P::Reranked, Error> {
    made::<P>()?.rerank(found)
}
