//! The exports: JSON in, JSON out, errors as sentences, one log line a call.

use extism_pdk::{plugin_fn, FnResult};
use serde_json::{json, Value};

use crate::fields::Fields;
use crate::requests::{is_known_type, parse, KeywordsRequest, SummaryRequest};
use crate::reranking::{rerank as reordered, RerankRequest};
use crate::{host, keywords, memory, summary};

/// What a memory and an `add_memory` have in common; the rest the host sets itself.
const STORED: [&str; 7] = ["content", "memory_type", "agent_id", "run_id", "metadata", "importance", "expires_at"];
/// How many keywords stand for a text in a search.
const QUERY_WORDS: usize = 8;

/// Clean a memory and describe it in its metadata.
#[plugin_fn]
pub fn process_memory(input: Vec<u8>) -> FnResult<String> {
    let fields: Fields = parse("process_memory", "a memory: {\"content\": string, ...}", &input)?;
    let max_length = memory::max_length_of(host::config("max_content_length")?.as_ref())?;
    let processed = serde_json::to_string(&memory::process(fields, max_length)?)?;
    host::log("info", "processed a memory", json!({"bytes_in": input.len(), "bytes_out": processed.len()}));
    Ok(processed)
}

/// Find the keywords of a text.
#[plugin_fn]
pub fn extract_keywords(input: Vec<u8>) -> FnResult<String> {
    let expected = "{\"text\": string, \"limit\"?: whole number}";
    let request: KeywordsRequest = parse("extract_keywords", expected, &input)?;
    let found = keywords::extract(&request.text, request.limit);
    host::log("info", "extracted keywords", json!({"bytes_in": input.len(), "found": found.len()}));
    Ok(json!({"keywords": found}).to_string())
}

/// Summarise a text in its own sentences.
#[plugin_fn]
pub fn summarize_memory(input: Vec<u8>) -> FnResult<String> {
    let expected = "{\"text\": string, \"max_sentences\"?: whole number}";
    let request: SummaryRequest = parse("summarize_memory", expected, &input)?;
    let summary = summary::summarize(&request.text, request.max_sentences);
    host::log("info", "summarised a text", json!({"bytes_in": input.len(), "chosen": summary.sentences.len()}));
    Ok(serde_json::to_string(&summary)?)
}

/// Process a memory and store it.
#[plugin_fn]
pub fn process_and_store(input: Vec<u8>) -> FnResult<String> {
    let fields: Fields = parse("process_and_store", "a memory: {\"content\": string, ...}", &input)?;
    let max_length = memory::max_length_of(host::config("max_content_length")?.as_ref())?;
    let processed = serde_json::to_value(&memory::process(fields, max_length)?)?;
    let kept = STORED.iter().filter_map(|name| processed.get(*name).map(|value| ((*name).to_owned(), value.clone())));
    let stored = host::add_memory(&Value::Object(kept.filter(|(_, value)| !value.is_null()).collect()))?;
    host::log("info", "stored a memory", json!({"duplicate": stored["duplicate"]}));
    Ok(json!({"memory": stored["memory"], "duplicate": stored["duplicate"]}).to_string())
}

/// Find stored memories that share a text's keywords.
#[plugin_fn]
pub fn search_similar(input: Vec<u8>) -> FnResult<String> {
    let expected = "{\"text\": string, \"limit\"?: whole number}";
    let request: KeywordsRequest = parse("search_similar", expected, &input)?;
    let words: Vec<String> =
        keywords::extract(&request.text, QUERY_WORDS).into_iter().map(|found| found.keyword).collect();
    let query = if words.is_empty() { request.text } else { words.join(" ") };
    let found = host::search_memories(&json!({"query": query, "limit": request.limit}))?;
    Ok(json!({"query": query, "results": found["results"]}).to_string())
}

/// Put the results of a search into a better order: the hook `after_search`.
#[plugin_fn]
pub fn rerank(input: Vec<u8>) -> FnResult<String> {
    let expected = "{\"query\": string, \"results\": [{\"memory\", \"score\"}]}";
    let request: RerankRequest = parse("rerank", expected, &input)?;
    Ok(json!({"results": reordered(&request.query, request.results)}).to_string())
}

/// Say whether this plugin works on a type of memory.
#[plugin_fn]
pub fn can_process(input: Vec<u8>) -> FnResult<String> {
    let value: Value = parse("can_process", "a string or {\"memory_type\": string}", &input)?;
    let known = is_known_type(&value)?;
    host::log("debug", "asked for a memory type", json!({"can_process": known}));
    Ok(json!({"can_process": known}).to_string())
}

/// Who this plugin is and what it needs.
#[plugin_fn]
pub fn metadata() -> FnResult<String> {
    Ok(description().to_string())
}

fn description() -> Value {
    json!({
        "name": "Memory processor",
        "version": env!("CARGO_PKG_VERSION"),
        "description": env!("CARGO_PKG_DESCRIPTION"),
        "author": "AgentMem",
        "plugin_type": "MemoryProcessor",
        "required_capabilities": ["LoggingAccess", "ConfigAccess", "MemoryAccess"],
        "config_schema": {
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "max_content_length": {
                    "type": "integer",
                    "minimum": 1,
                    "default": memory::DEFAULT_MAX_CONTENT_LENGTH,
                    "description": "Longest content in characters that process_memory takes"
                }
            }
        }
    })
}
