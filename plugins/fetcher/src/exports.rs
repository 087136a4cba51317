//! The export, and the one function this plugin imports from the module `agentmem`.

use extism_pdk::{host_fn, plugin_fn, Error, FnResult};

use crate::{asked, told};

mod import {
    use super::host_fn;

    #[host_fn("agentmem")]
    extern "ExtismHost" {
        pub fn http_request(input: String) -> String;
    }
}

/// Read a URL.
#[plugin_fn]
pub fn fetch(input: Vec<u8>) -> FnResult<String> {
    let request = asked(&input).map_err(Error::msg)?;
    // SAFETY: the import takes and answers a text, which is what the host registers.
    let answer = unsafe { import::http_request(request) }?;
    Ok(told(&answer).map_err(Error::msg)?)
}
