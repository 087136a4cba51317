//! The plugin's configuration. Needs `ConfigAccess`.

use serde::de::DeserializeOwned;
use serde::Serialize;
use serde_json::value::RawValue;

use super::wire::host_function;
use crate::input::not_right;
use crate::{Error, HostError};

host_function!(GET_CONFIG = get_config);

#[derive(Serialize)]
struct Whole {}

#[derive(Serialize)]
struct One<'a> {
    key: &'a str,
}

/// The whole configuration, as a type; without any, the type's `Default`.
///
/// # Errors
/// The host refuses, or a value is not what its field takes: the sentence names the field.
pub fn read<T: DeserializeOwned + Default>() -> Result<T, Error> {
    let Some(json) = super::ask::<Box<RawValue>>(&GET_CONFIG, &Whole {})? else { return Ok(T::default()) };
    let json = json.get();
    serde_json::from_str(json)
        .map_err(|reason| not_right("The configuration", " of this plugin", json.as_bytes(), &reason))
}

/// The value of one key, or nothing where it is not set.
///
/// # Errors
/// The host refuses, or the value has another type.
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<T>, HostError> {
    super::ask(&GET_CONFIG, &One { key })
}
