//! One request over HTTP and what its answer means, the same for all sources that are on the network.

use std::collections::BTreeMap;

use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::serde_json;
use host::http::{Request, Response};

use crate::page::Stop;

/// The longest part of a foreign error that is passed on, in characters.
const TOLD: usize = 300;

/// Send a request with the headers of a source; a status that is none of success is a stop.
///
/// # Errors
/// The host refuses, or the status is 300 or above.
pub fn send(request: Request, headers: &BTreeMap<String, String>, timeout_ms: u64) -> Result<Response, Stop> {
    let mut request = Request { timeout_ms: Some(timeout_ms), ..request };
    for (name, value) in headers {
        request.headers.insert(name.to_lowercase(), value.clone());
    }
    request.headers.entry("accept".to_owned()).or_insert_with(|| "application/json".to_owned());
    let answer = request.send()?;
    if answer.is_success() {
        return Ok(answer);
    }
    Err(refusal(&answer))
}

/// The body as JSON.
///
/// # Errors
/// It is none.
pub fn json_of(answer: &Response) -> Result<Value, Stop> {
    answer.json().map_err(|reason: serde_json::Error| {
        Stop::new("source_failed", format!("The source answered what is no JSON: {reason}."))
    })
}

fn refusal(answer: &Response) -> Stop {
    let told: String = answer.text().unwrap_or_default().trim().chars().take(TOLD).collect();
    let what = match answer.status {
        300..=399 => "points elsewhere, which is not followed",
        401 | 403 => "does not let this request in",
        404 => "knows no such thing",
        429 => "takes no more requests for now",
        400..=499 => "refused the request",
        _ => "failed",
    };
    let colon = if told.is_empty() { "." } else { ": " };
    let wait = answer.headers.get("retry-after").filter(|_| matches!(answer.status, 429 | 503));
    let wait = wait.map(|seconds| format!(" Try again after {seconds} seconds.")).unwrap_or_default();
    let reason = format!("The source {what} (status {}){colon}{told}{wait}", answer.status);
    Stop { code: format!("http_{}", answer.status), reason }
}
