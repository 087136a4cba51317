//! What stands between an export and a function: input read, output written, an error told. `export_plugin!` calls it.

use crate::{Error, Input, Output};

/// Read the input of `function`, call it, and write what it answers.
///
/// # Errors
/// The input is not right, or the function fails.
pub fn answer<I: Input, O: Output, E: Into<Error>>(
    function: &str,
    input: Vec<u8>,
    call: impl FnOnce(I) -> Result<O, E>,
) -> Result<Vec<u8>, Error> {
    call(I::read(function, input)?).map_err(Into::into)?.write(function)
}

/// Run an export: its input is what the host has for this call. Answers Extism's code, 0 or -1.
#[cfg(target_arch = "wasm32")]
pub fn run<I: Input, O: Output, E: Into<Error>>(function: &str, call: impl FnOnce(I) -> Result<O, E>) -> i32 {
    finish(answer(function, extism_pdk::input_bytes(), call))
}

/// Run an export of the lifecycle, which is given nothing and answers nothing.
#[cfg(target_arch = "wasm32")]
pub fn run_without_input<E: Into<Error>>(_function: &str, call: impl FnOnce() -> Result<(), E>) -> i32 {
    finish(call().map(|()| Vec::new()).map_err(Into::into))
}

/// Answer a text that was there before the call.
#[cfg(target_arch = "wasm32")]
pub fn tell(text: &str) -> i32 {
    crate::host::wire::set_output(text.as_bytes());
    0
}

#[cfg(target_arch = "wasm32")]
fn finish(answer: Result<Vec<u8>, Error>) -> i32 {
    match answer {
        Ok(output) => {
            crate::host::wire::set_output(&output);
            0
        }
        Err(error) => {
            crate::host::wire::set_error(error.message());
            -1
        }
    }
}
