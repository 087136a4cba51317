//! The plugin's configuration, read as a type.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::host;
use crate::Error;

/// The configuration of a plugin: `[config]` of its manifest with the operator's `[config.<id>]` laid over it.
///
/// Mark a struct with [`#[config]`](macro@crate::config) and give it a `Default`; that is all.
pub trait PluginConfig: Sized {
    /// The configuration as it is now.
    ///
    /// # Errors
    /// The host refuses (`ConfigAccess` is not granted), or a value has another type than its field.
    fn read() -> Result<Self, Error>;
}

impl<T: DeserializeOwned + JsonSchema + Default> PluginConfig for T {
    fn read() -> Result<Self, Error> {
        host::config::read()
    }
}

/// The configuration of a plugin that has none: nothing is read, and no capability is needed.
#[derive(Debug, Clone, Copy)]
pub struct NoConfig;

impl PluginConfig for NoConfig {
    fn read() -> Result<Self, Error> {
        Ok(NoConfig)
    }
}
