//! What an export answers: a type as JSON, or a text as it is.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{Error, Text};

/// What a function of a plugin may answer. All types that are written as JSON and have a schema can be answered.
pub trait Output: Sized {
    /// Write it.
    ///
    /// # Errors
    /// It has no JSON, such as a map with keys that are no texts.
    fn write(self, function: &str) -> Result<Vec<u8>, Error>;

    /// Its JSON Schema; nothing for a text.
    #[cfg(not(target_arch = "wasm32"))]
    fn schema() -> Option<serde_json::Value>;
}

impl<T: Serialize + JsonSchema> Output for T {
    fn write(self, function: &str) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(&self)
            .map_err(|reason| ["The answer of ", function, " has no JSON: ", &reason.to_string(), "."].concat().into())
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn schema() -> Option<serde_json::Value> {
        Some(crate::schemas::of_output::<T>())
    }
}

impl Output for Text {
    fn write(self, _function: &str) -> Result<Vec<u8>, Error> {
        Ok(self.0.into_bytes())
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn schema() -> Option<serde_json::Value> {
        None
    }
}
