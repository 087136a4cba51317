//! `code-analyzer`: says what is in a source file, without running or building it.
//!
//! Python, Rust, JavaScript and Go are read by tree-sitter's parsers, which go on after an error: what is wrong is
//! reported with its place, and the rest is still read. The way of a file: [`languages`] → [`analysis`] parses it and
//! [`walk`]s its tree once → the module of the language says what each node means → [`facts`] keeps it → [`report`].
//! [`dependencies`] sorts the imports; [`project_files`] reads `Cargo.toml` and its like.
//!
//! Neither the parsers nor the walk recurse, so that no depth of nesting overflows the stack. Names, types and lines of
//! code are cut at [`facts::SHOWN`] characters and lists at a number of bytes, so that an answer stays below 1 MiB.

use agentmem_plugin_sdk::config::NoConfig;
use agentmem_plugin_sdk::kinds::code_analyzer::CodeRequest;
use agentmem_plugin_sdk::kinds::CodeAnalyzer;
use agentmem_plugin_sdk::prelude::*;

pub mod analysis;
pub mod dependencies;
pub mod facts;
pub mod findings;
pub mod go;
pub mod javascript;
pub mod javascript_findings;
pub mod javascript_modules;
pub mod languages;
pub mod project_files;
pub mod python;
pub mod python_findings;
pub mod python_projects;
pub mod report;
pub mod requests;
pub mod rust;
pub mod rust_findings;
pub mod rust_uses;
pub mod source;
pub mod standard;
pub mod walk;

/// The plugin: it has no state and no configuration.
pub struct Analyzer;

impl Plugin for Analyzer {
    type Config = NoConfig;

    fn new(_config: NoConfig) -> Result<Self, Error> {
        Ok(Analyzer)
    }
}

impl CodeAnalyzer for Analyzer {
    type Analysis = report::Analysis;
    type Patterns = report::Patterns;
    type Dependencies = dependencies::Dependencies;

    fn analyze_code(&self, request: CodeRequest) -> Result<Self::Analysis, Error> {
        Ok(analysis::analyze(&request)?)
    }

    fn extract_patterns(&self, request: CodeRequest) -> Result<Self::Patterns, Error> {
        Ok(analysis::patterns(&request)?)
    }

    fn find_dependencies(&self, request: CodeRequest) -> Result<Self::Dependencies, Error> {
        Ok(dependencies::find(&request)?)
    }
}

export_plugin!(Analyzer: CodeAnalyzer, name = "Code analyzer");
