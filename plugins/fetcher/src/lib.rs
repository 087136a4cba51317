//! `fetcher`: reads a URL, as far as the operator allows it; the smallest plugin with a right it may not have.
//!
//! `NetworkAccess` is optional: without it the host refuses the call, and the host's words are this plugin's error.

use agentmem_plugin_sdk::prelude::*;

/// What `fetch` is called with.
#[request]
pub struct Request {
    /// An https URL
    pub url: String,
}

/// What `fetch` answers.
#[response]
pub struct Response {
    /// The HTTP status, also of pages that are errors
    pub status: u16,
    /// The text; null where the page is no text
    pub body: Option<String>,
}

fn fetch(request: Request) -> Result<Response, HostError> {
    let page = host::http::get(request.url)?;
    Ok(Response { status: page.status, body: page.body })
}

export_plugin!(name = "Fetcher", tools = [fetch]);

#[cfg(test)]
mod tests {
    use super::*;
    use agentmem_plugin_sdk::testing::TestHost;

    const INPUT: &str = r#"{"url": "https://x.example/"}"#;

    #[test]
    fn a_page_is_handed_on() {
        let host = TestHost::new().on("http_request", |_| Ok(json!({"status": 404, "body": "gone", "headers": {}})));
        assert_eq!(host.call(fetch, INPUT), Ok(r#"{"status":404,"body":"gone"}"#.to_owned()));
        assert_eq!(host.calls("http_request"), [json!({"method": "GET", "url": "https://x.example/"})]);
    }

    #[test]
    fn a_refusal_is_an_error_in_the_hosts_words() {
        let host = TestHost::new().refuse("http_request", HostError::new("capability_denied", "not granted"));
        assert_eq!(host.call(fetch, INPUT), Err("not granted".into()));
    }
}
