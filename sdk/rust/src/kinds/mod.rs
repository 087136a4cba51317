//! Kinds of plugins: a trait for each, so that the host can call any plugin of a kind.
//!
//! A plugin implements [`Plugin`] and one of the traits, and exports both with
//! [`export_plugin!`](crate::export_plugin): `export_plugin!(Mine: MemoryProcessor)`. Plain functions beside the
//! trait's own are named under `tools`.

pub mod code_analyzer;
pub mod data_source;
pub mod memory_processor;
pub mod multimodal;
pub mod search_algorithm;

pub use code_analyzer::CodeAnalyzer;
pub use data_source::DataSource;
pub use memory_processor::MemoryProcessor;
pub use multimodal::Multimodal;
pub use search_algorithm::SearchAlgorithm;

use crate::{Error, PluginConfig};

/// A plugin that is a type: made from its configuration for each call.
pub trait Plugin: Sized {
    /// What the operator can set; [`NoConfig`](crate::config::NoConfig) for nothing.
    type Config: PluginConfig;

    /// Make it.
    ///
    /// # Errors
    /// The configuration holds what cannot be worked with.
    fn new(config: Self::Config) -> Result<Self, Error>;
}

fn made<P: Plugin>() -> Result<P, Error> {
    P::new(P::Config::read()?)
}
