//! Shapes: memories as the tools take and give them, and what schemas say of them.
//!
//! A memory stays [`Fields`] on its way, so that what this plugin does not know comes out as it came in. The structs
//! whose names end in `Shape` are never made: they are where the schemas come from.

use agentmem_plugin_sdk::schemars::{self, JsonSchema};
use agentmem_plugin_sdk::serde::{Deserialize, Serialize};
use agentmem_plugin_sdk::serde_json::{Map, Value};
use agentmem_plugin_sdk::{Memory, MemoryType};

use crate::fields::Fields;

/// A memory to process.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(crate = "agentmem_plugin_sdk::serde")]
pub struct Given(#[schemars(with = "GivenShape")] pub Fields);

/// The memory, cleaned and described.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(crate = "agentmem_plugin_sdk::serde")]
pub struct Processed(#[schemars(with = "ProcessedShape")] pub Fields);

/// A memory to store.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(crate = "agentmem_plugin_sdk::serde")]
pub struct New(#[schemars(with = "NewShape")] pub Fields);

#[derive(JsonSchema)]
#[allow(dead_code)]
struct GivenShape {
    /// The text of the memory; at most max_content_length characters, 10000 by default
    #[schemars(length(min = 1))]
    content: String,
    /// Anything known about it; kept, but for the measures that this tool sets
    metadata: Option<Map<String, Value>>,
    #[schemars(flatten)]
    rest: RestShape,
}

#[derive(JsonSchema)]
#[allow(dead_code)]
struct ProcessedShape {
    /// The cleaned text
    #[schemars(length(min = 1))]
    content: String,
    /// What was known about it, and its measures
    metadata: MeasuresShape,
    #[schemars(flatten)]
    rest: RestShape,
}

#[derive(JsonSchema)]
#[allow(dead_code)]
struct RestShape {
    /// Its id; passed through
    #[schemars(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Its type, such as episodic or semantic; passed through
    #[schemars(skip_serializing_if = "Option::is_none")]
    memory_type: Option<String>,
    /// Whose memory it is; passed through
    #[schemars(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    /// Which agent made it; passed through
    #[schemars(skip_serializing_if = "Option::is_none")]
    agent_id: Option<String>,
    /// When it was made, RFC 3339; passed through
    #[schemars(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    /// When it was last changed, RFC 3339; passed through
    #[schemars(skip_serializing_if = "Option::is_none")]
    updated_at: Option<String>,
}

#[derive(JsonSchema)]
#[allow(dead_code)]
struct MeasuresShape {
    /// Words; each Chinese or Japanese character counts as one
    word_count: usize,
    /// Unicode characters of the cleaned content
    character_count: usize,
    /// Sentences, list items and headings
    sentence_count: usize,
    /// Seconds a reader needs, rounded up
    reading_time_seconds: usize,
    /// Its keywords, best first
    #[schemars(length(max = 8))]
    keywords: Vec<String>,
    /// A fingerprint of the cleaned content that finds equal texts; not cryptographic
    #[schemars(regex(pattern = "^fnv1a64:[0-9a-f]{16}$"))]
    content_hash: String,
    /// This plugin and its version
    processed_by: String,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code)]
struct NewShape {
    /// The text to keep
    content: String,
    /// Kind of memory
    #[schemars(default)]
    memory_type: MemoryType,
    /// Which agent it belongs to
    agent_id: Option<String>,
    /// Which run or conversation it belongs to
    run_id: Option<String>,
    /// Anything to filter by; measures and keywords are added
    #[schemars(default)]
    metadata: Map<String, Value>,
    /// How much it matters, 0 to 1
    #[schemars(range(min = 0, max = 1))]
    importance: Option<f64>,
    /// When to forget it, a time such as 2026-11-23T09:00:00Z
    expires_at: Option<String>,
}

/// A memory as the host keeps it, with all that the host tells of it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(crate = "agentmem_plugin_sdk::serde")]
#[allow(missing_docs)]
pub struct Kept {
    pub id: Option<String>,
    pub content: String,
    pub memory_type: MemoryType,
    pub user_id: Option<String>,
    pub agent_id: Option<String>,
    pub run_id: Option<String>,
    pub metadata: Map<String, Value>,
    pub created_at: Option<String>,
    pub updated_at: Option<String>,
    pub hash: Option<String>,
    pub version: Option<u64>,
    pub expires_at: Option<String>,
    pub importance: Option<f64>,
}

impl From<Memory> for Kept {
    fn from(memory: Memory) -> Self {
        Self {
            id: memory.id,
            content: memory.content,
            memory_type: memory.memory_type,
            user_id: memory.user_id,
            agent_id: memory.agent_id,
            run_id: memory.run_id,
            metadata: memory.metadata,
            created_at: memory.created_at,
            updated_at: memory.updated_at,
            hash: memory.hash,
            version: memory.version,
            expires_at: memory.expires_at,
            importance: memory.importance,
        }
    }
}
