//! Plugins that make memories better before they are kept.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{made, Plugin};
use crate::{Error, Input, MemoryType, Output};

/// Works on memories. What goes in and comes out is [`Memory`](crate::Memory), or a type of the plugin's own that
/// carries through what the plugin does not know.
pub trait MemoryProcessor: Plugin {
    /// A memory, as the plugin reads it.
    type Given: Input;
    /// The same, as the plugin writes it.
    type Processed: Output;

    /// Give a memory back as it should be kept.
    ///
    /// # Errors
    /// It cannot be worked on.
    fn process_memory(&self, memory: Self::Given) -> Result<Self::Processed, Error>;

    /// Whether this plugin is meant for that kind of memory.
    fn can_process(&self, memory_type: MemoryType) -> bool;
}

/// What `can_process` is called with: this object, or the kind alone as a text.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CanProcessRequest {
    /// A kind of memory, in any case; an unknown one is answered with false.
    pub memory_type: String,
}

/// What `can_process` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CanProcessResponse {
    /// Whether `process_memory` is meant for that kind.
    pub can_process: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    memory_type: String,
}

struct BareOrNamed;

impl<'de> Visitor<'de> for BareOrNamed {
    type Value = CanProcessRequest;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a kind of memory, or an object with `memory_type`")
    }

    fn visit_str<E>(self, text: &str) -> Result<CanProcessRequest, E> {
        Ok(CanProcessRequest { memory_type: text.to_owned() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CanProcessRequest, A::Error> {
        let Named { memory_type } = Named::deserialize(MapAccessDeserializer::new(map))?;
        Ok(CanProcessRequest { memory_type })
    }
}

impl<'de> Deserialize<'de> for CanProcessRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BareOrNamed)
    }
}

/// The export `process_memory`.
///
/// # Errors
/// As the plugin's own.
pub fn process_memory<P: MemoryProcessor>(memory: P::Given) -> Result<P::Processed, Error> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(json: &str) -> Result<String, String> {
        let read: serde_json::Result<CanProcessRequest> = serde_json::from_str(json);
        read.map(|request| request.memory_type).map_err(|error| error.to_string())
    }

    #[test]
    fn a_kind_comes_bare_or_named() {
        assert_eq!(asked(r#""episodic""#), Ok("episodic".to_owned()));
        assert_eq!(asked(r#"{"memory_type": "core"}"#), Ok("core".to_owned()));
        for odd in ["5", "{}", r#"{"memory_type": 5}"#, r#"["core"]"#, r#"{"memory_type": "core", "x": 1}"#] {
            assert!(asked(odd).is_err(), "{odd}");
        }
        assert!(asked("5").unwrap_err().contains("expected a kind of memory, or an object with `memory_type`"));
    }
}
