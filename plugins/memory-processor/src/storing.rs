//! Storing and finding: what goes to the host's memories and what comes from them.

use agentmem_plugin_sdk::host::memory::{self as memories, Hit, NewMemory, Query};
use agentmem_plugin_sdk::serde::Deserialize;
use agentmem_plugin_sdk::serde_json::{self, Map, Value};
use agentmem_plugin_sdk::{response, Error, MemoryType};

use crate::fields::Fields;
use crate::keywords;
use crate::memory::cause;
use crate::requests::SimilarRequest;
use crate::shapes::Kept;

/// How many keywords stand for a text in a search.
const QUERY_WORDS: usize = 8;

/// What `process_and_store` answers.
#[response]
pub struct StoreResponse {
    /// As it is stored now
    pub memory: Kept,
    /// Whether it was there already
    pub duplicate: bool,
}

/// What `search_similar` answers.
#[response]
pub struct SimilarResponse {
    /// The keywords that were searched for
    pub query: String,
    /// The best first
    #[schemars(length(max = 100))]
    pub results: Vec<Similar>,
}

/// A memory that was found.
#[response]
pub struct Similar {
    /// The memory
    pub memory: Kept,
    /// How well it fits
    #[schemars(range(min = 0, max = 1))]
    pub score: f64,
    /// What hooks said about it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Value>,
}

/// What a memory and an `add_memory` have in common; the rest the host sets itself.
#[derive(Deserialize)]
#[serde(crate = "agentmem_plugin_sdk::serde")]
struct Common {
    content: String,
    memory_type: Option<MemoryType>,
    agent_id: Option<String>,
    run_id: Option<String>,
    #[serde(default)]
    metadata: Map<String, Value>,
    importance: Option<f64>,
    expires_at: Option<String>,
}

/// Store a processed memory.
///
/// # Errors
/// A field has another type than the host takes, or the host refuses.
pub fn store(processed: &Fields) -> Result<StoreResponse, Error> {
    let json = serde_json::to_string(processed)?;
    let common: Common = serde_json::from_str(&json)
        .map_err(|reason| Error::new(format_args!("The memory cannot be stored: {}.", cause(&reason))))?;
    let added = memories::add(&NewMemory {
        content: common.content,
        memory_type: common.memory_type.unwrap_or_default(),
        agent_id: common.agent_id,
        run_id: common.run_id,
        metadata: common.metadata,
        importance: common.importance,
        expires_at: common.expires_at,
        ttl_seconds: None,
    })?;
    Ok(StoreResponse { memory: added.memory.into(), duplicate: added.duplicate })
}

/// Find stored memories that share the keywords of a text.
///
/// # Errors
/// The host refuses.
pub fn find(request: SimilarRequest) -> Result<SimilarResponse, Error> {
    let words: Vec<String> =
        keywords::extract(&request.text, QUERY_WORDS).into_iter().map(|found| found.keyword).collect();
    let query = if words.is_empty() { request.text } else { words.join(" ") };
    let found = memories::search(&Query::new(query.clone()).limit(request.limit as u32))?;
    let similar = |hit: Hit| Similar { memory: hit.memory.into(), score: hit.score, annotations: hit.annotations };
    Ok(SimilarResponse { query, results: found.results.into_iter().map(similar).collect() })
}
