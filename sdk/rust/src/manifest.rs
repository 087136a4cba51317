//! The manifest and the code, compared: the test that `export_plugin!` adds to a plugin.
//!
//! The manifest is `plugin.toml` beside the plugin's `Cargo.toml`, or `manifests/<crate>/plugin.toml` two folders up.
//! Schemas are files that it names, `schemas/<function>.input.json` and `schemas/<function>.output.json`; with the
//! variable `AGENTMEM_WRITE` set they are written, else compared. A module carries none of them.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde_json::Value;

use crate::schemas;
use crate::{Error, Input, Output};

/// Where a plugin keeps the schema of its configuration, from its crate's folder.
const CONFIG_SCHEMA: &str = "src/config.schema.json";
/// Where the host finds it, from the manifest's folder.
const SERVED_CONFIG_SCHEMA: &str = "schemas/config.json";

/// What a function is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Clients see it.
    Tool,
    /// It comes with the plugin's kind; clients see it where the manifest says so.
    Kind,
    /// It is called around memory operations.
    Hook,
    /// The host calls it when the plugin starts or stops.
    Lifecycle,
}

struct Function {
    name: &'static str,
    role: Role,
    input: Option<Value>,
    output: Option<Value>,
}

/// What a plugin's code says of itself.
pub struct Description {
    crate_name: &'static str,
    facts: [&'static str; 5],
    required: Vec<&'static str>,
    config: Option<Value>,
    functions: Vec<Function>,
}

impl Description {
    /// A plugin without functions; `facts` are its name, version, description, author and type.
    pub fn new(crate_name: &'static str, facts: [&'static str; 5], required: &[&'static str]) -> Self {
        Description { crate_name, facts, required: required.to_vec(), config: None, functions: Vec::new() }
    }

    /// With a configuration.
    pub fn config<T: JsonSchema>(mut self) -> Self {
        self.config = Some(schemas::of_input::<T>());
        self
    }

    /// With a function, whose types say what goes in and what comes out.
    pub fn function<I: Input, O: Output, E: Into<Error>>(
        mut self,
        name: &'static str,
        role: Role,
        _function: impl FnOnce(I) -> Result<O, E>,
    ) -> Self {
        self.functions.push(Function { name, role, input: I::schema(), output: O::schema() });
        self
    }

    /// With a function of the lifecycle that is given nothing.
    pub fn bare(mut self, name: &'static str) -> Self {
        self.functions.push(Function { name, role: Role::Lifecycle, input: None, output: None });
        self
    }

    /// Compare all of it with the manifest of the crate in `folder`.
    ///
    /// # Panics
    /// Something differs; every difference is named.
    pub fn check(&self, folder: &Path) {
        let problems = self.problems(folder, std::env::var_os("AGENTMEM_WRITE").is_some());
        let hint = "Correct the one or the other; `AGENTMEM_WRITE=1 cargo test` writes the schemas.";
        assert!(problems.is_empty(), "manifest and code differ:\n- {}\n{hint}", problems.join("\n- "));
    }

    /// Every difference, as a sentence; schemas are written first where `write` says so.
    pub fn problems(&self, folder: &Path, write: bool) -> Vec<String> {
        let path = manifest_of(folder, self.crate_name);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(reason) => return vec![format!("{} cannot be read: {reason}", path.display())],
        };
        let manifest: Value = match toml::from_str(&text) {
            Ok(manifest) => manifest,
            Err(reason) => return vec![format!("{} is no TOML: {reason}", path.display())],
        };
        let mut files = Files { folder: path.parent().unwrap_or(folder).to_owned(), write, problems: Vec::new() };
        self.compare_facts(&manifest, &mut files.problems);
        self.compare_config(&manifest, folder, &mut files);
        self.compare_names(&manifest, &mut files.problems);
        for tool in tools_of(&manifest) {
            self.compare_schemas(tool, &mut files);
        }
        files.problems
    }

    fn compare_facts(&self, manifest: &Value, problems: &mut Vec<String>) {
        for (key, code) in ["name", "version", "description", "author", "type"].into_iter().zip(self.facts) {
            let told = manifest["plugin"][key].as_str();
            let told = told.unwrap_or(if key == "type" { "Custom" } else { "" });
            if told != code {
                problems.push(format!("plugin.{key}: the manifest says \"{told}\", the code \"{code}\""));
            }
        }
        let mut told = texts(&manifest["capabilities"]["required"]);
        let mut code = self.required.clone();
        told.sort_unstable();
        code.sort_unstable();
        if told != code {
            problems.push(format!("capabilities.required: the manifest says {told:?}, the code {code:?}"));
        }
    }

    fn compare_config(&self, manifest: &Value, folder: &Path, files: &mut Files) {
        let schema_file = folder.join(CONFIG_SCHEMA);
        let Some(schema) = &self.config else {
            if schema_file.exists() {
                files.problems.push(format!("{CONFIG_SCHEMA} is there, and the code has no configuration"));
            }
            return;
        };
        files.compare(&schema_file, schema);
        if manifest["config_schema"].as_str() == Some(SERVED_CONFIG_SCHEMA) {
            files.compare(&files.folder.join(SERVED_CONFIG_SCHEMA), schema);
        } else {
            files.problems.push(format!("config_schema: is not \"{SERVED_CONFIG_SCHEMA}\", which is written from the code"));
        }
        for key in manifest["config"].as_object().into_iter().flat_map(|config| config.keys()) {
            if schema["properties"].get(key).is_none() {
                files.problems.push(format!("config.{key}: the code knows no such value"));
            }
        }
    }

    fn compare_names(&self, manifest: &Value, problems: &mut Vec<String>) {
        let shown: Vec<&str> = tools_of(manifest).filter_map(|tool| tool["function"].as_str()).collect();
        let hooks = manifest["hooks"].as_object().into_iter().flat_map(|hooks| hooks.values());
        let hooked: Vec<&str> = hooks.filter_map(|hook| hook.as_str().or_else(|| hook["function"].as_str())).collect();
        for name in shown.iter().chain(&hooked) {
            if !self.functions.iter().any(|function| function.name == *name && function.role != Role::Lifecycle) {
                problems.push(format!("the manifest names the function `{name}`, which the code does not export"));
            }
        }
        for function in &self.functions {
            let (list, missing) = match function.role {
                Role::Tool => ("[[tools]]", !shown.contains(&function.name)),
                Role::Hook => ("[hooks]", !hooked.contains(&function.name)),
                Role::Kind | Role::Lifecycle => continue,
            };
            if missing {
                problems.push(format!("the manifest has no entry in {list} for `{}`", function.name));
            }
        }
    }

    fn compare_schemas(&self, tool: &Value, files: &mut Files) {
        let Some(name) = tool["function"].as_str() else { return };
        let Some(function) = self.functions.iter().find(|function| function.name == name) else { return };
        let text_in = tool["input"] == "text";
        if text_in != function.input.is_none() {
            files.problems.push(format!("`{name}`: `input = \"text\"` goes with a function that takes a `Text`"));
        }
        files.compare_told(tool, name, "input", &function.input);
        if tool["result"] != "content" {
            files.compare_told(tool, name, "output", &function.output);
        }
    }
}

/// The files of schemas, and what is wrong with them.
struct Files {
    folder: PathBuf,
    write: bool,
    problems: Vec<String>,
}

impl Files {
    fn compare_told(&mut self, tool: &Value, function: &str, side: &str, schema: &Option<Value>) {
        let key = format!("{side}_schema");
        match (&tool[&key], schema) {
            (Value::Null, None) => {}
            (Value::Null, Some(_)) => self.problems.push(format!(
                "`{function}` needs {key} = \"schemas/{function}.{side}.json\" in its entry in [[tools]]"
            )),
            (_, None) => self.problems.push(format!("`{function}` has a {key}, and its type is a text")),
            (Value::String(path), Some(schema)) => self.compare(&self.folder.join(path), schema),
            (table, Some(schema)) if table != schema => {
                self.problems
                    .push(format!("`{function}`: the {key} in the manifest is not that of the code: {schema}"));
            }
            _ => {}
        }
        if side == "input" && schema.as_ref().is_some_and(|schema| schema["type"] != "object") {
            self.problems.push(format!("`{function}` takes no object, so that it cannot be a tool"));
        }
    }

    fn compare(&mut self, path: &Path, schema: &Value) {
        let told = std::fs::read_to_string(path).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
        if told.as_ref() == Some(schema) {
            return;
        }
        if !self.write {
            self.problems.push(format!("{} is not the schema of the code's type", path.display()));
            return;
        }
        let text = format!("{schema:#}\n");
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        if let Err(reason) = folder.and_then(|()| std::fs::write(path, text)) {
            self.problems.push(format!("{} cannot be written: {reason}", path.display()));
        }
    }
}

fn manifest_of(folder: &Path, crate_name: &str) -> PathBuf {
    let beside = folder.join("plugin.toml");
    if beside.is_file() {
        return beside;
    }
    folder.join("../../manifests").join(crate_name).join("plugin.toml")
}

fn tools_of(manifest: &Value) -> impl Iterator<Item = &Value> {
    manifest["tools"].as_array().into_iter().flatten()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
