//! The exports and the host functions they need: JSON in, JSON out, errors as sentences.

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use extism_pdk::{host_fn, plugin_fn, FnResult};
use serde::de::DeserializeOwned;
use serde::Deserialize;
use serde_json::{json, Value};

use crate::budget::Budget;
use crate::refusal::Refusal;
use crate::source::{Files, Part};
use crate::tools;

mod import {
    use super::host_fn;

    #[host_fn("agentmem")]
    extern "ExtismHost" {
        pub fn get_config(input: String) -> String;
        pub fn read_file(input: String) -> String;
    }
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: Option<T>,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Deserialize)]
struct FilePart {
    content_base64: String,
    size: u64,
}

struct HostFiles;

impl Files for HostFiles {
    fn read(&self, path: &str, offset: u64, limit: usize) -> Result<Part, Refusal> {
        let request = json!({"path": path, "offset": offset, "limit": limit, "encoding": "base64"}).to_string();
        // SAFETY: the import takes and answers a text, which is what the host registers.
        let answer = unsafe { import::read_file(request) }.map_err(|reason| Refusal(reason.to_string()))?;
        let part: FilePart = data_of("read_file", &answer)?;
        let bytes = STANDARD.decode(part.content_base64).map_err(|reason| Refusal::broken("host's", &reason))?;
        Ok(Part { bytes, size: part.size })
    }
}

fn data_of<T: DeserializeOwned>(function: &str, answer: &str) -> Result<T, Refusal> {
    let envelope: Envelope<T> = serde_json::from_str(answer)
        .map_err(|reason| Refusal(format!("The host answered {function} with no envelope: {reason}.")))?;
    envelope.data.ok_or_else(|| {
        Refusal(envelope.error.unwrap_or_else(|| format!("The host refused {function} and gave no reason.")))
    })
}

/// What the operator allows to be decoded; as delivered where nothing is said.
fn budget() -> Result<Budget, Refusal> {
    // SAFETY: the import takes and answers a text, which is what the host registers.
    let answer = unsafe { import::get_config("{}".to_owned()) };
    let answer = answer.map_err(|reason| Refusal(reason.to_string()))?;
    let envelope: Envelope<Value> = serde_json::from_str(&answer)
        .map_err(|reason| Refusal(format!("The host answered get_config with no envelope: {reason}.")))?;
    Budget::from_config(envelope.data)
}

fn parse<T: DeserializeOwned>(function: &str, input: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(input)
        .map_err(|reason| Refusal(format!("The input of {function} is not right: {reason}. Expected an object with data or path.")))
}

/// Describe a picture.
#[plugin_fn]
pub fn describe_image(input: Vec<u8>) -> FnResult<String> {
    let request = parse("describe_image", &input)?;
    drop(input);
    Ok(tools::describe_image(request, &HostFiles, &budget()?)?.content().to_string())
}

/// Resize a picture.
#[plugin_fn]
pub fn resize_image(input: Vec<u8>) -> FnResult<String> {
    let request = parse("resize_image", &input)?;
    drop(input);
    Ok(tools::resize_image(request, &HostFiles, &budget()?)?.content().to_string())
}

/// Read the QR codes of a picture.
#[plugin_fn]
pub fn read_qr(input: Vec<u8>) -> FnResult<String> {
    let request = parse("read_qr", &input)?;
    drop(input);
    Ok(tools::read_qr(request, &HostFiles, &budget()?)?.to_string())
}

/// Describe a sound or a film.
#[plugin_fn]
pub fn audio_info(input: Vec<u8>) -> FnResult<String> {
    let request = parse("audio_info", &input)?;
    drop(input);
    Ok(tools::audio_info(request, &HostFiles, &budget()?)?.content().to_string())
}

/// Who this plugin is and what it needs.
#[plugin_fn]
pub fn metadata() -> FnResult<String> {
    let about = json!({
        "name": "Multimodal",
        "version": env!("CARGO_PKG_VERSION"),
        "description": env!("CARGO_PKG_DESCRIPTION"),
        "author": "AgentMem",
        "plugin_type": "Multimodal",
        "required_capabilities": ["ConfigAccess"],
        "config_schema": {
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "max_megapixels": {
                    "type": "object",
                    "additionalProperties": {"type": "number", "minimum": 0},
                    "description": "Millions of pixels that are decoded, by kind: jpeg, progressive_jpeg, png, \
                                    interlaced_png, gif, webp"
                },
                "max_waveform_samples": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "Samples of all channels that are decoded for a waveform; of a longer sound only parts"
                }
            }
        }
    });
    Ok(about.to_string())
}
