//! HTTP requests, as far as the manifest and the operator allow them. Needs `NetworkAccess`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::wire::host_function;
use crate::HostError;

host_function!(HTTP_REQUEST = http_request);

/// What is done with the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Method {
    #[default]
    Get,
    Post,
    Put,
    Delete,
    Patch,
    Head,
}

/// A request; start with [`Request::new`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Request {
    /// What is done.
    pub method: Method,
    /// An absolute URL.
    pub url: String,
    /// Headers; `{{secret:NAME}}` in a value stands for a secret of the operator's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// A text to send; or `body_base64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Bytes to send, in base64; or `body`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// Whether up to three redirects are followed; else a redirect is an answer like any other.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub follow_redirects: bool,
    /// Shortens the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Request { method, url: url.into(), ..Request::default() }
    }

    /// With a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// With a text to send.
    pub fn body(self, body: impl Into<String>) -> Self {
        Request { body: Some(body.into()), ..self }
    }

    /// Send it.
    ///
    /// # Errors
    /// As [`send`].
    pub fn send(&self) -> Result<Response, HostError> {
        send(self)
    }
}

/// What came back. Every status is an answer, also 404 and 500.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Headers, their names in lower case.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body, where it is UTF-8.
    #[serde(default)]
    pub body: Option<String>,
    /// The body in base64, where it is not.
    #[serde(default)]
    pub body_base64: Option<String>,
    /// Where the answer came from.
    #[serde(default)]
    pub url: String,
}

impl Response {
    /// Whether the status is one of success, 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as text; nothing where it is bytes.
    pub fn text(&self) -> Option<&str> {
        self.body.as_deref()
    }

    /// The body, read from JSON.
    ///
    /// # Errors
    /// It is no JSON, or not of this type.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.body.as_deref().unwrap_or_default())
    }
}

/// Send a request.
///
/// # Errors
/// Among the codes: `network_denied`, `invalid_url`, `secret_denied`, `rate_limited` with
/// [`retry_after`](HostError::retry_after), `http_timeout`, `http_failed`, `limit_http_response`.
pub fn send(request: &Request) -> Result<Response, HostError> {
    super::ask_for(&HTTP_REQUEST, request)
}

/// Read a URL.
///
/// # Errors
/// As [`send`].
pub fn get(url: impl Into<String>) -> Result<Response, HostError> {
    send(&Request::new(Method::Get, url))
}
