//! `hello`: the smallest plugin that does all a plugin does.
//!
//! Copy this folder to start your own. It reads JSON, reads its config through the host, logs through
//! the host and answers JSON:
//!
//! | export | in | out |
//! |---|---|---|
//! | `hello` | `{"message": "World"}` | `{"greeting": "Hello, World!"}` |
//! | `metadata` | nothing | who the plugin is and what it needs |
//!
//! The word before the comma is the config value `greeting_word`; unset, it is `Hello`.
//! Needs the capabilities `LoggingAccess` and `ConfigAccess`.
//!
//! The pure part is in [`greeting`] and is tested with plain `cargo test`; what touches the host is
//! compiled for wasm only, in `exports` and `host`.

pub mod greeting;

#[cfg(target_arch = "wasm32")]
mod exports;
#[cfg(target_arch = "wasm32")]
mod host;
