//! `hello`: the smallest plugin that does all a plugin does. Copy this folder to start your own.
//!
//! It reads JSON, reads its configuration, logs, and answers JSON. The manifest in `manifests/hello/plugin.toml` says
//! the same as the code; `cargo test` compares them.

use agentmem_plugin_sdk::prelude::*;

/// What `hello` is called with.
#[request]
pub struct Request {
    /// Who or what to greet, for example "World"
    pub message: String,
}

/// What `hello` answers.
#[response]
pub struct Response {
    /// The whole greeting
    pub greeting: String,
}

/// What the operator can set.
#[config]
pub struct Config {
    /// The word before the comma
    pub greeting_word: String,
}

impl Default for Config {
    fn default() -> Self {
        Config { greeting_word: "Hello".to_owned() }
    }
}

fn hello(request: Request) -> Result<Response, Error> {
    let config = Config::read()?;
    let word = match config.greeting_word.trim() {
        "" => "Hello",
        word => word,
    };
    host::log::info("greeted", json!({"word": word, "message_bytes": request.message.len()}));
    Ok(Response { greeting: format!("{word}, {}!", request.message) })
}

export_plugin!(name = "Hello", config = Config, requires = [LoggingAccess, ConfigAccess], tools = [hello]);

#[cfg(test)]
mod tests {
    use super::*;
    use agentmem_plugin_sdk::testing::TestHost;

    fn greet(config: Value, input: &str) -> Result<String, Error> {
        TestHost::new().config(config).call(hello, input)
    }

    #[test]
    fn greets_with_the_default_word() {
        assert_eq!(greet(json!({}), r#"{"message": "世界"}"#), Ok(r#"{"greeting":"Hello, 世界!"}"#.to_owned()));
    }

    #[test]
    fn greets_with_the_configured_word() {
        let config = json!({"greeting_word": "Servus"});
        assert_eq!(greet(config, r#"{"message": "Ada"}"#), Ok(r#"{"greeting":"Servus, Ada!"}"#.to_owned()));
    }

    #[test]
    fn logs_without_the_message() {
        let host = TestHost::new().config(json!({}));
        host.call(hello, r#"{"message": "secret"}"#).expect("a greeting");
        assert_eq!(host.calls("log")[0]["fields"], json!({"word": "Hello", "message_bytes": 6}));
    }

    #[test]
    fn says_what_is_wrong() {
        let missing = greet(json!({}), "{}").unwrap_err().to_string();
        assert!(missing.contains("missing field `message`"), "{missing}");
        let odd = greet(json!({"greeting_word": 5}), r#"{"message": "Ada"}"#).unwrap_err().to_string();
        assert!(odd.contains("at `greeting_word`: invalid type: integer `5`, expected a string"), "{odd}");
    }
}
