//! Memories of the caller, in the plugin's own space or the one the operator gave it. Needs `MemoryAccess`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::wire::host_function;
use crate::{HostError, Memory, MemoryType};

host_function!(ADD_MEMORY = add_memory);
host_function!(GET_MEMORY = get_memory);
host_function!(UPDATE_MEMORY = update_memory);
host_function!(DELETE_MEMORY = delete_memory);
host_function!(SEARCH_MEMORIES = search_memories);

/// A memory to store; start with [`NewMemory::new`] or `NewMemory::from(&memory)`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NewMemory {
    /// What to remember.
    pub content: String,
    /// Kind of memory.
    pub memory_type: MemoryType,
    /// Label: which agent it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Label: which run or conversation it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Anything to filter by.
    pub metadata: Map<String, Value>,
    /// 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub importance: Option<f64>,
    /// When to forget it, RFC 3339; or `ttl_seconds`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// After how many seconds to forget it; or `expires_at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u64>,
}

impl NewMemory {
    /// A memory of the default kind with this text.
    pub fn new(content: impl Into<String>) -> Self {
        NewMemory { content: content.into(), ..NewMemory::default() }
    }
}

impl From<&Memory> for NewMemory {
    fn from(memory: &Memory) -> Self {
        NewMemory {
            content: memory.content.clone(),
            memory_type: memory.memory_type,
            agent_id: memory.agent_id.clone(),
            run_id: memory.run_id.clone(),
            metadata: memory.metadata.clone(),
            importance: memory.importance,
            expires_at: memory.expires_at.clone(),
            ttl_seconds: None,
        }
    }
}

/// What was stored.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Added {
    /// The memory as it is kept.
    pub memory: Memory,
    /// Whether it was there before: the same content of the same agent and run is stored once.
    pub duplicate: bool,
}

/// A change of a memory. What is `None` stays; `Some(None)` takes a label, the importance or the end away.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Change {
    /// A new text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Another kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_type: Option<MemoryType>,
    /// The whole metadata, not a part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Another agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Option<String>>,
    /// Another run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<Option<String>>,
    /// Another importance, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub importance: Option<Option<f64>>,
    /// Another end, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Option<String>>,
    /// Only when this is the version that is stored; else `version_conflict`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_version: Option<u64>,
}

/// How to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// By words and by meaning where there is an embedding model, else by words.
    #[default]
    Auto,
    /// By words.
    Lexical,
    /// By meaning.
    Semantic,
    /// Both.
    Hybrid,
}

/// A search; start with [`Query::new`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Query {
    /// What to look for; the newest memories where it has no words.
    pub query: String,
    /// How many at most, 1 to 100; the host's 10 where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// How to search.
    pub mode: Mode,
    /// Conditions, such as `json!({"topic": "tea"})`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Value>,
    /// Of these kinds only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_types: Option<Vec<MemoryType>>,
    /// Of this agent only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Of this run only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The lowest score by words or by meaning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Whether each result says how its score came about.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub explain: bool,
    /// Whether those whose end has passed are found too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub include_expired: bool,
}

impl Query {
    /// A search for a text.
    pub fn new(query: impl Into<String>) -> Self {
        Query { query: query.into(), ..Query::default() }
    }

    /// At most so many results.
    pub fn limit(self, limit: u32) -> Self {
        Query { limit: Some(limit), ..self }
    }
}

/// A memory that was found.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Hit {
    /// The memory.
    pub memory: Memory,
    /// How well it fits.
    pub score: f64,
    /// How the score came about, where that was asked for.
    #[serde(default)]
    pub explanation: Option<Value>,
    /// What hooks said about it.
    #[serde(default)]
    pub annotations: Option<Value>,
}

/// What a search found, the best first.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Found {
    /// The memories.
    pub results: Vec<Hit>,
    /// What was done: `lexical`, `semantic`, `hybrid` or `recent`.
    pub mode: String,
    /// Words of the query that were read as others.
    #[serde(default)]
    pub corrections: BTreeMap<String, String>,
    /// How many memories of the caller meaning cannot find.
    #[serde(default)]
    pub uncovered: u64,
}

#[derive(Deserialize)]
struct One {
    memory: Memory,
}

#[derive(Deserialize)]
struct Deleted {
    deleted: bool,
}

#[derive(Serialize)]
struct Named<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    if_version: Option<u64>,
}

#[derive(Serialize)]
struct Changed<'a> {
    id: &'a str,
    #[serde(flatten)]
    change: &'a Change,
}

/// Store a memory.
///
/// # Errors
/// Among the codes: `invalid_request`, `limit_memory_bytes`, `hook_vetoed`, `store_busy`, `store_full`.
pub fn add(memory: &NewMemory) -> Result<Added, HostError> {
    super::ask_for(&ADD_MEMORY, memory)
}

/// Read a memory.
///
/// # Errors
/// `memory_not_found`, or the host refuses.
pub fn get(id: &str) -> Result<Memory, HostError> {
    super::ask_for::<One>(&GET_MEMORY, &Named { id, if_version: None }).map(|one| one.memory)
}

/// Change a memory and answer it as it is then.
///
/// # Errors
/// `memory_not_found`, `version_conflict`, or the host refuses.
pub fn update(id: &str, change: &Change) -> Result<Memory, HostError> {
    super::ask_for::<One>(&UPDATE_MEMORY, &Changed { id, change }).map(|one| one.memory)
}

/// Delete a memory; false where it was not there.
///
/// # Errors
/// `version_conflict`, where `if_version` is another than that stored, or the host refuses.
pub fn delete(id: &str, if_version: Option<u64>) -> Result<bool, HostError> {
    super::ask_for::<Deleted>(&DELETE_MEMORY, &Named { id, if_version }).map(|answer| answer.deleted)
}

/// Search the memories.
///
/// # Errors
/// Among the codes: `invalid_request`, `embeddings_not_configured`, `embeddings_unavailable`.
pub fn search(query: &Query) -> Result<Found, HostError> {
    super::ask_for(&SEARCH_MEMORIES, query)
}
