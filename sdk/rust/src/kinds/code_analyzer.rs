//! Plugins that read source code.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{made, Plugin};
use crate::{Error, Output};

/// Source code to look at.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeRequest {
    /// The source text.
    pub code: String,
    /// Its language, such as `rust` or `python`; without it, `file_path` says it.
    #[serde(default)]
    pub language: Option<String>,
    /// Where it comes from, to be named in the answer.
    #[serde(default)]
    pub file_path: Option<String>,
}

/// Reads source code. The answers are the plugin's own types.
pub trait CodeAnalyzer: Plugin {
    /// An object with at least `language`, `functions`, `imports`, `patterns` and `complexity`.
    type Analysis: Output;
    /// What was found of patterns.
    type Patterns: Output;
    /// What the code depends on.
    type Dependencies: Output;

    /// Say what is in the code.
    ///
    /// # Errors
    /// The language is unknown, or the code is too large.
    fn analyze_code(&self, request: CodeRequest) -> Result<Self::Analysis, Error>;

    /// Find patterns, with their places.
    ///
    /// # Errors
    /// As `analyze_code`.
    fn extract_patterns(&self, request: CodeRequest) -> Result<Self::Patterns, Error>;

    /// Find what the code depends on.
    ///
    /// # Errors
    /// As `analyze_code`.
    fn find_dependencies(&self, request: CodeRequest) -> Result<Self::Dependencies, Error>;
}

/// The export `analyze_code`.
///
/// # Errors
/// As the plugin's own.
pub fn analyze_code<P: CodeAnalyzer>(request: CodeRequest) -> Result<P::Analysis, Error> {
    made::<P>()?.analyze_code(request)
}

/// The export `extract_patterns`.
///
/// # Errors
/// As the plugin's own.
pub fn extract_patterns<P: CodeAnalyzer>(request: CodeRequest) -> Result<P::Patterns, Error> {
    made::<P>()?.extract_patterns(request)
}

/// The export `find_dependencies`.
///
/// # Errors
/// As the plugin's own.
pub fn find_dependencies<P: CodeAnalyzer>(request: CodeRequest) -> Result<P::Dependencies, Error> {
    made::<P>()?.find_dependencies(request)
}
