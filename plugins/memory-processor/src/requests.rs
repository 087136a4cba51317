//! Requests: what the tools that read a text are called with.

use agentmem_plugin_sdk::serde::de::Error as _;
use agentmem_plugin_sdk::serde::{Deserialize, Deserializer};
use agentmem_plugin_sdk::{request, serde_json::Value};

/// What `extract_keywords` is called with.
#[request]
pub struct KeywordsRequest {
    /// The text to find keywords in
    pub text: String,
    /// How many keywords at most
    #[serde(default = "ten", deserialize_with = "whole")]
    #[schemars(range(min = 1, max = 100))]
    pub limit: usize,
}

/// What `summarize_memory` is called with.
#[request]
pub struct SummaryRequest {
    /// The text to summarise
    pub text: String,
    /// How many sentences at most
    #[serde(default = "three", deserialize_with = "whole")]
    #[schemars(range(min = 1, max = 100))]
    pub max_sentences: usize,
}

/// What `search_similar` is called with.
#[request]
pub struct SimilarRequest {
    /// The text to find memories for
    pub text: String,
    /// How many memories at most
    #[serde(default = "ten", deserialize_with = "whole")]
    #[schemars(range(min = 1, max = 100))]
    pub limit: usize,
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
    use agentmem_plugin_sdk::Input;

    fn limit(json: &str) -> Result<usize, String> {
        let request = KeywordsRequest::read("extract_keywords", json.into());
        request.map(|request| request.limit).map_err(|error| error.to_string())
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
            let start = "The input of extract_keywords is not right: ";
            assert!(refusal.starts_with(start) && refusal.contains(part), "{refusal}");
        }
    }
}
