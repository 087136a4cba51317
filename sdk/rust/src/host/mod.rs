//! The functions of the host, typed: one module for each kind.
//!
//! | module | capability |
//! |---|---|
//! | [`log`] | `LoggingAccess`, granted to every plugin that asks |
//! | [`config`] | `ConfigAccess`, granted to every plugin that asks |
//! | [`memory`] | `MemoryAccess`, granted to every plugin that asks |
//! | [`storage`] | `StorageAccess` |
//! | [`search`] | `SearchAccess` |
//! | [`llm`] | `LLMAccess` |
//! | [`http`] | `NetworkAccess` |
//! | [`files`] | `FileSystemAccess` |
//!
//! A refusal or a failure is a [`HostError`] with the host's code, and a plugin can go on after it. Outside a module
//! the functions are answered by the host of [`testing`](crate::testing) that is in force, else with `no_host`.

pub mod config;
pub mod files;
pub mod http;
pub mod llm;
pub mod log;
pub mod memory;
pub mod search;
pub mod storage;
pub(crate) mod wire;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::HostError;
use wire::HostFunction;

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: DeserializeOwned"))]
struct Envelope<T> {
    success: bool,
    #[serde(default = "nothing")]
    data: Option<T>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    metadata: Option<Box<RawValue>>,
}

fn nothing<T>() -> Option<T> {
    None
}

/// Ask the host; nothing where its data is null.
fn ask<T: DeserializeOwned>(function: &HostFunction, request: &impl Serialize) -> Result<Option<T>, HostError> {
    let name = function.name;
    let request = serde_json::to_vec(request).map_err(|reason| unexpected(name, "could not be asked", &reason))?;
    let answer = function.call(&request)?;
    let envelope: Envelope<T> = serde_json::from_slice(&answer)
        .map_err(|reason| unexpected(name, "gave an answer of another shape than expected", &reason))?;
    if envelope.success {
        return Ok(envelope.data);
    }
    Err(HostError::refused(name, envelope.error, envelope.metadata))
}

/// Ask the host for something that cannot be null.
fn ask_for<T: DeserializeOwned>(function: &HostFunction, request: &impl Serialize) -> Result<T, HostError> {
    let data = ask(function, request)?;
    data.ok_or_else(|| HostError::new("unexpected_answer", [function.name, " answered null."].concat()))
}

fn unexpected(function: &str, what: &str, reason: &serde_json::Error) -> HostError {
    let message = ["The host function ", function, " ", what, ": ", &reason.to_string(), "."].concat();
    HostError::new("unexpected_answer", message)
}
