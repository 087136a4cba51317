//! `search`: ranks texts by words, spelling and meaning, compares two texts, and improves the order of found memories.
//!
//! | export | in | out |
//! |---|---|---|
//! | `search` | `{"query", "candidates", "mode"?, …}` | `{"mode", "results": [{"index", "score", "parts", …}]}` |
//! | `compute_similarity` | `{"a", "b", "method"?, "ignore_case"?}` | `{"method", "similarity", "distance"}` |
//! | `rerank` | `{"query", "results": [{"text", "score"?, "id"?}]}` | `{"results": [{"index", "score", "phrases", …}]}` |
//! | `widen_search` | the hook `before_search` | `{"limit"}`: so that there is something to choose from |
//! | `rerank_memories` | the hook `after_search` | `{"results": [{"id", "score", "annotations"}]}` |
//! | `metadata` | nothing | who the plugin is and what it needs |
//!
//! The way of a text: [`tokens`] → [`bm25`], [`likeness`] and [`meaning`] → [`fusion`] → [`ranking`]; [`reranking`] and
//! [`similarity`] use the same parts. All of that is plain Rust without a host; [`exports`] has what touches the host.
//! The same input gives the same output, byte for byte.

pub mod bm25;
pub mod config;
pub mod exports;
pub mod fusion;
pub mod hooks;
pub mod likeness;
pub mod meaning;
pub mod ranking;
pub mod requests;
pub mod reranking;
pub mod similarity;
pub mod tokens;
