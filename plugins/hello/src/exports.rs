//! The exports: JSON in, JSON out, errors as sentences.

use extism_pdk::{plugin_fn, Error, FnResult};
use serde_json::json;

use crate::greeting::{self, Request};
use crate::host;

/// Greet: `{"message"}` in, `{"greeting"}` out.
#[plugin_fn]
pub fn hello(input: Vec<u8>) -> FnResult<String> {
    let request = Request::parse(&input).map_err(Error::msg)?;
    let config = host::config("greeting_word")?;
    let word = greeting::word_of(config.as_ref());
    host::log("info", "greeted", json!({"word": word, "message_bytes": request.message.len()}));
    Ok(serde_json::to_string(&request.greet(word))?)
}

/// Who this plugin is and what it needs.
#[plugin_fn]
pub fn metadata() -> FnResult<String> {
    Ok(greeting::metadata().to_string())
}
