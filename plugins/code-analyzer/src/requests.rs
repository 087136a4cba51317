//! Requests: what each export is called with, and the sentence that says what is wrong with it.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::Deserialize;

/// The longest code in bytes that is read.
pub const MAX_CODE_BYTES: usize = 1_000_000;

/// Why a call was refused, as a sentence.
#[derive(Debug, PartialEq)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

/// What `analyze_code` is called with.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeRequest {
    /// The source text of one file.
    pub code: String,
    /// Its language; without it, the ending of `file_path` says it.
    #[serde(default)]
    pub language: Option<String>,
    /// The file's path; nothing is read from it.
    #[serde(default)]
    pub file_path: Option<String>,
}

/// What `extract_patterns` is called with.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternsRequest {
    /// The source text of one file.
    pub code: String,
    /// Its language; without it, the ending of `file_path` says it.
    #[serde(default)]
    pub language: Option<String>,
    /// The file's path; nothing is read from it.
    #[serde(default)]
    pub file_path: Option<String>,
    /// The ids of the patterns to look for; all without it.
    #[serde(default)]
    pub patterns: Option<Vec<String>>,
}

/// What `find_dependencies` is called with.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DependenciesRequest {
    /// The source text of one file, or a project file such as `Cargo.toml`.
    pub code: String,
    /// Its language; without it, the name of `file_path` says it.
    #[serde(default)]
    pub language: Option<String>,
    /// The file's path; nothing is read from it.
    #[serde(default)]
    pub file_path: Option<String>,
    /// Modules, packages or crates that belong to the project itself.
    #[serde(default)]
    pub local_modules: Vec<String>,
}

/// Read the input of `function`, which is `expected`.
///
/// # Errors
/// What is wrong with the input, and what it should be.
pub fn parse<T: DeserializeOwned>(function: &str, expected: &str, input: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(input)
        .map_err(|reason| Refusal(format!("The input of {function} is not right: {reason}. Expected {expected}.")))
}

/// Hold code against the limit.
///
/// # Errors
/// It is too long.
pub fn check_length(code: &str) -> Result<(), Refusal> {
    if code.len() <= MAX_CODE_BYTES {
        return Ok(());
    }
    let length = code.len();
    Err(Refusal(format!("The code has {length} bytes; at most {MAX_CODE_BYTES} are read. Split the file.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_what_is_wrong() {
        for (json, part) in [
            ("{}", "missing field `code`"),
            (r#"{"code": 5}"#, "expected a string"),
            (r#"{"code": "", "lang": "rust"}"#, "unknown field `lang`"),
            ("", "EOF"),
        ] {
            let refused = parse::<CodeRequest>("analyze_code", "{\"code\": string}", json.as_bytes());
            let refusal = refused.expect_err(json);
            assert!(refusal.0.contains(part) && refusal.0.ends_with("Expected {\"code\": string}."), "{refusal}");
        }
    }

    #[test]
    fn code_is_taken_up_to_the_limit() {
        assert_eq!(check_length(&" ".repeat(MAX_CODE_BYTES)), Ok(()));
        let refusal = check_length(&" ".repeat(MAX_CODE_BYTES + 1)).unwrap_err();
        assert!(refusal.0.starts_with("The code has 1000001 bytes; at most 1000000 are read."), "{refusal}");
    }
}
