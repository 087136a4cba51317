//! A memory, as the host keeps it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Kinds of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MemoryType {
    /// Something that happened.
    Episodic,
    /// Something that is so.
    #[default]
    #[serde(alias = "factual")]
    Semantic,
    /// How something is done.
    Procedural,
    /// What is needed for the work at hand.
    Working,
    /// What always matters.
    Core,
    /// A document or a thing.
    Resource,
    /// Something learned.
    Knowledge,
    /// The circumstances.
    Contextual,
}

/// A memory. Times are RFC 3339 texts. What a plugin is given in a hook, or by a client, may lack what the host sets.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Memory {
    /// Set by the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The text.
    pub content: String,
    /// Kind of memory.
    #[serde(default)]
    pub memory_type: MemoryType,
    /// Whose it is; set by the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Label: which agent it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Label: which run or conversation it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Anything to filter by.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// When it was stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// Digest of the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Rises by one with each update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// When it is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importance: Option<f64>,
}
