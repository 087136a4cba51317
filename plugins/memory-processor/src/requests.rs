//! Requests: what each export is called with, and the sentence that says what is wrong with it.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The types of memory this plugin works on.
pub const MEMORY_TYPES: [&str; 8] =
    ["episodic", "semantic", "procedural", "working", "core", "resource", "knowledge", "contextual"];

/// Why a call was refused, as a sentence.
#[derive(Debug, PartialEq)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

/// What `extract_keywords` is called with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeywordsRequest {
    /// The text.
    pub text: String,
    /// How many keywords at most, 1 to 100.
    #[serde(default = "ten", deserialize_with = "whole")]
    pub limit: usize,
}

/// What `summarize_memory` is called with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SummaryRequest {
    /// The text.
    pub text: String,
    /// How many sentences at most, 1 to 100.
    #[serde(default = "three", deserialize_with = "whole")]
    pub max_sentences: usize,
}

/// Whether this plugin works on the type of memory that `value` names: a text, or an object with `memory_type`.
///
/// # Errors
/// When the value names no type.
pub fn is_known_type(value: &Value) -> Result<bool, Refusal> {
    let name = value.as_str().or_else(|| value.get("memory_type").and_then(Value::as_str));
    let name = name.ok_or_else(|| {
        Refusal("The input of can_process names no type. Expected a string or {\"memory_type\": string}.".into())
    })?;
    Ok(MEMORY_TYPES.contains(&name.trim().to_lowercase().as_str()))
}

/// Read the input of `function`, which is `expected`.
///
/// # Errors
/// What is wrong with the input, and what it should be.
pub fn parse<T: DeserializeOwned>(function: &str, expected: &str, input: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(input)
        .map_err(|reason| Refusal(format!("The input of {function} is not right: {reason}. Expected {expected}.")))
}

fn ten() -> usize {
    10
}

fn three() -> usize {
    3
}

/// A whole number from 1 to 100; JSON writes it `5` or `5.0`.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let value = Value::deserialize(deserializer)?;
    match value.as_f64() {
        Some(number) if number.fract() == 0.0 && (1.0..=100.0).contains(&number) => Ok(number as usize),
        _ => Err(D::Error::custom(format_args!("{value} is not a whole number from 1 to 100"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn limit(json: &str) -> Result<usize, String> {
        let request: Result<KeywordsRequest, _> = parse("extract_keywords", "{\"text\": string}", json.as_bytes());
        request.map(|request| request.limit).map_err(|refusal| refusal.0)
    }

    #[test]
    fn whole_numbers_in_bounds_are_taken() {
        assert_eq!(limit(r#"{"text": ""}"#), Ok(10));
        assert_eq!(limit(r#"{"text": "", "limit": 5.0}"#), Ok(5));
        assert_eq!(limit(r#"{"text": "", "limit": 100}"#), Ok(100));
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        for (json, part) in [
            (r#"{"text": "", "limit": 0}"#, "0 is not a whole number from 1 to 100"),
            (r#"{"text": "", "limit": 101}"#, "101 is not"),
            (r#"{"text": "", "limit": 1.5}"#, "1.5 is not"),
            (r#"{"text": "", "limit": "5"}"#, "\"5\" is not"),
            (r#"{"limit": 1}"#, "missing field `text`"),
            (r#"{"text": "", "limits": 1}"#, "unknown field `limits`"),
            ("", "EOF"),
        ] {
            let refusal = limit(json).unwrap_err();
            assert!(refusal.contains(part) && refusal.ends_with("Expected {\"text\": string}."), "{refusal}");
        }
    }

    #[test]
    fn memory_types_come_bare_or_named() {
        for (value, known) in [
            (json!("episodic"), true),
            (json!({"memory_type": " Core"}), true),
            (json!("dream"), false),
            (json!(""), false),
        ] {
            assert_eq!(is_known_type(&value), Ok(known));
        }
        for odd in [json!(5), json!({}), json!({"memory_type": 5}), json!(["core"])] {
            let refusal = is_known_type(&odd).unwrap_err();
            assert!(refusal.0.contains("names no type"), "{refusal}");
        }
    }
}
