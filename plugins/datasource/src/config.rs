//! What the operator can set.

use std::collections::BTreeMap;

use agentmem_plugin_sdk::prelude::*;

use crate::source::{Source, SourceRef};

/// What the operator can set.
#[config]
pub struct Config {
    /// Sources that calls may name
    pub sources: BTreeMap<String, Source>,
    /// Whether a call may describe a source of its own
    pub inline_sources: bool,
    /// How long one request over HTTP may take, in milliseconds
    #[schemars(range(min = 100, max = 60000))]
    pub timeout_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config { sources: BTreeMap::new(), inline_sources: true, timeout_ms: 4000 }
    }
}

impl Config {
    /// The source that a call means.
    ///
    /// # Errors
    /// No source has that name, or the operator lets calls describe none.
    pub fn source(&self, asked: &SourceRef) -> Result<Source, Error> {
        let source = match asked {
            SourceRef::Named(name) => self.sources.get(name).cloned().ok_or_else(|| self.unknown(name))?,
            SourceRef::Described(source) if self.inline_sources => (**source).clone(),
            SourceRef::Described(_) => {
                return Err(format!("Only sources that the operator has set can be used: {}.", self.names()).into());
            }
        };
        source.check()?;
        Ok(source)
    }

    fn unknown(&self, name: &str) -> Error {
        format!("No source is called \"{name}\". There is: {}.", self.names()).into()
    }

    fn names(&self) -> String {
        if self.sources.is_empty() {
            return "none".to_owned();
        }
        self.sources.keys().cloned().collect::<Vec<String>>().join(", ")
    }
}
