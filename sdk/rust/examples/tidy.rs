//! A memory processor that is a type: `export_plugin!` with a trait, a configuration and a tool beside it.
//!
//! A plugin is a library (`crate-type = ["cdylib"]`); this one is an example so that `cargo test` compiles it.

use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::MemoryProcessor;

/// What the operator can set.
#[config]
#[derive(Default)]
pub struct Config {
    /// Cut contents after so many characters; 0 for never
    pub longest: usize,
}

/// Trims memories.
pub struct Tidy {
    longest: usize,
}

impl Plugin for Tidy {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Error> {
        Ok(Tidy { longest: if config.longest == 0 { usize::MAX } else { config.longest } })
    }
}

impl MemoryProcessor for Tidy {
    type Given = Memory;
    type Processed = Memory;

    fn process_memory(&self, memory: Memory) -> Result<Memory, Error> {
        let content: String = memory.content.trim().chars().take(self.longest).collect();
        if content.is_empty() {
            return Err("The memory holds nothing but blanks.".into());
        }
        Ok(Memory { content, ..memory })
    }

    fn can_process(&self, memory_type: MemoryType) -> bool {
        memory_type != MemoryType::Working
    }
}

/// What `keep` is called with.
#[request]
pub struct KeepRequest {
    /// The text to keep
    pub text: String,
}

/// What `keep` answers.
#[response]
pub struct KeepResponse {
    /// The id it is kept under
    pub id: String,
    /// Whether it was there before
    pub duplicate: bool,
}

fn keep(request: KeepRequest) -> Result<KeepResponse, Error> {
    let added = host::memory::add(&host::memory::NewMemory::new(request.text.trim()))?;
    let id = added.memory.id.ok_or("The host stored the memory and gave it no id.")?;
    Ok(KeepResponse { id, duplicate: added.duplicate })
}

export_plugin!(Tidy: MemoryProcessor, name = "Tidy", requires = [MemoryAccess, ConfigAccess], tools = [keep]);

fn main() {
    let host = agentmem_plugin_sdk::testing::TestHost::new().config(json!({"longest": 3}));
    let tidied =
        host.call(agentmem_plugin_sdk::kinds::memory_processor::process_memory::<Tidy>, r#"{"content": " abcd "}"#);
    println!("{}", tidied.unwrap_or_else(|error| error.to_string()));
}
