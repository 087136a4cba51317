//! A host for `cargo test`: what a plugin's code asks of the host is answered by the test.
//!
//! ```
//! use agentmem_plugin_sdk::prelude::*;
//! use agentmem_plugin_sdk::testing::TestHost;
//!
//! let host = TestHost::new()
//!     .config(json!({"word": "Servus"}))
//!     .on("http_request", |request| Ok(json!({"status": 200, "body": request["url"]})))
//!     .refuse("call_llm", HostError::new("llm_not_configured", "No model is configured."));
//! let page = host.run(|| host::http::get("https://example.com/"));
//! assert_eq!(page.expect("an answer").text(), Some("https://example.com/"));
//! assert_eq!(host.calls("http_request")[0]["method"], "GET");
//! ```
//!
//! A function that a test gives no answer for is refused with the code `no_host`, but `log`, which is kept.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{json, Value};

use crate::{Error, HostError, Input, Output};

type Answer = Rc<dyn Fn(&Value) -> Result<Value, HostError>>;

thread_local! {
    static IN_FORCE: RefCell<Vec<TestHost>> = const { RefCell::new(Vec::new()) };
}

/// A host whose answers a test chooses, and that remembers what it was asked.
#[derive(Clone, Default)]
pub struct TestHost {
    answers: HashMap<String, Answer>,
    calls: Rc<RefCell<Vec<(String, Value)>>>,
}

impl TestHost {
    /// A host that knows `log` only.
    pub fn new() -> Self {
        TestHost::default().on("log", |_| Ok(Value::Null))
    }

    /// Answer a function: the request in, the `data` of the envelope out.
    pub fn on(mut self, function: &str, answer: impl Fn(&Value) -> Result<Value, HostError> + 'static) -> Self {
        self.answers.insert(function.to_owned(), Rc::new(answer));
        self
    }

    /// Refuse a function.
    pub fn refuse(self, function: &str, error: HostError) -> Self {
        self.on(function, move |_| Err(error.clone()))
    }

    /// Answer `get_config` with these values.
    pub fn config(self, values: Value) -> Self {
        self.on("get_config", move |request| {
            Ok(match request["key"].as_str() {
                Some(key) => values[key].clone(),
                None => values.clone(),
            })
        })
    }

    /// Run code that asks this host. Hosts nest; other threads are not touched.
    pub fn run<T>(&self, code: impl FnOnce() -> T) -> T {
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                IN_FORCE.with_borrow_mut(Vec::pop);
            }
        }
        IN_FORCE.with_borrow_mut(|hosts| hosts.push(self.clone()));
        let _leave = Leave;
        code()
    }

    /// Call a function of a plugin as the server would: JSON text in, JSON text out.
    ///
    /// # Errors
    /// What the model would read.
    pub fn call<I: Input, O: Output, E: Into<Error>>(
        &self,
        function: impl FnOnce(I) -> Result<O, E>,
        input: &str,
    ) -> Result<String, Error> {
        let output = self.run(|| crate::entry::answer("the function", input.as_bytes().to_vec(), function))?;
        String::from_utf8(output).map_err(Error::new)
    }

    /// The requests to a function so far, the oldest first.
    pub fn calls(&self, function: &str) -> Vec<Value> {
        let calls = self.calls.borrow();
        calls.iter().filter(|(name, _)| name == function).map(|(_, request)| request.clone()).collect()
    }
}

/// The envelope of the host in force.
pub(crate) fn answer(function: &str, request: &[u8]) -> Result<Vec<u8>, HostError> {
    let Some(host) = IN_FORCE.with_borrow(|hosts| hosts.last().cloned()) else {
        return Err(HostError::new("no_host", format!("There is no host here to answer {function}.")));
    };
    let request: Value = serde_json::from_slice(request)
        .map_err(|reason| HostError::new("invalid_request", format!("{function}: {reason}")))?;
    host.calls.borrow_mut().push((function.to_owned(), request.clone()));
    let Some(answer) = host.answers.get(function) else {
        return Err(HostError::new("no_host", format!("This test's host has no answer for {function}.")));
    };
    Ok(envelope(answer(&request)).to_string().into_bytes())
}

fn envelope(answer: Result<Value, HostError>) -> Value {
    match answer {
        Ok(data) => json!({"success": true, "data": data, "error": null, "metadata": {}}),
        Err(error) => {
            let mut metadata: Value = serde_json::from_str(error.details()).unwrap_or_default();
            metadata["code"] = error.code.into();
            json!({"success": false, "data": null, "error": error.message, "metadata": metadata})
        }
    }
}
