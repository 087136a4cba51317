//! `llm`: summarises and translates texts of any length, and answers questions from memories, with a language model.
//!
//! | export | in | out |
//! |---|---|---|
//! | `summarize` | `{"text", "length"?, "style"?, "language"?, "focus"?}` | `{"summary", "parts", "complete", "notes", …}` |
//! | `translate` | `{"text", "target_language", "source_language"?, "formality"?}` | `{"translation", "parts", …}` |
//! | `answer_question` | `{"question", "limit"?, "language"?, …}` | `{"answer", "citations", "dropped_citations", …}` |
//! | `metadata` | nothing | who the plugin is and what it needs |
//!
//! The way of a text: [`splitting`] by [`sizes`] → [`fence`] → [`model`] → [`summarizing`] or [`translating`];
//! [`answering`] checks what the model names with [`citations`]. All of that is plain Rust and asks a [`model::Model`];
//! the host stands behind it in [`exports`]. The plugin knows no address, no key and no model: those are the operator's.

pub mod answering;
pub mod citations;
pub mod config;
pub mod exports;
pub mod fence;
pub mod model;
pub mod requests;
pub mod sizes;
pub mod splitting;
pub mod summarizing;
pub mod translating;
