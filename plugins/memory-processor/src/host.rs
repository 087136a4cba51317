//! The host: the functions this plugin imports from the module `agentmem`.
//!
//! Every host function takes one JSON text and answers one envelope,
//! `{"success", "data", "error", "metadata"}`. A refusal is an envelope too, never a trap.

use extism_pdk::{host_fn, Error};
use serde::Deserialize;
use serde_json::{json, Value};

mod import {
    use super::host_fn;

    #[host_fn("agentmem")]
    extern "ExtismHost" {
        pub fn log(input: String) -> String;
        pub fn get_config(input: String) -> String;
        pub fn add_memory(input: String) -> String;
        pub fn search_memories(input: String) -> String;
    }
}

#[derive(Deserialize)]
struct Envelope {
    success: bool,
    #[serde(default)]
    data: Value,
    #[serde(default)]
    error: Option<String>,
}

/// Write one log line. A host that refuses it, or has had enough of them, does not fail the call.
pub fn log(level: &str, message: &str, fields: Value) {
    let line = json!({"level": level, "message": message, "fields": fields});
    // SAFETY: the import takes and answers a text, which is what the host registers.
    let _ = unsafe { import::log(line.to_string()) };
}

/// The config value of `key`, or nothing where it is unset or not to be had.
///
/// # Errors
/// When the answer is no envelope, which means that the host is broken.
pub fn config(key: &str) -> Result<Option<Value>, Error> {
    // SAFETY: the import takes and answers a text, which is what the host registers.
    let answer = unsafe { import::get_config(json!({"key": key}).to_string()) }?;
    let envelope: Envelope = serde_json::from_str(&answer)
        .map_err(|reason| Error::msg(format!("The host answered get_config with no envelope: {reason}.")))?;
    Ok(Some(envelope.data).filter(|data| envelope.success && !data.is_null()))
}

/// Store a memory; what the host answers.
///
/// # Errors
/// When the host refuses it, with the host's words.
pub fn add_memory(request: &Value) -> Result<Value, Error> {
    // SAFETY: the import takes and answers a text, which is what the host registers.
    data_of("add_memory", &unsafe { import::add_memory(request.to_string()) }?)
}

/// Search the stored memories; what the host answers.
///
/// # Errors
/// When the host refuses it, with the host's words.
pub fn search_memories(request: &Value) -> Result<Value, Error> {
    // SAFETY: the import takes and answers a text, which is what the host registers.
    data_of("search_memories", &unsafe { import::search_memories(request.to_string()) }?)
}

fn data_of(function: &str, answer: &str) -> Result<Value, Error> {
    let envelope: Envelope = serde_json::from_str(answer)
        .map_err(|reason| Error::msg(format!("The host answered {function} with no envelope: {reason}.")))?;
    if envelope.success {
        return Ok(envelope.data);
    }
    Err(Error::msg(envelope.error.unwrap_or_else(|| format!("The host refused {function} and gave no reason."))))
}
