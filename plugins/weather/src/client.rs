//! Open-Meteo over HTTP: one request, and what its answer means. Which URL and which JSON is the caller's business.

use agentmem_plugin_sdk::prelude::*;
use agentmem_plugin_sdk::serde::de::DeserializeOwned;
use agentmem_plugin_sdk::serde::Deserialize;
use agentmem_plugin_sdk::serde_json;
use host::http::{Method, Request, Response};
use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};

const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b',');
/// The longest part of a foreign error that is passed on, in characters.
const TOLD: usize = 200;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// This question cannot be answered; another one may be.
    Question(String),
    /// The service does not answer; the next question would fare no better.
    Service(String),
}

impl Failure {
    /// The sentence.
    pub fn message(&self) -> &str {
        match self {
            Failure::Question(message) | Failure::Service(message) => message,
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.message().into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Question(error.to_string())
    }
}

#[derive(Deserialize)]
#[serde(crate = "agentmem_plugin_sdk::serde")]
struct Complaint {
    reason: String,
}

/// A URL with its query, each value encoded.
pub fn url_of(base: &str, path: &str, query: &[(&str, String)]) -> String {
    let mut url = [base.trim_end_matches('/'), path].concat();
    for (number, (name, value)) in query.iter().enumerate() {
        url.push(if number == 0 { '?' } else { '&' });
        url.push_str(name);
        url.push('=');
        url.extend(utf8_percent_encode(value, KEPT));
    }
    url
}

/// Read JSON from a URL.
///
/// # Errors
/// The host refuses, the service fails, or its answer is not of this type.
pub fn get<T: DeserializeOwned>(url: String, timeout_ms: u64) -> Result<T, Failure> {
    let request = Request { timeout_ms: Some(timeout_ms), ..Request::new(Method::Get, url) };
    let answer =
        request.send().map_err(|error| Failure::Service(format!("Open-Meteo cannot be asked: {}", error.message)))?;
    if !answer.is_success() {
        return Err(complaint(&answer));
    }
    answer.json().map_err(|reason: serde_json::Error| {
        Failure::Service(format!("Open-Meteo answered what is not its JSON: {reason}."))
    })
}

fn complaint(answer: &Response) -> Failure {
    let status = answer.status;
    let reason = answer.json::<Complaint>().map(|told| told.reason).unwrap_or_default();
    let reason: String = reason.trim().trim_end_matches('.').chars().take(TOLD).collect();
    let told = if reason.is_empty() { String::new() } else { [": ", &reason].concat() };
    match status {
        429 => {
            Failure::Service(format!("Open-Meteo takes no more requests for now (status 429){told}. Wait a minute."))
        }
        400..=499 => Failure::Question(format!("Open-Meteo refused the question (status {status}){told}.")),
        _ => Failure::Service(format!("Open-Meteo failed (status {status}){told}. Try again later.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agentmem_plugin_sdk::testing::TestHost;

    fn failure(status: u16, body: &str) -> Failure {
        let body = body.to_owned();
        let host = TestHost::new().on("http_request", move |_| Ok(json!({"status": status, "body": body})));
        host.run(|| get::<Vec<u8>>("https://x.example/".to_owned(), 5)).expect_err("a failure")
    }

    #[test]
    fn values_of_a_query_are_encoded() {
        let query = [("name", "São Paulo & Co".to_owned()), ("at", "1.5,-2".to_owned())];
        assert_eq!(
            url_of("https://x.example/", "/v1/search", &query),
            "https://x.example/v1/search?name=S%C3%A3o%20Paulo%20%26%20Co&at=1.5,-2"
        );
    }

    #[test]
    fn a_reason_of_the_service_is_passed_on() {
        let told = r#"{"error": true, "reason": "Latitude must be in range of -90 to 90°."}"#;
        let expected = "Open-Meteo refused the question (status 400): Latitude must be in range of -90 to 90°.";
        assert_eq!(failure(400, told), Failure::Question(expected.to_owned()));
    }

    #[test]
    fn a_service_that_fails_is_no_fault_of_the_question() {
        let busy = failure(429, r#"{"error": true, "reason": "Minutely API request limit exceeded."}"#);
        let expected = "Open-Meteo takes no more requests for now (status 429): Minutely API request limit exceeded. \
                        Wait a minute.";
        assert_eq!(busy, Failure::Service(expected.to_owned()));
        let down = failure(502, "<html>Bad gateway</html>");
        assert_eq!(down, Failure::Service("Open-Meteo failed (status 502). Try again later.".to_owned()));
        assert!(failure(200, "<html>").message().starts_with("Open-Meteo answered what is not its JSON"));
    }

    #[test]
    fn a_refusal_of_the_host_is_told_in_its_words() {
        let host = TestHost::new().refuse("http_request", HostError::new("http_timeout", "No answer in 5 ms."));
        let refused = host.run(|| get::<Vec<u8>>("https://x.example/".to_owned(), 5));
        assert_eq!(refused, Err(Failure::Service("Open-Meteo cannot be asked: No answer in 5 ms.".to_owned())));
        assert_eq!(host.calls("http_request")[0]["timeout_ms"], 5);
    }
}
