//! The exports: what the host calls, one log line a call.

use agentmem_plugin_sdk::{export_plugin, host, json, Error, MemoryProcessor, MemoryType, Plugin, PluginConfig};

use crate::config::Config;
use crate::fields::Fields;
use crate::keywords::{self, KeywordsResponse};
use crate::memory::process;
use crate::requests::{KeywordsRequest, SimilarRequest, SummaryRequest};
use crate::reranking::{self, RerankRequest, RerankResponse};
use crate::shapes::{Given, New, Processed};
use crate::storing::{self, SimilarResponse, StoreResponse};
use crate::summary::{self, Summary};

/// The plugin.
pub struct Processor {
    longest: usize,
}

impl Plugin for Processor {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Error> {
        Ok(Self { longest: config.longest()? })
    }
}

impl MemoryProcessor for Processor {
    type Given = Given;
    type Processed = Processed;

    fn process_memory(&self, memory: Given) -> Result<Processed, Error> {
        let length = |memory: &Fields| memory.get("content").map_or(0, str::len);
        let before = length(&memory.0);
        let processed = process(memory.0, self.longest)?;
        host::log::info("processed a memory", json!({"bytes_in": before, "bytes_out": length(&processed)}));
        Ok(Processed(processed))
    }

    /// It works on text, which every kind of memory is.
    fn can_process(&self, _memory_type: MemoryType) -> bool {
        true
    }
}

fn extract_keywords(request: KeywordsRequest) -> Result<KeywordsResponse, Error> {
    let keywords = keywords::extract(&request.text, request.limit);
    host::log::info("extracted keywords", json!({"bytes_in": request.text.len(), "found": keywords.len()}));
    Ok(KeywordsResponse { keywords })
}

fn summarize_memory(request: SummaryRequest) -> Result<Summary, Error> {
    let summary = summary::summarize(&request.text, request.max_sentences);
    host::log::info("summarised a text", json!({"bytes_in": request.text.len(), "chosen": summary.sentences.len()}));
    Ok(summary)
}

fn process_and_store(memory: New) -> Result<StoreResponse, Error> {
    let stored = storing::store(&process(memory.0, Config::read()?.longest()?)?)?;
    host::log::info("stored a memory", json!({"duplicate": stored.duplicate}));
    Ok(stored)
}

fn search_similar(request: SimilarRequest) -> Result<SimilarResponse, Error> {
    storing::find(request)
}

/// The hook `after_search`.
fn rerank(request: RerankRequest) -> Result<RerankResponse, Error> {
    Ok(RerankResponse { results: reranking::rerank(&request.query, request.results) })
}

export_plugin!(
    Processor: MemoryProcessor,
    name = "Memory processor",
    config = Config,
    requires = [LoggingAccess, ConfigAccess, MemoryAccess],
    tools = [extract_keywords, summarize_memory, process_and_store, search_similar],
    hooks = [rerank],
);

#[cfg(test)]
mod tests {
    use super::*;
    use agentmem_plugin_sdk::kinds::memory_processor;
    use agentmem_plugin_sdk::serde_json::{self, Value};
    use agentmem_plugin_sdk::testing::TestHost;

    fn host() -> TestHost {
        let kept = |request: &Value| Ok(json!({"memory": request, "duplicate": false}));
        TestHost::new().config(json!({"max_content_length": 30})).on("add_memory", kept)
    }

    #[test]
    fn what_it_does_not_know_passes_through() {
        let processed = host().call(
            memory_processor::process_memory::<Processor>,
            r#"{"x":1.10,"content":"a  b","n":123456789012345678901}"#,
        );
        let text = processed.expect("a memory");
        assert!(text.starts_with(r#"{"x":1.10,"content":"a b","n":123456789012345678901,"metadata":"#), "{text}");
    }

    #[test]
    fn the_configured_length_holds() {
        let long = json!({"content": "a".repeat(31)}).to_string();
        for refused in
            [host().call(memory_processor::process_memory::<Processor>, &long), host().call(process_and_store, &long)]
        {
            let refusal = refused.unwrap_err();
            assert!(refusal.message().contains("max_content_length allows 30"), "{refusal}");
        }
    }

    #[test]
    fn what_is_stored_is_clean_and_has_no_nulls() {
        let host = host();
        let given = json!({"content": "Ada   likes tea", "agent_id": null, "memory_type": "core", "other": 1});
        let stored: Value =
            serde_json::from_str(&host.call(process_and_store, &given.to_string()).expect("an answer")).expect("JSON");
        let asked = host.calls("add_memory").remove(0);
        assert_eq!((&asked["content"], &asked["memory_type"]), (&json!("Ada likes tea"), &json!("core")));
        assert_eq!((asked.get("agent_id"), asked.get("other")), (None, None));
        assert_eq!(stored["memory"]["agent_id"], Value::Null);
    }

    #[test]
    fn a_kind_that_there_is_not_is_refused() {
        let refusal = host().call(process_and_store, r#"{"content": "a", "memory_type": "dream"}"#).unwrap_err();
        assert!(refusal.message().starts_with("The memory cannot be stored: unknown variant `dream`"), "{refusal}");
    }
}
