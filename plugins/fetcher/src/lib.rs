//! `fetcher`: reads a URL, as far as the operator allows it; the smallest plugin with a right it may not have.
//!
//! | export | in | out |
//! |---|---|---|
//! | `fetch` | `{"url"}` | `{"status", "body"}` |
//!
//! `NetworkAccess` is optional: without it the host refuses the call, and the host's words are this plugin's error.

use serde::Deserialize;
use serde_json::{json, Value};

#[cfg(target_arch = "wasm32")]
mod exports;

/// What `fetch` is called with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What to read.
    pub url: String,
}

/// What every host function answers.
#[derive(Debug, Deserialize)]
pub struct Envelope {
    success: bool,
    #[serde(default)]
    data: Value,
    #[serde(default)]
    error: Option<String>,
}

/// The request for the host function `http_request`.
///
/// # Errors
/// When `input` is not a [`Request`].
pub fn asked(input: &[u8]) -> Result<String, String> {
    let request: Request = serde_json::from_slice(input)
        .map_err(|reason| format!("The input of fetch is not right: {reason}. Expected {{\"url\": string}}."))?;
    Ok(json!({"method": "GET", "url": request.url}).to_string())
}

/// The plugin's output for the host's answer.
///
/// # Errors
/// When the host refused, with its words.
pub fn told(answer: &str) -> Result<String, String> {
    let envelope: Envelope =
        serde_json::from_str(answer).map_err(|reason| format!("The host answered with no envelope: {reason}."))?;
    if envelope.success {
        Ok(json!({"status": envelope.data["status"], "body": envelope.data["body"]}).to_string())
    } else {
        Err(envelope.error.unwrap_or_else(|| "The host refused and gave no reason.".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_becomes_a_request() {
        assert_eq!(
            asked(br#"{"url": "https://x.example/"}"#),
            Ok(r#"{"method":"GET","url":"https://x.example/"}"#.into())
        );
        assert!(asked(b"{}").unwrap_err().contains("missing field `url`"));
    }

    #[test]
    fn an_answer_is_handed_on_and_a_refusal_is_an_error() {
        let answer = r#"{"success": true, "data": {"status": 200, "body": "hi", "headers": {}}}"#;
        assert_eq!(told(answer), Ok(r#"{"body":"hi","status":200}"#.into()));
        assert_eq!(told(r#"{"success": false, "error": "not granted"}"#), Err("not granted".into()));
    }
}
