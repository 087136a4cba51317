//! The macros of `agentmem-plugin-sdk`, which re-exports them; use that crate.

mod export;
mod metadata;
mod shapes;

use proc_macro::TokenStream;

/// What a tool is called with: read from JSON, with a schema; a key that it does not know is refused.
///
/// Derives `Debug`, `Clone`, `Deserialize` and `JsonSchema`. A doc comment on a field becomes its description;
/// `#[serde(…)]` and `#[schemars(…)]` work on it as usual.
#[proc_macro_attribute]
pub fn request(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    shapes::request(item.into()).into()
}

/// What a tool answers: written as JSON, with a schema.
///
/// Derives `Debug`, `Clone`, `PartialEq`, `Serialize` and `JsonSchema`.
#[proc_macro_attribute]
pub fn response(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    shapes::response(item.into()).into()
}

/// A part of requests, responses and stored values: read and written, with a schema; keys it does not know are passed
/// over.
///
/// Derives `Debug`, `Clone`, `PartialEq`, `Serialize`, `Deserialize` and `JsonSchema`.
#[proc_macro_attribute]
pub fn data(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    shapes::data(item.into()).into()
}

/// The configuration of a plugin: what the operator leaves out is taken from its `Default`.
///
/// Derives `Debug`, `Clone`, `Serialize`, `Deserialize` and `JsonSchema`; `Default` is yours to derive or write.
#[proc_macro_attribute]
pub fn config(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    shapes::config(item.into()).into()
}

/// Export functions as a plugin, with the `metadata` function, and test that the manifest says the same.
///
/// ```text
/// export_plugin!(
///     Processor: MemoryProcessor,         // a type and its trait; left out for a plugin of plain functions
///     name = "Memory processor",          // else the crate's name
///     author = "AgentMem",                // else the crate's authors
///     config = ProcessorConfig,           // else none
///     requires = [MemoryAccess],          // capabilities it cannot do without
///     tools = [extract_keywords],         // fn(Request) -> Result<Response, Error>
///     hooks = [rerank],                   // the same, called around memory operations and not listed as tools
///     lifecycle = [initialize, start],    // fn initialize(Config), fn start(), fn warmup(), fn stop()
/// );
/// ```
///
/// All parts are optional. A function may be named by its path; its last part is the export's name.
///
/// In `cargo test` it adds one test, `the_manifest_says_what_the_code_says`. `AGENTMEM_WRITE=1 cargo test` writes the
/// schemas instead of comparing them.
#[proc_macro]
pub fn export_plugin(input: TokenStream) -> TokenStream {
    export::plugin(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
