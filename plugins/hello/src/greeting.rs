//! A greeting: what is asked for, what is answered, and who answers.

use serde::{Deserialize, Serialize};
use serde_json::{json, Value};

/// The greeting word where the config names none.
pub const DEFAULT_WORD: &str = "Hello";

/// What `hello` is called with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Who or what to greet.
    pub message: String,
}

/// What `hello` answers.
#[derive(Debug, PartialEq, Serialize)]
pub struct Response {
    /// The whole sentence.
    pub greeting: String,
}

impl Request {
    /// Read the input of `hello`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the input.
    pub fn parse(input: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(input)
            .map_err(|reason| format!("The input of hello is not right: {reason}. Expected {{\"message\": string}}."))
    }

    /// Greet with `word`.
    pub fn greet(&self, word: &str) -> Response {
        Response { greeting: format!("{word}, {}!", self.message) }
    }
}

/// The greeting word for a config value: a text that is not blank, or the default.
pub fn word_of(config: Option<&Value>) -> &str {
    config.and_then(Value::as_str).map(str::trim).filter(|word| !word.is_empty()).unwrap_or(DEFAULT_WORD)
}

/// What the `metadata` export answers.
pub fn metadata() -> Value {
    json!({
        "name": "Hello",
        "version": env!("CARGO_PKG_VERSION"),
        "description": env!("CARGO_PKG_DESCRIPTION"),
        "author": "AgentMem",
        "plugin_type": "Custom",
        "required_capabilities": ["LoggingAccess", "ConfigAccess"],
        "config_schema": {
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "greeting_word": {
                    "type": "string",
                    "default": DEFAULT_WORD,
                    "description": "The word before the comma"
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greet(input: &str, config: Option<Value>) -> String {
        let request = Request::parse(input.as_bytes()).expect("good input");
        request.greet(word_of(config.as_ref())).greeting
    }

    #[test]
    fn greets_with_the_default_word() {
        assert_eq!(greet(r#"{"message": "World"}"#, None), "Hello, World!");
        assert_eq!(greet(r#"{"message": "世界"}"#, Some(json!(null))), "Hello, 世界!");
    }

    #[test]
    fn greets_with_the_configured_word() {
        assert_eq!(greet(r#"{"message": "Ada"}"#, Some(json!("Servus"))), "Servus, Ada!");
    }

    #[test]
    fn a_blank_or_odd_word_is_no_word() {
        for odd in [json!("  "), json!(5), json!({"word": "Hi"})] {
            assert_eq!(greet(r#"{"message": "Ada"}"#, Some(odd)), "Hello, Ada!");
        }
    }

    #[test]
    fn says_what_is_wrong_with_the_input() {
        let missing = Request::parse(b"{}").unwrap_err();
        assert!(missing.contains("missing field `message`"), "{missing}");
        let wrong = Request::parse(br#"{"message": 5}"#).unwrap_err();
        assert!(wrong.contains("expected a string"), "{wrong}");
        assert!(Request::parse(b"\xff").is_err());
    }
}
