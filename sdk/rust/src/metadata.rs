//! Who a plugin is: the answer of its `metadata` export.
//!
//! [`export_plugin!`](crate::export_plugin) writes that answer while the plugin is compiled; these types read it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A named right to use the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)]
pub enum Capability {
    MemoryAccess,
    StorageAccess,
    SearchAccess,
    LLMAccess,
    NetworkAccess,
    FileSystemAccess,
    LoggingAccess,
    ConfigAccess,
}

/// A kind of plugin; see [`kinds`](crate::kinds).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)]
pub enum PluginType {
    MemoryProcessor,
    CodeAnalyzer,
    SearchAlgorithm,
    DataSource,
    Multimodal,
    #[default]
    Custom,
}

/// What `metadata` answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PluginMetadata {
    /// For people.
    pub name: String,
    /// A semantic version: the crate's.
    pub version: String,
    /// What it does: the crate's description.
    pub description: String,
    /// Who wrote it.
    pub author: String,
    /// What kind of plugin it is.
    pub plugin_type: PluginType,
    /// What it cannot do without.
    pub required_capabilities: Vec<Capability>,
    /// JSON Schema of its configuration.
    pub config_schema: Value,
}
