//! What the test that `export_plugin!` adds to a plugin finds, on manifests in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};

use agentmem_plugin_sdk::manifest::{Description, Role};
use agentmem_plugin_sdk::prelude::*;

/// What `count` is called with.
#[request]
pub struct Request {
    /// The text
    pub text: String,
}

/// What `count` answers.
#[response]
pub struct Response {
    /// How many words
    pub words: usize,
}

/// What can be set.
#[config]
#[derive(Default)]
pub struct Config {
    /// Whether to count quietly
    pub quiet: bool,
}

fn count(request: Request) -> Result<Response, Error> {
    Ok(Response { words: request.text.split_whitespace().count() })
}

fn described() -> Description {
    Description::new("counter", ["Counter", "0.1.0", "Counts words", "Ada", "Custom"], &["LoggingAccess"])
        .config::<Config>()
        .function("count", Role::Tool, count)
}

const MANIFEST: &str = r#"
manifest_version = 1
config_schema = "schemas/config.json"
[plugin]
id = "counter"
name = "Counter"
version = "0.1.0"
description = "Counts words"
author = "Ada"
[capabilities]
required = ["LoggingAccess"]
[config]
quiet = true
[[tools]]
function = "count"
input_schema = "schemas/count.input.json"
output_schema = "schemas/count.output.json"
"#;

/// A folder of a crate; removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn with(name: &str, manifest: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("src")).expect("a folder");
        fs::write(folder.join("plugin.toml"), manifest).expect("a manifest");
        Folder(folder)
    }

    fn problems(&self, write: bool) -> String {
        described().problems(&self.0, write).join("\n")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn schemas_are_written_and_then_are_the_codes() {
    let folder = Folder::with("written", MANIFEST);
    assert_eq!(folder.problems(false).lines().count(), 4, "{}", folder.problems(false));
    assert_eq!(folder.problems(true), "");
    assert_eq!(folder.problems(false), "");
    let schema = fs::read_to_string(folder.0.join("schemas/count.input.json")).expect("a schema");
    fs::write(folder.0.join("schemas/count.input.json"), schema.replace("The text", "A text")).expect("written");
    assert!(folder.problems(false).contains("count.input.json is not the schema"), "{}", folder.problems(false));
}

#[test]
fn each_difference_is_named() {
    for (told, other, problem) in [
        ("name = \"Counter\"", "name = \"Teller\"", "plugin.name: the manifest says \"Teller\", the code \"Counter\""),
        ("0.1.0", "0.2.0", "plugin.version"),
        ("Counts words", "Counts", "plugin.description"),
        ("\"Ada\"", "\"Ada\"\ntype = \"DataSource\"", "plugin.type: the manifest says \"DataSource\""),
        ("[\"LoggingAccess\"]", "[]", "capabilities.required: the manifest says []"),
        ("quiet = true", "loud = true", "config.loud: the code knows no such value"),
        ("function = \"count\"", "function = \"tell\"", "the function `tell`, which the code does not export"),
        ("function = \"count\"", "function = \"tell\"", "no entry in [[tools]] for `count`"),
        ("output_schema = \"schemas/count.output.json\"", "", "`count` needs output_schema = "),
        ("function = \"count\"", "function = \"count\"\ninput = \"text\"", "a function that takes a `Text`"),
        ("[config]", "[hooks]\nafter_add = \"react\"\n[config]", "the function `react`"),
        ("[config]", "[config", "is no TOML"),
    ] {
        let folder = Folder::with("differing", &MANIFEST.replacen(told, other, 1));
        let problems = folder.problems(true);
        assert!(problems.contains(problem), "{other}: {problems}");
    }
}

#[test]
fn a_schema_may_stand_in_the_manifest_itself() {
    let table = r#"output_schema = { "$schema" = "https://json-schema.org/draft/2020-12/schema", type = "object",
        description = "What `count` answers.", required = ["words"],
        properties = { words = { type = "integer", minimum = 0, description = "How many words" } } }"#;
    let line = "output_schema = \"schemas/count.output.json\"";
    let inline = MANIFEST.replace(line, &table.replace('\n', " "));
    assert_eq!(Folder::with("inline", &inline).problems(true), "");
    assert!(Folder::with("inline", &inline.replace("many", "few")).problems(true).contains("is not that of the code"));
}
