//! Log lines, for the operator and, as far as the server hands them on, the client. Needs `LoggingAccess`.
//!
//! A line that the host refuses, or has had enough of, never fails a call; [`write()`] tells of it.

use serde::Serialize;

use super::wire::host_function;
use crate::HostError;

host_function!(LOG = log);

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Level {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

#[derive(Serialize)]
struct Line<'a, F> {
    level: Level,
    message: &'a str,
    fields: F,
}

/// Write one line; `fields` is what becomes a JSON object, such as `json!({"bytes": 5})`.
///
/// # Errors
/// The host did not take it.
pub fn write(level: Level, message: &str, fields: impl Serialize) -> Result<(), HostError> {
    super::ask::<serde::de::IgnoredAny>(&LOG, &Line { level, message, fields }).map(drop)
}

/// Write a line that helps to find faults.
pub fn debug(message: &str, fields: impl Serialize) {
    let _ = write(Level::Debug, message, fields);
}

/// Write a line about what was done.
pub fn info(message: &str, fields: impl Serialize) {
    let _ = write(Level::Info, message, fields);
}

/// Write a line about something odd that the call got over.
pub fn warning(message: &str, fields: impl Serialize) {
    let _ = write(Level::Warning, message, fields);
}

/// Write a line about something that failed.
pub fn error(message: &str, fields: impl Serialize) {
    let _ = write(Level::Error, message, fields);
}
