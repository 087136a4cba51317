//! Write plugins for `agentmem-mcp`: a function with typed input and output is a tool.
//!
//! ```
//! use agentmem_plugin_sdk::prelude::*;
//!
//! /// What `shout` is called with.
//! #[request]
//! pub struct Request {
//!     /// The text to shout.
//!     pub text: String,
//! }
//!
//! /// What `shout` answers.
//! #[response]
//! pub struct Response {
//!     /// The text in capitals.
//!     pub shouted: String,
//! }
//!
//! fn shout(request: Request) -> Result<Response, Error> {
//!     if request.text.trim().is_empty() {
//!         return Err("There is nothing to shout: `text` is blank.".into());
//!     }
//!     host::log::info("shouting", json!({"bytes": request.text.len()}));
//!     Ok(Response { shouted: request.text.to_uppercase() })
//! }
//!
//! export_plugin!(requires = [LoggingAccess], tools = [shout]);
//! # fn main() {}
//! ```
//!
//! - [`export_plugin!`] exports functions, or a type that has one of the traits in [`kinds`], and `metadata`; in
//!   `cargo test` it compares the plugin's manifest and schemas with the code.
//! - [`host`] has the functions of the host. What a plugin does not call, its module does not import, and it needs no
//!   capability for it.
//! - [`testing`] stands in for the host in `cargo test`.
//! - [`Error`] is what a call fails with; its text is what the model reads.

#![deny(missing_docs)]

pub mod config;
pub mod content;
pub mod entry;
pub mod error;
pub mod host;
pub mod input;
pub mod kinds;
pub mod memory;
pub mod metadata;
pub mod output;
mod place;

#[cfg(not(target_arch = "wasm32"))]
pub mod manifest;
#[cfg(not(target_arch = "wasm32"))]
mod schemas;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use agentmem_plugin_sdk_macros::{config, data, export_plugin, request, response};
pub use config::PluginConfig;
pub use error::{Error, HostError};
pub use input::Input;
pub use kinds::{CodeAnalyzer, DataSource, MemoryProcessor, Multimodal, Plugin, SearchAlgorithm};
pub use memory::{Memory, MemoryType};
pub use metadata::{Capability, PluginMetadata, PluginType};
pub use output::Output;
#[doc(no_inline)]
pub use serde_json::json;

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
pub struct ReadmeExamples;

/// A text that goes in or comes out as it is, without JSON: for tools with `input = "text"` or `result = "text"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(pub String);

// The derives that the macros write name these crates through this one.
#[doc(hidden)]
pub use {schemars, serde, serde_json};

/// What most plugins use.
pub mod prelude {
    pub use crate::{config, data, export_plugin, request, response};
    pub use crate::{host, json, Error, HostError, Memory, MemoryType, Plugin, PluginConfig, Text};
    pub use serde_json::Value;
}
