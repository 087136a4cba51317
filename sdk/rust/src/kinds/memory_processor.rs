//! Plugins that make memories better before they are kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{made, Plugin};
use crate::{Error, Memory, MemoryType};

/// Works on memories.
pub trait MemoryProcessor: Plugin {
    /// Give a memory back as it should be kept.
    ///
    /// # Errors
    /// It cannot be worked on.
    fn process_memory(&self, memory: Memory) -> Result<Memory, Error>;

    /// Whether this plugin is meant for that kind of memory.
    fn can_process(&self, memory_type: MemoryType) -> bool;
}

/// What `can_process` is called with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CanProcessRequest {
    /// A kind of memory, in any case; an unknown one is answered with false.
    pub memory_type: String,
}

/// What `can_process` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CanProcessResponse {
    /// Whether `process_memory` is meant for that kind.
    pub can_process: bool,
}

/// The export `process_memory`.
///
/// # Errors
/// As the plugin's own.
pub fn process_memory<P: MemoryProcessor>(memory: Memory) -> Result<Memory, Error> {
    made::<P>()?.process_memory(memory)
}

/// The export `can_process`.
///
/// # Errors
/// The plugin cannot be made from its configuration.
pub fn can_process<P: MemoryProcessor>(request: CanProcessRequest) -> Result<CanProcessResponse, Error> {
    let name = serde_json::Value::String(request.memory_type.trim().to_lowercase());
    let known: Option<MemoryType> = serde_json::from_value(name).ok();
    let plugin = made::<P>()?;
    Ok(CanProcessResponse { can_process: known.is_some_and(|kind| plugin.can_process(kind)) })
}
