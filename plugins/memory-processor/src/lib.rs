//! `memory-processor`: makes a memory fit to keep, and says what is in it.
//!
//! | export | in | out |
//! |---|---|---|
//! | `process_memory` | a memory | the memory, content cleaned, measures and keywords in `metadata` |
//! | `extract_keywords` | `{"text", "limit"?}` | `{"keywords": [{"keyword", "score", "count"}]}` |
//! | `summarize_memory` | `{"text", "max_sentences"?}` | `{"summary", "sentences": [{"index", "text", "score"}]}` |
//! | `process_and_store` | a memory | `{"memory", "duplicate"}`: the memory as `process_memory` makes it, stored |
//! | `search_similar` | `{"text", "limit"?}` | `{"query", "results"}`: stored memories that share the text's keywords |
//! | `rerank` | `{"query", "results": [{"memory", "score"}]}` | `{"results": [{"id", "score", "annotations"}]}` |
//! | `can_process` | `"episodic"` or `{"memory_type"}` | `{"can_process": true}` |
//! | `metadata` | nothing | who the plugin is and what it needs |
//!
//! The config value `max_content_length` (characters, default 10000) bounds what `process_memory` takes.
//! Needs the capabilities `LoggingAccess`, `ConfigAccess` and `MemoryAccess`. Where the operator allows hooks,
//! `process_memory` runs before each add and `rerank` after each search.
//!
//! The way of a text: [`cleaning`] → [`blocks`] → [`sentences`] → [`words`] → [`vocabulary`] with its [`forms`] →
//! [`runs`] → [`phrases`] → [`keywords`] and [`summary`]; [`memory`] puts the results on a memory, and [`fields`] carries everything it does not
//! know through untouched. All of that is plain Rust without a host; [`exports`] and [`storing`]
//! have what touches the host.
//!
//! The same input gives the same output, byte for byte: no clock, no random numbers, no order of a
//! hash table. Every step is linear in the text but one, which is capped (see [`summary`]).

pub mod blocks;
pub mod cleaning;
pub mod config;
pub mod dictionary;
pub mod exports;
pub mod fields;
pub mod forms;
pub mod hashing;
pub mod index;
pub mod keywords;
pub mod languages;
pub mod lexicon;
pub mod memory;
pub mod phrases;
pub mod requests;
pub mod reranking;
pub mod runs;
pub mod scanning;
pub mod script;
pub mod sentences;
pub mod shapes;
pub mod statistics;
pub mod storing;
pub mod summary;
pub mod terms;
pub mod vocabulary;
pub mod word_lists;
pub mod words;
