//! What a call fails with: an error for whoever called the plugin, and what the host said to the plugin.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Why a call failed, as a sentence that a model can act on.
///
/// Made from a text, from a [`HostError`] by `?`, or from any error that can be shown by [`Error::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    /// An error that reads as `reason` does.
    pub fn new(reason: impl fmt::Display) -> Self {
        Error(reason.to_string())
    }

    /// The sentence.
    pub fn message(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<String> for Error {
    fn from(message: String) -> Self {
        Error(message)
    }
}

impl From<&str> for Error {
    fn from(message: &str) -> Self {
        Error(message.to_owned())
    }
}

impl From<HostError> for Error {
    fn from(error: HostError) -> Self {
        Error(error.message)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Error::new(error)
    }
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// Why the host refused or could not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostError {
    /// The host's stable code, such as `capability_denied` or `memory_not_found`. From this crate come `no_host` (there
    /// is no host, as in a native program without [`testing`](crate::testing)) and `unexpected_answer`.
    pub code: String,
    /// The host's sentence.
    pub message: String,
    details: Option<Box<str>>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    retry_after: Option<f64>,
}

impl HostError {
    /// An error of this crate, or of a host in a test.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        HostError { code: code.into(), message: message.into(), details: None }
    }

    /// The same with more about it, such as `json!({"retry_after": 2})`.
    pub fn with_details(self, details: &serde_json::Value) -> Self {
        HostError { details: Some(details.to_string().into()), ..self }
    }

    /// What an envelope with `success: false` says.
    pub(crate) fn refused(function: &str, error: Option<String>, details: Option<Box<RawValue>>) -> Self {
        let details: Option<Box<str>> = details.map(Into::into);
        let known: Option<Details> = details.as_deref().and_then(|json| serde_json::from_str(json).ok());
        HostError {
            code: known.and_then(|known| known.code).unwrap_or_else(|| "internal".to_owned()),
            message: error.unwrap_or_else(|| ["The host refused ", function, " and gave no reason."].concat()),
            details,
        }
    }

    /// After how many seconds the same may be asked again, where the host says so.
    pub fn retry_after(&self) -> Option<f64> {
        serde_json::from_str::<Details>(self.details()).ok()?.retry_after
    }

    /// All that the host said about it (`metadata` of its envelope), as a JSON object.
    pub fn details(&self) -> &str {
        self.details.as_deref().unwrap_or("{}")
    }

    /// The same, as a type that has the fields of interest.
    pub fn details_as<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.details()).ok()
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for HostError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(details: &str) -> HostError {
        let details = RawValue::from_string(details.to_owned()).expect("JSON");
        HostError::refused("http_request", Some("Too many.".to_owned()), Some(details))
    }

    #[test]
    fn a_refusal_has_the_hosts_code_and_details() {
        let error = refused(r#"{"code": "rate_limited", "retry_after": 1.5, "bound": "host"}"#);
        assert_eq!((error.code.as_str(), error.retry_after()), ("rate_limited", Some(1.5)));
        assert_eq!(error.details_as::<serde_json::Value>().expect("an object")["bound"], "host");
        assert_eq!(Error::from(error).to_string(), "Too many.");
    }

    #[test]
    fn a_refusal_without_details_still_says_which_function() {
        let error = HostError::refused("embed", None, None);
        assert_eq!((error.code.as_str(), error.retry_after()), ("internal", None));
        assert_eq!(error.message, "The host refused embed and gave no reason.");
        assert_eq!(refused("{}").code, "internal");
    }
}
